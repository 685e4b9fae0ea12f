package relay

// A ReplyDecoder turns the bytes a server sends into replies. The zero value counts a text's length in characters.
type ReplyDecoder struct {
	// Bytes has it count bytes. Set before the first Feed.
	Bytes bool

	p     parser
	waits *Forward // A FORWARD whose text is awaited.
	want  int      // Its length.
}

// Feed adds bytes of the stream. It copies b.
func (d *ReplyDecoder) Feed(b []byte) { d.p.feed(b) }

// Next returns the next reply, like Decoder.Next. A FORWARD without a length is an UnknownReply.
func (d *ReplyDecoder) Next() (rep Reply, ok bool, err error) {
	d.p.mode, d.p.lead = characters, yes
	if d.Bytes {
		d.p.mode = bytesOf
	}
	if d.waits == nil {
		lines, ok, err := d.p.nextHead()
		if err != nil || !ok {
			return nil, false, err
		}
		if rep := d.reply(lines); rep != nil {
			return rep, true, nil
		}
	}
	text, ok, over := d.p.text(d.want)
	switch {
	case over:
		d.p.breakOff()
		return nil, false, tooLong([]byte("FORWARD " + d.waits.From))
	case !ok:
		return nil, false, nil
	}
	f := *d.waits
	d.waits = nil
	f.Text = text
	return f, true, nil
}

// reply turns a head into its value, or notes a FORWARD and returns nil.
func (d *ReplyDecoder) reply(lines [][]byte) Reply {
	word, rest := cutWord(lines[0])
	switch word {
	case "REGISTERED":
		switch role, name := cutWord(rest); role {
		case "TOSEND":
			return Registered{Role: ToSend, Name: string(name), Wide: len(name) > 0 && d.p.end == wide}
		case "TORECV":
			return Registered{Role: ToRecv, Name: string(name), Wide: len(name) > 0 && d.p.end == wide}
		}
	case "FORWARD":
		if n, ok := contentLength(lines[1:]); ok {
			d.waits, d.want = &Forward{From: string(rest)}, n
			return nil
		}
	case "SENT", "SEND":
		return Sent{To: string(rest)}
	case "ERROR":
		return Error{Code: code(rest)}
	}
	return UnknownReply{Line: shown(lines[0])}
}
