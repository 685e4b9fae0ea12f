// Package route is the engine of a server on which some rooms are kept and others forget.
//
// It is made of two engines, and sends each room to one of them:
//
//	engine := route.New(route.Config{Kept: disk, Forgetting: memory, Durable: patterns})
//
// A room is kept if its name matches a pattern, or if somebody had it kept (Keep) before it was used otherwise; so are all
// direct conversations and the logs of accounts. All others
// forget: their logs are in the other engine. Records and files are always kept.
//
// What a room is does not change while the program runs, because the two logs count differently. A room that forgets may
// be kept after a restart.
//
// With several nodes on one cluster all must have the same patterns. Two nodes that use a new room at the same moment, one
// to keep it and one without, may disagree until one of them restarts; patterns have no such moment.
package route
