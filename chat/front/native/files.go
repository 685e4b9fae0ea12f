package native

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"udpchat/chat"
	wire "udpchat/chat/wire/native"
)

// uploadsBucket has a record for each file that an account has uploaded: its size. Only those may be announced, so that
// nobody gets a file by knowing its digest.
const uploadsBucket = "uploads"

func uploadKey(account string, d digest) string { return account + "/" + d.id() }

// uploaded returns the size of a file that the account has uploaded. ok is false if it has not.
func (f *Front) uploaded(ctx context.Context, account string, d digest) (size uint64, ok bool, err error) {
	entry, err := f.cfg.Engine.Get(ctx, uploadsBucket, uploadKey(account, d))
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("native: uploads: %w", err)
	}
	if size, err = strconv.ParseUint(string(entry.Val), 10, 63); err != nil {
		return 0, false, fmt.Errorf("native: record of an upload is damaged: %w", err)
	}
	return size, true, nil
}

// owns refuses a file that the account has not uploaded, and sees to it that one that it has stays, if it may tell of it in that log.
func (l *login) owns(ctx context.Context, log string, d digest, size uint64) error {
	had, ok, err := l.front.uploaded(ctx, l.account, d)
	switch {
	case err != nil:
		return err
	case !ok:
		return refusef(wire.CodeNoFile, "upload the file first")
	case had != size:
		return refusef(wire.CodeNoFile, "the file has %d bytes", had)
	}
	if err := l.device.MaySay(ctx, log); err != nil {
		return err
	}
	ok, err = l.front.cfg.Accounts.Share(ctx, d.id())
	if err == nil && !ok {
		err = refusef(wire.CodeNoFile, "upload the file again: it was not announced for too long")
	}
	return err
}

// Forget has an account forget that it has uploaded a file, which is about to be dropped because nobody was told of it.
func (f *Front) Forget(ctx context.Context, account, id string) error {
	err := f.cfg.Engine.Delete(ctx, uploadsBucket, account+"/"+id, 0)
	if errors.Is(err, chat.ErrNotFound) {
		return nil
	}
	return err
}

// ForgetAccount forgets what files an account that is no more has uploaded. Those that somebody was told of stay.
func (f *Front) ForgetAccount(ctx context.Context, account string) error {
	entries, err := f.cfg.Engine.List(ctx, uploadsBucket, account+"/")
	for _, en := range entries {
		if err == nil {
			err = f.Forget(ctx, account, strings.TrimPrefix(en.Key, account+"/"))
		}
	}
	if err != nil {
		return fmt.Errorf("native: uploads: %w", err)
	}
	return nil
}

// upload carries out Upload.
func (l *login) upload(ctx context.Context, m wire.Upload) (wire.Reply, error) {
	f, d := l.front, digest(m.Digest)
	switch {
	case f.spool == nil:
		return nil, refusef(wire.CodeNotAllowed, "this server takes no files")
	case m.Size > uint64(f.cfg.FileBytesMax):
		return nil, refusef(wire.CodeTooLong, "a file may have %d bytes", f.cfg.FileBytesMax)
	}
	reply := wire.Ticket{Size: m.Size, Digest: m.Digest}
	size, had, err := f.uploaded(ctx, l.account, d)
	switch {
	case err != nil:
		return nil, err
	case had && size != m.Size:
		return nil, refusef(wire.CodeChecksum, "the file with this digest has %d bytes", size)
	case had:
		return reply, nil
	}
	if err := f.refuseFull(ctx, l.account, d, m.Size); err != nil {
		return nil, err
	}
	if reply.Offset, err = f.spool.have(l.account, d, m.Size); err != nil {
		return nil, err
	}
	t := ticket{account: l.account, device: l.receiver.device, upload: true, digest: d, size: m.Size}
	reply.Token, err = f.tickets.issue(time.Now(), t)
	reply.Expires = wire.For(ticketLife)
	return reply, err
}

// refuseFull refuses one more upload if the account has too much, what it is uploading included.
func (f *Front) refuseFull(ctx context.Context, account string, d digest, size uint64) error {
	usage, err := f.cfg.Accounts.Usage(ctx, account)
	if err != nil {
		return err
	}
	parts, bytes, err := f.spool.reserved(time.Now(), account, d, size)
	switch {
	case err != nil:
		return err
	case parts >= partsPerAccount:
		return refusef(wire.CodeTooMany, "%d uploads are unfinished", partsPerAccount)
	case uint64(usage.Bytes)+bytes+size > uint64(usage.BytesMax):
		return refusef(wire.CodeQuota, "of %d bytes for your files %d are left", usage.BytesMax, usage.BytesMax-usage.Bytes)
	}
	return nil
}

// download carries out Download. Who may read the announcement may read the file.
func (l *login) download(ctx context.Context, m wire.Download) (wire.Reply, error) {
	evs, err := l.device.History(ctx, m.Log, chat.Page{After: m.Seq - 1, Before: m.Seq + 1, N: 1})
	if err != nil {
		return nil, err
	}
	if len(evs) == 0 || evs[0].Kind != chat.KindFile {
		return nil, refusef(wire.CodeNoFile, "no file is announced there")
	}
	file := fileOf(evs[0].File)
	if file == nil || l.front.spool == nil {
		return nil, refusef(wire.CodeNoFile, "this server has no such file")
	}
	t := ticket{account: l.account, device: l.receiver.device, digest: digest(file.Digest), size: file.Size}
	token, err := l.front.tickets.issue(time.Now(), t)
	return wire.Ticket{Token: token, Size: file.Size, Digest: file.Digest, Expires: wire.For(ticketLife)}, err
}
