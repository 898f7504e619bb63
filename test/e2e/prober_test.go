// What a client sees of an address: a new connection every few milliseconds, from a
// namespace, and which of them were answered.
package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sort"
	"testing"
	"time"
)

const (
	proberEvery = 10 * time.Millisecond
	proberWaits = 400 * time.Millisecond // no SYN is sent again by then
)

// try is one request of the prober: a new connection.
type try struct {
	began, ended time.Time
	good         bool
}

type prober struct {
	s     *segment
	cmd   *exec.Cmd
	out   chan try // closed at its end
	stop  func()
	tries []try
}

// TestProber is what the prober runs in the client's namespace.
func TestProber(t *testing.T) {
	address := os.Getenv("YUMEN_PROBE")
	if address == "" {
		t.Skip("a part of other tests")
	}
	stop := make(chan struct{})
	go func() {
		bufio.NewReader(os.Stdin).ReadString('\n')
		close(stop)
	}()
	results := make(chan try, 1024)
	going := 0
	ticker := time.NewTicker(proberEvery)
	defer ticker.Stop()
	for running := true; running || going > 0; {
		select {
		case <-stop:
			running, stop = false, nil
		case one := <-results:
			going--
			fmt.Printf("TRY %d %d %v\n", one.began.UnixNano(), one.ended.UnixNano(), one.good)
		case <-ticker.C:
			if running {
				going++
				go func() {
					one := try{began: time.Now()}
					one.good = probeOnce(address)
					one.ended = time.Now()
					results <- one
				}()
			}
		}
	}
}

func probeOnce(address string) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(address, "80"), proberWaits)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(proberWaits))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == 404
}

// sight is where a client is, and what it asks for.
type sight struct{ namespace, address string }

// seen waits until each of the sights is answered.
func (s *segment) seen(sights ...sight) {
	s.t.Helper()
	for _, one := range sights {
		s.control.eventually(fmt.Sprint(one), func() error {
			status, err := s.askFrom(one.namespace, one.address, "/")
			if err == nil && status != 404 {
				err = fmt.Errorf("status %d", status)
			}
			return err
		})
	}
}

// probers of several sights at once.
type probers []*prober

func (s *segment) probe(sights ...sight) (all probers) {
	s.t.Helper()
	for _, one := range sights {
		all = append(all, s.probeFrom(one))
	}
	for _, p := range all {
		p.take(func() bool { return len(p.tries) >= 50 })
	}
	return all
}

func (s *segment) probeFrom(from sight) *prober {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	p := &prober{s: s, cmd: exec.Command("ip", "netns", "exec", from.namespace, self, "-test.run", "^TestProber$", "-test.v")}
	p.cmd.Env = append(os.Environ(), "YUMEN_PROBE="+from.address)
	in, err := p.cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { in.Close() })
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	p.out = make(chan try, 1<<16) // it is never held up
	go p.read(out)
	s.t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	p.stop = func() { in.Write([]byte("\n")) }
	return p
}

func (p *prober) read(out io.Reader) {
	defer close(p.out)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var began, ended int64
		var good bool
		if n, _ := fmt.Sscanf(lines.Text(), "TRY %d %d %t", &began, &ended, &good); n == 3 {
			p.out <- try{time.Unix(0, began), time.Unix(0, ended), good}
		}
	}
}

// take takes results until it is enough.
func (p *prober) take(enough func() bool) {
	p.s.t.Helper()
	for !enough() {
		one, ok := <-p.out
		if !ok {
			return
		}
		p.tries = append(p.tries, one)
	}
}

// suffered is what a client saw of an event: the longest time without an answer, and
// the requests that were lost.
type suffered struct {
	gap         time.Duration
	lost, tries int
	last        try
}

func (r suffered) String() string {
	return fmt.Sprintf("%d ms, %d of %d", r.gap.Milliseconds(), r.lost, r.tries)
}

func (all probers) during(length time.Duration, event func()) (results []suffered) {
	event()
	end := time.Now().Add(length)
	for _, p := range all {
		p.take(func() bool { return len(p.tries) > 0 && p.tries[len(p.tries)-1].began.After(end) })
		p.stop()
	}
	for _, p := range all {
		p.take(func() bool { return false })
		results = append(results, p.sum())
	}
	return results
}

func (p *prober) sum() suffered {
	p.s.t.Helper()
	var answers []time.Time
	result := suffered{tries: len(p.tries), last: p.tries[len(p.tries)-1]}
	for _, one := range p.tries {
		if one.good {
			answers = append(answers, one.ended)
		} else {
			result.lost++
		}
	}
	sort.Slice(answers, func(i, j int) bool { return answers[i].Before(answers[j]) })
	for i := 1; i < len(answers); i++ {
		if gap := answers[i].Sub(answers[i-1]); gap > result.gap {
			result.gap = gap
		}
	}
	if len(answers) == 0 {
		p.s.t.Fatalf("no answer at all\n%s", p.s.logs())
	}
	return result
}
