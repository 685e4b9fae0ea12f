// Package account knows who may log in: accounts with passwords, guests without, device tokens, lock-outs, contacts, blocks,
// profiles and how much space files take.
//
//	svc, err := account.New(ctx, account.Config{Engine: engine, Open: true})
//	secret, err := passwd.Clear(password)
//	who, err := svc.Register(ctx, account.Attempt{From: addr}, "Ann", secret)
//	who, err = svc.LogIn(ctx, account.Attempt{From: addr}, "ann", secret)
//	token, err := svc.NewToken(ctx, who.Name, "laptop")
//	who, device, err := svc.ByToken(ctx, token.Text)
//
// It knows neither connections nor rooms: a front-end asks it who somebody is and then logs a device in at the Hub. What
// other devices of an account should hear of is told to the function given to OnChange.
//
// # Names
//
// An account has a canonical name (package names), by which everything else is stored, and one to show, which differs from
// it in case or width only. An account is stored by what its name looks like, so that two that look alike cannot both be,
// whatever happens at the same moment.
//
// # Lock-out
//
// Three wrong passwords for an account from one network (IPv4 /24, IPv6 /56) lock the account for that network, also for
// the right password, for Config.LockDuration. From elsewhere it stays open, so that a stranger cannot lock the owner out;
// many wrong ones from anywhere only slow log-ins with a password down. A protocol whose document wants it asks for the lock
// of the name (Attempt.NameLock): that one covers log-ins of the same kind only. All this counts for names that do not exist,
// too, and answers and work are the same for them. Tokens are not affected. Each server counts for itself, in memory: what
// strangers do must not write to the disk; so the locks end with the server.
//
// # Records
//
// Each of these is a record of the engine, changed by compare-and-set, and two are never changed at once:
//
//	accounts        LOOK            the account, with its verifier; authoritative
//	account-ids     NUMBER          its name; valid only if the account has that number
//	account-last    "number"        the last number given out
//	account-guests  NAME            when the guest ends; may be there without the guest, never the other way round
//	account-secrets "tokens"        the key of the token hashes
//	tokens          HASH            what a token is for; authoritative
//	account-tokens  NAME/DEVICE     the hash of the device's token; valid only if that token is there and is for this device
//	profiles        NAME            avatar and text
//	contacts        NAME            whom the account has added, and of whom it is not sure that they know; authoritative
//	contact-of      NAME            who has added the account; repaired by the next read of the other's contacts
//	blocks          NAME            whom the account has blocked
//	file-quota      NAME            which files the account answers for
//	files-stored    ID              who has stored a file that nobody was told of yet, or that somebody was
//
// # Concurrency
//
// All methods of a Service may be called at the same time, also on different servers over one engine. None holds a lock over
// a call to the engine.
package account
