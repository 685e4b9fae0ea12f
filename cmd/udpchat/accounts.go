package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	core "udpchat/chat" // The command "chat" is named so in this package.
	"udpchat/chat/account"
	"udpchat/config"
)

// sweepEvery is how often guests are looked through for those whose time is over, and files for those nobody was told of.
const sweepEvery = time.Hour

// openAccounts returns the accounts that are stored in an engine.
func openAccounts(ctx context.Context, cfg config.Config, engine core.Engine, log *slog.Logger) (*account.Service, error) {
	return account.New(ctx, account.Config{
		Engine: engine, Logger: log,
		Open: cfg.Registration, Guests: cfg.Guests, AnyScript: cfg.UnicodeNames,
		LockDuration: cfg.LockDuration, GuestLife: cfg.GuestLife, QuotaBytes: int64(cfg.FileQuota),
	})
}

// announceTimeout is how long an account's log may take to be told of a change. The change itself is stored by then.
const announceTimeout = 5 * time.Second

// announce has all devices of an account hear of a change.
func (n *node) announce(ctx context.Context, c account.Change) {
	kind, about, text := core.Kind(0), c.Peer, ""
	switch c.Kind {
	case account.ContactAdded:
		kind = core.KindContact
	case account.ContactAccepted:
		kind, text = core.KindContact, "mutual"
	case account.ContactRemoved:
		kind = core.KindContactGone
	case account.ContactRequested:
		kind = core.KindRequested
	case account.Blocked:
		kind = core.KindBlocked
	case account.Unblocked:
		kind = core.KindUnblocked
	case account.ProfileChanged, account.PasswordChanged:
		kind, text = core.KindProfile, c.Kind.String()
	case account.TokenRevoked:
		kind, about = core.KindRevoked, c.Device
	}
	// Whoever asked for the change may have gone; the others are to hear of it all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	if err := n.hub.Announce(ctx, c.Account, kind, about, text); err != nil {
		n.log.Warn("devices not told of a change", "user", c.Account, "reason", c.Kind.String(), "err", err)
	}
}

// forgetTimeout is how long that may take. What is left is for the next sweep.
const forgetTimeout = time.Minute

// forget forgets what is kept of an account that is no more.
func (n *node) forget(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
	defer cancel()
	return errors.Join(n.hub.Forget(ctx, name), n.native.ForgetAccount(ctx, name))
}

// sweep forgets guests whose time is over and drops files that nobody was told of, until ctx ends.
func (n *node) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := n.accounts.Sweep(ctx, n.hub.IsOnline, n.forget); err != nil && ctx.Err() == nil {
			n.log.Warn("guests not looked through", "err", err)
		}
		if err := n.accounts.Collect(ctx, n.native.Forget); err != nil && ctx.Err() == nil {
			n.log.Warn("files not looked through", "err", err)
		}
	}
}
