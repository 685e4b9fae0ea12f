package reliable

import (
	"time"

	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// A peer is dead when nothing was heard from it for IdleTimeout, or for silenceMax while something waits for its
// acknowledgement (SPEC.md 8). A peer that merely has nothing to say is probed before that, and answers.

// advanceLiveness ends the connection of a dead peer, probes a silent one and keeps a NAT's mapping alive.
func (m *Machine) advanceLiveness(now time.Time) {
	switch {
	case m.state == stateEnded:
	case !now.Before(m.deadAt()):
		m.end(errIdle)
	case !now.Before(m.nextPing()):
		m.probeAt = now.Add(probeGap)
		m.sendPacket(wire.AppendPing(m.startPacket(1)), cargo{}, true)
	}
}

// livenessAt is when advanceLiveness has something to do.
func (m *Machine) livenessAt() time.Time {
	dead, ping := m.deadAt(), m.nextPing()
	if ping.Before(dead) {
		return ping
	}
	return dead
}

func (m *Machine) deadAt() time.Time {
	if m.cfg.Planted == planted.DeathUnnoticed {
		return m.heardAt.Add(10000 * time.Hour)
	}
	dead := m.heardAt.Add(m.cfg.IdleTimeout)
	if m.waitingAt.IsZero() {
		return dead
	}
	// What was heard before we began to wait says nothing about whether the peer still answers.
	silent := later(m.heardAt, m.waitingAt).Add(silenceMax)
	if m.cfg.Planted == planted.DeathHasty {
		silent = later(m.heardAt, m.waitingAt).Add(2 * time.Second)
	}
	if silent.Before(dead) {
		return silent
	}
	return dead
}

// nextPing is when the next probe or keep-alive is due.
func (m *Machine) nextPing() time.Time {
	silent := m.cfg.IdleTimeout / 2
	if !m.waitingAt.IsZero() {
		silent = min(silent, waitingSilence)
	}
	ping := later(m.heardAt.Add(silent), m.probeAt)
	if m.cfg.KeepAlive > 0 {
		if keep := m.spokeAt.Add(m.cfg.KeepAlive); keep.Before(ping) {
			return keep
		}
	}
	return ping
}

// A connection over which nothing moves keeps its identity, secrets and counters and gives up the rest, some 25 KB: the
// ARQ's queues, the decoder's memory of symbols, ciphers, the buffer for packets, what is known of the way. The peer need not know, as the numbers on the
// wire go on (SPEC.md 8).

// busy takes note that something moves.
func (m *Machine) busy() { m.restAt = m.now.Add(idleState) }

// stirred is busy unless the ARQ has slept through what moved: probes and their answers.
func (m *Machine) stirred(s *MachineStream) {
	if !s.arq.Asleep() {
		m.busy()
	}
}

// advanceRest gives up what only traffic needs. If the ARQ still has something, it goes on with the next thing that moves.
func (m *Machine) advanceRest(now time.Time) {
	if !m.restAt.IsZero() && !now.Before(m.restAt) {
		m.restAt = time.Time{}
		for _, s := range m.streams {
			if s.arq != nil {
				s.arq.Sleep()
			}
		}
		if m.dec != nil {
			m.dec.Forget()
		}
		m.giveUpSent()
		m.pace = nil // What was known of the way is old (RFC 9002, 7.8).
		m.budget.SetRate(0)
	}
	if m.restAt.IsZero() {
		m.packet, m.mtu.hole = nil, nil
		if len(m.sent) == 0 {
			m.pace = nil // A probe that was answered has made a new one.
		}
		for len(m.assemblies.open) > 0 {
			m.assemblies.giveUp()
		}
		m.keys.Rest(now)
		m.finish.rest(now)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
