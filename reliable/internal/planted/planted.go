// Package planted names mistakes that can be built into a connection on purpose, to prove that the simulation notices
// them. A program never sets one: Config.Planted is None outside tests.
//
// Each is a line or two at the place where somebody could really make the mistake, and costs one comparison there.
package planted

// A Bug is one mistake.
type Bug uint8

// The mistakes. What is said of each is what the connection does wrong.
const (
	None Bug = iota

	// SealUnchecked takes packets whose seal is wrong.
	SealUnchecked
	// ReplayTaken takes a packet again that has come before.
	ReplayTaken
	// AckInvents acknowledges packets that never came.
	AckInvents
	// SendCut throws away what the ARQ has no room for.
	SendCut
	// ReadSkips loses a segment when the reader's buffer is full.
	ReadSkips
	// ReadSwaps exchanges bytes that are read together.
	ReadSwaps
	// ReadRepeats hands the same bytes to the reader twice.
	ReadRepeats
	// RebuiltWrong changes the last byte of every rebuilt symbol.
	RebuiltWrong
	// EndForgets makes what arrived before the end unreadable after it.
	EndForgets

	// HelloOnce never repeats a hello that nobody answers.
	HelloOnce
	// HelloUnanswered does not answer a repeated hello by the accept that was lost.
	HelloUnanswered
	// FinishOnce does not repeat the end of a handshake that nobody answers.
	FinishOnce

	// NumberReused gives a packet the number of the one before it, now and then.
	NumberReused
	// SentEndless never forgets a packet that was sent.
	SentEndless
	// RepairsEndless never forgets a group whose repair symbols have left.
	RepairsEndless

	// LingerShort closes without waiting until what was written is acknowledged.
	LingerShort
	// CloseOnce does not repeat a close frame that nobody answers.
	CloseOnce
	// CloseReasonLost does not tell why the peer closed.
	CloseReasonLost

	// DeathUnnoticed waits for ever for a dead peer.
	DeathUnnoticed
	// DeathHasty takes a peer for dead that was silent for two seconds.
	DeathHasty
	// PingUnanswered does not answer a ping.
	PingUnanswered

	// SleepBusy drops the state of the ARQ although something is in it.
	SleepBusy
	// SleepBaseOff goes on one number too far after a sleep.
	SleepBaseOff

	// StreamsMixed reads from another stream of the same lane.
	StreamsMixed
	// StreamEndLost never sends the end of a stream.
	StreamEndLost
	// StreamGhost makes a new stream of what comes late for one that has ended.
	StreamGhost
	// StreamEndless never forgets a stream that has ended.
	StreamEndless
	// StreamEndUnanswered says nothing to who has missed that a stream has ended.
	StreamEndUnanswered
	// ResetOnce does not repeat a reset that was lost.
	ResetOnce

	// MoveUnchecked sends everything to an address that is not proven.
	MoveUnchecked
	// MoveOlderPacket follows packets that are not the newest.
	MoveOlderPacket
	// ChallengeIgnored does not answer the question where the client is.
	ChallengeIgnored
	// BlackHoleForever goes on with datagrams that do not arrive.
	BlackHoleForever

	bugs
)

var names = [bugs]string{
	"none", "seal unchecked", "replay taken", "ack invents", "send cut", "read skips", "read swaps", "read repeats",
	"rebuilt wrong", "end forgets", "hello once", "hello unanswered", "finish once", "number reused", "sent endless", "repairs endless",
	"linger short", "close once", "close reason lost", "death unnoticed", "death hasty", "ping unanswered",
	"sleep busy", "sleep base off",
	"streams mixed", "stream end lost", "stream ghost", "stream endless", "stream end unanswered", "reset once",
	"move unchecked", "move older packet", "challenge ignored", "black hole forever",
}

// String returns the mistake's name in lower case.
func (b Bug) String() string {
	if b < bugs {
		return names[b]
	}
	return "unknown"
}

// All returns every mistake but None.
func All() []Bug {
	all := make([]Bug, 0, bugs-1)
	for b := None + 1; b < bugs; b++ {
		all = append(all, b)
	}
	return all
}
