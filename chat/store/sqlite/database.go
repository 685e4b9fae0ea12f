package sqlite

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// pageBytes is the size of SQLite's pages.
const pageBytes = 4096

// openDatabase opens the database file with the settings for the one connection that writes, or for those that read. path
// is absolute.
func openDatabase(path string, cfg Config, writes bool) (*sql.DB, error) {
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"trusted_schema(0)",
		"temp_store(2)", // In memory.
	}
	if !writes {
		pragmas = append(pragmas, "query_only(1)", fmt.Sprintf("cache_size(-%d)", readerCacheKiB))
		return sql.Open("sqlite", dataSource(path, pragmas))
	}
	pragmas = append(pragmas,
		fmt.Sprintf("page_size(%d)", pageBytes),
		"journal_mode(WAL)",
		fmt.Sprintf("journal_size_limit(%d)", walBytesMax),
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
		fmt.Sprintf("cache_size(-%d)", writerCacheKiB),
		fmt.Sprintf("max_page_count(%d)", max(cfg.BytesMax/pageBytes, 1)),
		"secure_delete(FAST)",
	)
	if cfg.Durability == Fast {
		pragmas = append(pragmas, "synchronous(NORMAL)")
	} else {
		pragmas = append(pragmas, "synchronous(FULL)", "fullfsync(1)", "checkpoint_fullfsync(1)")
	}
	return sql.Open("sqlite", dataSource(path, pragmas))
}

// own makes path an empty file that only its owner may read, unless there is one: a store has what people said to each
// other, and SQLite would let everybody read it. What SQLite puts beside it later is as private as the file.
func own(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dataSource is the name by which the driver opens path.
func dataSource(path string, pragmas []string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": pragmas, "_dqs": {"0"}}.Encode()}
	return u.String()
}
