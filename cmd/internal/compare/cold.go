package compare

// playAll runs a spec by one. A cold workload is as many connections as it has messages, one after the other, each over a
// link of its own whose seed derives from the spec's; the others are one connection.
func playAll(spec Spec, one func(Spec) Result) Result {
	w, err := WorkloadNamed(spec.Workload)
	if err != nil || !w.Cold {
		return one(spec)
	}
	spec = spec.withDefaults()
	all := newResult(spec)
	for i := range spec.Messages {
		each := spec
		each.Messages, each.Seed = 1, spec.Seed+uint64(i)*coldSeedStep
		r := one(each)
		all.Sent += r.Sent
		all.Delivered += r.Delivered
		all.PlannedMs = append(all.PlannedMs, float64(i)) // Each has a time of its own: this is only an order.
		all.LatencyMs = append(all.LatencyMs, r.LatencyMs...)
		all.ConnectMs += r.ConnectMs / float64(spec.Messages)
		all.PayloadBytes += r.PayloadBytes
		all.Wire.Up.add(r.Wire.Up)
		all.Wire.Down.add(r.Wire.Down)
		all.WallMs += r.WallMs
		if r.Split != nil {
			if all.Split == nil {
				all.Split = new(Split)
			}
			all.Split.add(*r.Split)
		}
		if all.Error == "" {
			all.Error = r.Error
		}
	}
	return all
}

func (t *Traffic) add(o Traffic) {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
	t.Dropped += o.Dropped
}

// coldSeedStep keeps the links of one run apart from those of the next, whose seed is the next number.
const coldSeedStep = 1_000_003
