package sqlite

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// Each step is made once, in order, and all or none of them.
func TestMigrationGoesStepByStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), databaseFile)
	to := func(steps ...string) (note string, err error) {
		db, err := openDatabase(path, Config{BytesMax: bytesMax}, true)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := migrate(context.Background(), conn, steps); err != nil {
			return "", err
		}
		return note, conn.QueryRowContext(t.Context(), "SELECT val FROM meta WHERE key = 'note'").Scan(&note)
	}
	steps := []string{
		migrations[0] + "; INSERT INTO meta VALUES ('note', '1')",
		"UPDATE meta SET val = val || '2' WHERE key = 'note'",
		"UPDATE meta SET val = val || '3' WHERE key = 'note'",
	}
	for _, tt := range []struct {
		steps []string
		want  string
	}{
		{steps[:1], "1"},
		{steps[:1], "1"},
		{steps, "123"},
		{steps, "123"},
	} {
		if got, err := to(tt.steps...); err != nil || got != tt.want {
			t.Fatalf("%d steps: %q, %v, want %q", len(tt.steps), got, err, tt.want)
		}
	}
	bad := append(steps[:3:3], "UPDATE meta SET val = 'spoilt' WHERE key = 'note'", "UPDATE nothing SET x = 1")
	if _, err := to(bad...); err == nil || !strings.Contains(err.Error(), "version 5") {
		t.Fatalf("a step that fails: %v", err)
	}
	if got, err := to(steps...); err != nil || got != "123" {
		t.Fatalf("after a step that failed: %q, %v", got, err)
	}
	if _, err := to(steps[:2]...); err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Fatalf("an older program: %v", err)
	}
}
