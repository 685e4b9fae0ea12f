package chat

import (
	"testing"
	"time"
)

// A reader of who is a member who was so slow that all for whom it read have gone has nothing to say to those who have come since:
// somebody may have left meanwhile.
func TestSlowReaderOfARosterIsNotBelieved(t *testing.T) {
	h, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	p := &h.people
	var r countingReceiver
	device := func(name string) *Device {
		return &Device{hub: h, account: &account{hub: h, name: name}, receiver: &r}
	}
	first, second := device("bob"), device("cat")
	p.setOwn("ann", "Ann", Online, false, nil, time.Now())
	p.attend("hall", first)
	slow := p.beginRoster("hall")
	p.miss("hall", first)
	p.memberLeft("hall", "ann")
	p.attend("hall", second)
	fresh := p.beginRoster("hall")
	p.endRoster("hall", slow, []string{"ann", "bob"}, true)
	p.endRoster("hall", fresh, []string{"bob", "cat"}, true)
	if a := p.audiences["hall"]; !a.known || len(a.members) != 2 || a.members["ann"] != nil || r.told != 0 {
		t.Errorf("%d members, known: %t; told %d times of ann, who has left", len(a.members), a.known, r.told)
	}
}
