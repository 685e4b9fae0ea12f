package native

// Files (SPEC.md 8). Upload and Download are asked for where the user is logged in. The bytes travel on a session of
// their own, which begins with Hello and Transfer instead of logging in.

// A File announces a file. Its bytes are had by Download.
type File struct {
	Digest []byte `cbor:"1,keyasint"` // SHA-256 of the bytes.
	Size   uint64 `cbor:"2,keyasint"`
	Name   string `cbor:"3,keyasint"`           // For people; never a path.
	Type   string `cbor:"4,keyasint,omitempty"` // Media type, as the sender says.
}

// Upload asks to send a file. If part of it came before, the transfer goes on behind that.
type Upload struct {
	Digest []byte `cbor:"1,keyasint"`
	Size   uint64 `cbor:"2,keyasint"`
}

// Download asks for the file that the event with number Seq of Log announced.
type Download struct {
	Log string `cbor:"1,keyasint"`
	Seq uint64 `cbor:"2,keyasint"`
}

// Ticket answers Upload and Download.
type Ticket struct {
	Token   string `cbor:"1,keyasint,omitempty"` // For one Transfer. Empty: nothing to transfer, the server has all of it.
	Offset  uint64 `cbor:"2,keyasint,omitempty"` // Upload: how many bytes the server has.
	Size    uint64 `cbor:"3,keyasint"`
	Digest  []byte `cbor:"4,keyasint"`
	Expires Millis `cbor:"5,keyasint,omitempty"` // The token is good for that long.
}

// Transfer begins the transfer of a ticket.
type Transfer struct {
	Token  string `cbor:"1,keyasint"`
	Offset uint64 `cbor:"2,keyasint,omitempty"` // Download: where to begin.
}

// Transferring answers Transfer. Chunks follow, from the client or from the server, and Finish.
type Transferring struct {
	Offset uint64 `cbor:"1,keyasint,omitempty"` // Where the first chunk begins.
	Size   uint64 `cbor:"2,keyasint"`
	Upload bool   `cbor:"3,keyasint,omitempty"` // The client is to send.
}

// Chunk is a piece of the file: request of an upload, push of a download. Requests usually have id 0; with another they
// are answered with Done when the server has written the piece.
type Chunk struct {
	Offset uint64 `cbor:"1,keyasint,omitempty"` // Where the previous one ended.
	Data   []byte `cbor:"2,keyasint"`
}

// Finish is behind the last chunk: as a request, answered with Done when the server has the whole file and its digest is
// right; as a push at the end of a download.
type Finish struct{}

func (f *File) fault() *SyntaxError {
	switch {
	case len(f.Digest) != DigestBytes:
		return &SyntaxError{CodeBadField, "digest", "32 bytes"}
	case f.Size > FileBytesMax:
		return &SyntaxError{CodeTooLong, "size", "at most 1 TiB"}
	}
	if e := needed("name", f.Name, FileNameMax); e != nil {
		return e
	}
	return longest("type", f.Type, TypeBytesMax)
}

func (m Upload) check() error {
	f := File{Digest: m.Digest, Size: m.Size, Name: "-"}
	return first(f.fault())
}

func (m Download) check() error {
	return first(checkLog(m.Log), require(m.Seq > 0, "seq", "at least 1"))
}

func (m Transfer) check() error {
	return first(needed("token", m.Token, TokenBytesMax), require(m.Offset <= FileBytesMax, "offset", "at most 1 TiB"))
}

func (m Chunk) check() error {
	return first(needed("data", m.Data, ChunkBytesMax), require(m.Offset <= FileBytesMax, "offset", "at most 1 TiB"))
}

func (m Finish) check() error { return nil }
