package enginetest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"udpchat/chat"
)

// put writes a record that must be accepted.
func (r *rig) put(e chat.Engine, bucket, key, val string, rev uint64) uint64 {
	r.Helper()
	next, err := e.Put(r.Context(), bucket, key, []byte(val), rev)
	if err != nil {
		r.Fatalf("Put(%q, %q, %q, %d): %v", bucket, key, val, rev, err)
	}
	return next
}

// wantEntry checks what Get returns.
func (r *rig) wantEntry(e chat.Engine, bucket, key, val string, rev uint64) {
	r.Helper()
	got, err := e.Get(r.Context(), bucket, key)
	if err != nil || got.Key != key || string(got.Val) != val || got.Rev != rev {
		r.Errorf("Get(%q, %q) = %q %q revision %d, %v, want %q revision %d",
			bucket, key, got.Key, got.Val, got.Rev, err, val, rev)
	}
}

func recordLife(r *rig) {
	e := r.engine()
	ctx := r.Context()
	_, err := e.Get(ctx, "users", "ann")
	r.wantErr("Get of nothing", err, chat.ErrNotFound)
	_, err = e.Put(ctx, "users", "ann", []byte("x"), 7)
	r.wantErr("Put over a revision of nothing", err, chat.ErrConflict)
	r.wantErr("Delete of nothing", e.Delete(ctx, "users", "ann", 0), chat.ErrNotFound)
	r.wantErr("Delete of a revision of nothing", e.Delete(ctx, "users", "ann", 7), chat.ErrNotFound)

	rev := r.put(e, "users", "ann", "one", 0)
	if rev == 0 {
		r.Fatalf("Put returned revision 0")
	}
	r.wantEntry(e, "users", "ann", "one", rev)
	_, err = e.Put(ctx, "users", "ann", []byte("two"), 0)
	r.wantErr("Put of what is there as new", err, chat.ErrConflict)
	next := r.put(e, "users", "ann", "", rev)
	if next <= rev {
		r.Errorf("Put returned revision %d after %d", next, rev)
	}
	r.wantEntry(e, "users", "ann", "", next)
	_, err = e.Put(ctx, "users", "ann", []byte("three"), rev)
	r.wantErr("Put over an old revision", err, chat.ErrConflict)
	r.wantErr("Delete of an old revision", e.Delete(ctx, "users", "ann", rev), chat.ErrConflict)
	r.wantEntry(e, "users", "ann", "", next)
	if err := e.Delete(ctx, "users", "ann", next); err != nil {
		r.Errorf("Delete: %v", err)
	}
	_, err = e.Get(ctx, "users", "ann")
	r.wantErr("Get after Delete", err, chat.ErrNotFound)
	r.wantErr("Delete again", e.Delete(ctx, "users", "ann", next), chat.ErrNotFound)
}

func recordRevisionsAreNotReused(r *rig) {
	e := r.engine()
	ctx := r.Context()
	old := r.put(e, "users", "ann", "one", 0)
	if err := e.Delete(ctx, "users", "ann", 0); err != nil {
		r.Fatalf("Delete whatever it is: %v", err)
	}
	rev := r.put(e, "users", "ann", "two", 0)
	if rev <= old {
		r.Errorf("a record made again has revision %d, its past had %d", rev, old)
	}
	_, err := e.Put(ctx, "users", "ann", []byte("three"), old)
	r.wantErr("Put over a revision from before Delete", err, chat.ErrConflict)
	r.wantErr("Delete of a revision from before Delete", e.Delete(ctx, "users", "ann", old), chat.ErrConflict)
	r.wantEntry(e, "users", "ann", "two", rev)
}

// recordCompareAndSet counts in one record from many goroutines, and creates one from many.
func recordCompareAndSet(r *rig) {
	const writers, each = 6, 15
	e := r.engine()
	ctx := r.Context()
	var mu sync.Mutex
	created := 0
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			_, err := e.Put(ctx, "counters", "n", []byte("0"), 0)
			switch {
			case err == nil:
				mu.Lock()
				created++
				mu.Unlock()
			case !errors.Is(err, chat.ErrConflict):
				r.Errorf("Put: %v", err)
				return
			}
			for range each {
				if err := increment(r, e); err != nil {
					r.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if created != 1 {
		r.Errorf("%d of %d creators of one record succeeded", created, writers)
	}
	got, err := e.Get(ctx, "counters", "n")
	if want := strconv.Itoa(writers * each); err != nil || string(got.Val) != want {
		r.Errorf("counter is %q, %v, want %s", got.Val, err, want)
	}
}

// increment adds one to the counter, however often that takes.
func increment(r *rig, e chat.Engine) error {
	for {
		en, err := e.Get(r.Context(), "counters", "n")
		if err != nil {
			return fmt.Errorf("reading the counter: %w", err)
		}
		n, err := strconv.Atoi(string(en.Val))
		if err != nil {
			return fmt.Errorf("the counter became %q", en.Val)
		}
		_, err = e.Put(r.Context(), "counters", "n", []byte(strconv.Itoa(n+1)), en.Rev)
		if err == nil || !errors.Is(err, chat.ErrConflict) {
			return err
		}
	}
}

func recordList(r *rig) {
	e := r.engine()
	keys := []string{"b", "a/2", "a/10", "a", "ab", "a/1", "A/1", "ä/1"}
	revs := map[string]uint64{}
	for _, key := range keys {
		revs[key] = r.put(e, "users", key, "val of "+key, 0)
	}
	r.put(e, "others", "a/3", "elsewhere", 0)
	revs["a/2"] = r.put(e, "users", "a/2", "val of a/2", revs["a/2"])
	if err := e.Delete(r.Context(), "users", "ab", 0); err != nil {
		r.Fatalf("Delete: %v", err)
	}
	for prefix, want := range map[string]string{
		"": "A/1 a a/1 a/10 a/2 b ä/1", "a": "a a/1 a/10 a/2", "a/": "a/1 a/10 a/2", "a/1": "a/1 a/10", "c": "", "%": "", "_": "",
	} {
		list, err := e.List(r.Context(), "users", prefix)
		if err != nil {
			r.Fatalf("List(%q): %v", prefix, err)
		}
		var got []string
		for _, en := range list {
			got = append(got, en.Key)
			if string(en.Val) != "val of "+en.Key || en.Rev != revs[en.Key] {
				r.Errorf("List(%q) has %q = %q revision %d, want revision %d", prefix, en.Key, en.Val, en.Rev, revs[en.Key])
			}
		}
		if strings.Join(got, " ") != want {
			r.Errorf("List(%q) = %q, want %q", prefix, strings.Join(got, " "), want)
		}
	}
	if list, err := e.List(r.Context(), "nothing there", ""); err != nil || len(list) != 0 {
		r.Errorf("List of an empty bucket = %v, %v", list, err)
	}
}

// recordOddKeys guards engines that turn buckets and keys into subjects, files or one string.
func recordOddKeys(r *rig) {
	e := r.engine()
	pairs := [][2]string{
		{"a", "b/c"}, {"a/b", "c"}, {"a", "b.c"}, {"a.b", "c"}, {"a", "B"}, {"a", "b"}, {"a", "b "}, {"a", "b*"}, {"a", ">"},
		{"a", ".."}, {"a", "."}, {"a", "é"}, {"a", "e\u0301"}, {"a", "名前"}, {"a", "'; --"}, {"a", "x=y"}, {"a", strings.Repeat("k", 200)},
	}
	for _, p := range pairs {
		r.put(e, p[0], p[1], p[0]+"\x00"+p[1], 0)
	}
	for _, p := range pairs {
		en, err := e.Get(r.Context(), p[0], p[1])
		if err != nil || string(en.Val) != p[0]+"\x00"+p[1] {
			r.Errorf("Get(%q, %q) = %q, %v", p[0], p[1], en.Val, err)
		}
	}
}

func recordValuesAreCopies(r *rig) {
	e := r.engine()
	val := []byte("one")
	rev, err := e.Put(r.Context(), "users", "ann", val, 0)
	if err != nil {
		r.Fatalf("Put: %v", err)
	}
	val[0] = 'X'
	r.wantEntry(e, "users", "ann", "one", rev)
	if en, err := e.Get(r.Context(), "users", "ann"); err == nil {
		en.Val[0] = 'X'
	}
	if list, err := e.List(r.Context(), "users", ""); err == nil && len(list) == 1 {
		list[0].Val[0] = 'X'
	}
	r.wantEntry(e, "users", "ann", "one", rev)
}
