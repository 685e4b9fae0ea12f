package jsonchat

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	statusOK  = "OK"
	statusErr = "ERR"
)

// AppendRequest appends the JSON of a request, without a header. A token of 0 is null.
func AppendRequest(b []byte, req Request, token int64) []byte {
	m := struct {
		Request string `json:"request"`
		TokenID *int64 `json:"tokenid"`
		Body    any    `json:"body"`
	}{Request: req.Name(), Body: requestBody(req)}
	if token != 0 {
		m.TokenID = &token
	}
	return appendJSON(b, m)
}

// requestBody returns what a request has for a body.
func requestBody(req Request) any {
	switch req := req.(type) {
	case Register:
		return req.Identity
	case Login:
		return req.Identity
	case ModifyPasswd:
		return req.Identity
	case ModifyProfile:
		return req.UserInfo
	case SendMsg:
		return req.Message
	case Profile:
		return map[string]int64{"userid": req.UserID}
	case AddContact:
		return map[string]int64{"userid": req.UserID}
	case AckFetch:
		return map[string]int64{"timestamp": req.Timestamp}
	case FindFile:
		return map[string]string{"filemd5": req.FileMD5}
	case FetchFile:
		return map[string]string{"msgmd5": req.MsgMD5}
	case SearchUsr:
		return map[string]string{"username": req.Username}
	case State, Logout, FetchMsg, FetchContact, Malformed, Unknown:
		return struct{}{}
	}
	panic("BUG: jsonchat: request of no known type")
}

// AppendResponse appends the JSON of a response, without a header: always all four keys, in this order (PROTOCOL.md 2).
func AppendResponse(b []byte, res Response) []byte {
	m := struct {
		Response string  `json:"response"`
		Status   string  `json:"status"`
		Info     *string `json:"info"`
		Body     Body    `json:"body"`
	}{Response: res.Name, Status: statusOK, Body: res.Body}
	if res.Err != "" {
		m.Status, m.Info = statusErr, &res.Err
	}
	switch body := res.Body.(type) {
	case Messages:
		body.Messages = notNil(body.Messages)
		m.Body = body
	case Contacts:
		body.Contacts, body.Pending, body.Requesting = notNil(body.Contacts), notNil(body.Pending), notNil(body.Requesting)
		m.Body = body
	}
	return appendJSON(b, m)
}

// notNil returns list as something that is written as a list.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// appendJSON appends v in nothing but ASCII: programs exist that take every byte for a character (PROTOCOL.md 1.3).
func appendJSON(b []byte, v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("BUG: jsonchat: " + err.Error()) // Strings, numbers and lists of them can be written.
	}
	return appendASCII(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// appendASCII appends a JSON text with all other characters, which can only stand in strings, escaped.
func appendASCII(b, text []byte) []byte {
	const hex = "0123456789abcdef"
	escape := func(c uint16) {
		b = append(b, '\\', 'u', hex[c>>12], hex[c>>8&15], hex[c>>4&15], hex[c&15])
	}
	for len(text) > 0 {
		n := 0
		for n < len(text) && text[n] < utf8.RuneSelf {
			n++
		}
		b = append(b, text[:n]...)
		if text = text[n:]; len(text) == 0 {
			break
		}
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
			escape(uint16(r1))
			escape(uint16(r2))
		} else {
			escape(uint16(r))
		}
	}
	return b
}
