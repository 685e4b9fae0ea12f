package jsonchat

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"udpchat/chat"
)

// Buckets of records; see the package comment.
const (
	bucketSecrets = "jsonchat-secrets"
	bucketTokens  = "jsonchat-tokens"
	bucketFiles   = "jsonchat-files"
)

const secretBytes = 32

// A token is the number of a device (PROTOCOL.md 3): 2^52, 40 random bits, and 12 bits that only this server can make of
// those. So a number that somebody else's server gave away is not taken for one of ours, and no record is needed before
// somebody logs in. What a log-in is worth is in all 52 bits.
type token int64

const (
	tokenBase     = 1 << 52
	tokenMarkBits = 12
	tokenMark     = 1<<tokenMarkBits - 1
	tokenRandom   = 1<<40 - 1
)

// tokens makes and checks numbers, and keeps what is known of them.
type tokens struct {
	engine chat.Engine
	key    []byte // Constant.
}

// newTokens reads the key, which is the same on all servers over one engine; the first time it makes it.
func newTokens(ctx context.Context, engine chat.Engine) (*tokens, error) {
	fresh := make([]byte, secretBytes)
	rand.Read(fresh) // Never fails: without randomness it ends the process.
	_, err := engine.Put(ctx, bucketSecrets, "tokens", fresh, 0)
	if err == nil {
		return &tokens{engine, fresh}, nil
	}
	if !errors.Is(err, chat.ErrConflict) {
		return nil, fmt.Errorf("jsonchat: making the key of tokens: %w", err)
	}
	en, err := engine.Get(ctx, bucketSecrets, "tokens")
	if err != nil {
		return nil, fmt.Errorf("jsonchat: reading the key of tokens: %w", err)
	}
	if len(en.Val) != secretBytes {
		return nil, fmt.Errorf("jsonchat: the key of tokens is damaged: %d bytes", len(en.Val))
	}
	return &tokens{engine, en.Val}, nil
}

// fresh returns a new number.
func (ts *tokens) fresh() token {
	var b [8]byte
	rand.Read(b[:]) // Never fails, as above.
	return ts.marked(binary.LittleEndian.Uint64(b[:]) & tokenRandom)
}

// ours reports whether a number is one that we gave away.
func (ts *tokens) ours(n int64) bool {
	if n < tokenBase || n >= 2*tokenBase {
		return false
	}
	return ts.marked(uint64(n)>>tokenMarkBits&tokenRandom) == token(n)
}

// marked returns the number made of random bits.
func (ts *tokens) marked(random uint64) token {
	mark := binary.LittleEndian.Uint64(ts.mac("mark", token(random))) & tokenMark
	return token(tokenBase | random<<tokenMarkBits | mark)
}

// mac is what only we can make of a number, for one purpose.
func (ts *tokens) mac(purpose string, t token) []byte {
	m := hmac.New(sha256.New, ts.key)
	m.Write(binary.LittleEndian.AppendUint64([]byte(purpose), uint64(t)))
	return m.Sum(nil)
}

// A tokenRecord is what is kept of a token that somebody has logged in with.
type tokenRecord struct {
	// Login is the account's token of this device, which is as good as its password, sealed by the number. Empty: nobody
	// is logged in.
	Login   []byte   `json:"login,omitempty"`
	Cursors []cursor `json:"cursors,omitempty"` // The one set last comes last.
}

// A cursor is up to when the device has the messages of a user (PROTOCOL.md 4).
type cursor struct {
	User uint64 `json:"user"`
	At   int64  `json:"at"` // Milliseconds since 1970.
}

// read returns the record of a token, zero if there is none, and its revision.
func (ts *tokens) read(ctx context.Context, t token) (r tokenRecord, rev uint64, err error) {
	en, err := ts.engine.Get(ctx, bucketTokens, ts.hash(t))
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return tokenRecord{}, 0, nil
	case err != nil:
		return tokenRecord{}, 0, fmt.Errorf("jsonchat: reading a token: %w", err)
	}
	if err := json.Unmarshal(en.Val, &r); err != nil {
		return tokenRecord{}, 0, fmt.Errorf("jsonchat: the record of a token is damaged: %w", err)
	}
	return r, en.Rev, nil
}

// change has f change the record of a token, again if somebody else did so at the same time.
func (ts *tokens) change(ctx context.Context, t token, f func(*tokenRecord)) error {
	for range recordTries {
		r, rev, err := ts.read(ctx, t)
		if err != nil {
			return err
		}
		f(&r)
		b, err := json.Marshal(r)
		if err != nil {
			panic("BUG: jsonchat: a record cannot be written down: " + err.Error())
		}
		_, err = ts.engine.Put(ctx, bucketTokens, ts.hash(t), b, rev)
		if err == nil {
			return nil
		}
		if !errors.Is(err, chat.ErrConflict) || ctx.Err() != nil {
			return fmt.Errorf("jsonchat: writing a token: %w", err)
		}
	}
	return errors.New("jsonchat: writing a token: too many change it at the same time")
}

// hash is what a token is stored by: who reads the store without the key cannot even check a guess.
func (ts *tokens) hash(t token) string { return hex.EncodeToString(ts.mac("hash", t)) }

// seal hides the account's token in the record, from all who do not know the number.
func (ts *tokens) seal(t token, text string) []byte {
	aead := ts.aead(t)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // Never fails, as above.
	return aead.Seal(nonce, nonce, []byte(text), nil)
}

// unseal is the reverse of seal; empty if that is not what it was.
func (ts *tokens) unseal(t token, sealed []byte) string {
	aead := ts.aead(t)
	if len(sealed) < aead.NonceSize() {
		return ""
	}
	text, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil)
	if err != nil {
		return "" // Damaged: nobody is logged in.
	}
	return string(text)
}

func (ts *tokens) aead(t token) cipher.AEAD {
	block, err := aes.NewCipher(ts.mac("seal", t))
	if err != nil {
		panic("BUG: jsonchat: " + err.Error()) // The key has the length of a SHA-256.
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("BUG: jsonchat: " + err.Error()) // The block is AES's.
	}
	return aead
}

// cursor returns up to when the device has a user's messages.
func (r *tokenRecord) cursor(user uint64) int64 {
	for _, c := range r.Cursors {
		if c.User == user {
			return c.At
		}
	}
	return 0
}

func (r *tokenRecord) setCursor(user uint64, at int64) {
	r.Cursors = slices.DeleteFunc(r.Cursors, func(c cursor) bool { return c.User == user })
	r.Cursors = append(r.Cursors, cursor{user, at})
	if n := len(r.Cursors); n > cursorsMax {
		r.Cursors = slices.Delete(r.Cursors, 0, n-cursorsMax)
	}
}
