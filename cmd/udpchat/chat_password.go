package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"udpchat/chat/wire/native"
	"udpchat/client"
)

// changePassword changes the account's password instead of chatting, and ends the client. The old password is asked for, also
// of a machine that is remembered: who finds it unlocked is not to take the account away.
func (o *chatOptions) changePassword(ctx context.Context, l *login, c *client.Client) (err error) {
	defer func() { err = errors.Join(err, c.Close()) }()
	before := l.password
	if before == "" {
		if before, err = l.secret(ctx, "Your password until now: "); err != nil {
			return err
		}
	}
	after, err := l.newPassword(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, nativeDialWait)
	defer cancel()
	if err := c.ChangePassword(ctx, before, after); err != nil {
		return inNative("the password is still the old one", err)
	}
	fmt.Fprintln(l.stderr, "The password is changed. Your other devices have to log in with it.")
	return nil
}

// newPassword returns the password of --new-password-file, or asks for it twice.
func (l *login) newPassword(ctx context.Context) (string, error) {
	if l.o.newPasswordFile != "" {
		f, err := os.Open(l.o.newPasswordFile)
		if err != nil {
			return "", fmt.Errorf("--new-password-file: %w", err)
		}
		defer f.Close()
		return firstLine("--new-password-file", bufio.NewReader(f))
	}
	password, err := l.secret(ctx, "The new password: ")
	if err != nil {
		return "", err
	}
	return password, l.again(ctx, password)
}

// firstLine reads the password on the first line of what a flag names.
func firstLine(flag string, r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" || len(line) > native.SecretBytesMax {
		return "", fmt.Errorf("%s: want 1 to %d bytes on the first line", flag, native.SecretBytesMax)
	}
	return line, nil
}
