package labtest

import "slices"

// Where rules come from.
const (
	docBase       = "the document, basic messages"
	docJoin       = "the document, joining"
	docLeave      = "the document, leaving"
	docDisconnect = "the document, disconnecting"
	docChat       = "the document, chat messages"
	docErrors     = "the document, joining: a failure results in an ERROR_CODE message"
	docServer     = "the document, introduction: capable of handling multiple simultaneous clients"
	docUDP        = "the document, introduction: UDP needs error recovery and handling of fragments"
	courseTester  = "the course's tester"
	theField      = "clients in the field"
)

// Rules that others refer to.
const (
	ruleHelo         = "helo.reply"
	ruleJoin         = "join.reply"
	ruleLeave        = "leave.reply"
	ruleSender       = "chat.sender-receives"
	ruleMembers      = "chat.members-receive"
	ruleSimultaneous = "clients.simultaneous"
	ruleGradedKill   = "graded.kill"

	ruleGradedDisconnect = "graded.disconnect-self"
)

// catalogue is all acts in the order in which they are played: by risk, and within that by group.
func catalogue() []act {
	acts := slices.Concat(
		group(groupGraded, gradedActs()...),
		group(groupBase, baseActs()...),
		group(groupJoin, joinActs()...),
		group(groupClients, simultaneousAct()), // Early: much needs it.
		group(groupMessaging, chatActs()...),
		group(groupLeave, leaveActs()...),
		group(groupRooms, roomActs()...),
		group(groupClients, clientActs()...),
		group(groupDisconnect, disconnectActs()...),
		group(groupUDP, udpActs()...),
		group(groupConcurrency, risky(wrong, concurrencyActs()...)...),
		group(groupErrors, risky(wrong, errorActs()...)...),
		group(groupRobustness, risky(rude, robustnessActs()...)...),
		risky(deadly, killActs()...),
	)
	slices.SortStableFunc(acts, func(a, b act) int { return a.risk - b.risk })
	return acts
}

// Rules returns all rules in the order in which they are played.
func Rules() []Rule {
	var rules []Rule
	for _, a := range catalogue() {
		rules = append(rules, a.rules...)
	}
	return rules
}
