package wirelane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Flood is what bare UDP datagrams met.
type Flood struct {
	Sent, Received int
	First, Last    time.Duration // When the first and the last one arrived, since the first was sent.
}

// udpHeaderBytes is what IPv4 and UDP add to a payload.
const udpHeaderBytes = 28

// Flood sends count datagrams from the near end to the far one, each an IP packet of size bytes, at the given bits of IP
// packets per second, then waits for stragglers. It ends with ctx.
func (w *World) Flood(ctx context.Context, count, size int, rate int64, wait time.Duration) (Flood, error) {
	var sink *net.UDPConn
	err := w.AtFar(func() (err error) {
		sink, err = net.ListenUDP("udp4", &net.UDPAddr{IP: farAddr.AsSlice()})
		return err
	})
	if err != nil {
		return Flood{}, fmt.Errorf("wirelane: flood: %w", err)
	}
	defer sink.Close()
	_ = sink.SetReadBuffer(4 << 20) // As much as the kernel grants.
	conn, err := net.Dial("udp4", sink.LocalAddr().String())
	if err != nil {
		return Flood{}, fmt.Errorf("wirelane: flood: %w", err)
	}
	defer conn.Close()
	began := time.Now()
	every := time.Duration(int64(size) * 8 * int64(time.Second) / rate)
	end := began.Add(time.Duration(count)*every + wait)
	failed := make(chan error, 1)
	go func() { failed <- pour(ctx, conn, began, every, count, size-udpHeaderBytes) }() // Ends by itself; waited for below.
	f := Flood{Sent: count}
	err = sink.SetReadDeadline(end)
	for buf := make([]byte, mtu); err == nil; {
		if _, err = sink.Read(buf); err != nil {
			break
		}
		f.Last = time.Since(began)
		if f.Received == 0 {
			f.First = f.Last
		}
		f.Received++
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if err := errors.Join(err, <-failed); err != nil {
		return Flood{}, fmt.Errorf("wirelane: flood: %w", err)
	}
	return f, nil
}

// pour keeps its schedule: after a pause it catches up.
func pour(ctx context.Context, conn net.Conn, began time.Time, every time.Duration, count, size int) error {
	b := make([]byte, size)
	for i := range count {
		if at := began.Add(time.Duration(i) * every); time.Until(at) > 0 {
			if err := sleepUntil(ctx, at); err != nil {
				return err
			}
		}
		if _, err := conn.Write(b); err != nil {
			return err
		}
	}
	return nil
}
