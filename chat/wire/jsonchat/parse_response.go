package jsonchat

import "encoding/json"

// list takes a list of bodies.
func list[T any](r *reader, key string, take func(*reader) T) []T {
	var raw []object
	if err := json.Unmarshal(r.object[key], &raw); err != nil || raw == nil {
		r.fail(key + ": list")
		return nil
	}
	all := make([]T, 0, len(raw))
	for _, o := range raw {
		one := reader{object: o}
		all = append(all, take(&one))
		if one.want != "" {
			r.fail(key + ": " + one.want)
		}
	}
	return all
}

// ParseResponse reads the JSON of a response. An error is a *SyntaxError.
func ParseResponse(text []byte) (Response, error) {
	o, err := parseObject(text)
	if err != nil {
		return Response{}, err
	}
	r := reader{object: o}
	res := Response{Name: r.text("response")}
	switch status := r.text("status"); {
	case status == statusOK && r.null("info"):
	case status == statusErr && !r.null("info"):
		if res.Err = r.text("info"); res.Err == "" {
			r.fail("info: why it failed")
		}
	default:
		r.fail("status: OK, or ERR with info")
	}
	if !r.null("body") && r.want == "" {
		if err := json.Unmarshal(o["body"], &r.object); err != nil {
			r.fail("body: object")
		}
		res.Body = r.body(res.Name)
	}
	if r.want != "" {
		return Response{}, &SyntaxError{Want: r.want}
	}
	return res, nil
}

// body takes the body of a response of that name; nil if it has none that is known.
func (r *reader) body(name string) Body {
	switch name {
	case TokenName:
		return Token{r.number("tokenid")}
	case ForwardName:
		return r.message()
	case State{}.Name(), Register{}.Name(), Login{}.Name(), Profile{}.Name(), ModifyProfile{}.Name(), SearchUsr{}.Name():
		return r.userInfo()
	case SendMsg{}.Name():
		return Sent{r.text("md5encoded")}
	case FetchMsg{}.Name():
		return Messages{list(r, "messages", (*reader).message)}
	case FetchContact{}.Name():
		return Contacts{
			Contacts:   list(r, "contacts", (*reader).userInfo),
			Pending:    list(r, "pending", (*reader).userInfo),
			Requesting: list(r, "requesting", (*reader).userInfo),
		}
	}
	return nil
}
