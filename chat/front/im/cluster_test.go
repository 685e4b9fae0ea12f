package im

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/im"
)

// beside runs f with two servers that share their accounts and rooms, and a user on each.
func beside(t *testing.T, f func(w, w2 *stage.World, hans, yoda client)) {
	in(t, "hans,yoda,luke", func(w *stage.World) {
		w2 := w.BesideWithAccounts(cast, map[string]string{"rate": "-1"})
		hans, yoda := logIn(t, w, "hans"), logInFrom(t, w2, "yoda", "10.0.0.3:50001")
		hans.got()
		yoda.got()
		f(w, w2, hans, yoda)
	})
}

func TestPrivateConnectionBetweenUsersOfTwoServers(t *testing.T) {
	beside(t, func(w, w2 *stage.World, hans, yoda client) {
		ask, listens := wire.StartPrivate{Target: "Yoda"}, wire.Accept{IP: "0.0.0.0", Port: 4711, Origin: "Hans", Target: "yoda"}
		hans.do(ask)
		yoda.want("the invitation", "{Message:hans would like to private message, enter y or n:  Origin:hans File:}<nil>")
		hans.want("no answer to it", "")
		yoda.do(listens)
		hans.want("where yoda is", "{IP:10.0.0.3 Port:4711 Origin:hans Target:yoda}<nil>")
		yoda.want("no answer to that", "")
		yoda.do(listens)
		yoda.want("once more", "400 Error. hans has not asked for a private connection\n")
		hans.want("once is enough", "")

		hans.do(ask)
		yoda.got()
		yoda.do(wire.Decline{Origin: "hans", Target: "yoda"})
		hans.want("declined", "400 yoda has declined your private invitation\n")

		hans.do(wire.StartPrivate{Target: "yoda", File: "x"})
		hans.want("a file that yoda has not", "400 Error. yoda has not registered x\n")
		yoda.do(wire.RegisterFile{File: "x", Size: 10, Chunks: 1})
		yoda.got()
		hans.do(wire.StartPrivate{Target: "yoda", File: "x"})
		yoda.want("a file that yoda has", "{Message:hans would like to download x, enter y or n:  Origin:hans File:x}<nil>")

		hans.do(wire.StartPrivate{Target: "luke"})
		hans.want("nobody there", "400 Error. user luke is not found or online\n")
		native(t, w2, "luke")
		hans.got()
		yoda.got()
		hans.do(wire.StartPrivate{Target: "luke"})
		hans.want("there by another protocol", "400 Error. user luke is not found or online\n")
	})
}

func TestBlocksHoldForPrivateConnectionsBetweenServers(t *testing.T) {
	const barred = "400 Error. Cannot establish private connection with "
	beside(t, func(_, _ *stage.World, hans, yoda client) {
		yoda.do(wire.Block{User: "hans"})
		yoda.got()
		hans.do(wire.StartPrivate{Target: "yoda"})
		hans.want("blocked", barred+"yoda, user has blocked you\n")
		yoda.want("yoda", "")
		yoda.do(wire.StartPrivate{Target: "hans"})
		yoda.want("has blocked", barred+"hans, you have blocked the user\n")
		yoda.do(wire.Unblock{User: "hans"})
		yoda.got()
		hans.do(wire.StartPrivate{Target: "yoda"})
		yoda.got()
		hans.do(wire.Block{User: "yoda"})
		hans.want("the block", "200 yoda is blocked\n")
		yoda.do(wire.Accept{IP: "0.0.0.0", Port: 4711, Origin: "hans", Target: "yoda"})
		yoda.want("accepting after the block", barred+"hans, user has blocked you\n")
		hans.want("hans", "")
	})
}

// A block between asking and accepting counts at one server, too.
func TestNobodyIsIntroducedAfterABlock(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		hans, yoda := logIn(t, w, "hans"), logIn(t, w, "yoda")
		hans.do(wire.StartPrivate{Target: "yoda"})
		hans.do(wire.Block{User: "yoda"})
		hans.got()
		yoda.got()
		yoda.do(wire.Accept{IP: "0.0.0.0", Port: 4711, Origin: "hans", Target: "yoda"})
		yoda.want("accepting", "400 Error. Cannot establish private connection with hans, user has blocked you\n")
		hans.want("hans", "")
	})
}

func TestUserIsOnlineAtOneServerOnly(t *testing.T) {
	beside(t, func(w, w2 *stage.World, hans, yoda client) {
		d, _ := native(t, w2, "hans") // Other protocols do not count.
		again := client{w2.Open("again", "im", "tcp"), t}
		again.do(wire.Login{User: "hans", Password: "hans", HasPassword: true})
		again.want("there already", "403 User already online\n")
		hans.do(wire.Logout{})
		hans.got()
		logIn(t, w2, "hans")
		_ = d.Close(t.Context())
	})
}

// A cutEngine carries nothing between servers once it is cut.
type cutEngine struct {
	chat.Engine
	cut atomic.Bool
}

func (e *cutEngine) Send(log string, data []byte) error {
	if e.cut.Load() {
		return nil
	}
	return e.Engine.Send(log, data)
}

// besideOneThatDied runs f with hans on a server that hears no more of the one where yoda is.
func besideOneThatDied(t *testing.T, f func(w *stage.World, hans client)) {
	t.Helper()
	e := &cutEngine{Engine: memory.New(memory.Config{})}
	stage.InWithAccountsOn(t, cast, map[string]string{"users": "hans,yoda"}, e, func(w *stage.World) {
		w2 := w.BesideWithAccounts(cast, nil)
		hans := logIn(t, w, "hans")
		logIn(t, w2, "yoda")
		hans.got()
		e.cut.Store(true)
		f(w, hans)
	})
}

// A server that has died without a word is not waited for long: its users count as not there.
func TestUserOfAServerThatIsGone(t *testing.T) {
	besideOneThatDied(t, func(w *stage.World, hans client) {
		hans.do(wire.StartPrivate{Target: "yoda"})
		time.Sleep(letterWait)
		hans.want("asking", "400 Error. user yoda is not found or online\n")
		again := client{w.Open("again", "im", "tcp"), t}
		again.do(wire.Login{User: "yoda", Password: "yoda", HasPassword: true})
		time.Sleep(letterWait)
		again.want("logging in here", "200 success")
	})
}

// Who has proven who he is but waits for what other servers say about him is told nothing before he is let in.
func TestFirstAnswerIsThatToTheLogIn(t *testing.T) {
	besideOneThatDied(t, func(w *stage.World, hans client) {
		again := client{w.Open("again", "im", "tcp"), t}
		again.do(wire.Login{User: "yoda", Password: "yoda", HasPassword: true})
		synctest.Wait()
		hans.do(wire.StartPrivate{Target: "yoda"})
		again.want("while it is asked whether he is there", "")
		time.Sleep(letterWait)
		again.want("logging in", "200 success|{Message:hans would like to private message, enter y or n:  Origin:hans File:}<nil>")
	})
}
