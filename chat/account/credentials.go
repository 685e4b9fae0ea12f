package account

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"udpchat/chat/names"
	"udpchat/chat/passwd"
)

// An Import says what became of a file of credentials.
type Import struct {
	Made    int // Accounts that are new.
	Changed int // Accounts that have another password now.
	Same    int // Accounts that were there, and whose password was left as it is.
	Bad     []BadLine
}

// A BadLine is a line that was skipped.
type BadLine struct {
	Line int // From 1 on.
	Why  string
}

// badLinesMax is how many skipped lines are told one by one. If there are more the import ends, since that is no such file.
const badLinesMax = 1_000

// byteOrderMark is what some editors put before the first line of a text. It is none of the first name.
const byteOrderMark = "\ufeff"

// ImportCredentials makes accounts of a text with a name, a space and a password on each line, or a verifier of ours in place
// of the password. Empty lines are skipped. Accounts that are there keep their password unless replace is true. It works
// whether anybody may register or not. After an error, what came before is done; it may be repeated.
func (s *Service) ImportCredentials(ctx context.Context, r io.Reader, replace bool) (Import, error) {
	var done Import
	lines := bufio.NewReaderSize(r, importLineBytesMax)
	for n := 1; ; n++ {
		line, long, err := readLine(lines)
		if n == 1 {
			line = strings.TrimPrefix(line, byteOrderMark)
		}
		switch {
		case errors.Is(err, io.EOF):
			return done, nil
		case err != nil:
			return done, fmt.Errorf("account: reading credentials: %w", err)
		case n > importLinesMax:
			return done, fmt.Errorf("account: credentials have more than %d lines", importLinesMax)
		case long:
			err = refuse("import", CodeTooLong)
		case line == "":
			continue
		default:
			err = s.importLine(ctx, &done, line, replace)
		}
		if bad, ok := errors.AsType[*Error](err); ok {
			why := bad.Code.String()
			if bad.Detail != "" {
				why += ": " + bad.Detail
			}
			done.Bad = append(done.Bad, BadLine{Line: n, Why: why})
			if len(done.Bad) >= badLinesMax {
				return done, fmt.Errorf("account: %d lines are not credentials, the last is line %d", len(done.Bad), n)
			}
			continue
		}
		if err != nil {
			return done, err
		}
	}
}

// readLine returns a line without its end. long: there was more of it.
func readLine(r *bufio.Reader) (line string, long bool, err error) {
	b, err := r.ReadSlice('\n')
	line = strings.TrimRight(string(b), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		_, err = r.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) && (line != "" || long) {
		err = nil
	}
	return line, long, err
}

func (s *Service) importLine(ctx context.Context, done *Import, line string, replace bool) error {
	const op = "import"
	name, password, _ := strings.Cut(line, " ")
	canonical, err := names.NewAccount(name, true)
	if err != nil {
		return refuseName(op, err)
	}
	err = s.free(ctx, op, canonical)
	taken := Is(err, CodeTaken)
	switch {
	case taken && !replace:
		done.Same++
		return nil
	case err != nil && !taken:
		return err
	}
	verifier, err := s.verifierOf(ctx, op, password)
	if err != nil {
		return err
	}
	if taken {
		err = s.store(ctx, op, canonical, "", verifier, "")
		if err == nil {
			done.Changed++
		}
		return err
	}
	if _, err = s.create(ctx, op, record{Name: canonical, Show: name, Verifier: verifier}); err == nil {
		done.Made++
	}
	return err
}

// verifierOf returns the verifier of what stands behind a name in a file of credentials.
func (s *Service) verifierOf(ctx context.Context, op, password string) (string, error) {
	if strings.HasPrefix(password, "$argon2id$") {
		if err := passwd.Check(password); err != nil {
			return "", &Error{Op: op, Code: CodeBadPassword, Detail: err.Error()}
		}
		return password, nil
	}
	secret, err := passwd.Clear(password)
	if err != nil {
		return "", explainHash(op, err)
	}
	verifier, err := s.hasher.Hash(ctx, secret)
	if err != nil {
		return "", explainHash(op, err)
	}
	return verifier, nil
}

// ExportCredentials writes a line for each account that has a password, in a form that ImportCredentials takes: the name as its
// owner writes it, a space, and the verifier, since the password itself is known to nobody. It returns how many.
func (s *Service) ExportCredentials(ctx context.Context, w io.Writer) (int, error) {
	entries, err := s.cfg.Engine.List(ctx, bucketAccounts, "")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, en := range entries {
		r, err := decode[record](bucketAccounts, en)
		if err != nil {
			return n, err
		}
		if r.Verifier == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s %s\n", r.Show, r.Verifier); err != nil {
			return n, fmt.Errorf("account: writing credentials: %w", err)
		}
		n++
	}
	return n, nil
}
