package reliable

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestOpenIdentityKeepsTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "server.key")
	first, made, err := OpenIdentity(path)
	if err != nil || !made {
		t.Fatalf("made %v, %v", made, err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	second, made, err := OpenIdentity(path)
	if err != nil || made || second.Key() != first.Key() {
		t.Errorf("made %v, key %v, %v, want %v", made, second.Key(), err, first.Key())
	}
	if key, err := ParseKey(first.Key().String()); err != nil || key != first.Key() {
		t.Errorf("%v is read as %v, %v", first.Key(), key, err)
	}
	if key, err := ParseKey(Key{}.String()); err == nil { // Pinned to nothing, clients would take any key.
		t.Errorf("no key is read as %v", key)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("files %v, %v", left, err)
	}
	for name, content := range map[string]string{"garbage": "garbage", "empty": "", "other": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		bad := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenIdentity(bad); err == nil {
			t.Errorf("%s was taken for a key", name)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenIdentity(path); err == nil {
		t.Error("a key that others may read was taken")
	}
}
