package chat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// That an account is a member of a room is a record, the enrolment: enrolments/<account>/<room>. It is
// the authority; the rest follows from it, in this order, and whoever finds an enrolment that is on its
// way (entering, leaving) completes it with the same ids, so that a node may die at any point:
//
//	entering: roster record, KindJoined in the room's log, KindEntered in the account's, entered
//	leaving:  KindLeft in the room's log, KindExited in the account's, roster record gone, enrolment gone
//
// The roster, rosters/<length of the room's name>:<room>/<account>, is there to find the members of a
// room. One that has no enrolment is a mistake and counts for nothing.
const (
	enrolmentBucket = "enrolments"
	rosterBucket    = "rosters"
)

func enrolmentKey(account, room string) string { return account + "/" + room }

func rosterPrefix(room string) string { return fmt.Sprintf("%d:%s/", len(room), room) }

// enrolState is how far an enrolment is. The zero value is none of them.
type enrolState uint8

const (
	entering enrolState = iota + 1
	entered
	leavingRoom
)

// An enrolment is the content of the record, and its revision.
//
//	byte     version, 1
//	byte     state
//	uvarint  Seq of the KindJoined, 0 while entering
type enrolment struct {
	state enrolState
	seq   uint64
	rev   uint64 // Of the record; not in it.
}

func (e enrolment) encode() []byte {
	return binary.AppendUvarint([]byte{1, byte(e.state)}, e.seq)
}

func decodeEnrolment(entry Entry) (enrolment, error) {
	b := entry.Val
	if len(b) < 3 || b[0] != 1 || enrolState(b[1]) < entering || enrolState(b[1]) > leavingRoom {
		return enrolment{}, fmt.Errorf("chat: enrolment %q: want version 1 and a known state", entry.Key)
	}
	seq, n := binary.Uvarint(b[2:])
	if n != len(b)-2 {
		return enrolment{}, fmt.Errorf("chat: enrolment %q: want a number and its end", entry.Key)
	}
	return enrolment{enrolState(b[1]), seq, entry.Rev}, nil
}

// enrolled returns the rooms that account is a member of, with the Seq of its KindJoined.
func (h *Hub) enrolled(ctx context.Context, account string) (map[string]uint64, error) {
	prefix := enrolmentKey(account, "")
	entries, err := h.cfg.Engine.List(ctx, enrolmentBucket, prefix)
	if err != nil {
		return nil, err
	}
	rooms := make(map[string]uint64, len(entries))
	for _, entry := range entries {
		e, err := decodeEnrolment(entry)
		if err != nil {
			return nil, err
		}
		room := strings.TrimPrefix(entry.Key, prefix)
		switch e.state { // Its node died, or is just about it.
		case entering:
			e, err = h.completeEntering(ctx, account, account, room, e)
		case leavingRoom:
			_, err = h.completeLeaving(ctx, account, account, room, e)
		}
		if err != nil && !errors.Is(err, ErrConflict) {
			return nil, err
		}
		if e.state == entered {
			rooms[room] = e.seq
		}
	}
	return rooms, nil
}

// enrol makes account a member of room, if it is none, and returns the Seq of its KindJoined.
func (h *Hub) enrol(ctx context.Context, account, show, room string) (seq uint64, err error) {
	for ctx.Err() == nil {
		e, err := h.enrolment(ctx, account, room)
		switch {
		case errors.Is(err, ErrNotFound):
			e = enrolment{state: entering}
			if e.rev, err = h.cfg.Engine.Put(ctx, enrolmentBucket, enrolmentKey(account, room), e.encode(), 0); err == nil {
				e, err = h.completeEntering(ctx, account, show, room, e)
			}
		case err != nil:
		case e.state == entering:
			e, err = h.completeEntering(ctx, account, show, room, e)
		case e.state == leavingRoom:
			_, err = h.completeLeaving(ctx, account, show, room, e)
		}
		switch {
		case errors.Is(err, ErrConflict):
		case err != nil:
			return 0, err
		case e.state == entered:
			return e.seq, nil
		}
	}
	return 0, context.Cause(ctx)
}

// discharge ends account's membership, and returns the Seq of its KindLeft, or 0 if it was no member.
func (h *Hub) discharge(ctx context.Context, account, show, room string) (seq uint64, err error) {
	for ctx.Err() == nil {
		e, err := h.enrolment(ctx, account, room)
		if errors.Is(err, ErrNotFound) {
			return 0, nil
		}
		if err == nil && e.state == entering {
			e, err = h.completeEntering(ctx, account, show, room, e)
		}
		if err == nil && e.state == entered {
			e.state = leavingRoom
			e.rev, err = h.cfg.Engine.Put(ctx, enrolmentBucket, enrolmentKey(account, room), e.encode(), e.rev)
		}
		if err == nil {
			seq, err = h.completeLeaving(ctx, account, show, room, e)
		}
		if err == nil || !errors.Is(err, ErrConflict) {
			return seq, err
		}
	}
	return 0, context.Cause(ctx)
}

func (h *Hub) enrolment(ctx context.Context, account, room string) (enrolment, error) {
	entry, err := h.cfg.Engine.Get(ctx, enrolmentBucket, enrolmentKey(account, room))
	if err != nil {
		return enrolment{}, err
	}
	return decodeEnrolment(entry)
}

// completeEntering does what follows from an enrolment that is entering, and returns it entered. The
// error matches ErrConflict if somebody else has done more with it meanwhile.
func (h *Hub) completeEntering(ctx context.Context, account, show, room string, e enrolment) (enrolment, error) {
	_, err := h.cfg.Engine.Put(ctx, rosterBucket, rosterPrefix(room)+account, nil, 0)
	if err != nil && !errors.Is(err, ErrConflict) {
		return e, err
	}
	joined := record{kind: KindJoined, account: account, name: show}
	msg, err := h.appendFor(ctx, room, account, e.rev, joined)
	if err != nil {
		return e, err
	}
	note := record{kind: KindEntered, account: account, name: show, about: room, number: msg.Seq}
	if _, err := h.appendFor(ctx, AccountLog(account), "in/"+room, e.rev, note); err != nil {
		return e, err
	}
	e.state, e.seq = entered, msg.Seq
	e.rev, err = h.cfg.Engine.Put(ctx, enrolmentBucket, enrolmentKey(account, room), e.encode(), e.rev)
	return e, err
}

// completeLeaving does what follows from an enrolment that is leaving, and returns the Seq of KindLeft.
func (h *Hub) completeLeaving(ctx context.Context, account, show, room string, e enrolment) (seq uint64, err error) {
	left := record{kind: KindLeft, reason: ReasonLeft, account: account, name: show}
	msg, err := h.appendFor(ctx, room, account, e.rev, left)
	if err != nil {
		return 0, err
	}
	note := record{kind: KindExited, account: account, name: show, about: room, number: msg.Seq}
	if _, err := h.appendFor(ctx, AccountLog(account), "in/"+room, e.rev, note); err != nil {
		return 0, err
	}
	if err := h.cfg.Engine.Delete(ctx, rosterBucket, rosterPrefix(room)+account, 0); err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	err = h.cfg.Engine.Delete(ctx, enrolmentBucket, enrolmentKey(account, room), e.rev)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return msg.Seq, err
}

// appendFor appends what follows from a record with that revision, once (revisionID).
func (h *Hub) appendFor(ctx context.Context, log, about string, rev uint64, rec record) (Msg, error) {
	id, err := h.revisionID(ctx, log, about, rev)
	if err != nil {
		return Msg{}, err
	}
	return h.cfg.Engine.Append(ctx, log, id, rec.encode())
}
