package enginetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing/iotest"

	"udpchat/chat"
)

// content returns n bytes that look like nothing in particular, the same ones every time.
func content(n int) []byte {
	b := make([]byte, n)
	rnd := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	rnd.Read(b)
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// putBlob stores a file and checks what it is told about it.
func (r *rig) putBlob(e chat.Engine, b []byte) string {
	r.Helper()
	id, size, err := e.PutBlob(r.Context(), bytes.NewReader(b))
	if err != nil || id != sum(b) || size != int64(len(b)) {
		r.Fatalf("PutBlob of %d bytes = %q, %d, %v, want %q", len(b), id, size, err, sum(b))
	}
	return id
}

// wantBlob checks that a file has this content from off on.
func (r *rig) wantBlob(e chat.Engine, id string, off int64, want []byte) {
	r.Helper()
	rc, err := e.GetBlob(r.Context(), id, off)
	if err != nil {
		r.Errorf("GetBlob(%.8s, %d): %v", id, off, err)
		return
	}
	got, err := io.ReadAll(rc)
	if err != nil || !bytes.Equal(got, want) {
		r.Errorf("GetBlob(%.8s, %d) has %d bytes, %v, want %d, equal", id, off, len(got), err, len(want))
	}
	if err := rc.Close(); err != nil {
		r.Errorf("GetBlob(%.8s, %d): Close: %v", id, off, err)
	}
}

func blobLife(r *rig) {
	e := r.engine()
	_, err := e.GetBlob(r.Context(), sum([]byte("x")), 0)
	r.wantErr("GetBlob of nothing", err, chat.ErrNotFound)
	r.wantErr("DropBlob of nothing", e.DropBlob(r.Context(), sum([]byte("x"))), chat.ErrNotFound)
	for _, id := range []string{"", "x", "../../etc/passwd"} {
		_, err := e.GetBlob(r.Context(), id, 0)
		r.wantErr("GetBlob of what is no id", err, chat.ErrNotFound)
	}
	var ids []string
	sizes := []int{0, 1, 1000, 64<<10 - 1, 64 << 10, 64<<10 + 1, 3<<20 + 17}
	for _, n := range sizes {
		ids = append(ids, r.putBlob(e, content(n)))
	}
	for i, n := range sizes {
		r.wantBlob(e, ids[i], 0, content(n))
	}
	if err := e.DropBlob(r.Context(), ids[2]); err != nil {
		r.Fatalf("DropBlob: %v", err)
	}
	_, err = e.GetBlob(r.Context(), ids[2], 0)
	r.wantErr("GetBlob after DropBlob", err, chat.ErrNotFound)
	r.wantErr("DropBlob again", e.DropBlob(r.Context(), ids[2]), chat.ErrNotFound)
	r.wantBlob(e, ids[3], 0, content(sizes[3]))
	r.wantBlob(e, r.putBlob(e, content(sizes[2])), 0, content(sizes[2]))
}

func blobOffsets(r *rig) {
	e := r.engine()
	b := content(200_000)
	id := r.putBlob(e, b)
	for _, off := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 131_072, 199_999, 200_000} {
		r.wantBlob(e, id, int64(off), b[off:])
	}
	for _, off := range []int64{-1, 200_001} {
		if rc, err := e.GetBlob(r.Context(), id, off); err == nil {
			rc.Close()
			r.Errorf("GetBlob from byte %d of 200000 is no error", off)
		}
	}
}

// blobSameContent stores one content at the same time from many goroutines, in pieces.
func blobSameContent(r *rig) {
	e := r.engine()
	b := content(150_000)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			var src io.Reader = bytes.NewReader(b)
			if i%2 == 1 {
				src = iotest.DataErrReader(iotest.HalfReader(src))
			}
			id, size, err := e.PutBlob(r.Context(), src)
			if err != nil || id != sum(b) || size != int64(len(b)) {
				r.Errorf("PutBlob = %q, %d, %v", id, size, err)
			}
		})
	}
	wg.Wait()
	r.wantBlob(e, sum(b), 0, b)
	if err := e.DropBlob(r.Context(), sum(b)); err != nil {
		r.Errorf("DropBlob: %v", err)
	}
	_, err := e.GetBlob(r.Context(), sum(b), 0)
	r.wantErr("GetBlob: stored six times, dropped once", err, chat.ErrNotFound)
}

// blobBrokenOff checks that a file whose source breaks off is not stored.
func blobBrokenOff(r *rig) {
	e := r.engine()
	for _, broken := range []error{errors.New("the uploader went away"), io.ErrUnexpectedEOF} {
		b := content(100_000)
		_, _, err := e.PutBlob(r.Context(), io.MultiReader(bytes.NewReader(b), iotest.ErrReader(broken)))
		r.wantErr("PutBlob from a broken source", err, broken)
		_, err = e.GetBlob(r.Context(), sum(b), 0)
		r.wantErr("GetBlob of half a file", err, chat.ErrNotFound)
	}
}
