package names_test

import (
	"errors"
	"strings"
	"testing"

	"udpchat/chat/names"
)

func TestAccountNamesThatDifferInCaseOrWidthAreOne(t *testing.T) {
	for name, want := range map[string]string{
		"ann": "ann", "ANN": "ann", "Ann_B.c-9": "ann_b.c-9", "ａｎｎ": "ann", "Jürgen": "jürgen", "Ju\u0308rgen": "jürgen", "ИВАН": "иван",
		"田中": "田中", "שרה": "שרה", "9lives": "9lives", "ann-g12": "ann-g12",
	} {
		if got, err := names.Account(name); err != nil || got != want {
			t.Errorf("Account(%+q) = %+q, %v, want %+q", name, got, err, want)
		}
	}
}

func TestAccountNamesHaveOnlyWhatNoProtocolCutsAt(t *testing.T) {
	for _, name := range []string{
		"", "a b", "a/b", "a,b", "a#b", "*", "a*", "a>b", "-a", ".a", "_a", "a\nb", "a\x00", "a'b", "a\"b", "a@b", "👍", "a\u200db", "a\u00a0b",
		strings.Repeat("a", 49), "שa", "\xff",
	} {
		if got, err := names.Account(name); err == nil {
			t.Errorf("Account(%+q) = %q, want an error", name, got)
		} else if e, ok := errors.AsType[*names.Error](err); !ok || strings.ContainsAny(e.Error(), "\n\x00") {
			t.Errorf("Account(%+q): got error %q", name, err)
		}
	}
}

func TestNewAccountRefuses(t *testing.T) {
	for _, c := range []struct {
		name      string
		anyScript bool
		fault     names.Fault // 0: it is fine.
	}{
		{"ann", false, 0},
		{"ann", true, 0},
		{"jürgen", false, names.NotASCII},
		{"jürgen", true, 0},
		{"ａｎｎ", false, names.NotASCII},
		{"иван", true, 0},
		{"田中さん", true, 0},
		{"tanaka田中", true, 0},
		{"김민준9", true, 0},
		{"аnn", true, names.MixedScripts}, // The first letter is Cyrillic.
		{"paypаl", true, names.MixedScripts},
		{"αnn", true, names.MixedScripts},
		{"さん김", true, names.MixedScripts},
		{"all", false, names.Reserved},
		{"ALL", false, names.Reserved},
		{"a11", false, names.Reserved},
		{"server", false, names.Reserved},
		{"ann-g12", false, names.Reserved},
		{"ann-gold", false, 0},
		{"ann-g", false, 0},
	} {
		_, err := names.NewAccount(c.name, c.anyScript)
		e, _ := errors.AsType[*names.Error](err)
		if (err == nil) != (c.fault == 0) || e != nil && e.Fault != c.fault {
			t.Errorf("NewAccount(%+q, %v) = %v, want fault %d", c.name, c.anyScript, err, c.fault)
		}
	}
}

func TestGuestNamesCannotBeRegistered(t *testing.T) {
	for wanted, want := range map[string]string{
		"": "guest-g7", "Ann": "ann-g7", "all": "guest-g7", "a b": "guest-g7", "x-g1": "guest-g7", "\xff": "guest-g7",
		strings.Repeat("x", 100): strings.Repeat("x", 24) + "-g7",
	} {
		got := names.Guest(wanted, 7)
		if got != want {
			t.Errorf("Guest(%q) = %q, want %q", wanted, got, want)
		}
		if canonical, err := names.Account(got); canonical != got {
			t.Errorf("Account(%q) = %q, %v", got, canonical, err)
		}
		if _, err := names.NewAccount(got, true); err == nil {
			t.Errorf("%q can be registered", got)
		}
	}
}

// TestLookNeverChanges: accounts are stored under what Look returns, so these values are for ever.
func TestLookNeverChanges(t *testing.T) {
	for look, all := range map[string][]string{
		"ann":     {"ann", "Ann", "ANN", "аnn", "ａｎｎ", "αnn"},
		"bob":     {"bob", "b0b", "B0B", "bοb"},
		"lan":     {"ian", "Ian", "lan", "1an", "ıan", "іan"},
		"mary":    {"mary", "rnary", "mагу"},
		"wllllam": {"william", "vvilliam", "wi1liarn"},
		"cllentl": {"client1", "clientl"},
		"cllent2": {"client2"},
		"ann b":   {"ann b", "Ann  B"},
		"jürgen":  {"jürgen", "Ju\u0308rgen"},
		"coco":    {"сосо", "coco", "ϲοϲο"},
	} {
		for _, name := range all {
			if got := names.Look(name); got != look {
				t.Errorf("Look(%+q) = %+q, want %+q", name, got, look)
			}
		}
	}
	for _, pair := range [][2]string{{"ann", "anna"}, {"ann-b", "ann_b"}, {"bot2", "botz"}, {"jürgen", "jurgen"}, {"guest-g12", "guest-g21"}} {
		if names.Look(pair[0]) == names.Look(pair[1]) {
			t.Errorf("%q and %q look the same", pair[0], pair[1])
		}
	}
}

func TestNicksAreComparedWithoutCaseAndSpaces(t *testing.T) {
	a, err := names.Nick("The  Kitchen")
	b, err2 := names.Nick("the kitchen")
	if err != nil || err2 != nil || a != b {
		t.Errorf("got %q, %v and %q, %v, want the same", a, err, b, err2)
	}
	if _, err := names.Nick("a\nb"); err == nil {
		t.Error("a name of two lines is a nick")
	}
}

// FuzzAccount: what is accepted is stable, fits where names of accounts go, and looks like itself in every spelling.
func FuzzAccount(f *testing.F) {
	for _, name := range []string{"ann", "Ann_9", "Jürgen", "ａｎｎ", "ΣΑΣ", "İstanbul", "ǅ", "田中", "ann-g12", "ẞ"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		canonical, err := names.Account(name)
		if err != nil {
			return
		}
		again, err := names.Account(canonical)
		if err != nil || again != canonical {
			t.Fatalf("Account(%+q) = %+q, and of that %+q, %v", name, canonical, again, err)
		}
		if len(canonical) > names.AccountBytesMax || strings.ContainsAny(canonical, "/,#*> \n") || names.Check(canonical, 0) != nil {
			t.Fatalf("Account(%+q) = %+q", name, canonical)
		}
		if names.Look(name) != names.Look(canonical) {
			t.Fatalf("%+q looks like %+q, its form %+q like %+q", name, names.Look(name), canonical, names.Look(canonical))
		}
	})
}
