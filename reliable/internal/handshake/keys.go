package handshake

import "time"

// Keys seal the packets of a connection in both directions and are renewed in step (SPEC.md 4.8): who thinks it is time
// sends under the next generation, which the phase bit in the header tells, and the peer follows with its first packet
// after that. Nobody goes on to the generation after it before the peer has followed.
type Keys struct {
	suite      uint16
	send, recv generation
	next       *generation // what recv will be; nil: not needed yet
	first      uint64      // lowest packet number that came under recv
	old        *Seal       // what recv was; nil: forgotten
	oldUntil   time.Time
	sent       uint64    // packets under send
	since      time.Time // of send; zero: nothing sent yet
	packetsMax uint64
}

// A generation of one direction's keys. The first is 0.
type generation struct {
	number uint64
	secret []byte
	seal   *Seal // nil while the connection rests
}

// Rest gives up what can be made again from the secrets when the next packet leaves or comes: most of what Keys hold.
func (k *Keys) Rest(now time.Time) {
	k.send.seal, k.recv.seal, k.next = nil, nil, nil
	if !now.Before(k.oldUntil) {
		k.old = nil
	}
}

// sealOf returns a generation's seal, making it after a rest.
func (k *Keys) sealOf(g *generation) *Seal {
	if g.seal == nil {
		var err error
		if g.seal, err = newSeal(k.suite, g.secret); err != nil {
			panic("BUG: handshake: keys that were derived once cannot be derived again: " + err.Error())
		}
	}
	return g.seal
}

func newKeys(suite uint16, send, recv []byte) (*Keys, error) {
	k := &Keys{suite: suite, packetsMax: keyPacketsMax}
	var err error
	if k.send.seal, err = newSeal(suite, send); err != nil {
		return nil, err
	}
	if k.recv.seal, err = newSeal(suite, recv); err != nil {
		return nil, err
	}
	k.send.secret, k.recv.secret = send, recv
	return k, nil
}

// phase is what the header says of a generation.
func (g *generation) phase() bool { return g.number&1 == 1 }

// after returns the generation after g.
func (k *Keys) after(g *generation) *generation {
	secret, err := expand(k.suite, g.secret, labelUpdate, len(g.secret))
	if err == nil {
		var seal *Seal
		if seal, err = newSeal(k.suite, secret); err == nil {
			return &generation{g.number + 1, secret, seal}
		}
	}
	panic("BUG: handshake: keys that were derived once cannot be derived again: " + err.Error())
}

// Phase returns the phase bit of the next packet, going on to the next generation if it is time.
func (k *Keys) Phase(now time.Time) bool {
	if k.since.IsZero() {
		k.since = now
	}
	behind := k.send.number < k.recv.number
	worn := k.sent >= k.packetsMax || now.Sub(k.since) >= keyLifeMax
	if behind || worn && k.send.number == k.recv.number {
		k.send, k.sent, k.since = *k.after(&k.send), 0, now
	}
	return k.send.phase()
}

// Protect seals a packet whose header has the phase bit that Phase returned; see Seal.Protect.
func (k *Keys) Protect(b []byte, header int, number uint64) []byte {
	k.sent++
	return k.sealOf(&k.send).Protect(b, header, number)
}

// Open opens a packet; see Seal.Open. A forged packet changes nothing.
func (k *Keys) Open(now time.Time, b []byte, header int, number uint64, phase bool) (body []byte, ok bool) {
	switch {
	case phase == k.recv.phase():
		if body, ok = k.sealOf(&k.recv).Open(b, header, number); ok {
			k.first = min(k.first, number)
		}
		return body, ok
	case number < k.first:
		if k.old == nil || !now.Before(k.oldUntil) {
			k.old = nil
			return nil, false
		}
		return k.old.Open(b, header, number)
	}
	if k.next == nil {
		k.next = k.after(&k.recv) // Kept, so that forged packets cost this once.
	}
	if body, ok = k.next.seal.Open(b, header, number); !ok {
		return nil, false
	}
	k.old, k.oldUntil = k.sealOf(&k.recv), now.Add(OldKeysLife)
	k.recv, k.next, k.first = *k.next, nil, number
	return body, true
}

// Generation returns how often the keys of sending have been renewed.
func (k *Keys) Generation() uint64 { return k.send.number }
