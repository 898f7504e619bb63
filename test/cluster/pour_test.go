package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// pour is a steady flow of requests from the cluster's network, of a process of its
// own: over connections that are kept and over fresh ones. A request is lost that gets
// no answer of 200 in five seconds.
func init() { commands["pour"] = command{0, func(place, []string) error { return pour() }} }

const (
	pourKept   = 4
	pourFresh  = 2
	pourPause  = 10 * time.Millisecond
	pourWait   = 5 * time.Second
	pourToldOf = 10
)

// poured is what pour saw.
type poured struct {
	Requests, Lost int
	Problems       []string // of the first ones lost
	LongestMS      int64
	mu             sync.Mutex
}

func (p *poured) one(client *http.Client, url string) {
	start := time.Now()
	why := ""
	response, err := client.Get(url)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			why = response.Status
		}
	}
	if err != nil {
		why = err.Error()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Requests++
	p.LongestMS = max(p.LongestMS, time.Since(start).Milliseconds())
	if why != "" {
		p.Lost++
		if len(p.Problems) < pourToldOf {
			p.Problems = append(p.Problems, time.Now().Format("05.000 ")+why)
		}
	}
}

// pour goes on until its input ends, and then tells what it saw.
func pour() error {
	var seen poured
	var flows sync.WaitGroup
	end := make(chan struct{})
	for n := range pourKept + pourFresh {
		flows.Go(func() {
			client := &http.Client{Timeout: pourWait, Transport: &http.Transport{
				DisableKeepAlives: n >= pourKept,
				DialContext:       (&net.Dialer{Timeout: pourWait}).DialContext,
			}}
			for {
				select {
				case <-end:
					return
				case <-time.After(pourPause):
					seen.one(client, os.Getenv("POUR_URL"))
				}
			}
		})
	}
	io.Copy(io.Discard, os.Stdin)
	close(end)
	flows.Wait()
	return json.NewEncoder(os.Stdout).Encode(&seen)
}

// whilePouring runs something while requests flow, and for a second before and after
// it. Not one may be lost.
func whilePouring(t *testing.T, p place, url string, disturb func()) {
	t.Helper()
	input, stop := io.Pipe()
	output, told := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := within(p, func(c *exec.Cmd) {
			c.Env = append(c.Env, "POUR_URL="+url)
			c.Stdin, c.Stdout, c.Stderr = input, told, os.Stderr
		}, "/proc/self/exe", "pour")
		told.CloseWithError(err)
		ended <- err
	}()
	time.Sleep(time.Second)
	disturb()
	time.Sleep(time.Second)
	stop.Close()
	var seen poured
	if err := json.NewDecoder(output).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	fmt.Printf("cluster %s: %d requests, %d lost, the longest took %d ms\n",
		t.Name(), seen.Requests, seen.Lost, seen.LongestMS)
	if seen.Lost > 0 || seen.Requests < 100 {
		t.Errorf("of %d requests %d were lost: %v", seen.Requests, seen.Lost, seen.Problems)
	}
}
