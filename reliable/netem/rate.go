package netem

import (
	"math"
	"time"
)

// lineRate is the speed of a bottleneck: constant, or a walk. Walked rates are a function of the stream
// and the time alone.
type lineRate struct {
	constant int64 // Bits per second; 0: see walk.
	walk     Walk
	draws    *stream

	level float64 // Logarithm of the newest rate.
	first int64   // The interval (of walk.Every) that rates[0] is for.
	rates []int64 // What was walked and is not forgotten yet.
}

func newLineRate(p Params, draws *stream) lineRate {
	r := lineRate{constant: p.Rate, walk: p.Walk, draws: draws}
	if r.walk.Every > 0 {
		r.level = (math.Log(float64(r.walk.Low)) + math.Log(float64(r.walk.High))) / 2
		r.rates = append(r.rates, int64(math.Exp(r.level)))
	}
	return r
}

// unlimited reports whether there is no bottleneck.
func (r *lineRate) unlimited() bool { return r.constant == 0 && r.walk.Every == 0 }

// at returns the rate at time t in bits per second; t is not before what forget was told.
func (r *lineRate) at(t time.Duration) int64 {
	if r.walk.Every == 0 {
		return r.constant
	}
	interval := int64(t / r.walk.Every)
	for interval >= r.first+int64(len(r.rates)) {
		r.step()
	}
	return r.rates[interval-r.first]
}

// step walks one interval further.
func (r *lineRate) step() {
	low, high := math.Log(float64(r.walk.Low)), math.Log(float64(r.walk.High))
	r.level += (2*unit(r.draws.next()) - 1) * math.Log1p(r.walk.Step)
	if r.level < low { // Walls throw back; a wild step may meet both.
		r.level = min(2*low-r.level, high)
	} else if r.level > high {
		r.level = max(2*high-r.level, low)
	}
	r.rates = append(r.rates, int64(math.Round(math.Exp(r.level))))
}

// forget drops what was walked for intervals before t.
func (r *lineRate) forget(t time.Duration) {
	if r.walk.Every == 0 {
		return
	}
	for r.first < int64(t/r.walk.Every) {
		if len(r.rates) == 1 {
			r.step()
		}
		r.rates = r.rates[1:]
		r.first++
	}
}

// sent returns when the last of size bytes has left, if the first leaves at start.
func (r *lineRate) sent(start time.Duration, size int) time.Duration {
	bits := int64(size) * 8
	if r.walk.Every == 0 {
		return start + bitTime(bits, r.constant)
	}
	for {
		rate := r.at(start)
		end := (start/r.walk.Every + 1) * r.walk.Every
		if done := start + bitTime(bits, rate); done <= end {
			return done
		}
		bits -= int64(float64(rate) * (end - start).Seconds())
		start = end
		if bits <= 0 {
			return start
		}
	}
}

// bitTime is how long bits take, rounded up to a nanosecond.
func bitTime(bits, rate int64) time.Duration {
	return time.Duration((bits*int64(time.Second) + rate - 1) / rate)
}
