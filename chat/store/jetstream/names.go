package jetstream

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Streams are called PREFIX_room0 and so on, PREFIX_records and PREFIX_files. Subjects are
//
//	PREFIX.room.SHARD.ROOM.DEVICE    stored messages
//	PREFIX.live.SHARD.ROOM.DEVICE    the same, published once more by the servers
//	PREFIX.send.SHARD.ROOM           what is sent past the log
//	PREFIX.record.BUCKET.KEY...      a record; a key has a token for each part between its slashes
//	PREFIX.head.ROOM                 the last number of a room, written before something is dropped
//	PREFIX.blob.ID                   where a file's pieces are
//	PREFIX.upload.NUM                pieces that may belong to no file
//	PREFIX.file.NUM.N                a piece of a file
//
// Names in them are encoded, since they may be any bytes.
type names struct {
	prefix string
	shards int
}

// token encodes a name so that it can be a part of a subject: it is never empty and has no dots, spaces and wildcards.
func token(name string) string { return "x" + base64.RawURLEncoding.EncodeToString([]byte(name)) }

// untoken is the reverse of token.
func untoken(s string) (string, error) {
	if !strings.HasPrefix(s, "x") {
		return "", fmt.Errorf("jetstream: %.100q is no encoded name", s)
	}
	b, err := base64.RawURLEncoding.DecodeString(s[1:])
	return string(b), err
}

// shard returns which stream a room is in.
func (n names) shard(room string) int {
	h := fnv.New32a()
	h.Write([]byte(room))
	return int(h.Sum32() % uint32(n.shards))
}

func (n names) roomStream(shard int) string { return n.prefix + "_room" + strconv.Itoa(shard) }
func (n names) recordStream() string        { return n.prefix + "_records" }
func (n names) fileStream() string          { return n.prefix + "_files" }

func (n names) stored(shard int) string { return n.prefix + ".room." + strconv.Itoa(shard) + ".>" }
func (n names) live(shard int) string   { return n.prefix + ".live." + strconv.Itoa(shard) + ".>" }
func (n names) sent(shard int) string   { return n.prefix + ".send." + strconv.Itoa(shard) + ".>" }

// room is the subject of all messages of a room.
func (n names) room(room string) string {
	return n.prefix + ".room." + strconv.Itoa(n.shard(room)) + "." + token(room) + ".*"
}

// message is the subject of a message with that id.
func (n names) message(room, id string) string {
	return n.prefix + ".room." + strconv.Itoa(n.shard(room)) + "." + token(room) + "." + token(device(id))
}

// send is the subject of what is sent past the log.
func (n names) send(room string) string {
	return n.prefix + ".send." + strconv.Itoa(n.shard(room)) + "." + token(room)
}

// roomOf returns the room in the subject of a message, stored, live or sent.
func (n names) roomOf(subject string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(subject, n.prefix+"."), ".")
	if len(parts) < 3 {
		return "", fmt.Errorf("jetstream: subject %.100q has no room", subject)
	}
	return untoken(parts[2])
}

func (n names) record(bucket, key string) string {
	var b strings.Builder
	b.WriteString(n.prefix + ".record." + token(bucket))
	for part := range strings.SplitSeq(key, "/") {
		b.WriteString("." + token(part))
	}
	return b.String()
}

// records is the subject of the records of bucket whose keys may begin with prefix.
func (n names) records(bucket, prefix string) string {
	whole := n.prefix + ".record." + token(bucket)
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		whole = n.record(bucket, prefix[:i])
	}
	return whole + ".>"
}

// keyOf returns the key in the subject of a record.
func (n names) keyOf(subject string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(subject, n.prefix+".record."), ".")
	for i, part := range parts {
		var err error
		if parts[i], err = untoken(part); err != nil {
			return "", err
		}
	}
	return strings.Join(parts[1:], "/"), nil
}

func (n names) head(room string) string            { return n.prefix + ".head." + token(room) }
func (n names) blob(id string) string              { return n.prefix + ".blob." + token(id) }
func (n names) upload(num string) string           { return n.prefix + ".upload." + num }
func (n names) file(num, piece string) string      { return n.prefix + ".file." + num + "." + piece }
func (n names) pieceOf(num string, i int64) string { return n.file(num, strconv.FormatInt(i, 10)) }

// device returns the part of an id that says which client it is from.
func device(id string) string { return id[:max(strings.LastIndexByte(id, '-'), 0)] }

// counter returns the number at the end of an id; ok is false if there is none.
func counter(id string) (n uint64, ok bool) {
	i := strings.LastIndexByte(id, '-')
	n, err := strconv.ParseUint(id[i+1:], 10, 64)
	return n, i >= 0 && err == nil
}
