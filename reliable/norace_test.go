//go:build !race

package reliable

const raceDetector = false
