package jsonchat

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"udpchat/chat"
	"udpchat/chat/names"
	wire "udpchat/chat/wire/jsonchat"
)

// A fileRecord is what a file is stored as.
type fileRecord struct {
	SHA256 string `json:"sha256"`
	MD5    string `json:"md5"`
	Size   int64  `json:"size"`
}

func messageKey(name, md5 string) string { return "m/" + name + "/" + keyPart(md5) }
func ownKey(name, md5 string) string     { return "f/" + name + "/" + keyPart(md5) }
func sumKey(sha256 string) string        { return "s/" + sha256 }

// keyPart returns s as part of a key: itself if it is an MD5, else something that holds nothing of a stranger's.
func keyPart(s string) string {
	if isMD5(s) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "x" + hex.EncodeToString(sum[:])
}

// isMD5 reports whether s is an MD5 as this server writes it.
func isMD5(s string) bool {
	return len(s) == hex.EncodedLen(md5.Size) && strings.Trim(s, "0123456789abcdef") == ""
}

// isFileName reports whether a file may be called that: by a name without directories that can be shown. Clients put it
// into the name of a file of theirs.
func isFileName(name string) bool {
	return name != "." && name != ".." && !strings.ContainsAny(name, `/\`) && names.Check(name, fileNameBytesMax) == nil
}

// file returns the file of a record, or chat.ErrNotFound.
func (f *Front) file(ctx context.Context, key string) (r fileRecord, err error) {
	en, err := f.cfg.Engine.Get(ctx, bucketFiles, key)
	if err != nil {
		return fileRecord{}, err
	}
	if err := json.Unmarshal(en.Val, &r); err != nil {
		return fileRecord{}, fmt.Errorf("jsonchat: the record of a file is damaged: %w", err)
	}
	return r, nil
}

// putFile writes a record, unless there is one: the first file of a name stays it.
func (f *Front) putFile(ctx context.Context, key string, r fileRecord) error {
	if _, err := f.cfg.Engine.Get(ctx, bucketFiles, key); !errors.Is(err, chat.ErrNotFound) {
		return err
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic("BUG: jsonchat: a record cannot be written down: " + err.Error())
	}
	if _, err = f.cfg.Engine.Put(ctx, bucketFiles, key, b, 0); errors.Is(err, chat.ErrConflict) {
		return nil
	}
	return err
}

// noteFile notes that an account may fetch the file of a message, and send it on.
func (f *Front) noteFile(ctx context.Context, name, msgMD5 string, r fileRecord) error {
	if err := f.putFile(ctx, messageKey(name, msgMD5), r); err != nil {
		return err
	}
	return f.putFile(ctx, ownKey(name, r.MD5), r)
}

// receiveFile stores the payload, if its MD5 is what the message says; without one the file must be known to the account.
func (c *conn) receiveFile(ctx context.Context, name string, sum *string, payloadBytes int64) (fileRecord, error) {
	if sum == nil || !isMD5(strings.ToLower(*sum)) {
		return fileRecord{}, errFileParts
	}
	want := strings.ToLower(*sum)
	r, err := c.front.file(ctx, ownKey(name, want))
	switch {
	case err == nil:
		return r, nil // The payload, if there is one, is skipped: it is there already.
	case !errors.Is(err, chat.ErrNotFound):
		return fileRecord{}, err
	case payloadBytes == 0 && want != hex.EncodeToString(md5.New().Sum(nil)):
		return fileRecord{}, errFileParts
	}
	done, ok := c.front.uploads.tryEnter(name)
	if !ok {
		return fileRecord{}, errUploads
	}
	defer done()
	return c.front.store(ctx, name, want, payloadBytes, c.payload(ctx))
}

// store stores a file at the account's expense. An MD5 other than want makes it fail at the last byte, so that nothing is
// kept.
func (f *Front) store(ctx context.Context, name, want string, size int64, from io.Reader) (fileRecord, error) {
	accounts := f.cfg.Accounts
	charge := "jsonchat-" + want
	if err := accounts.Charge(ctx, name, charge, size); err != nil {
		return fileRecord{}, err
	}
	id, got, err := f.keep(ctx, &checked{from: from, sum: md5.New(), want: want})
	if err != nil {
		ctx := context.WithoutCancel(ctx)
		errRelease := accounts.Release(ctx, name, charge)
		if had, errHad := f.file(ctx, ownKey(name, want)); errRelease == nil && errHad == nil {
			errRelease = accounts.Charge(ctx, name, charge, had.Size) // It was not this one's: another connection has sent the file.
		}
		if errRelease != nil {
			f.cfg.Logger.Warn("space of a file not accounted for", "user", name, "err", errRelease)
		}
		return fileRecord{}, err
	}
	r := fileRecord{SHA256: id, MD5: want, Size: got}
	for _, key := range []string{sumKey(id), ownKey(name, want)} {
		if err := f.putFile(ctx, key, r); err != nil {
			return r, err
		}
	}
	// Once more, since another connection that has sent other bytes as this file may have given the space back. Now it sees
	// the record.
	return r, accounts.Charge(ctx, name, charge, size)
}

// keep stores the bytes of a file that somebody is told of next.
func (f *Front) keep(ctx context.Context, from io.Reader) (id string, size int64, err error) {
	if id, size, err = f.cfg.Engine.PutBlob(ctx, from); err != nil {
		return "", 0, err
	}
	ok, err := f.cfg.Accounts.Share(ctx, id)
	if err == nil && !ok {
		err = errUploads // The same bytes, of which nobody was told for long, are just being dropped.
	}
	if err != nil {
		return "", 0, err
	}
	r, err := f.cfg.Engine.GetBlob(ctx, id, 0) // Until now they could be.
	if errors.Is(err, chat.ErrNotFound) {
		return "", 0, errUploads
	}
	if err != nil {
		return "", 0, err
	}
	return id, size, r.Close()
}

// checked reads from, and ends with errFileParts if its MD5 is not want.
type checked struct {
	from io.Reader
	sum  hash.Hash
	want string
}

// Read implements io.Reader.
func (c *checked) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	_, _ = c.sum.Write(b[:n]) // A hash takes everything.
	if err == io.EOF && hex.EncodeToString(c.sum.Sum(nil)) != c.want {
		err = errFileParts
	}
	return n, err
}

// storeImage stores an image, which to others is a file.
func (f *Front) storeImage(ctx context.Context, name string, data []byte) (*chat.File, error) {
	sum := md5.Sum(data)
	want := hex.EncodeToString(sum[:])
	r, err := f.file(ctx, ownKey(name, want))
	if errors.Is(err, chat.ErrNotFound) {
		r, err = f.store(ctx, name, want, int64(len(data)), bytes.NewReader(data))
	}
	if err != nil {
		return nil, err
	}
	mime, file := imageForm(data)
	return &chat.File{SHA256: r.SHA256, Size: r.Size, Name: file, MIME: mime}, nil
}

// fileMD5 returns the MD5 of a file, which has to be read once if it came by another protocol.
func (f *Front) fileMD5(ctx context.Context, file *chat.File) (string, error) {
	r, err := f.file(ctx, sumKey(file.SHA256))
	if err == nil {
		return r.MD5, nil
	}
	if !errors.Is(err, chat.ErrNotFound) {
		return "", err
	}
	blob, err := f.cfg.Engine.GetBlob(ctx, file.SHA256, 0)
	if err != nil {
		return "", err
	}
	defer blob.Close() // Nothing was written.
	sum := md5.New()
	if _, err := io.Copy(sum, blob); err != nil {
		return "", fmt.Errorf("jsonchat: reading a file: %w", err)
	}
	r = fileRecord{SHA256: file.SHA256, MD5: hex.EncodeToString(sum.Sum(nil)), Size: file.Size}
	return r.MD5, f.putFile(ctx, sumKey(file.SHA256), r)
}

// findFile answers FINDFILE: whether a SENDMSG of that file would need no payload.
func (c *conn) findFile(ctx context.Context, sum string) error {
	l, err := c.device.logged(ctx)
	if err != nil {
		return err
	}
	if l == nil {
		return errFileUnknown
	}
	_, err = c.front.file(ctx, ownKey(l.who.Name, strings.ToLower(sum)))
	if errors.Is(err, chat.ErrNotFound) {
		return errFileUnknown
	}
	return err
}

// fetchFile answers FETCHFILE. An error ends the session.
func (c *conn) fetchFile(ctx context.Context, msgMD5 string) error {
	name := wire.FetchFile{}.Name()
	r, blob, err := c.openFile(ctx, msgMD5)
	if err != nil {
		return c.answer(name, nil, err)
	}
	defer blob.Close() // Nothing was written.
	return c.out.reply(c.frame(wire.Response{Name: name}, r.Size), blob, r.Size)
}

// openFile opens the file of a message that the account sent or got.
func (c *conn) openFile(ctx context.Context, msgMD5 string) (fileRecord, io.ReadCloser, error) {
	l, err := c.device.logged(ctx)
	if err != nil {
		return fileRecord{}, nil, err
	}
	if l == nil {
		return fileRecord{}, nil, errFileNotFound
	}
	r, err := c.front.file(ctx, messageKey(l.who.Name, msgMD5))
	if err == nil && r.Size > c.lastForm().PayloadMax() {
		return fileRecord{}, nil, errFileTooLarge
	}
	var blob io.ReadCloser
	if err == nil {
		blob, err = c.front.cfg.Engine.GetBlob(ctx, r.SHA256, 0)
	}
	if errors.Is(err, chat.ErrNotFound) {
		err = errFileNotFound
	}
	return r, blob, err
}
