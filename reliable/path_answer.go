package reliable

import (
	"time"

	"udpchat/reliable/internal/planted"
	"udpchat/reliable/internal/wire"
)

// What a client does about its own address. It mostly does not know when it changes: a NAT has forgotten it, or the phone
// has left the house. It only notices that the server, which was just sending, has fallen silent, and then says something,
// so that the server sees where it is now (SPEC.md 5.3).

// answer is a challenge to be answered.
type answer struct {
	challenge wire.Challenge // the latest
	owed      bool
}

// handleChallenge takes a challenge. One that is new means that the server sees us at another address: what was learned
// about the way there counts no more.
func (m *Machine) handleChallenge(c wire.Challenge) {
	if !m.dialled || m.cfg.Planted == planted.ChallengeIgnored {
		return // A server does not move.
	}
	if m.answer.challenge != c {
		m.stats.Challenges++
		m.forgetWay()
	}
	m.answer = answer{c, true}
	m.owesAck = true
}

// advanceAnswer answers the latest challenge.
func (m *Machine) advanceAnswer() {
	if m.answer.owed {
		m.answer.owed = false
		m.sendPacket(wire.AppendResponse(m.startPacket(wire.ChallengeFrameBytes), m.answer.challenge), cargo{}, false)
	}
}

// A quiet watches for the end of a flow of data.
type quiet struct {
	gap   time.Duration // average time between packets with data
	last  time.Time     // when the latest came
	at    time.Time     // when the next question is due; zero: nothing to ask
	tries int           // questions since anything came
}

// heardData takes note of a packet with data.
func (q *quiet) heardData(now time.Time) {
	gap := quietMax
	if !q.last.IsZero() {
		gap = min(now.Sub(q.last), quietMax)
	}
	if q.gap == 0 {
		q.gap = quietMax
	}
	q.gap += (gap - q.gap) / quietSamples
	q.last, q.tries, q.at = now, 0, time.Time{}
	if silence := quietGaps * q.gap; silence < quietMax {
		q.at = now.Add(max(silence, quietMin))
	}
}

// heardData tells a client's quiet of a packet with data.
func (m *Machine) heardData(now time.Time) {
	if m.dialled && m.state <= stateLinger {
		m.quiet.heardData(now)
	}
}

// heard takes note of any packet: if it answers a question, all is well.
func (q *quiet) heard() {
	if q.tries > 0 {
		q.tries, q.at = 0, time.Time{}
	}
}

// advanceQuiet asks whether the server is still there when it falls silent in the middle of something. After a dense flow
// the question is large, so that the limit for addresses that are not proven lets some of the flow through at once.
func (m *Machine) advanceQuiet(now time.Time) {
	q := &m.quiet
	if q.at.IsZero() || now.Before(q.at) {
		return
	}
	gap := quietAgain
	if q.tries >= quietTries {
		gap = min(quietAgain<<min(q.tries-quietTries, 4), quietMax)
	}
	q.tries++
	q.at = now.Add(gap)
	m.stats.QuietProbes++
	b := wire.AppendPing(m.startPacket(1))
	if q.gap*quietGaps <= quietMin {
		b = wire.AppendPadding(b, min(m.mtu.size, wire.DatagramBytesBase)-wire.SealBytes-len(b))
	}
	m.sendPacket(b, cargo{}, true)
}
