package compare

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A percentile is only given from so many messages: of fewer the value is that of one or two unlucky ones.
const (
	messagesForP99  = 1000
	messagesForP999 = 10_000
)

// bootstrapRounds is how often the runs are drawn again for an interval.
const bootstrapRounds = 1000

// percentile returns the smallest latency that share of the messages do not exceed. A message that did not arrive (-1)
// took for ever: the result is then +Inf. NaN: there are no messages.
func percentile(latencies []float64, share float64) float64 {
	return quantile(sorted(latencies), share)
}

// sorted returns latencies in order, those that did not arrive last.
func sorted(latencies []float64) []float64 {
	all := make([]float64, len(latencies))
	for i, ms := range latencies {
		if ms < 0 {
			ms = math.Inf(1)
		}
		all[i] = ms
	}
	slices.Sort(all)
	return all
}

// quantile is percentile of what is in order.
func quantile(inOrder []float64, share float64) float64 {
	if len(inOrder) == 0 {
		return math.NaN()
	}
	i := int(math.Ceil(share*float64(len(inOrder)))) - 1
	return inOrder[min(max(i, 0), len(inOrder)-1)]
}

// interval returns where 95 % of the values of f lie when whole runs are drawn anew with replacement: messages of one run
// share their link's good and bad moments, so they are not independent, but runs are.
func interval(runs [][]float64, share float64) (low, high float64) {
	if len(runs) < 2 {
		return math.NaN(), math.NaN()
	}
	random := rand.New(rand.NewPCG(1, 0xb007)) // The same interval for the same figures.
	// Drawing histograms instead of messages: every value is known, so a draw of runs is a sum of counts.
	var values []float64
	for _, run := range runs {
		values = append(values, run...)
	}
	values = slices.Compact(sorted(values))
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	// A run has few of them: how often it has which.
	type count struct{ at, times int }
	counts := make([][]count, len(runs))
	for i, run := range runs {
		for _, ms := range sorted(run) {
			at, _ := slices.BinarySearch(values, ms)
			if n := len(counts[i]); n > 0 && counts[i][n-1].at == at {
				counts[i][n-1].times++
			} else {
				counts[i] = append(counts[i], count{at, 1})
			}
		}
	}
	drawn := make([]float64, bootstrapRounds)
	sum := make([]int, len(values))
	for round := range drawn {
		clear(sum)
		n := 0
		for range runs {
			i := random.IntN(len(runs))
			for _, c := range counts[i] {
				sum[c.at] += c.times
			}
			n += len(runs[i])
		}
		left := int(math.Ceil(share * float64(n)))
		at := 0
		for left -= sum[0]; left > 0 && at < len(sum)-1; left -= sum[at] {
			at++
		}
		drawn[round] = values[at]
	}
	slices.Sort(drawn)
	return quantile(drawn, 0.025), quantile(drawn, 0.975)
}

// meanInterval is interval for the mean of one value for each run.
func meanInterval(values []float64) (low, high float64) {
	if len(values) < 2 {
		return math.NaN(), math.NaN()
	}
	random := rand.New(rand.NewPCG(1, 0xb007))
	drawn := make([]float64, bootstrapRounds)
	for round := range drawn {
		for range values {
			drawn[round] += values[random.IntN(len(values))]
		}
		drawn[round] /= float64(len(values))
	}
	slices.Sort(drawn)
	return quantile(drawn, 0.025), quantile(drawn, 0.975)
}
