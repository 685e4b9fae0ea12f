package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"udpchat/client"
	"udpchat/client/clean"
)

// A bot that repeats what it is told. It comes back by itself whatever happens to the network or the server, answers
// nothing twice and misses nothing.
func Example() {
	ctx := context.Background()
	c, err := client.Dial(ctx, client.Config{Server: "localhost:4000", Account: "echo", Guest: true})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Join(ctx, "lobby", 0); err != nil {
		log.Fatal(err)
	}
	for ev := range c.Events() {
		said, ok := ev.(client.Said)
		if !ok || said.Mine {
			continue
		}
		if text, ok := strings.CutPrefix(said.Text, "echo: "); ok {
			if _, err := c.Say(ctx, said.Log, text); err != nil {
				log.Print(err)
			}
		}
	}
	log.Fatal(c.Err())
}

// A script that reports from a machine with a bad link: it goes on at once, whether there is a connection or not, and at
// the end knows what became of each line. The State makes it the same device every time, also after a crash.
func ExampleClient_Send() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	state, err := client.OpenState("/var/lib/sensor/chat.json")
	if err != nil {
		log.Fatal(err)
	}
	defer state.Close()
	c, err := client.Dial(ctx, client.Config{
		Server: "chat.example.org:4000", Account: "sensor", Password: os.Getenv("SENSOR_PASSWORD"), State: state,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	go func() {
		for range c.Events() { // Not of interest here.
		}
	}()
	if _, err := c.Join(ctx, "measurements", 0); err != nil {
		log.Fatal(err)
	}
	var sent []*client.Message
	for i := range 10 {
		m, err := c.Send("measurements", fmt.Sprintf("sample %d at %v", i, time.Now()))
		if err != nil {
			log.Fatal(err)
		}
		sent = append(sent, m)
		time.Sleep(time.Second)
	}
	if err := c.Flush(ctx); err != nil {
		log.Print(err)
	}
	for _, m := range sent {
		switch s := m.Status(); s.State {
		case client.Stored:
			fmt.Printf("%s is number %d, after %v\n", m.ID(), s.Seq, s.After)
		default:
			fmt.Printf("%s is %v: %v\n", m.ID(), s.State, s.Err)
		}
	}
}

// A collector that keeps a copy of every file sent to it, and says how far each has come.
func ExampleClient_Download() {
	ctx := context.Background()
	c, err := client.Dial(ctx, client.Config{Server: "localhost:4000", Account: "archive", Password: os.Getenv("PASSWORD")})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for ev := range c.Events() {
		said, ok := ev.(client.Said)
		if !ok || said.File == nil || said.Peer == "" {
			continue // Only files in direct conversations, which come without joining anything.
		}
		// The name is a stranger's: it must neither leave the directory nor play tricks on a terminal.
		path := filepath.Join("archive", said.File.String()+"-"+strings.ReplaceAll(clean.Name(said.File.Name), "/", "_"))
		err := c.Download(ctx, said.Log, said.Seq, path, func(done, size int64) { fmt.Printf("\r%s %d of %d", path, done, size) })
		if err == nil {
			_, err = c.Say(ctx, said.Log, "archived "+said.File.String())
		}
		if err != nil {
			log.Print(err)
		}
		c.Read(said.Log, said.Seq)
	}
}
