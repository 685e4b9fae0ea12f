package netem

import (
	"fmt"
	"strings"
)

// Profile is a network by name: both directions between a client and a server.
type Profile struct {
	Name string
	Text string // One line for people.
	Up   Params // Client to server.
	Down Params // Server to client.
}

// Profiles returns all named profiles, newly made, in the order of their list.
func Profiles() []Profile {
	var all []Profile
	all = append(all, laboratoryProfiles()...)
	all = append(all, homeProfiles()...)
	all = append(all, mobileProfiles()...)
	all = append(all, farProfiles()...)
	all = append(all, faultProfiles()...)
	return all
}

// ProfileNamed returns the profile called name. The error, an *UnknownProfileError, lists the names.
func ProfileNamed(name string) (Profile, error) {
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
	}
	return Profile{}, &UnknownProfileError{Name: name}
}

// UnknownProfileError says that there is no profile of that name.
type UnknownProfileError struct{ Name string }

func (e *UnknownProfileError) Error() string {
	var names []string
	for _, p := range Profiles() {
		names = append(names, p.Name)
	}
	return fmt.Sprintf("netem: no profile %q; there are: %s", e.Name, strings.Join(names, ", "))
}

// Params returns the parameters of one direction.
func (p Profile) Params(dir Direction) Params {
	if dir == Up {
		return p.Up
	}
	return p.Down
}

// both makes a profile whose directions are alike.
func both(name, text string, p Params) Profile {
	return Profile{Name: name, Text: text, Up: p, Down: p}
}
