package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// wakeSweeper says that there may be something to give back.
func (w *writer) wakeSweeper() {
	select {
	case w.swept <- struct{}{}:
	default: // It will look anyway.
	}
}

// sweep is the sweeper's goroutine: it gives back the space of what was dropped, in steps between which messages are
// written. It begins with what a former run of the program left.
func (w *writer) sweep() {
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-w.swept:
		case <-retry.C:
		case <-w.engine.quit:
			return
		}
		for more := true; more; {
			err := w.do(context.Background(), "giving back space", batchBytesMax/4, func(t *txn) error {
				more = t.sweepRooms() || t.sweepUploads(&w.active)
				return t.broken
			})
			if err != nil {
				retry.Reset(sweepRetry)
				break
			}
		}
	}
}

// sweepRooms empties some messages below the first that was kept. It reports whether there were any rooms with such.
func (t *txn) sweepRooms() bool {
	var room, kept, swept int64
	if !t.row(stUnswept, nil, &room, &kept, &swept) {
		return false
	}
	end := min(kept, swept+sweepRows)
	t.exec(stSweepRoom, room, swept, end)
	t.exec(stSweptRoom, end, room)
	return true
}

// sweepUploads deletes some pieces of what is no file. It reports whether there was such.
func (t *txn) sweepUploads(active *uploads) bool {
	num, ok := t.abandoned(active)
	if !ok {
		return false
	}
	if rows, _ := t.exec(stSweepChunks, num, sweepChunks); rows < sweepChunks {
		t.exec(stDropUpload, num)
	}
	return true
}

// abandoned returns the num of an upload that nobody works on.
func (t *txn) abandoned(active *uploads) (num int64, ok bool) {
	if t.broken != nil {
		return 0, false
	}
	var rows *sql.Rows
	if rows, t.broken = t.st[stUploads].Query(); t.broken != nil {
		return 0, false
	}
	defer rows.Close()
	for rows.Next() {
		if t.broken = rows.Scan(&num); t.broken != nil {
			return 0, false
		}
		if !active.has(num) {
			return num, true
		}
	}
	t.broken = rows.Err()
	return 0, false
}
