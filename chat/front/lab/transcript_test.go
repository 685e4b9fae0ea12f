package lab

import (
	"testing"

	"udpchat/chat/front/internal/stage"
)

// TestTranscripts plays testdata/*.txt. Settings are strict, kill, rate=N, burst=N and advertise=IP.
func TestTranscripts(t *testing.T) { stage.Transcripts(t, castOf(Config{}), whole) }
