package account

import "context"

// A Kind is what has changed.
type Kind uint8

const (
	ContactAdded     Kind = iota + 1 // The account has added Peer.
	ContactRemoved                   // The account has removed Peer.
	ContactRequested                 // Peer has added the account, which has not added Peer.
	ContactAccepted                  // Peer has added the account, which had added Peer.
	Blocked                          // The account has blocked Peer.
	Unblocked                        // The account has unblocked Peer.
	ProfileChanged                   // The account's profile or the way its name is written is another.
	PasswordChanged                  // The account's password is another.
	TokenRevoked                     // Device cannot log in any more.
)

// String returns a word for logs.
func (k Kind) String() string {
	switch k {
	case ContactAdded:
		return "contact-added"
	case ContactRemoved:
		return "contact-removed"
	case ContactRequested:
		return "contact-requested"
	case ContactAccepted:
		return "contact-accepted"
	case Blocked:
		return "blocked"
	case Unblocked:
		return "unblocked"
	case ProfileChanged:
		return "profile-changed"
	case PasswordChanged:
		return "password-changed"
	case TokenRevoked:
		return "token-revoked"
	}
	return "invalid"
}

// A Change is something that all devices of an account should hear of.
type Change struct {
	Account string // The canonical name of the account.
	Kind    Kind
	Peer    string // The canonical name of the other account, if there is one.
	Device  string // TokenRevoked only.
}

// OnChange has f called after every change, by the goroutine that made it, before the call that asked for it returns. What f
// does must not depend on more than the Change: the records have changed already. Another call replaces f.
func (s *Service) OnChange(f func(context.Context, Change)) { s.changed.Store(&f) }

func (s *Service) tell(ctx context.Context, c Change) {
	if f := s.changed.Load(); f != nil {
		(*f)(ctx, c)
	}
}
