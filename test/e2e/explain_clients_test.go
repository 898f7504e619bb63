package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secureWorld is randomWorld in TLS: on port listeners by name and none for the rest;
// on strict one for every name, whose clients show a certificate.
func secureWorld(r *rand.Rand, t testing.TB, port, strict int, authority *tlsPair) map[string]string {
	files := randomWorld(r, t, port)
	files["secrets.yaml"] = makePair(t, "", authority, "a.test").secret(t, "a") + "---\n" +
		makePair(t, "", authority, "*.wild.test").secret(t, "wild") + "---\n" +
		makePair(t, "", authority, "rest.test").secret(t, "rest")
	files["ca.yaml"] = authorityYAML("ca", authority)
	files["gateway.yaml"] = httpsGateway(fmt.Sprintf(`  tls:
    frontend:
      default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}
      perPort:
      - port: %d
        tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}
`, strict),
		httpsListener(port, "http", "a.test", "a"), httpsListener(port, "special", "special.test", "a", "gone"),
		httpsListener(port, "wild", "*.wild.test", "wild"), httpsListener(strict, "strict", "", "rest"),
		httpsListener(strict, "strict-a", "a.test", "a"))
	return files
}

// secureRaw is raw over TLS; what broke the connection comes with what was read.
func secureRaw(address string, config *tls.Config, send string) (string, error) {
	conn, err := shake(address, config)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, send); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// As TestExplainAgreesInTLS, where clients are asked for certificates, and by what the
// access log says: gateway, listener, route, rule and backend too.
func TestExplainAgreesOnClients(t *testing.T) {
	t.Parallel()
	worlds, requests := 3, 600
	if slow() {
		worlds, requests = 3, 300
	}
	authority := makePair(t, "", nil)
	client := makePair(t, "", authority, "client")
	verdicts := map[string]int{}
	for seed := 0; seed < worlds; seed++ {
		r := rand.New(rand.NewSource(int64(1000 + seed)))
		port, strict := freePort(t), freePort(t)
		log := filepath.Join(t.TempDir(), "access.log")
		g := start(t, port, secureWorld(r, t, port, strict, authority), "--access-log", "json:"+log)
		heads, tolds := map[string]string{}, map[string]told{}
		logs := 0
		for i := 0; i < requests; i++ {
			id := fmt.Sprintf("id-%d-%d", seed, i)
			head := randomHead(r, id)
			name := pick(r, "a.test", "a.test", "A.Test", "special.test", "x.wild.test", "y.wild.test", "wild.test", "unknown", "b.test", "")
			to := port
			if r.Intn(4) == 0 {
				to = strict
			}
			shows := r.Intn(3) > 0
			config := &tls.Config{InsecureSkipVerify: true, ServerName: name}
			if shows {
				config.Certificates = []tls.Certificate{client.forClient()}
			}
			answer, err := secureRaw(fmt.Sprintf("127.0.0.1:%d", to), config, head)
			g.port = to
			e := g.explainTo(url.Values{"head": {head}, "server_name": {name}})
			where := fmt.Sprintf("seed %d: port %d, server name %q, certificate %v: %q", seed, to, name, shows, head)
			if none := e.Verdict == "handshake" || e.TLS.ClientCertificate == "required" && !shows; none || answer == "" {
				verdicts["handshake "+e.TLS.ClientCertificate]++
				if !none || answer != "" || err == nil {
					t.Errorf("%s: %q %v, explain: %s %s %+v", where, answer, err, e.Verdict, e.Why, e.TLS)
				}
				continue
			}
			verdicts[e.Verdict+" "+e.Reason]++
			heads[id], tolds[id] = where, e
			response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), &http.Request{Method: strings.Fields(head)[0]})
			if err != nil {
				t.Fatalf("%s: %q: %v", where, answer, err)
			}
			if e.Verdict != "refused" || e.Gateway != "" {
				logs++
			} else if _, reason, _ := strings.Cut(response.Header.Get("Proxy-Status"), "error="); response.StatusCode != *e.Status || reason != "" && reason != e.Reason {
				t.Errorf("%s: %d %s, explain: %d %s", where, response.StatusCode, reason, *e.Status, e.Reason)
			}
		}
		var logged map[string]seen
		g.eventually("every line of the access log", func() error {
			if logged = readLog(t, log); len(logged) < logs {
				return fmt.Errorf("%d lines of %d", len(logged), logs)
			}
			return nil
		})
		for id, s := range logged {
			if err := tolds[id].fits(s); err != nil {
				t.Errorf("%s: %v", heads[id], err)
			}
		}
	}
	t.Logf("%v", verdicts)
	for _, want := range []string{"backend ", "depends ", "redirect redirect", "refused no_route", "refused no_listener",
		"refused misdirected", "refused no_backend", "refused http_request_error", "handshake ", "handshake required"} {
		if verdicts[want] == 0 {
			t.Errorf("no request was of the verdict %q: the tables say too little", want)
		}
	}
}
