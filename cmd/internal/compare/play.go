package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"udpchat/chat/session"
)

// Play runs the spec's workload over t on f and closes f. It runs by package time, so that in a bubble of testing/synctest it
// is virtual. It returns when everything has arrived, or Spec.Wait after the last message, or when ctx ends.
func Play(ctx context.Context, t Transport, f Field, spec Spec) Result {
	spec = spec.withDefaults()
	w, err := WorkloadNamed(spec.Workload)
	p := &play{spec: spec, work: w, start: time.Now(), sheet: newSheet(spec, w), printer: newPrinter(spec.Seed)}
	for side := range p.writing {
		p.writing[side] = make(chan struct{}, 1)
	}
	if err == nil {
		err = p.run(ctx, t, f)
	}
	if err != nil {
		p.sheet.failed(err)
	}
	err = f.Close()
	r := p.sheet.result()
	r.Wire = f.Wire()
	if r.Split != nil {
		r.Split.complete(&r.Wire)
	}
	r.WallMs = milliseconds(time.Since(p.start))
	if err != nil && r.Error == "" {
		r.Error = err.Error()
	}
	return r
}

// A play is a run under way.
type play struct {
	spec    Spec
	work    Workload
	start   time.Time // of the link
	printer *printer
	sheet   *sheet
	pair    *Pair
	wg      sync.WaitGroup

	// writing is by side: whoever has put something in may write a frame. It is no mutex, because it is held while a
	// transport makes its writer wait, and in a bubble time stands still while anybody waits for a mutex.
	writing [2]chan struct{}
}

func (p *play) now() time.Duration { return time.Since(p.start) }

func (p *play) run(ctx context.Context, t Transport, f Field) error {
	connecting, cancel := context.WithTimeout(ctx, connectMax)
	defer cancel()
	pair, err := t.Connect(connecting, f)
	if err != nil {
		p.sheet.begin(p.spec.Lead)
		return fmt.Errorf("connecting: %w", err)
	}
	p.pair = pair
	var talk *relayTalk
	if p.work.Relay {
		transport := session.TransportStream
		if t.Info().Kernel {
			transport = session.TransportTCP
		}
		if talk, err = newRelayTalk(ctx, p, transport); err == nil {
			if err = talk.register(connecting); err != nil {
				err = errors.Join(err, talk.close())
			}
		}
		if err != nil {
			p.sheet.begin(p.spec.Lead)
			p.sheet.end()
			err = fmt.Errorf("relay: %w", errors.Join(err, ignoreClosed(pair.Close())))
			p.wg.Wait()
			return err
		}
	}
	p.sheet.connected(p.now(), pair.Note)
	first := p.spec.Lead
	if p.work.Cold {
		first = 0
	}
	if now := p.now(); now > first && !p.work.Cold {
		first = now.Truncate(time.Second) + time.Second
	}
	p.sheet.begin(first)

	running, stop := context.WithCancel(ctx)
	defer stop()
	if watched, ok := f.(watchedField); ok {
		p.wg.Go(func() { p.tell(running, watched) })
	}
	if talk != nil {
		p.wg.Go(talk.receive)
		p.wg.Go(func() { talk.send(running, first) })
	} else {
		p.wg.Go(func() { p.serve(running, pair.Accept, Server) })
		p.wg.Go(func() { p.read(pair.Client, Client) })
		p.wg.Go(func() { p.send(running, first) })
	}
	if pair.AcceptBulk != nil && p.work.File {
		p.wg.Go(func() { p.serve(running, pair.AcceptBulk, Server) })
	}
	if p.work.File {
		p.wg.Go(func() { p.sendFile(running, first) })
	}
	err = p.wait(ctx, first)
	stop()
	p.sheet.end()
	if pair.Split != nil {
		p.sheet.split(pair.Split())
	}
	if talk != nil {
		err = errors.Join(err, talk.close())
	}
	err = errors.Join(err, ignoreClosed(pair.Close()))
	p.wg.Wait()
	return err
}

// wait returns when the run is over.
func (p *play) wait(ctx context.Context, first time.Duration) error {
	over := time.NewTimer(time.Until(p.start.Add(first + p.sheet.over(p.work))))
	defer over.Stop()
	var fileOver <-chan time.Time
	if p.work.File {
		fileOver = time.After(time.Until(p.start.Add(first + p.spec.Duration)))
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("cut off after %v: %w", p.now().Round(time.Millisecond), ctx.Err())
		case <-fileOver:
			p.sheet.fileOver()
			fileOver = nil
		case <-over.C:
			return nil
		case <-p.sheet.complete:
			return nil
		}
	}
}

// serve reads what arrives at the server.
func (p *play) serve(ctx context.Context, accept func(context.Context) (net.Conn, error), side Side) {
	conn, err := accept(ctx)
	if err != nil {
		p.sheet.failed(fmt.Errorf("accepting: %w", err))
		return
	}
	if p.work.Both {
		p.wg.Go(func() { p.sendBack(ctx, conn) })
	}
	p.read(conn, side)
}

// sendBack writes the server's own messages.
func (p *play) sendBack(ctx context.Context, conn net.Conn) {
	first := p.sheet.start()
	for i, at := range p.sheet.backPlan {
		if !sleepUntil(ctx, p.start.Add(first+at)) || !p.write(conn, Server, p.printer.frame(backNumber+uint32(i), p.work.Bytes)) {
			return
		}
	}
}

// read takes what arrives at a side, until the connection is closed.
func (p *play) read(conn net.Conn, side Side) {
	buf := make([]byte, 64<<10)
	var cut cutter
	for {
		n, err := conn.Read(buf)
		now := p.now()
		whole := cut.feed(buf[:n], func(number uint32) {
			if side == Server && p.work.Echo {
				p.write(conn, Server, p.printer.frame(number, p.work.Bytes))
				return
			}
			p.sheet.arrived(int(number), now)
		}, func(bytes int) { p.sheet.piece(now, bytes) })
		switch {
		case !whole:
			p.sheet.failed(errors.New("bytes arrived that nobody sent"))
			return
		case err != nil:
			if !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
				p.sheet.failed(fmt.Errorf("reading at the %v: %w", side, err))
			}
			return
		}
	}
}

// write writes a frame whole.
func (p *play) write(conn net.Conn, side Side, frame []byte) bool {
	p.writing[side] <- struct{}{}
	defer func() { <-p.writing[side] }()
	n, err := conn.Write(frame)
	p.sheet.wrote(n)
	if err != nil {
		p.sheet.failed(fmt.Errorf("writing at the %v: %w", side, err))
	}
	return err == nil
}

// send writes the messages at their times, or as soon as the transport takes them.
func (p *play) send(ctx context.Context, first time.Duration) {
	for i, at := range p.sheet.plan {
		if !sleepUntil(ctx, p.start.Add(first+at)) || !p.write(p.pair.Client, Client, p.printer.frame(uint32(i), p.work.Bytes)) {
			return
		}
	}
}

// sendFile writes pieces of a file for as long as it is to last.
func (p *play) sendFile(ctx context.Context, first time.Duration) {
	if !sleepUntil(ctx, p.start.Add(first)) {
		return
	}
	conn := p.pair.Client
	if p.pair.OpenBulk != nil {
		var err error
		if conn, err = p.pair.OpenBulk(); err != nil {
			p.sheet.failed(fmt.Errorf("a stream for the file: %w", err))
			return
		}
	}
	piece := p.printer.frame(pieceNumber, chunkBytes)
	for p.now() < first+p.spec.Duration && ctx.Err() == nil {
		ok := false
		if p.pair.OpenBulk == nil {
			ok = p.write(conn, Client, piece)
		} else {
			n, err := conn.Write(piece)
			p.sheet.wrote(n)
			ok = err == nil
		}
		if !ok {
			return
		}
	}
}

func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
