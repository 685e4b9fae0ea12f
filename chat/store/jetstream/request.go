package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers that the servers write (stored messages as they are answered to requests and published once more) and ours.
const (
	headerSubject  = "Nats-Subject"
	headerSequence = "Nats-Sequence"
	headerStatus   = "Status"
	headerID       = "Uc-Id"   // The id, in base64: it may be any bytes.
	headerTime     = "Uc-Time" // When it was appended, in nanoseconds since 1970.
)

// retry calls f, with an end for each attempt, until it succeeds, fails for good, or nobody waits any more.
func (e *Engine) retry(ctx context.Context, f func(context.Context) error) error {
	for wait := retryMin; ; wait = min(2*wait, retryMax) {
		attempt, end, err := e.attempt(ctx)
		if err != nil {
			return err
		}
		err = explain(f(attempt))
		end()
		switch {
		case err == nil:
			return nil
		case e.isClosed():
			return errClosed()
		case ctx.Err() != nil:
			return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		case !temporary(err):
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-e.quit:
		}
		timer.Stop()
	}
}

// attempt makes a context that ends when the attempt takes too long, with ctx, or when the engine is closed. The caller
// calls end.
func (e *Engine) attempt(ctx context.Context) (attempt context.Context, end func(), err error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	key := new(struct{ _ byte })
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		cancel()
		return nil, nil, errClosed()
	}
	e.attempts[key] = cancel
	return attempt, func() {
		cancel()
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.attempts, key)
	}, nil
}

func (e *Engine) isClosed() bool {
	select {
	case <-e.quit:
		return true
	default:
		return false
	}
}

// A stored is a message of a stream.
type stored struct {
	subject string
	seq     uint64
	header  nats.Header
	data    []byte
}

// A question asks for messages of a stream (JetStream's API, STREAM.MSG.GET and DIRECT.GET).
type question struct {
	Seq      uint64 `json:"seq,omitempty"`          // This one, or with Next the first from here on.
	Last     string `json:"last_by_subj,omitempty"` // The last one of a subject.
	Next     string `json:"next_by_subj,omitempty"`
	Batch    int    `json:"batch,omitempty"`
	MaxBytes int    `json:"max_bytes,omitempty"`
}

// ask asks the leader of a stream for one message; the answer is what the majority knows. It returns errNone if there is
// no such message.
func (e *Engine) ask(ctx context.Context, stream string, q question) (m stored, err error) {
	err = e.retry(ctx, func(ctx context.Context) error {
		m, err = e.askOnce(ctx, stream, q)
		return err
	})
	return m, err
}

func (e *Engine) askOnce(ctx context.Context, stream string, q question) (m stored, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return m, err
	}
	reply, err := e.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+stream, body)
	if err != nil {
		return m, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message *struct {
			Subject string `json:"subject"`
			Seq     uint64 `json:"seq"`
			Header  []byte `json:"hdrs"`
			Data    []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return m, err
	}
	switch {
	case answer.Error != nil:
		return m, answer.Error
	case answer.Message == nil:
		return m, errNone
	}
	m = stored{subject: answer.Message.Subject, seq: answer.Message.Seq, data: answer.Message.Data}
	if len(answer.Message.Header) > 0 {
		m.header, err = nats.DecodeHeadersMsg(answer.Message.Header)
	}
	return m, err
}

// batch asks any replica for up to n messages with that subject, from the number from on. A replica may lag, so that the
// last ones are missing; what it returns has no holes. It may return messages together with an error.
func (e *Engine) batch(ctx context.Context, stream, subject string, from uint64, n int) ([]stored, error) {
	body, err := json.Marshal(question{Seq: max(from, 1), Next: subject, Batch: min(n, batchMessages), MaxBytes: batchBytes})
	if err != nil {
		return nil, err
	}
	inbox := e.nc.NewRespInbox()
	sub, err := e.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe() // An error means that the connection is gone, and the subscription with it.
	if err := e.nc.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, body); err != nil {
		return nil, err
	}
	var msgs []stored
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return msgs, err
		}
		switch status := m.Header.Get(headerStatus); {
		case status == "":
		case status == "204", status == "404":
			return msgs, nil
		case status == "503":
			return msgs, nats.ErrNoResponders
		default:
			return msgs, fmt.Errorf("asking for messages: status %s %s", status, m.Header.Get("Description"))
		}
		seq, err := strconv.ParseUint(m.Header.Get(headerSequence), 10, 64)
		if err != nil {
			return msgs, err
		}
		msgs = append(msgs, stored{m.Header.Get(headerSubject), seq, m.Header, m.Data})
	}
}

// span reads the messages with that subject and from <= number < to, up to n of them, all that there are: where a replica
// comes to an end the leader is asked whether there are more.
func (e *Engine) span(ctx context.Context, stream, subject string, from, to uint64, n int) ([]stored, error) {
	var all []stored
	for from < to && len(all) < n {
		var some []stored
		err := e.retry(ctx, func(ctx context.Context) error {
			var err error
			if some, err = e.batch(ctx, stream, subject, from, n-len(all)); len(some) > 0 {
				return nil // What came before an error is good.
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			next, err := e.ask(ctx, stream, question{Seq: from, Next: subject})
			if errors.Is(err, errNone) {
				return all, nil
			}
			if err != nil {
				return nil, err
			}
			some = []stored{next}
		}
		for _, m := range some {
			if m.seq >= to || len(all) == n {
				return all, nil
			}
			if m.seq >= from {
				all = append(all, m)
				from = m.seq + 1
			}
		}
	}
	return all, nil
}

// publish stores a message on condition that the last one of its subject has the number last. It returns its number, or
// that of a message with the same message id.
func (e *Engine) publish(ctx context.Context, m *nats.Msg, msgID string, last uint64) (seq uint64, known bool, err error) {
	ack, err := e.js.PublishMsg(ctx, m, jetstream.WithMsgID(msgID), jetstream.WithExpectLastSequencePerSubject(last),
		jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, false, explain(err)
	}
	return ack.Sequence, ack.Duplicate, nil
}

// remove deletes one message of a stream. It returns errNone if there is none.
func (e *Engine) remove(ctx context.Context, stream string, seq uint64) error {
	return e.retry(ctx, func(ctx context.Context) error {
		body, err := json.Marshal(map[string]any{"seq": seq, "no_erase": true})
		if err != nil {
			return err
		}
		err = e.order(ctx, "STREAM.MSG.DELETE."+stream, body)
		api, ok := errors.AsType[*jetstream.APIError](err)
		if !ok || api.ErrorCode != codeDeleteFailed && api.ErrorCode != codeNoSequence {
			return err
		}
		if _, err := e.askOnce(ctx, stream, question{Seq: seq}); err != nil {
			return err // It is not there, for one.
		}
		return fmt.Errorf("%w: %w", errAgain, err)
	})
}

// purge deletes the messages of a subject with numbers below the given one; 0 is all of them.
func (e *Engine) purge(ctx context.Context, stream, subject string, below uint64) error {
	return e.retry(ctx, func(ctx context.Context) error {
		body, err := json.Marshal(struct {
			Filter string `json:"filter"`
			Seq    uint64 `json:"seq,omitempty"`
		}{subject, below})
		if err != nil {
			return err
		}
		return e.order(ctx, "STREAM.PURGE."+stream, body)
	})
}

// order makes a request to JetStream's API that is answered by success or an error.
func (e *Engine) order(ctx context.Context, subject string, body []byte) error {
	reply, err := e.nc.RequestWithContext(ctx, "$JS.API."+subject, body)
	if err != nil {
		return err
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return answer.Error
	}
	return nil
}
