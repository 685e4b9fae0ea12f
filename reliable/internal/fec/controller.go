package fec

import "time"

// Fixed policy, until the amount of parity follows measured loss.
const (
	// smallGroupMax is the largest group that gets smallGroupRepairs. Up to here a group is
	// interactive traffic, where a few hundred bytes more cost nothing and a lost round trip does.
	smallGroupMax = 4

	// smallGroupRepairs protects interactive traffic: at 10 % loss a group of one misses the first
	// round once in a thousand.
	smallGroupRepairs = 2

	// sourcesPerRepair sets the share of parity in larger groups: one third covers 20 % loss.
	sourcesPerRepair = 3
)

// Parity returns how many repair symbols a group of k source symbols gets: 0 for k <= 0, never
// more than RepairMax.
func Parity(k int) int {
	switch {
	case k <= 0:
		return 0
	case k <= smallGroupMax:
		return smallGroupRepairs
	default:
		return min((k+sourcesPerRepair-1)/sourcesPerRepair, RepairMax)
	}
}

// gaps are the times after the first symbol of a group at which repair symbols leave. They grow
// because losses come in bursts: the second of two packets sent back to back is lost in 70 % of
// the cases in which the first is. Short gaps repair single losses soon, long ones outlive a burst.
var gaps = [...]time.Duration{
	10 * time.Millisecond,
	30 * time.Millisecond,
	70 * time.Millisecond,
	150 * time.Millisecond,
}

// Gap returns how long after the first symbol of its group repair symbol i of r leaves. Up to four
// repair symbols leave at 10, 30, 70 and 150 ms; more are shared out evenly among these moments.
// It never falls with i. An i outside 0…r-1 is taken for the nearest one inside.
func Gap(i, r int) time.Duration {
	i = max(0, min(i, r-1))
	if r > len(gaps) {
		i = i * len(gaps) / r
	}
	return gaps[i]
}
