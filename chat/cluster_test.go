package chat_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"udpchat/chat"
)

var errDead = errors.New("this node is dead")

// A cluster is several hubs on one engine, which outlives them. It runs in a bubble.
type cluster struct {
	t      tb
	engine chat.Engine
	plant  planted

	mu       sync.Mutex
	rnd      *rand.Rand // Guarded by mu.
	nodes    []*clusterNode
	visitors []*visitor // One of each life of a node, which sits in the kitchen. Guarded by mu.
}

// A visitor remembers what it was told.
type visitor struct {
	mu     sync.Mutex
	events []*chat.Event // Guarded by mu.
}

// Receive implements chat.Receiver.
func (v *visitor) Receive(ev *chat.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if ev.Seq > 0 {
		v.events = append(v.events, ev)
	}
}

// visit puts a visitor into the kitchen of a node. It gives up when the node dies.
func (c *cluster) visit(ctx context.Context, n *clusterNode) {
	v := &visitor{}
	u, err := n.hub.Connect("vic", v, chat.SmallIDs)
	if err != nil {
		return
	}
	for err = errEngine; err != nil && !n.isDead(); {
		within, cancel := context.WithTimeout(ctx, time.Second)
		_, err = u.Join(within, "kitchen")
		cancel()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visitors = append(c.visitors, v)
}

// planted is a mistake made on purpose, so that the checker can show that it finds it.
type planted struct {
	loses    bool // Now and then an entry of a log is not delivered.
	doubles  bool // Every message is stored once more, under another id of its device.
	forgets  bool // Now and then Append says that something is stored, and it is not.
	disorder bool // Two entries are delivered the wrong way round.
}

// A clusterNode is one hub, and the engine as it has it: slow, at times failing, and cut off when the node dies.
type clusterNode struct {
	chat.Engine
	cluster *cluster
	hub     *chat.Hub

	mu   sync.Mutex
	dead bool // Guarded by mu.
}

func (c *cluster) intN(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.IntN(n)
}

// wait lets up to some milliseconds pass.
func (c *cluster) wait(msMax int) { time.Sleep(time.Duration(c.intN(msMax*1000)) * time.Microsecond) }

// start adds a node at that place, and a visitor.
func (c *cluster) start(ctx context.Context, i int) {
	n := &clusterNode{Engine: c.engine, cluster: c}
	hub, err := chat.New(chat.Config{Engine: n})
	if err != nil {
		c.t.Fatalf("New: %v", err)
	}
	n.hub = hub
	c.visit(ctx, n)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[i] = n
}

// kill ends a node in the middle of whatever it does.
func (c *cluster) kill(i int) {
	c.mu.Lock()
	n := c.nodes[i]
	c.mu.Unlock()
	n.mu.Lock()
	n.dead = true
	n.mu.Unlock()
	n.hub.Close() // What is left of it in this process must end.
}

// some returns one of the nodes, dead or not.
func (c *cluster) some() *clusterNode {
	i := c.intN(len(c.nodes))
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[i]
}

func (n *clusterNode) isDead() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dead
}

// step is what every change of the engine's goes through: it takes its time, may fail before or after it is done, and
// does nothing on behalf of a dead node.
func (n *clusterNode) step(do func() error) error {
	c := n.cluster
	c.wait(5)
	if n.isDead() {
		return errDead
	}
	if c.intN(40) == 0 {
		return errEngine
	}
	err := do()
	c.wait(5)
	switch {
	case n.isDead():
		return errDead
	case c.intN(40) == 0:
		return errEngine
	}
	return err
}

func (n *clusterNode) Append(ctx context.Context, room, id string, data []byte) (msg chat.Msg, err error) {
	forgets := n.cluster.plant.forgets && n.cluster.intN(100) == 0
	err = n.step(func() error {
		var err error
		if forgets {
			msg = chat.Msg{Room: room, Seq: 1 << 40, ID: id, Time: time.Now(), Data: data}
			return nil
		}
		msg, err = n.Engine.Append(ctx, room, id, data)
		if n.cluster.plant.doubles && err == nil {
			_, err = n.Engine.Append(ctx, room, "x"+id, data)
		}
		return err
	})
	return msg, err
}

func (n *clusterNode) Put(ctx context.Context, bucket, key string, val []byte, rev uint64) (now uint64, err error) {
	err = n.step(func() error {
		var err error
		now, err = n.Engine.Put(ctx, bucket, key, val, rev)
		return err
	})
	return now, err
}

func (n *clusterNode) Delete(ctx context.Context, bucket, key string, rev uint64) error {
	return n.step(func() error { return n.Engine.Delete(ctx, bucket, key, rev) })
}

func (n *clusterNode) Read(ctx context.Context, room string, after, before uint64, max int) ([]chat.Msg, error) {
	n.cluster.wait(3)
	if n.isDead() {
		return nil, errDead
	}
	return n.Engine.Read(ctx, room, after, before, max)
}

func (n *clusterNode) Send(room string, data []byte) error {
	if n.isDead() || n.cluster.intN(10) == 0 {
		return nil // Lost.
	}
	return n.Engine.Send(room, data)
}

// Subscribe delivers from a goroutine of its own, later. A dead node is told nothing.
func (n *clusterNode) Subscribe(room string, f func(chat.Msg)) (func(), error) {
	c := n.cluster
	c.wait(3)
	if n.isDead() {
		return nil, errDead
	}
	queue := make(chan chat.Msg, 100_000)
	inner, err := n.Engine.Subscribe(room, func(m chat.Msg) { queue <- m })
	if err != nil {
		return nil, err
	}
	stopped := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // Owns the calls of f; ends when stopped.
		for {
			select {
			case m := <-queue:
				c.wait(8)
				if n.isDead() {
					continue
				}
				if c.plant.loses && m.Seq > 0 && c.intN(50) == 0 {
					continue
				}
				if c.plant.disorder && c.intN(20) == 0 {
					select {
					case next := <-queue:
						f(next)
					default:
					}
				}
				f(m)
			case <-stopped:
				return
			}
		}
	})
	var once sync.Once
	return func() {
		inner()
		once.Do(func() { close(stopped) })
		wg.Wait()
	}, nil
}
