package client

import (
	"maps"
	"slices"
	"time"

	"udpchat/chat/wire/native"
)

// A marks knows how far the user has read, and tells the server now and then: only the newest of a log counts. It is
// pure, and the zero value is ready.
type marks struct {
	read map[string]uint64 // What the server has not been told.
	told map[string]uint64
	at   time.Time // When it was told last.
}

// set notes that the user has read a log up to seq.
func (m *marks) set(log string, seq uint64) {
	if seq <= m.told[log] || seq <= m.read[log] {
		return
	}
	if m.read == nil {
		m.read = make(map[string]uint64)
	}
	m.read[log] = seq
}

// forget forgets a log, whose numbers mean nothing any more.
func (m *marks) forget(log string) {
	delete(m.read, log)
	delete(m.told, log)
}

// due returns what to tell the server now.
func (m *marks) due(now time.Time) (tell []native.Mark) {
	if len(m.read) == 0 || now.Before(m.nextAt()) {
		return nil
	}
	for _, log := range slices.Sorted(maps.Keys(m.read)) {
		tell = append(tell, native.Mark{Log: log, Seq: m.read[log]})
	}
	if m.told == nil {
		m.told = make(map[string]uint64)
	}
	maps.Copy(m.told, m.read)
	m.read, m.at = nil, now
	return tell
}

// hurry has the server told at once.
func (m *marks) hurry() { m.at = time.Time{} }

// nextAt returns when something is due; zero: never.
func (m *marks) nextAt() time.Time {
	if len(m.read) == 0 {
		return time.Time{}
	}
	return m.at.Add(markEvery)
}
