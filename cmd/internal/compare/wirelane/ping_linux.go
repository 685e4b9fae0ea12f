package wirelane

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// ICMP echo (RFC 792).
const (
	icmpEchoReply   = 0
	icmpEcho        = 8
	icmpHeaderBytes = 8
)

// Ping sends count echo requests from the near end, one per interval, and returns the round trips of those that were
// answered within wait after the last one. It measures the wire and the kernels on both sides, and no transport.
func (w *World) Ping(ctx context.Context, count int, interval, wait time.Duration) ([]time.Duration, error) {
	conn, err := net.DialIP("ip4:icmp", nil, &net.IPAddr{IP: farAddr.AsSlice()})
	if err != nil {
		return nil, fmt.Errorf("wirelane: ping: %w", err)
	}
	defer conn.Close()
	sent := make([]time.Time, count)
	failed := make(chan error, 1)
	began := time.Now()
	go func() { // Ends after the last request or with the context; waited for below.
		failed <- func() error {
			for i := range sent {
				if err := sleepUntil(ctx, began.Add(time.Duration(i)*interval)); err != nil {
					return err
				}
				sent[i] = time.Now()
				if _, err := conn.Write(echoRequest(uint16(i))); err != nil {
					return fmt.Errorf("wirelane: ping: %w", err)
				}
			}
			return nil
		}()
	}()
	if err := conn.SetReadDeadline(began.Add(time.Duration(count)*interval + wait)); err != nil {
		return nil, fmt.Errorf("wirelane: ping: %w", err)
	}
	answered := make(map[uint16]time.Time)
	buf := make([]byte, mtu)
	for len(answered) < count {
		n, _, err := conn.ReadFromIP(buf) // Read would leave the IP header in front.
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("wirelane: ping: %w", err), <-failed)
		}
		if reply := buf[:n]; n >= icmpHeaderBytes && reply[0] == icmpEchoReply {
			answered[binary.BigEndian.Uint16(reply[6:])] = time.Now()
		}
	}
	if err := <-failed; err != nil {
		return nil, err
	}
	var trips []time.Duration
	for i, at := range sent {
		if back, ok := answered[uint16(i)]; ok {
			trips = append(trips, back.Sub(at))
		}
	}
	return trips, nil
}

// echoRequest is an ICMP message with a sequence number.
func echoRequest(seq uint16) []byte {
	b := make([]byte, 64)
	b[0] = icmpEcho
	binary.BigEndian.PutUint16(b[6:], seq)
	sum := uint32(icmpEcho)<<8 + uint32(seq) // All other words are 0; the sum cannot carry twice.
	binary.BigEndian.PutUint16(b[2:], ^uint16(sum+sum>>16))
	return b
}

// sleepUntil returns at t or when ctx is done.
func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
