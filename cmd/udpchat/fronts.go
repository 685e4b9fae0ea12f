package main

import (
	"log/slog"

	"udpchat/chat/front"
	hashfront "udpchat/chat/front/hashchat"
	labfront "udpchat/chat/front/lab"
	"udpchat/config"
)

// makeFronts makes a front-end for every protocol, in the order in which a peer's first bytes are shown to them. The lab
// protocol comes last: it answers what nobody understands.
func makeFronts(cfg config.Config, log *slog.Logger, kill func()) []front.Front {
	return []front.Front{
		hashfront.New(hashfront.Config{
			Room: cfg.BroadcastRoom, Numbered: cfg.HashchatMode == "2021", Users: cfg.HashchatUsers, CutText: cfg.HashchatCut,
			Logger: log,
		}),
		labfront.New(labfront.Config{
			StudentID: cfg.StudentID, Strict: cfg.LabMode == "strict", Advertise: cfg.Advertise,
			AllowKill: cfg.AllowKill, Kill: kill,
			RequestsPerSecond: float64(cfg.RequestsPerSecond), RequestsBurst: cfg.RequestsBurst,
			Logger: log,
		}),
	}
}

// plainFronts returns those that speak plain text datagrams: the lab protocol alone defines them.
func plainFronts(fronts []front.Front) []front.Front { return fronts[len(fronts)-1:] }
