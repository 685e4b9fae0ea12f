// Package jetstream is the engine for many servers: an external NATS cluster with JetStream keeps everything, and every
// server that is connected to it is a node that sees the same rooms in the same order.
//
//	engine, err := jetstream.Open(ctx, jetstream.Config{Servers: []string{"nats://a", "nats://b", "nats://c"}})
//	defer engine.Close()
//
// "Stored" means that a majority of the replicas has it. Whether they have it on the disk is a setting of the NATS servers:
// sync_interval must be "always", or losing power in all of them loses the last moments.
//
// # What is where
//
// Rooms are spread over eight streams by a hash of their names. A message's subject names its room and the device it came
// from (the part of its id before the last dash), and it is appended on condition that the device's last message in the
// room is the one we know of. So two nodes cannot append one message twice, however much time lies between: the second
// finds that there is something it did not know, looks for the id, and finds it. A message id for the servers' own
// window of two minutes settles the retries whose answer was lost. The id of a message that was dropped is known for these
// two minutes only, and one that comes back out of the order of its device is looked for among all of the device's messages
// in the room.
//
// Records are the last messages of subjects in one more stream, with its numbers as revisions; pieces of files are messages
// in another. Seq is the number in a room's stream, so it rises with gaps. Time is what the appending node's clock showed.
//
// # How members hear of it
//
// The servers publish what was stored once more, past the streams, and every node listens to all of that. A node that
// misses a number reads it from the stream, and asks for the last number when it hears nothing, after a reconnect, and when
// something it has stored itself does not come back.
//
// # What goes wrong
//
// While no majority answers, calls wait and try again with the same ids until their ctx ends: a leader that dies costs a
// few seconds and nothing else. Reads ask the leader wherever a replica that lags behind could answer wrongly, but other
// nodes may see what was dropped for moments longer. Full servers are errors that match chat.ErrFull.
package jetstream
