package jsonchat

import (
	"context"
	"fmt"
	"math"
	"strings"

	"udpchat/chat"
	"udpchat/chat/account"
	wire "udpchat/chat/wire/jsonchat"
)

// sendMsg stores a message, its file first, and has all hear of it who should (PROTOCOL.md 4).
func (c *conn) sendMsg(ctx context.Context, m wire.Message, payloadBytes int64) (wire.Body, error) {
	l, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	if m.UserID != int64(l.who.ID) {
		return nil, errNotLoggedIn
	}
	peer, err := c.front.byID(ctx, m.TargetID)
	if err != nil {
		return nil, err
	}
	if m.MD5 == nil {
		data, _ := unwrap(m.Content, 1)
		sum := wire.MessageMD5(data, m.UserID, m.TargetID, m.Timestamp)
		m.MD5 = &sum
	}
	if !isWord(*m.MD5) {
		return nil, malformed("md5encoded: 32 hexadecimal digits")
	}
	content, err := c.content(ctx, l, peer, &m, payloadBytes)
	if err != nil {
		return nil, err
	}
	if err := c.device.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer c.device.gate.leave()
	if c.device.current() != l {
		return nil, errNotLoggedIn
	}
	repeated, err := l.repeated(ctx, peer.Name, *m.MD5)
	if err != nil {
		return nil, err
	}
	if !repeated {
		if err := l.say(ctx, peer, content); err != nil {
			return nil, err
		}
	}
	l.setCursor(ctx, m.Timestamp)
	self := peer.Name == l.who.Name
	switch {
	case self:
		c.front.forwardHere(peer.Name, m, nil) // The core knows nothing of these.
	case repeated:
		c.front.forwardHere(l.who.Name, m, c.device)
		c.front.forwardHere(peer.Name, m, nil)
	}
	return wire.Sent{MD5: *m.MD5}, nil
}

// isWord reports whether a name for a message is one that can be kept and shown: some programs take another hash.
func isWord(s string) bool {
	return s != "" && len(s) <= md5BytesMax && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// content returns what the core is to keep of a message, after its file was stored.
func (c *conn) content(ctx context.Context, l *login, peer account.Account, m *wire.Message, payloadBytes int64) (chat.Content, error) {
	t := tag{timestamp: m.Timestamp, md5: *m.MD5}
	var content chat.Content
	switch m.ContentType {
	case wire.Plaintext:
		m.FileMD5 = nil
		content.Text, t.layers = unwrapText(m.Content)
	case wire.Image:
		m.FileMD5 = nil
		var data []byte
		data, t.layers = unwrap(m.Content, layersMax)
		t.image = true
		file, err := c.front.storeImage(ctx, l.who.Name, data)
		if err != nil {
			return chat.Content{}, err
		}
		content.File = file
	case wire.File:
		var name string
		name, t.layers = unwrapText(m.Content)
		if !isFileName(name) {
			return chat.Content{}, errFileName
		}
		r, err := c.receiveFile(ctx, l.who.Name, m.FileMD5, payloadBytes)
		if err != nil {
			return chat.Content{}, err
		}
		m.FileMD5 = &r.MD5
		content.File = &chat.File{SHA256: r.SHA256, Size: r.Size, Name: name}
		// Before anybody hears of the file, so that who is quick can fetch it.
		for _, owner := range []string{l.who.Name, peer.Name} {
			if err := c.front.noteFile(ctx, owner, t.md5, r); err != nil {
				return chat.Content{}, err
			}
		}
	}
	content.Tag = t.String()
	return content, nil
}

// say stores a message in the conversation with peer. The gate is held.
func (l *login) say(ctx context.Context, peer account.Account, content chat.Content) error {
	l.counter++
	if peer.Name != l.who.Name {
		_, err := l.dev.Say(ctx, chat.DirectLog(l.who.Name, peer.Name), l.counter, content)
		return err
	}
	if len(content.Text) > noteBytesMax {
		return errTooLong
	}
	n := note{Text: content.Text, File: content.File, Tag: content.Tag}
	_, err := l.device.front.cfg.Engine.Append(ctx, noteLog(l.who.Name), fmt.Sprintf("%s-%d", l.speaks, l.counter), n.encode())
	return err
}

// repeated reports whether the conversation with peer has had a message of that name from the account, not long ago.
func (l *login) repeated(ctx context.Context, peer, md5 string) (bool, error) {
	if peer == l.who.Name {
		msgs, err := l.device.front.cfg.Engine.Read(ctx, noteLog(peer), 0, math.MaxInt64, repeatMessages)
		for _, msg := range msgs {
			s, err := storedNote(peer, msg)
			if err == nil && s.isNamed(md5) {
				return true, nil
			}
		}
		return false, err
	}
	events, err := l.dev.History(ctx, chat.DirectLog(l.who.Name, peer), chat.Page{N: repeatMessages})
	for _, ev := range events {
		if s := storedOf(ev); s.from == l.who.Name && s.isNamed(md5) {
			return true, nil
		}
	}
	return false, err
}

// isNamed reports whether the message came by this protocol, with that md5encoded.
func (s stored) isNamed(md5 string) bool {
	return s.tagged && s.tag.md5 == md5
}
