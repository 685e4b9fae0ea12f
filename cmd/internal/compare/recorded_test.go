package compare

import (
	"strings"
	"testing"
)

// What ships must be whole, say where it is from, and come out marked.
func TestRecordedFiguresAreThere(t *testing.T) {
	r, err := NewRecordedRunner()
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"tcp-cubic", "tcp-bbr", "tcp-reno"} {
		for _, profile := range []string{"lossy-0", "lossy-10", "bursty-10"} {
			for run := range 10 {
				link, err := LinkNamed(profile)
				if err != nil {
					t.Fatal(err)
				}
				spec := Spec{Transport: transport, Link: link, Workload: "chat", Run: run}
				if res := r.Run(t.Context(), spec); !r.Has(spec) || res.Lane != LaneRecorded || res.Sent != messagesWire || res.Error != "" {
					t.Errorf("%s over %s, run %d: lane %s, %d messages, %s", transport, profile, run, res.Lane, res.Sent, res.Error)
				}
			}
		}
	}
	if text := r.String(); !strings.Contains(text, "kernel ") || !strings.Contains(text, "udpchat compare --") || !strings.Contains(text, "recorded 20") ||
		!strings.Contains(text, "calibration then, wire lane: bare datagrams") || !strings.Contains(text, "kernel CUBIC, both ends chatting") || strings.Contains(text, "BROKEN") {
		t.Errorf("the figures are said to be %q", text)
	}
}

func TestRecordedFiguresOfAnotherLinkAreNot(t *testing.T) {
	r, err := NewRecordedRunner()
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{Transport: "tcp-cubic", Link: lossy(0.1), Workload: "chat"}
	if r.Has(spec) || r.Run(t.Context(), spec).Error == "" {
		t.Error("there are figures of a link nobody recorded")
	}
}
