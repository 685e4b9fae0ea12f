package main

import (
	"fmt"
	"slices"
	"strings"

	"udpchat/chat/front"
	hashfront "udpchat/chat/front/hashchat"
	labfront "udpchat/chat/front/lab"
	relayfront "udpchat/chat/front/relay"
	"udpchat/config"
)

// makeFronts makes the front-end of every protocol. Where they share a listener they are asked in this order who
// recognises the first bytes, and the last answers what nobody does.
func (n *node) makeFronts(kill func()) []front.Front {
	cfg := n.cfg
	return []front.Front{
		relayfront.New(relayfront.Config{Room: cfg.BroadcastRoom, Logger: n.log}),
		hashfront.New(hashfront.Config{
			Room: cfg.BroadcastRoom, Numbered: cfg.HashchatMode == "2021", Users: cfg.HashchatUsers, CutText: cfg.HashchatCut,
			Logger: n.log,
		}),
		labfront.New(labfront.Config{
			StudentID: cfg.StudentID, Strict: cfg.LabMode == "strict", Advertise: cfg.Advertise,
			AllowKill: cfg.AllowKill, Kill: kill,
			RequestsPerSecond: float64(cfg.RequestsPerSecond), RequestsBurst: cfg.RequestsBurst,
			Logger: n.log,
		}),
	}
}

// speaking returns the front-ends for listeners of a protocol: the one of that name, or all for auto.
func (n *node) speaking(protocol string) ([]front.Front, error) {
	if protocol == config.Auto {
		return n.fronts, nil
	}
	i := slices.IndexFunc(n.fronts, func(f front.Front) bool { return f.Name() == protocol })
	if i < 0 {
		return nil, advise(fmt.Errorf("this program does not speak %s", protocol), "It speaks %s.", strings.Join(names(n.fronts), ", "))
	}
	return n.fronts[i : i+1], nil
}

// names returns the names of front-ends.
func names(fronts []front.Front) []string {
	list := make([]string, len(fronts))
	for i, f := range fronts {
		list[i] = f.Name()
	}
	return list
}
