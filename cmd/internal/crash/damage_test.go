package crash

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A store that is damaged is not served as if it were whole.
func TestDamagedStoreIsRefusedAloud(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := newServer(t, "--data", data)
	s.start()
	people := newPeople(t, 0, 2, s.addr)
	stop := everybody(people, 200)
	await(t, "something to be stored", func() bool { return stored(people) > 100 })
	s.kill()
	stop()
	files, err := filepath.Glob(filepath.Join(data, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		ruin(t, path)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, s.args...)
	cmd.Env = []string{"HOME=" + s.home}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "damaged") {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// ruin overwrites the middle of a file of the store with something else. Others it leaves alone.
func ruin(tb testing.TB, path string) {
	tb.Helper()
	info, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	if !info.Mode().IsRegular() || info.Size() < 16<<10 {
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	copy(b[len(b)/4:], strings.Repeat("not what was here ", len(b)/2/18))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
	tb.Logf("%s: %d bytes ruined in the middle", filepath.Base(path), len(b)/2)
}
