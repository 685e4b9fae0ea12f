package reliable

// thinned returns the first n of a test's variants where the race detector makes them ten times as slow, and all elsewhere:
// 'make test' plays both. It is for machines on one goroutine, where there is nothing to race.
func thinned[T any](variants []T, n int) []T {
	if raceDetector {
		return variants[:n]
	}
	return variants
}
