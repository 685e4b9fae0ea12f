package account

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Token lets one device log in without a password.
type Token struct {
	Text   string // What the device keeps and sends. It is shown once and stored nowhere.
	Device string // The device's id: lower-case letters and digits, the first half of the ids of its messages.
}

// A Device is what is known of a device that may log in with a token.
type Device struct {
	Device  string
	Label   string // What its owner calls it. Printable.
	Created time.Time
	Used    time.Time // The last log-in, to the hour.
}

// tokenRecord is a token as it is stored, under a keyed hash of it.
type tokenRecord struct {
	Account string    `json:"account"`
	ID      uint64    `json:"id"`            // Of the account, so that it cannot be another one's of the same name.
	Era     uint64    `json:"era,omitempty"` // Of the account's password: another password, and the token is none.
	Device  string    `json:"device"`
	Label   string    `json:"label,omitempty"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used"`
}

// NewDevice returns a new id of a device. Front-ends whose protocol has no tokens, or its own, give it to their sessions.
func NewDevice() string {
	var b [10]byte
	rand.Read(b[:]) // Never fails: without randomness it ends the process.
	return "d" + hex.EncodeToString(b[:])
}

// NewToken makes a device for an account: who is what Register, Guest or LogIn have returned. label is what its owner calls
// it; what cannot be shown is left out of it. If the account has too many, the one that was not used for the longest time is
// revoked. If the password was changed after who had logged in, the token does not work.
func (s *Service) NewToken(ctx context.Context, who Account, label string) (Token, error) {
	r := who
	if err := s.makeRoom(ctx, r.Name); err != nil {
		return Token{}, err
	}
	var secret [secretBytes]byte
	rand.Read(secret[:]) // Never fails, as above.
	t := Token{Text: base64.RawURLEncoding.EncodeToString(secret[:]), Device: NewDevice()}
	now := time.Now().UTC()
	rec := tokenRecord{Account: r.Name, ID: r.ID, Era: r.era, Device: t.Device, Label: cleanLabel(label), Created: now, Used: now}
	hash := s.hash(t.Text)
	// The list first: a token that is not in it could not be revoked.
	if err := s.write(ctx, bucketTokensOf, r.Name+"/"+t.Device, hash, 0); err != nil {
		return Token{}, err
	}
	if err := s.write(ctx, bucketTokens, hash, rec, 0); err != nil {
		return Token{}, err
	}
	return t, nil
}

// ByToken returns the account and the device of a token. It refuses with CodeDenied, whatever is wrong.
func (s *Service) ByToken(ctx context.Context, text string) (a Account, device string, err error) {
	const op = "log in"
	if len(text) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return Account{}, "", refuse(op, CodeDenied)
	}
	hash := s.hash(text)
	var t tokenRecord
	rev, found, err := s.read(ctx, bucketTokens, hash, &t)
	if err != nil {
		return Account{}, "", err
	}
	r, _, err := s.find(ctx, t.Account)
	if err != nil {
		return Account{}, "", err
	}
	if !found || r == nil || r.ID != t.ID || r.Era != t.Era {
		return Account{}, "", refuse(op, CodeDenied)
	}
	if now := time.Now().UTC(); now.Sub(t.Used) >= usedStep {
		t.Used = now
		if err := s.write(ctx, bucketTokens, hash, t, rev); err != nil {
			s.log.Debug("use of a token not noted", "err", err) // If it was revoked meanwhile, it may not come back.
		}
	}
	if err := s.prolong(ctx, r); err != nil {
		return Account{}, "", err
	}
	return r.account(), t.Device, nil
}

// Tokens returns the devices of an account that may log in with a token, the one used last first.
func (s *Service) Tokens(ctx context.Context, name string) ([]Device, error) {
	canonical, err := canonicalName("list devices", name)
	if err != nil {
		return nil, err
	}
	list, err := s.tokens(ctx, canonical)
	devices := make([]Device, len(list))
	for i, t := range list {
		devices[i] = Device{Device: t.Device, Label: t.Label, Created: t.Created, Used: t.Used}
	}
	return devices, err
}

// Revoke has a token be one no more. It refuses with CodeNotFound.
func (s *Service) Revoke(ctx context.Context, name, device string) error {
	const op = "revoke a token"
	canonical, err := canonicalName(op, name)
	if err != nil {
		return err
	}
	list, err := s.tokens(ctx, canonical)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(t listedToken) bool { return t.Device == device })
	if i < 0 {
		return refuse(op, CodeNotFound)
	}
	return s.revoke(ctx, list[i])
}

// revokeAll revokes all tokens of an account but that of the device keep.
func (s *Service) revokeAll(ctx context.Context, name, keep string) error {
	list, err := s.tokens(ctx, name)
	for _, t := range list {
		if err == nil && t.Device != keep {
			err = s.revoke(ctx, t)
		}
	}
	return err
}

// keepToken has the token of a device live on in a new era of its account.
func (s *Service) keepToken(ctx context.Context, name, device string, era uint64) error {
	list, err := s.tokens(ctx, name)
	for _, t := range list {
		if err == nil && t.Device == device {
			err = change(ctx, s, bucketTokens, t.hash, func(t *tokenRecord, found bool) error {
				if !found {
					return errUnchanged
				}
				t.Era = era
				return nil
			})
		}
	}
	return err
}

// revoke removes a token, and then its place in the list.
func (s *Service) revoke(ctx context.Context, t listedToken) error {
	if err := s.remove(ctx, bucketTokens, t.hash); err != nil {
		return err
	}
	if err := s.remove(ctx, bucketTokensOf, t.Account+"/"+t.Device); err != nil {
		return err
	}
	s.tell(ctx, Change{Account: t.Account, Kind: TokenRevoked, Device: t.Device})
	return nil
}

// unlistTokens removes what is left in the list of the tokens of an account that ends.
func (s *Service) unlistTokens(ctx context.Context, name string) error {
	entries, err := s.cfg.Engine.List(ctx, bucketTokensOf, name+"/")
	for _, en := range entries {
		if err == nil {
			err = s.remove(ctx, bucketTokensOf, en.Key)
		}
	}
	return err
}

// makeRoom revokes the tokens that are too many for one more.
func (s *Service) makeRoom(ctx context.Context, name string) error {
	list, err := s.tokens(ctx, name)
	for len(list) >= tokensMax && err == nil {
		err = s.revoke(ctx, list[len(list)-1])
		list = list[:len(list)-1]
	}
	return err
}

type listedToken struct {
	tokenRecord
	hash string
}

// tokens returns the tokens of an account, given by its canonical name, the one used last first. What is listed and not there
// is being made, or was left by a server that died.
func (s *Service) tokens(ctx context.Context, name string) ([]listedToken, error) {
	entries, err := s.cfg.Engine.List(ctx, bucketTokensOf, name+"/")
	if err != nil {
		return nil, err
	}
	var list []listedToken
	for _, en := range entries {
		hash, err := decode[string](bucketTokensOf, en)
		if err != nil {
			return nil, err
		}
		t := listedToken{hash: hash}
		_, found, err := s.read(ctx, bucketTokens, hash, &t.tokenRecord)
		if err != nil {
			return nil, err
		}
		if found && name+"/"+t.Device == en.Key {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b listedToken) int {
		return cmp.Or(b.Used.Compare(a.Used), b.Created.Compare(a.Created), cmp.Compare(a.Device, b.Device))
	})
	return list, nil
}

// hash is what a token is stored by. The key is in the store, too, since all servers over it need it: whoever reads the store
// can check guesses, of which there are 2²⁵⁶, but cannot log in with what is there, nor see in two stores who has one token.
func (s *Service) hash(text string) string {
	m := hmac.New(sha256.New, s.tokenKey)
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// cleanLabel returns what can be shown of a label.
func cleanLabel(label string) string {
	if len(label) > 4*labelBytesMax {
		label = label[:4*labelBytesMax]
	}
	label = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, label)
	for len(label) > labelBytesMax {
		_, size := utf8.DecodeLastRuneInString(label)
		label = label[:len(label)-size]
	}
	return strings.TrimSpace(label)
}
