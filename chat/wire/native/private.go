package native

// A Step is what a Private message does (SPEC.md 9).
type Step uint64

const (
	StepRequest Step = 1 // Would you talk directly? With key and addresses.
	StepAccept  Step = 2 // Yes. With key and addresses.
	StepDecline Step = 3 // No; or not any more.
	StepOffer   Step = 4 // More addresses, to either side.
	StepEnd     Step = 5 // The direct connection has ended or could not be made.
)

// Private introduces two clients that want to connect directly. As a request the server hands it to the devices of Peer,
// or to the one named; as a push it says who sent it and at which address the server sees that device. The server
// remembers nothing of it.
type Private struct {
	Peer      string   `cbor:"1,keyasint"`           // Request: to whom. Push: from whom.
	Device    string   `cbor:"2,keyasint,omitempty"` // Request: to which device; empty: all. Push: from which.
	Call      []byte   `cbor:"3,keyasint"`           // Names the introduction; random, by who requests.
	Step      Step     `cbor:"4,keyasint"`
	Key       []byte   `cbor:"5,keyasint,omitempty"` // The sender's public key, or its fingerprint.
	Addresses []string `cbor:"6,keyasint,omitempty"` // HOST:PORT where the sender may be reached, best first.
	Seen      string   `cbor:"7,keyasint,omitempty"` // Push only: where the server sees the sender.
	Text      string   `cbor:"8,keyasint,omitempty"` // Why, for people.
}

func (m Private) check() error {
	faults := []*SyntaxError{
		needed("peer", m.Peer, NameBytesMax),
		longest("device", m.Device, LabelBytesMax),
		needed("call", m.Call, CallBytesMax),
		require(m.Step >= StepRequest && m.Step <= StepEnd, "step", "1 to 5"),
		longest("key", m.Key, KeyBytesMax),
		longest("text", m.Text, TopicBytesMax),
	}
	if len(m.Addresses) > AddressesMax {
		faults = append(faults, &SyntaxError{CodeTooLong, "addresses", "at most 8"})
	}
	for _, a := range m.Addresses {
		faults = append(faults, needed("address", a, AddressBytesMax))
	}
	return first(faults...)
}
