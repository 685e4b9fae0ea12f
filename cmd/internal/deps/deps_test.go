package deps

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/deps.golden")

const golden = "testdata/deps.golden"

// The tree as it is, seen by every platform we build for, since files may be for one of them only.
func TestImportsFollowTheTable(t *testing.T) {
	root := watchTree(t)
	seen := map[violation]bool{}
	for _, platform := range [][2]string{{"linux", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}} {
		graph := list(t, root, platform[0], platform[1], "./...")
		if len(graph) < 3 {
			t.Fatalf("go list for %v found only %d packages", platform, len(graph))
		}
		for _, v := range check(rules, owners, graph) {
			if !seen[v] {
				seen[v] = true
				t.Errorf("%v", v)
			}
		}
	}
}

func TestDependenciesOfTheBinary(t *testing.T) {
	root := watchTree(t)
	var got []string
	for _, n := range list(t, root, "linux", "amd64", "-deps", "./cmd/udpchat") {
		if _, ours := below(n.ImportPath); !ours && !standard(n.ImportPath) {
			got = append(got, n.ImportPath)
		}
	}
	slices.Sort(got)
	text := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("packages in the binary changed (-golden +now); run this test with -update if that is meant:\n%s", diff)
	}
}

// The checker itself, on graphs made up for it: each forbidden import must be reported, each allowed one must not.
func TestCheckerReportsForbiddenImports(t *testing.T) {
	tests := []struct {
		name, pkg, imp string
		test           bool   // The import is in a test.
		want           string // Part of the violation; empty: allowed.
	}{
		{"core and its names", "chat", "udpchat/chat/names", false, ""},
		{"core and sockets", "chat", "net", false, "sockets"},
		{"core and net/http", "chat", "net/http", false, "sockets"},
		{"core and an address value", "chat", "net/netip", false, ""},
		{"test of the core and files", "chat", "os", true, ""},
		{"server and the transport", "chat/server", "udpchat/reliable", false, "look the same"},
		{"test of the server and the transport", "chat/server", "udpchat/reliable", true, ""},
		{"transport and the core", "reliable", "udpchat/chat", false, "nothing of chat"},
		{"test of the transport and the core", "reliable", "udpchat/chat", true, "nothing of chat"},
		{"settings below cmd", "chat/server", "udpchat/config", false, "look the same"},
		{"settings in a test below cmd", "chat/server", "udpchat/config", true, "look the same"},
		{"settings in a tool", "cmd/internal/bench", "udpchat/config", false, "cmd/internal/bench may not import"},
		{"settings in the command", "cmd/udpchat", "udpchat/config", false, ""},
		{"front-end and its own wire", "chat/front/lab", "udpchat/chat/wire/lab", false, ""},
		{"front-end and another's wire", "chat/front/lab", "udpchat/chat/wire/relay", false, "its own protocol"},
		{"lab front-end and messages", "chat/front/lab", "udpchat/reliable/message", false, "its own protocol"},
		{"native front-end and messages", "chat/front/native", "udpchat/reliable/message", false, ""},
		{"KCP from its owner", "reliable/internal/arq", kcp, false, ""},
		{"KCP from another", "reliable", kcp, false, "only reliable/internal/arq imports it"},
		{"KCP from a test of another", "reliable/simulate", kcp, true, "only reliable/internal/arq imports it"},
		{"KCP from the comparison", "cmd/internal/compare", kcp, false, ""},
		{"library nobody agreed on", "chat/session", "example.com/left/pad", false, "must not know"},
		{"library with a name like an allowed one", "config", "github.com/spf13/viperx", false, "settings are text"},
		{"package that is not in the table", "chat/util", "fmt", false, "not in the table"},
		{"transport's internals from the core's side", "chat/session", "udpchat/reliable/internal/fec", false, "must not know"},
		{"tools for testing", "reliable/netem", "pgregory.net/rapid", true, ""},
		{"tools for testing outside of tests", "reliable/netem", "pgregory.net/rapid", false, "emulator"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := node{ImportPath: module + "/" + tt.pkg, Imports: []string{"fmt"}}
			if tt.test {
				n.XTestImports = []string{tt.imp}
			} else {
				n.Imports = append(n.Imports, tt.imp)
			}
			var got []string
			for _, v := range check(rules, owners, []node{n, {ImportPath: "fmt", Imports: []string{"os"}}}) {
				got = append(got, v.String())
			}
			all := strings.Join(got, "\n")
			if (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) {
				t.Errorf("got violations %q, want one with %q", all, tt.want)
			}
		})
	}
}

func TestEveryRuleHasAReason(t *testing.T) {
	pkgs := map[string]bool{}
	for _, r := range rules {
		if r.why == "" || pkgs[r.pkg] {
			t.Errorf("rule for %s: no reason, or there twice", r.pkg)
		}
		pkgs[r.pkg] = true
	}
}

// list runs 'go list -e -json' in the root of the module. Packages that do not compile are for the compiler to report.
func list(t *testing.T, root, goos, goarch string, args ...string) []node {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var graph []node
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var n node
		if err := dec.Decode(&n); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatalf("go list printed no JSON: %v", err)
		}
		graph = append(graph, n)
	}
}

// watchTree returns the root of the module. It looks at every folder on the way, so that the go command, which
// remembers what a test has opened, runs this one again when any file of the tree has changed.
func watchTree(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && (d.Name()[0] == '.' || d.Name() == "testdata") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}
