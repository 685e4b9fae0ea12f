package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"udpchat/chat/front"
	carrierfront "udpchat/chat/front/carrier"
	hashfront "udpchat/chat/front/hashchat"
	imfront "udpchat/chat/front/im"
	jsonfront "udpchat/chat/front/jsonchat"
	labfront "udpchat/chat/front/lab"
	relayfront "udpchat/chat/front/relay"
	"udpchat/config"
)

// makeFronts makes the front-end of every protocol. Where they share a listener they are asked in this order who
// recognises the first bytes, and the last answers what nobody does.
func (n *node) makeFronts(ctx context.Context, kill func()) ([]front.Front, error) {
	cfg := n.cfg
	jsonchat, err := jsonfront.New(ctx, jsonfront.Config{
		Engine: n.engine, Accounts: n.accounts,
		RequestsPerSecond: float64(cfg.RequestsPerSecond), RequestsBurst: cfg.RequestsBurst,
		Logger: n.log,
	})
	if err != nil {
		return nil, err
	}
	return []front.Front{
		n.native,
		jsonchat,
		carrierfront.New(carrierfront.Config{Targets: targets(cfg.ProxyTargets), Logger: n.log}),
		relayfront.New(relayfront.Config{Room: cfg.BroadcastRoom, SaySend: cfg.RelayAck == "send", Logger: n.log}),
		hashfront.New(hashfront.Config{
			Room: cfg.BroadcastRoom, Numbered: cfg.HashchatMode == "2021", Users: cfg.HashchatUsers, CutText: cfg.HashchatCut,
			Logger: n.log,
		}),
		imfront.New(imfront.Config{
			Accounts: n.accounts, Room: cfg.BroadcastRoom, BlockDuration: cfg.IMBlockDuration, Timeout: cfg.IMTimeout,
			Logger: n.log,
		}),
		labfront.New(labfront.Config{
			StudentID: cfg.StudentID, Strict: cfg.LabMode == "strict", Advertise: cfg.Advertise,
			AllowKill: cfg.AllowKill, Kill: kill,
			RequestsPerSecond: float64(cfg.RequestsPerSecond), RequestsBurst: cfg.RequestsBurst,
			Logger: n.log,
		}),
	}, nil
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

// names returns the names of the protocols of chat.
func names(fronts []front.Front) []string {
	var list []string
	for _, f := range fronts {
		if _, ok := f.(*carrierfront.Front); !ok {
			list = append(list, f.Name())
		}
	}
	return list
}

// targets returns the addresses by name of a list of NAME=HOST:PORT.
func targets(list []string) map[string]string {
	byName := make(map[string]string, len(list))
	for _, text := range list {
		name, addr, _ := strings.Cut(text, "=")
		byName[name] = addr
	}
	return byName
}
