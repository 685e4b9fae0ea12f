package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"udpchat/chat/wire/native"
)

// Who returns who is in a room, or with an empty name who is online.
func (c *Client) Who(ctx context.Context, room string) ([]Person, error) {
	return c.people(ctx, "asking who is there", func(skip uint64) native.Request { return native.Who{Log: room, Skip: skip} })
}

// Since returns who is online or has been within that time.
func (c *Client) Since(ctx context.Context, ago time.Duration) ([]Person, error) {
	return c.people(ctx, "asking who was there", func(skip uint64) native.Request {
		return native.Since{Ago: native.For(ago), Skip: skip}
	})
}

// Contacts returns the account's contacts and those who have it as theirs; Person.Contact says which.
func (c *Client) Contacts(ctx context.Context) (all []Person, err error) {
	for what := (native.Contacts{}); ; {
		list, err := do[native.People](ctx, c, what, true)
		if err != nil {
			return nil, fmt.Errorf("client: listing contacts: %w", err)
		}
		next := what
		if n := len(list.People); n > 0 {
			next = native.Contacts{After: list.People[n-1].Account, Contact: list.People[n-1].Contact}
		}
		if next == what { // Nothing more, or a server that knows the first of them only.
			return all, nil
		}
		what = next
		for _, p := range list.People {
			all = append(all, personOf(p))
		}
		if !list.More || len(all) > contactsMax {
			return all, nil
		}
	}
}

// people asks on until it has everybody.
func (c *Client) people(ctx context.Context, doing string, what func(skip uint64) native.Request) (all []Person, err error) {
	for first := (native.Person{}); ; {
		list, err := do[native.People](ctx, c, what(uint64(len(all))), true)
		if err != nil {
			return nil, fmt.Errorf("client: %s: %w", doing, err)
		}
		if len(list.People) == 0 {
			return all, nil
		}
		if p := list.People[0]; len(all) == 0 {
			first = p
		} else if p.Account == first.Account && p.Visitor == first.Visitor && p.Show == first.Show {
			return all, nil // A server that lists the first ones only.
		}
		for _, p := range list.People {
			all = append(all, personOf(p))
		}
		if !list.More || len(all) > peopleMax {
			return all, nil
		}
	}
}

// AddContact adds a contact, or accepts the request of somebody who has added this account.
func (c *Client) AddContact(ctx context.Context, name string) error {
	return c.tell(ctx, "adding a contact", native.AddContact{Name: name}, true)
}

// RemoveContact removes a contact. Requests of others stay; Block ends them.
func (c *Client) RemoveContact(ctx context.Context, name string) error {
	return c.tell(ctx, "removing a contact", native.RemoveContact{Name: name}, true)
}

// Block keeps an account from reaching, seeing and being shown to this one.
func (c *Client) Block(ctx context.Context, name string) error {
	return c.tell(ctx, "blocking", native.Block{Name: name}, true)
}

// Unblock ends a Block.
func (c *Client) Unblock(ctx context.Context, name string) error {
	return c.tell(ctx, "unblocking", native.Unblock{Name: name}, true)
}

// Blocked returns whom the account has blocked.
func (c *Client) Blocked(ctx context.Context) ([]string, error) {
	list, err := do[native.Names](ctx, c, native.Blocked{}, true)
	if err != nil {
		return nil, fmt.Errorf("client: listing the blocked: %w", err)
	}
	return list.Names, nil
}

// SetAway says that the user is away, or back.
func (c *Client) SetAway(ctx context.Context, away bool) error {
	state := native.StateOnline
	if away {
		state = native.StateAway
	}
	return c.tell(ctx, "saying whether we are away", native.Presence{State: state}, true)
}

// Whisper says something to a visitor from a protocol without accounts, and returns when it has come. It is kept nowhere.
func (c *Client) Whisper(ctx context.Context, name, text string) error {
	return c.tell(ctx, "whispering", native.Whisper{Name: name, Text: text}, false)
}

// Introduce sends a message of an introduction to another client; those to us come as Private events.
func (c *Client) Introduce(ctx context.Context, p native.Private) error {
	return c.tell(ctx, "introducing", p, false)
}

// ChangePassword changes the account's password. All other devices have to log in anew.
func (c *Client) ChangePassword(ctx context.Context, before, after string) error {
	return c.tell(ctx, "changing the password", native.Password{Old: before, New: after}, false)
}

// Devices returns the account's devices.
func (c *Client) Devices(ctx context.Context) ([]native.Device, error) {
	list, err := do[native.TokenList](ctx, c, native.Tokens{}, true)
	if err != nil {
		return nil, fmt.Errorf("client: listing devices: %w", err)
	}
	return list.Devices, nil
}

// Revoke makes a device's token worthless and ends its session.
func (c *Client) Revoke(ctx context.Context, device string) error {
	err := c.tell(ctx, "revoking a token", native.Revoke{Device: device}, true)
	if e, ok := errors.AsType[native.Error](err); ok && e.Code == native.CodeBadToken {
		return fmt.Errorf("client: no device %q: %w", device, e)
	}
	return err
}

// LogOut revokes this device's token, forgets it and ends the client.
func (c *Client) LogOut(ctx context.Context) error {
	err := c.tell(ctx, "logging out", native.LogOut{Forget: true}, false)
	if err != nil {
		return err
	}
	return errors.Join(c.m.numbers.become("", native.LoggedIn{}), c.Close())
}

// tell sends a request that is answered with nothing but that it was carried out.
func (c *Client) tell(ctx context.Context, doing string, what native.Request, again bool) error {
	if _, err := do[native.Done](ctx, c, what, again); err != nil {
		return fmt.Errorf("client: %s: %w", doing, err)
	}
	return nil
}
