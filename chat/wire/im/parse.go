package im

import (
	"strconv"
	"strings"
)

// ParseReply reads one packet of a server.
func ParseReply(packet []byte) (Reply, error) {
	if len(packet) == 0 {
		return nil, syntaxError(packet, "[code] …")
	}
	route, n, fault := head(packet)
	if fault || n == 0 {
		return nil, syntaxError(packet, "[code] …")
	}
	// Only one space belongs to the head: what follows may begin with spaces.
	text := strings.TrimPrefix(string(packet[len(route)+2:]), " ")
	switch route {
	case "FIN":
		return Fin{Text: text}, nil
	case "P2P", "P2PCONN":
		f, ok := readObject([]byte(text))
		if !ok {
			return nil, syntaxError(packet, "an object")
		}
		if route == "P2P" {
			return Invite{Message: f["message"].text, Origin: f["origin"].text, File: f["filename"].text}, nil
		}
		port, err := strconv.Atoi(f["port"].text)
		if err != nil || port < 1 || port > 65535 {
			return nil, syntaxError(packet, "a port")
		}
		return Connect{IP: f["ip"].text, Port: port, Origin: f["origin"].text, Target: f["target"].text}, nil
	}
	code, err := strconv.Atoi(route)
	if err != nil || len(route) != 3 || code < 100 {
		return nil, syntaxError(packet, "[code] …")
	}
	return Text{Code: Code(code), Text: text}, nil
}
