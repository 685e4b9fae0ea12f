package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"udpchat/client"
	"udpchat/client/clean"
)

const (
	// nativeProgressEvery is how often somebody who watches is told how far a file has come.
	nativeProgressEvery = 2 * time.Second

	// fileKindMax is the longest ending of a name, with its dot, that is taken for the kind of a file.
	fileKindMax = 16

	// sameNameMax is how many files of one name there may be in the directory where files go.
	sameNameMax = 1000
)

func (u *nativeUI) commandFile(_ context.Context, arg string) error {
	what, rest, _ := strings.Cut(arg, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case what == "send" && rest != "":
		return u.sendFile(rest)
	case what == "get" && rest != "":
		return u.getFile(rest)
	}
	return errors.New("usage: /file send PATH, or /file get N [PATH], where N is the file's number")
}

// sendFile sends a file to the current room, while the chat goes on.
func (u *nativeUI) sendFile(path string) error {
	where := u.current
	if where.log == "" {
		return errors.New("not sent, because you are in no room: /join ROOM enters one")
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	u.transfers.Go(func() { // Ends with the file, or with the client.
		ctx := context.Background()
		f, err := u.client.Upload(ctx, path, u.progress("sending "+clean.Name(filepath.Base(path))))
		var m *client.Message
		if err == nil {
			m, err = u.client.Announce(where.log, f)
		}
		if err == nil {
			if err = m.Wait(ctx); err == nil {
				u.ends.came(m.Log, m.Status())
			}
		}
		u.carried(fmt.Sprintf("%s is sent", clean.Name(filepath.Base(path))), "not sent", err)
	})
	return nil
}

// getFile fetches a file by its number, while the chat goes on.
func (u *nativeUI) getFile(arg string) error {
	number, path, _ := strings.Cut(arg, " ")
	n, err := strconv.Atoi(number)
	u.mu.Lock()
	var said client.Said
	if err == nil && n >= 1 && n <= len(u.shared) {
		said = u.shared[n-1]
	}
	u.mu.Unlock()
	if said.File == nil {
		return fmt.Errorf("there is no file %s: the number stands where it was announced", clean.Name(number))
	}
	if path = strings.TrimSpace(path); path == "" {
		if path, err = freePath(u.files, fileName(said.File.Name)); err != nil {
			return err
		}
	}
	u.transfers.Go(func() { // Ends with the file, or with the client.
		err := u.client.Download(context.Background(), said.Log, said.Seq, path, u.progress("fetching "+clean.Name(filepath.Base(path))))
		u.carried(fmt.Sprintf("file %d is here: %s", n, clean.Line(path)), fmt.Sprintf("file %d is not here", n), err)
	})
	return nil
}

// carried says that a file has come to its end, or why not.
func (u *nativeUI) carried(done, not string, err error) {
	if err == nil {
		u.out.event("* " + done)
		return
	}
	u.ends.fail()
	u.out.problem(not + ": " + nativeReason(err))
}

// progress returns a function that says now and then how far a file has come, to somebody who watches.
func (u *nativeUI) progress(doing string) func(done, size int64) {
	if !u.interactive {
		return nil
	}
	last := time.Now()
	return func(done, size int64) {
		if now := time.Now(); now.Sub(last) >= nativeProgressEvery && done < size {
			last = now
			u.out.event(fmt.Sprintf("* %s: %.0f %% of %s", doing, 100*float64(done)/float64(max(size, 1)), kilobytes(uint64(size))))
		}
	}
}

// fileName makes a name of a stranger that of a file here: no directory, nothing hidden, nothing a terminal would act on
// or a file system refuses. A long one keeps what says what kind of file it is.
func fileName(name string) string {
	short := clean.Name(name)
	if kind := clean.Name(filepath.Ext(name)); len(kind) <= fileKindMax && strings.HasPrefix(kind, ".") && !strings.HasSuffix(short, kind) {
		short += kind
	}
	short = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, short)
	short = strings.TrimRight(strings.TrimLeft(short, "."), ". ")
	if short == "" {
		return "file"
	}
	return short
}

// freePath returns where a file of this name goes: beside those that have it already.
func freePath(dir, name string) (string, error) {
	ext := filepath.Ext(name)
	for n := range sameNameMax {
		path := filepath.Join(dir, name)
		if n > 0 {
			path = filepath.Join(dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext))
		}
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s has too many files of the name %s: name another one", dir, name)
}
