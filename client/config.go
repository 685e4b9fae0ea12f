package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"udpchat/reliable"
)

// A Config says where to go and who we are. It is copied.
type Config struct {
	// Server is its HOST:PORT.
	Server string
	// Others are further servers of the same cluster, which have the same key and the same rooms: they are tried in turn
	// when the one we were connected to, Server at first, is not to be found.
	Others []string
	// Transport is UDP or TCP; empty: UDP, and TCP as well if that does not answer at once.
	Transport string
	// ServerKey is the key the server must have. Zero: any that VerifyServer likes.
	ServerKey reliable.Key
	// VerifyServer says what is wrong with a server's key; see reliable.Config. With neither, it is not known who is at the
	// other end.
	VerifyServer func(reliable.Key) error

	// Account is the name to log in with, and Password its password. Neither is needed if State has a token of the account.
	Account, Password string
	// Register makes the account, with that name and password, unless State has a token of it.
	Register bool
	// Guest makes an account without a password, which ends after a while, unless State has a token of it. The server adds
	// something to the name.
	Guest bool
	// Label is what the user calls this device, for the list of devices; Agent what the program is, for the server's log.
	Label, Agent string

	// State keeps the token and the numbers of messages for the next run. It is the client's until it has ended. Nil: the
	// client is another device each time.
	State State
	// AllRooms follows all rooms the account is a member of, from where it has read them (see Client.Read), the first time with
	// the newest events. Without it only those that are joined, and direct conversations: these from where the account has read
	// them, the first time from their beginning.
	AllRooms bool
	// WatchAll asks for the presence of everybody, not only of contacts and partners.
	WatchAll bool

	// Reliable is for UDP; its keys are those of this Config.
	Reliable reliable.Config
	// Logger gets life-cycle lines; nil discards.
	Logger *slog.Logger

	// Dial opens a connection instead of the real network; nil: the network. For tests.
	Dial func(ctx context.Context, transport, addr string) (Conn, error)
}

// check reports what is wrong with the configuration.
func (c *Config) check() error {
	for at := range len(c.Others) + 1 {
		if _, _, err := net.SplitHostPort(c.server(at)); err != nil {
			return fmt.Errorf("client: server %q: want HOST:PORT", c.server(at))
		}
	}
	switch {
	case c.Transport != "" && c.Transport != UDP && c.Transport != TCP:
		return fmt.Errorf("client: unknown transport %q: want %s, %s or nothing", c.Transport, UDP, TCP)
	case c.Register && c.Guest:
		return errors.New("client: Register or Guest, not both")
	case c.Register && (c.Account == "" || c.Password == ""), c.Guest && c.Account == "":
		return ErrNoAccount
	}
	return nil
}

// server returns the server in that place: Server, then Others.
func (cfg Config) server(at int) string {
	if at == 0 {
		return cfg.Server
	}
	return cfg.Others[at-1]
}
