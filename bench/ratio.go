package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkRead     = regexp.MustCompile(`([\d.]+)([KMG]?)B read`)
)

// slice loads a server for one second by wrk and returns its CPU time a request.
// Each request must bring a body of that many bytes.
func slice(p *process, connections int, path string, body int64) (float64, error) {
	before, err := cpuTime(p.worker())
	if err != nil {
		return 0, err
	}
	out, err := exec.Command("taskset", "-c", "1", "wrk", "-t1", "-c"+strconv.Itoa(connections), "-d1s",
		"-H", "Host: bench.test", fmt.Sprintf("%s://127.0.0.1:%d%s", scheme(), p.port, path)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	after, err := cpuTime(p.worker())
	if err != nil {
		return 0, err
	}
	text := string(out)
	count, read := wrkRequests.FindStringSubmatch(text), wrkRead.FindStringSubmatch(text)
	if count == nil || read == nil || strings.Contains(text, "Non-2xx") || strings.Contains(text, "Socket errors") {
		return 0, fmt.Errorf("wrk: %s", text)
	}
	n, _ := strconv.ParseFloat(count[1], 64)
	bytes, _ := strconv.ParseFloat(read[1], 64)
	bytes *= map[string]float64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[read[2]]
	// wrk says two digits after the point.
	if n == 0 || bytes < 0.99*n*float64(body) {
		return 0, fmt.Errorf("wrk: short bodies: %s", text)
	}
	return float64(after-before) / n, nil
}

// interleaved runs slices of all servers in turn and returns each one's minimum.
func (b *bench) interleaved(connections int, path string, body int64) (map[string]float64, error) {
	minima := map[string]float64{}
	err := b.withBackend(func() error {
		var servers []*process
		peers := b.peers()
		for i, peer := range peers {
			p, err := b.startServed(0, proxyPort+i, peer.args(b, proxyPort+i, false)...)
			if err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			defer p.stop()
			servers = append(servers, p)
		}
		for round := 0; round <= b.slices; round++ {
			for i, p := range servers {
				cost, err := slice(p, connections, path, body)
				if err != nil {
					return fmt.Errorf("%s: %w", peers[i].name, err)
				}
				if round == 0 {
					continue // warming up
				}
				if old, ok := minima[peers[i].name]; !ok || cost < old {
					minima[peers[i].name] = cost
				}
			}
		}
		return nil
	})
	return minima, err
}

// ratios adds a row of every server's minimum against that of one of them.
func (b *bench) ratios(r row, against string, minima map[string]float64) {
	r.what = fmt.Sprintf("%s (ratio of minima, %d slices)", r.what, b.slices)
	for name, cost := range minima {
		r.set(name, fmt.Sprintf("%.2f", cost/minima[against]))
	}
	b.add(r)
}

func (b *bench) cpu() error {
	minima, err := b.interleaved(64, "/s", smallBytes)
	if err != nil {
		return err
	}
	b.ratios(row{what: "CPU a request against nginx", must: "0.88", goal: "0.80"}, "nginx", minima)
	return nil
}

func (b *bench) body() error {
	minima, err := b.interleaved(16, "/m", largeBytes)
	if err != nil {
		return err
	}
	b.ratios(row{what: "CPU of a 1 MiB body against HAProxy", must: "0.40", goal: "0.33"}, "haproxy", minima)
	return nil
}
