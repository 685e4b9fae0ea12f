package native

import (
	"crypto/rand"
	"sync"
	"time"

	wire "udpchat/chat/wire/native"
)

// A ticket lets one transfer session do one thing.
type ticket struct {
	account string
	device  string // Who has asked for it.
	upload  bool
	digest  digest
	size    uint64
	expires time.Time
}

// tickets are those that were given out, and the transfers under way. Safe for concurrent use. They are in the memory of
// this server: a client that presents one elsewhere is told so and asks again.
type tickets struct {
	mu        sync.Mutex
	open      map[string]ticket           // By token. Guarded by mu.
	waiting   map[string]int              // Open ones of each account. Guarded by mu.
	transfers map[string]map[*conn]ticket // Transfers under way of each account. Guarded by mu.
}

func newTickets() *tickets {
	return &tickets{open: make(map[string]ticket), waiting: make(map[string]int), transfers: make(map[string]map[*conn]ticket)}
}

// issue returns a token for t, or a refusal.
func (ts *tickets) issue(now time.Time, t ticket) (string, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.waiting[t.account] >= ticketsPerAccount || len(ts.open) >= ticketsMax {
		ts.expireLocked(now)
	}
	switch {
	case ts.waiting[t.account] >= ticketsPerAccount:
		return "", refusef(wire.CodeTooMany, "%d transfers wait to begin", ticketsPerAccount)
	case len(ts.open) >= ticketsMax:
		return "", busy("too many transfers wait to begin")
	}
	token := rand.Text()
	t.expires = now.Add(ticketLife)
	ts.open[token] = t
	ts.waiting[t.account]++
	return token, nil
}

// begin takes a ticket for the transfer that begins now on c, which must end by end.
func (ts *tickets) begin(now time.Time, c *conn, token string) (ticket, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.open[token]
	if !ok || !now.Before(t.expires) {
		return ticket{}, refusef(wire.CodeBadToken, "this ticket is unknown here, used or expired: ask for another")
	}
	if len(ts.transfers[t.account]) >= transfersPerAccount {
		return ticket{}, refusef(wire.CodeTooMany, "%d transfers are under way", transfersPerAccount)
	}
	ts.dropLocked(token)
	if ts.transfers[t.account] == nil {
		ts.transfers[t.account] = make(map[*conn]ticket, 1)
	}
	ts.transfers[t.account][c] = t
	return t, nil
}

// end is the end of the transfer on c.
func (ts *tickets) end(c *conn, t ticket) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if delete(ts.transfers[t.account], c); len(ts.transfers[t.account]) == 0 {
		delete(ts.transfers, t.account)
	}
}

// revoke drops the tickets of the account's devices, like Front.of, and returns the transfers that must end.
func (ts *tickets) revoke(account, device, but string) (under []*conn) {
	is := func(t ticket) bool {
		return t.account == account && (device == "" || t.device == device) && t.device != but
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for token, t := range ts.open {
		if is(t) {
			ts.dropLocked(token)
		}
	}
	for c, t := range ts.transfers[account] {
		if is(t) {
			under = append(under, c)
		}
	}
	return under
}

// expireLocked forgets tickets whose time is over.
func (ts *tickets) expireLocked(now time.Time) {
	for token, t := range ts.open {
		if !now.Before(t.expires) {
			ts.dropLocked(token)
		}
	}
}

func (ts *tickets) dropLocked(token string) {
	account := ts.open[token].account
	delete(ts.open, token)
	if ts.waiting[account]--; ts.waiting[account] == 0 {
		delete(ts.waiting, account)
	}
}
