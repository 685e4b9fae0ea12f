//go:build race

package reliable

const raceDetector = true
