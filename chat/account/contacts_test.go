package account_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/store/memory"
)

func contacts(t *testing.T, s *account.Service, name string) string {
	t.Helper()
	c, err := s.Lists(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s|%s|%s", strings.Join(c.Mutual, ","), strings.Join(c.Pending, ","), strings.Join(c.Requesting, ","))
}

func TestContactsAreMadeByBoth(t *testing.T) {
	onEngines(t, func(t *testing.T, e chat.Engine) {
		s := newService(t, e)
		register(t, s, "ann", "Bob", "carl")
		h := listen(s)
		ctx := t.Context()
		wantNone(t, "ann adds bob", s.AddContact(ctx, "ann", "BOB"))
		if got := h.take(); got != "ann contact-added bob, bob contact-requested ann" {
			t.Errorf("heard %q", got)
		}
		if a, b := contacts(t, s, "ann"), contacts(t, s, "bob"); a != "|bob|" || b != "||ann" {
			t.Errorf("got %q and %q", a, b)
		}
		wantNone(t, "again", s.AddContact(ctx, "ann", "bob"))
		if got := h.take(); got != "" {
			t.Errorf("adding again: heard %q", got)
		}
		wantNone(t, "bob adds ann", s.AddContact(ctx, "bob", "ann"))
		if got := h.take(); got != "bob contact-added ann, ann contact-accepted bob" {
			t.Errorf("heard %q", got)
		}
		if a, b := contacts(t, s, "ann"), contacts(t, s, "bob"); a != "bob||" || b != "ann||" {
			t.Errorf("got %q and %q", a, b)
		}
		wantNone(t, "ann removes bob", s.RemoveContact(ctx, "ann", "bob"))
		if got := h.take(); got != "ann contact-removed bob" {
			t.Errorf("heard %q", got)
		}
		if a, b := contacts(t, s, "ann"), contacts(t, s, "bob"); a != "||bob" || b != "|ann|" {
			t.Errorf("got %q and %q", a, b)
		}
		wantCode(t, "once more", s.RemoveContact(ctx, "ann", "bob"), account.CodeNotFound)
		wantCode(t, "oneself", s.AddContact(ctx, "ann", "Ann"), account.CodeSelf)
		wantCode(t, "nobody", s.AddContact(ctx, "ann", "nobody"), account.CodeNoAccount)
		wantCode(t, "no name", s.AddContact(ctx, "ann", "a/b"), account.CodeNoAccount)
		h.take()

		wantNone(t, "ann blocks carl", s.Block(ctx, "ann", "carl"))
		h.take()
		wantNone(t, "carl adds ann", s.AddContact(ctx, "carl", "ann"))
		if got := h.take(); got != "carl contact-added ann" {
			t.Errorf("somebody blocked asks: heard %q", got)
		}
		if a, c := contacts(t, s, "ann"), contacts(t, s, "carl"); a != "||bob" || c != "|ann|" {
			t.Errorf("got %q and %q", a, c)
		}
	})
}

// TestContactsThatBrokeOffAreRepairedByTheNextRead stops after the first of the records.
func TestContactsThatBrokeOffAreRepairedByTheNextRead(t *testing.T) {
	e := &brittle{Engine: memory.New(memory.Config{})}
	s := newService(t, e)
	register(t, s, "ann", "bob")
	e.broken = func(bucket, _ string) bool { return bucket == "contact-of" }
	if err := s.AddContact(t.Context(), "ann", "bob"); err == nil {
		t.Fatal("no error")
	}
	e.broken = nil
	if got := contacts(t, s, "ann"); got != "|bob|" {
		t.Errorf("ann has %q", got)
	}
	if got := contacts(t, s, "bob"); got != "||ann" {
		t.Errorf("bob has %q", got)
	}
	e.broken = func(bucket, _ string) bool { return bucket == "contact-of" }
	if err := s.RemoveContact(t.Context(), "ann", "bob"); err == nil {
		t.Fatal("no error")
	}
	e.broken = nil
	if a, b := contacts(t, s, "ann"), contacts(t, s, "bob"); a != "||" || b != "||" {
		t.Errorf("got %q and %q", a, b)
	}
}

// TestContactsChangedByManyAtOnceFitTogether: whatever the order, both sides say the same in the end.
func TestContactsChangedByManyAtOnceFitTogether(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	e := memory.New(memory.Config{})
	servers := []*account.Service{newService(t, e), newService(t, e)}
	people := []string{"ann", "bob", "carl"}
	register(t, servers[0], people...)
	var wg sync.WaitGroup
	for g := range 6 {
		r := rand.New(rand.NewPCG(seed, uint64(g)))
		wg.Go(func() {
			for range 50 {
				s, a, b := servers[r.IntN(2)], people[r.IntN(3)], people[r.IntN(3)]
				if r.IntN(2) == 0 {
					_ = s.AddContact(t.Context(), a, b) // Refusals are part of it.
				} else {
					_ = s.RemoveContact(t.Context(), a, b)
				}
			}
		})
	}
	wg.Wait()
	lists := make(map[string]account.Lists)
	for range 2 { // The first read repairs what is open.
		for _, name := range people {
			c, err := servers[0].Lists(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			lists[name] = c
		}
	}
	for _, a := range people {
		for _, b := range people {
			mutual := slices.Contains(lists[a].Mutual, b) == slices.Contains(lists[b].Mutual, a)
			asked := slices.Contains(lists[a].Pending, b) == slices.Contains(lists[b].Requesting, a)
			if !mutual || !asked {
				t.Errorf("%s has %+v, %s has %+v", a, lists[a], b, lists[b])
			}
		}
	}
}

func TestBlocks(t *testing.T) {
	onEngines(t, func(t *testing.T, e chat.Engine) {
		s := newService(t, e)
		register(t, s, "ann", "bob", "carl")
		h := listen(s)
		ctx := t.Context()
		has := func(a, b string) bool {
			t.Helper()
			yes, err := s.Blocks(ctx, a, b)
			wantNone(t, "Blocks", err)
			return yes
		}
		wantNone(t, "block", s.Block(ctx, "ann", "Carl"))
		wantNone(t, "block", s.Block(ctx, "ann", "bob"))
		wantNone(t, "block again", s.Block(ctx, "ann", "bob"))
		if got := h.take(); got != "ann blocked carl, ann blocked bob" {
			t.Errorf("heard %q", got)
		}
		if got, err := s.Blocked(ctx, "ann"); err != nil || !slices.Equal(got, []string{"bob", "carl"}) {
			t.Errorf("got %q, %v", got, err)
		}
		if !has("ann", "BOB") || has("bob", "ann") || has("ann", "ann") || has("ann", "") {
			t.Error("the wrong ones are blocked")
		}
		wantNone(t, "unblock", s.Unblock(ctx, "ann", "bob"))
		wantCode(t, "unblock again", s.Unblock(ctx, "ann", "bob"), account.CodeNotFound)
		if has("ann", "bob") || !has("ann", "carl") {
			t.Error("the wrong ones are unblocked")
		}
		wantCode(t, "oneself", s.Block(ctx, "ann", "ANN"), account.CodeSelf)
		wantCode(t, "oneself", s.Unblock(ctx, "ann", "ann"), account.CodeSelf)
		wantCode(t, "nobody", s.Block(ctx, "ann", "nobody"), account.CodeNoAccount)
		wantCode(t, "nobody", s.Unblock(ctx, "ann", "nobody"), account.CodeNotFound)
	})
}

func TestQuota(t *testing.T) {
	s := newService(t, nil, func(c *account.Config) { c.QuotaBytes = 1600 })
	register(t, s, "ann")
	g, err := s.Guest(t.Context(), home, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	wantNone(t, "a file", s.Charge(ctx, "ann", "a", 1000))
	wantNone(t, "the same file", s.Charge(ctx, "ann", "a", 1000))
	wantCode(t, "too much", s.Charge(ctx, "ann", "b", 601), account.CodeQuota)
	wantNone(t, "just enough", s.Charge(ctx, "ann", "b", 600))
	wantCode(t, "one byte more", s.Charge(ctx, "ann", "c", 1), account.CodeQuota)
	wantNone(t, "nothing more", s.Charge(ctx, "ann", "c", 0))
	if u, err := s.Usage(ctx, "ann"); err != nil || u != (account.Usage{Bytes: 1600, BytesMax: 1600, Files: 3, FilesMax: 4096}) {
		t.Errorf("got %+v, %v", u, err)
	}
	wantNone(t, "Release", s.Release(ctx, "ann", "a"))
	wantNone(t, "Release again", s.Release(ctx, "ann", "a"))
	wantNone(t, "room again", s.Charge(ctx, "ann", "d", 1000))
	wantCode(t, "a negative size", s.Charge(ctx, "ann", "e", -1), account.CodeQuota)
	wantCode(t, "a size that overflows", s.Charge(ctx, "ann", "e", 1<<63-1), account.CodeQuota)
	wantCode(t, "no id", s.Charge(ctx, "ann", "", 1), account.CodeTooLong)
	wantCode(t, "a long id", s.Charge(ctx, "ann", strings.Repeat("x", 129), 1), account.CodeTooLong)
	wantCode(t, "nobody", s.Charge(ctx, "nobody", "a", 1), account.CodeNoAccount)
	wantNone(t, "a guest", s.Charge(ctx, g.Name, "a", 100))
	wantCode(t, "a guest has less", s.Charge(ctx, g.Name, "b", 1), account.CodeQuota)

	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { _ = s.Charge(ctx, "ann", fmt.Sprint(i), 100) }) // Most of them are too much.
	}
	wg.Wait()
	if u, err := s.Usage(ctx, "ann"); err != nil || u.Bytes > u.BytesMax {
		t.Errorf("after many at once: %+v, %v", u, err)
	}
}

func TestProfile(t *testing.T) {
	s := newService(t, nil)
	register(t, s, "ann")
	h := listen(s)
	ctx := t.Context()
	p := account.Profile{Avatar: "AAAA", About: "hi"}
	if got, err := s.Profile(ctx, "ann"); err != nil || got != (account.Profile{}) {
		t.Errorf("got %+v, %v", got, err)
	}
	wantNone(t, "SetProfile", s.SetProfile(ctx, "Ann", p))
	if got, err := s.Profile(ctx, "ann"); err != nil || got != p {
		t.Errorf("got %+v, %v", got, err)
	}
	wantCode(t, "nobody", s.SetProfile(ctx, "nobody", p), account.CodeNoAccount)
	wantCode(t, "a large picture", s.SetProfile(ctx, "ann", account.Profile{Avatar: strings.Repeat("x", 512<<10+1)}), account.CodeTooLong)
	wantNone(t, "SetShow", s.SetShow(ctx, "ann", "ANN"))
	wantCode(t, "another name", s.SetShow(ctx, "ann", "anna"), account.CodeBadName)
	wantCode(t, "one that looks like it", s.SetShow(ctx, "ann", "аnn"), account.CodeBadName)
	wantCode(t, "nobody's", s.SetShow(ctx, "bob", "Bob"), account.CodeNoAccount)
	if a, err := s.Lookup(ctx, "ann"); err != nil || a.Show != "ANN" {
		t.Errorf("got %+v, %v", a, err)
	}
	if got := h.take(); got != "ann profile-changed, ann profile-changed" {
		t.Errorf("heard %q", got)
	}
}
