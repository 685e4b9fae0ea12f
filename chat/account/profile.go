package account

import (
	"context"

	"udpchat/chat/names"
)

// A Profile is what an account says about itself. The zero value is that of an account that has said nothing.
type Profile struct {
	Avatar string `json:"avatar,omitempty"` // A picture, in whatever text form clients agree on.
	About  string `json:"about,omitempty"`
}

// Profile returns the profile of an account.
func (s *Service) Profile(ctx context.Context, name string) (Profile, error) {
	canonical, err := canonicalName("read a profile", name)
	if err != nil {
		return Profile{}, err
	}
	var p Profile
	_, _, err = s.read(ctx, bucketProfiles, canonical, &p)
	return p, err
}

// SetProfile replaces the profile of an account. It refuses with CodeNoAccount or CodeTooLong.
func (s *Service) SetProfile(ctx context.Context, name string, p Profile) error {
	const op = "change a profile"
	r, _, err := s.find(ctx, name)
	switch {
	case err != nil:
		return err
	case r == nil:
		return refuse(op, CodeNoAccount)
	case len(p.Avatar) > avatarBytesMax || len(p.About) > aboutBytesMax:
		return refuse(op, CodeTooLong)
	}
	err = change(ctx, s, bucketProfiles, r.Name, func(old *Profile, _ bool) error {
		if *old == p {
			return errUnchanged
		}
		*old = p
		return nil
	})
	if err == nil {
		s.tell(ctx, Change{Account: r.Name, Kind: ProfileChanged})
	}
	return err
}

// SetShow changes how the name of an account is written: show must be the same name in another spelling, else it is
// CodeBadName.
func (s *Service) SetShow(ctx context.Context, name, show string) error {
	const op = "change the spelling of a name"
	canonical, err := canonicalName(op, name)
	if err != nil {
		return err
	}
	if same, err := names.Account(show); err != nil || same != canonical {
		return &Error{Op: op, Code: CodeBadName, Detail: "it is another name"}
	}
	changed := false
	err = change(ctx, s, bucketAccounts, names.Look(canonical), func(r *record, found bool) error {
		changed = false
		switch {
		case !found || r.Name != canonical:
			return refuse(op, CodeNoAccount)
		case r.Show == show:
			return errUnchanged
		}
		r.Show = show
		changed = true
		return nil
	})
	if err == nil && changed {
		s.tell(ctx, Change{Account: canonical, Kind: ProfileChanged})
	}
	return err
}
