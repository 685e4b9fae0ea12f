package compare

import "time"

// sharing returns what the file beside got, in Mbit/s, and its share of what both files did, in percent: the medians over
// the runs that are whole. NaN: there was no other, or no file to share with.
func sharing(runs []*Result) (mbit, share Number) {
	var got, shares []float64
	for _, r := range runs {
		if r.Error != "" || r.Beside == nil || r.Beside.Error != "" {
			continue
		}
		own, beside := r.goodput(besideSettle), r.Beside.goodput(besideSettle)
		got = append(got, beside)
		if r.FileSeconds > 0 && own+beside > 0 {
			shares = append(shares, 100*beside/(own+beside))
		}
	}
	return Number(percentile(got, 0.5)), Number(percentile(shares, 0.5))
}

// goodput is what a file got from a time after its beginning on, in Mbit/s.
func (r *Result) goodput(from time.Duration) float64 {
	skip := min(int(from/time.Second), len(r.FileByTime))
	seconds := r.FileSeconds - float64(skip)
	if seconds <= 0 {
		return 0
	}
	sum := uint64(0)
	for _, n := range r.FileByTime[skip:] {
		sum += n
	}
	return float64(sum) * 8 / seconds / 1e6
}
