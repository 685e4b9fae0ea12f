package jsonchat

import (
	"context"
	"time"
)

// A cursorState is the log-in's cursor (PROTOCOL.md 4). It is written down at most every cursorStep, and at the end: what is
// lost by a crash makes the client get some messages again, which it knows by their MD5.
type cursorState struct {
	at    int64
	dirty bool
	saved time.Time
}

// setCursor moves the cursor.
func (l *login) setCursor(ctx context.Context, at int64) {
	l.mu.Lock()
	l.cursor.at, l.cursor.dirty = at, true
	l.mu.Unlock()
	l.saveCursor(ctx, false)
}

// fetchedTo returns the cursor.
func (l *login) fetchedTo() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cursor.at
}

// saveCursor writes the cursor down, if it is time to or now is set.
func (l *login) saveCursor(ctx context.Context, now bool) {
	l.mu.Lock()
	at, due := l.cursor.at, l.cursor.dirty && (now || time.Since(l.cursor.saved) >= cursorStep)
	if due {
		l.cursor.dirty, l.cursor.saved = false, time.Now()
	}
	l.mu.Unlock()
	if !due {
		return
	}
	f := l.device.front
	if err := f.tokens.change(ctx, l.device.token, func(r *tokenRecord) { r.setCursor(l.who.ID, at) }); err != nil {
		f.cfg.Logger.Warn("cursor not written down", "user", l.who.Name, "err", err)
	}
}
