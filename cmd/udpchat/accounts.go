package main

import (
	"context"
	"log/slog"
	"time"

	core "udpchat/chat" // The command "chat" is named so in this package.
	"udpchat/chat/account"
	"udpchat/config"
)

// sweepEvery is how often guests are looked through for those whose time is over.
const sweepEvery = time.Hour

// openAccounts returns the accounts that are stored in an engine.
func openAccounts(ctx context.Context, cfg config.Config, engine core.Engine, log *slog.Logger) (*account.Service, error) {
	return account.New(ctx, account.Config{
		Engine: engine, Logger: log,
		Open: cfg.Registration, Guests: cfg.Guests, AnyScript: cfg.UnicodeNames,
		LockDuration: cfg.LockDuration, GuestLife: cfg.GuestLife, QuotaBytes: int64(cfg.FileQuota),
	})
}

// sweepGuests forgets guests whose time is over, until ctx ends.
func (n *node) sweepGuests(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := n.accounts.Sweep(ctx, nil); err != nil && ctx.Err() == nil {
			n.log.Warn("guests not looked through", "err", err)
		}
	}
}
