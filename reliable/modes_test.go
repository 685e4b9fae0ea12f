package reliable

var modes = []struct {
	name string
	cfg  Config
}{
	{"latency", Config{}},
	{"economy", Config{Redundancy: RedundancyEconomy}},
	{"off", Config{Redundancy: RedundancyOff}},
}
