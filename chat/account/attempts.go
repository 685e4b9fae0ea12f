package account

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// attempts remembers wrong passwords. Names in it are what names look like (names.Look), of accounts that exist or not.
type attempts struct {
	lockFor time.Duration // Constant.

	mu     sync.Mutex
	tries  *recent[triedBy, tries] // Guarded by mu.
	scores *recent[string, score]  // By account alone. Guarded by mu.
	slowed int                     // Log-ins that are being slowed down. Guarded by mu.
}

// triedBy is who shares a lock: one network for one account, or everybody with a NameLock for one account.
type triedBy struct {
	look     string
	network  netip.Prefix
	nameLock bool
}

// tries is what is known of a triedBy. Guarded by attempts.mu.
type tries struct {
	wrong  int           // In a row.
	last   time.Time     // When the last of them was.
	locked time.Time     // Until when it is locked.
	using  int           // Log-ins that have the turn or wait for it.
	turn   chan struct{} // Has an element while a password is being checked: only one at a time. nil: not used yet.
}

// score is how many passwords were wrong from anywhere, less one for each slowDecay since.
type score struct {
	wrong int
	at    time.Time
}

func (a *attempts) init(lockFor time.Duration) {
	a.lockFor = lockFor
	a.tries, a.scores = newRecent[triedBy, tries](attemptsMax), newRecent[string, score](attemptsMax)
}

// A try is one password being checked. Exactly one of wrong, right and abandon must be called.
type try struct {
	a       *attempts
	look    string
	t       *tries
	lockFor time.Duration
}

// begin returns when the password may be checked, or refuses with CodeLocked or CodeBusy.
func (a *attempts) begin(ctx context.Context, look string, at Attempt) (*try, error) {
	by, lockFor := triedBy{look: look, network: network(at.From)}, a.lockFor
	if at.NameLock > 0 {
		by, lockFor = triedBy{look: look, nameLock: true}, at.NameLock
	}
	t, err := a.enter(by)
	if err != nil {
		return nil, err
	}
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		a.leave(t)
		return nil, ctx.Err()
	}
	y := &try{a: a, look: look, t: t, lockFor: lockFor}
	slow, err := a.myTurn(look, t)
	if err == nil && slow > 0 {
		err = a.slowDown(ctx, slow)
	}
	if err != nil {
		y.abandon()
		return nil, err
	}
	return y, nil
}

// enter notes that a log-in wants the turn.
func (a *attempts) enter(by triedBy) (*tries, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tries.use(by, func(t *tries) bool { return t.using > 0 })
	if err := t.refusal(time.Now()); err != nil {
		return nil, err
	}
	if t.using > waitingMax {
		return nil, &Error{Code: CodeBusy}
	}
	if t.turn == nil {
		t.turn = make(chan struct{}, 1)
	}
	t.using++
	return t, nil
}

// myTurn looks again, since those before may have locked it, and returns how long to wait first.
func (a *attempts) myTurn(look string, t *tries) (time.Duration, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if err := t.refusal(now); err != nil {
		return 0, err
	}
	s := a.scores.peek(look)
	if s == nil {
		return 0, nil
	}
	slow := time.Duration(s.decayed(now)-slowFrom) * slowStep
	switch {
	case slow <= 0:
		return 0, nil
	case a.slowed >= slowedMax:
		return 0, &Error{Code: CodeBusy}
	}
	a.slowed++
	return min(slow, slowMax), nil
}

func (a *attempts) slowDown(ctx context.Context, d time.Duration) error {
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.slowed--
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *attempts) leave(t *tries) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.using--
}

// refusal returns CodeLocked while it is locked; a.mu is held.
func (t *tries) refusal(now time.Time) error {
	if wait := t.locked.Sub(now); wait > 0 {
		return &Error{Code: CodeLocked, Wait: wait}
	}
	return nil
}

func (s *score) decayed(now time.Time) int {
	return max(0, s.wrong-int(now.Sub(s.at)/slowDecay))
}

// wrong counts a wrong password. left is how many more there may be; with 0 it is locked, for wait.
func (y *try) wrong(now time.Time) (left int, wait time.Duration) {
	defer y.abandon()
	y.a.mu.Lock()
	defer y.a.mu.Unlock()
	s := y.a.scores.use(y.look, func(*score) bool { return false })
	s.wrong, s.at = min(s.decayed(now)+1, slowFrom+int(slowMax/slowStep)+1), now
	if now.Sub(y.t.last) > max(wrongMemory, y.lockFor) {
		y.t.wrong = 0
	}
	y.t.wrong++
	y.t.last = now
	if y.t.wrong < wrongMax {
		return wrongMax - y.t.wrong, 0
	}
	y.t.wrong, y.t.locked = 0, now.Add(y.lockFor)
	return 0, y.lockFor
}

// right forgets the wrong passwords before.
func (y *try) right() {
	defer y.abandon()
	y.a.mu.Lock()
	defer y.a.mu.Unlock()
	y.t.wrong = 0
}

// abandon ends a try of which nothing is known.
func (y *try) abandon() {
	<-y.t.turn
	y.a.leave(y.t)
}

// network is what counts as one place to come from: about what one customer of a provider gets.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := 56
	if addr.Is4() {
		bits = 24
	}
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{} // There is no address.
	}
	return p
}
