package account

import (
	"context"
)

// quotaRecord is which files an account answers for: their sizes by their ids.
type quotaRecord struct {
	Files map[string]int64 `json:"files"`
}

// guestShare is the part of a quota that a guest has.
const guestShare = 16

func (q quotaRecord) bytes() int64 {
	var sum int64
	for _, size := range q.Files {
		sum += size
	}
	return sum
}

// Usage is how much space the files of an account take.
type Usage struct {
	Bytes, BytesMax int64
	Files, FilesMax int
}

// Charge has an account answer for a file of size bytes from now on. id is any id the caller likes, such as that of the file's
// content, of at most 128 bytes; one that the account answers for already is not counted again. Call it before anything is
// stored. It refuses with CodeQuota, CodeTooLong or CodeNoAccount.
func (s *Service) Charge(ctx context.Context, name, id string, size int64) error {
	const op = "store a file"
	r, _, err := s.find(ctx, name)
	switch {
	case err != nil:
		return err
	case r == nil:
		return refuse(op, CodeNoAccount)
	case id == "" || len(id) > fileIDBytesMax:
		return refuse(op, CodeTooLong)
	case size < 0 || size > s.quota(r):
		return refuse(op, CodeQuota)
	}
	return change(ctx, s, bucketQuota, r.Name, func(q *quotaRecord, _ bool) error {
		if _, ok := q.Files[id]; ok {
			return errUnchanged
		}
		if len(q.Files) >= quotaFilesMax || q.bytes() > s.quota(r)-size {
			return refuse(op, CodeQuota)
		}
		if q.Files == nil {
			q.Files = make(map[string]int64)
		}
		q.Files[id] = size
		return nil
	})
}

// Release takes back Charge. An id that the account does not answer for is no error.
func (s *Service) Release(ctx context.Context, name, id string) error {
	canonical, err := canonicalName("forget a file", name)
	if err != nil {
		return err
	}
	return change(ctx, s, bucketQuota, canonical, func(q *quotaRecord, _ bool) error {
		if _, ok := q.Files[id]; !ok {
			return errUnchanged
		}
		delete(q.Files, id)
		return nil
	})
}

// Usage returns how much of its quota an account uses.
func (s *Service) Usage(ctx context.Context, name string) (Usage, error) {
	r, _, err := s.find(ctx, name)
	switch {
	case err != nil:
		return Usage{}, err
	case r == nil:
		return Usage{}, refuse("count files", CodeNoAccount)
	}
	var q quotaRecord
	if _, _, err := s.read(ctx, bucketQuota, r.Name, &q); err != nil {
		return Usage{}, err
	}
	return Usage{Bytes: q.bytes(), BytesMax: s.quota(r), Files: len(q.Files), FilesMax: quotaFilesMax}, nil
}

func (s *Service) quota(r *record) int64 {
	if r.Verifier == "" {
		return s.cfg.QuotaBytes / guestShare
	}
	return s.cfg.QuotaBytes
}
