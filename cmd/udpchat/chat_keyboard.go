package main

import (
	"bytes"
	"io"
	"sync"
)

const (
	ctrlC = 0x03

	// keyboardBytesMax bounds what was typed or pasted and not taken yet; the terminal keeps the rest.
	keyboardBytesMax = 64 << 10
)

// A keyboard reads a raw terminal ahead of the line editor, so that Ctrl-C is heard also while nobody reads a line: in
// raw mode it is a byte like any other, and no signal.
type keyboard struct {
	interrupt func() // Constant: called for each Ctrl-C.
	resize    func() // Constant: called before keys are handed out, so that the editor knows how wide the window is.

	mu      sync.Mutex
	changed *sync.Cond
	typed   []byte // Guarded by mu: not taken yet.
	err     error  // Guarded by mu: the end of the input.
}

// newKeyboard starts the goroutine that reads src. A read of a terminal cannot be given up, so nobody waits for it: it
// ends with src or with the process.
func newKeyboard(src io.Reader, interrupt, resize func()) *keyboard {
	k := &keyboard{interrupt: interrupt, resize: resize}
	k.changed = sync.NewCond(&k.mu)
	go k.listen(src)
	return k
}

func (k *keyboard) listen(src io.Reader) {
	b := make([]byte, 4096)
	for {
		n, err := src.Read(b)
		keys := b[:n]
		for range bytes.Count(keys, []byte{ctrlC}) {
			k.interrupt()
		}
		k.mu.Lock()
		for len(k.typed) > keyboardBytesMax {
			k.changed.Wait()
		}
		k.typed = append(k.typed, bytes.ReplaceAll(keys, []byte{ctrlC}, nil)...)
		k.err = err
		k.mu.Unlock()
		k.changed.Broadcast()
		if err != nil {
			return
		}
	}
}

// Read hands out what was typed. It blocks until there is something.
func (k *keyboard) Read(p []byte) (int, error) {
	k.mu.Lock()
	for len(k.typed) == 0 && k.err == nil {
		k.changed.Wait()
	}
	n, err := copy(p, k.typed), k.err
	k.typed = k.typed[n:]
	k.mu.Unlock()
	k.changed.Broadcast()
	if n > 0 {
		err = nil
	}
	k.resize()
	return n, err
}
