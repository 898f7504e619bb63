package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Secrets on Gateways, each certificate of a listener of its own host; the first
// ones stand in files of their own, which are edited.
const (
	gateways         = 4
	listenersEach    = 50
	certificatesEach = 50
	allSecrets       = gateways * listenersEach * certificatesEach
	secretsPerFile   = 100
	firstSecretsPort = proxyPort + 10
)

const secretGateway = `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: secrets-%d, namespace: default}
spec:
  gatewayClassName: yumen
  addresses: [{type: IPAddress, value: 127.0.0.1}]
  listeners:
`

func secretObject(number int, chain, key []byte) string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("---\n{apiVersion: v1, kind: Secret, metadata: {name: s-%d, namespace: default}, type: kubernetes.io/tls, data: {tls.crt: %s, tls.key: %s}}\n",
		number, encode(chain), encode(key))
}

// secretsIn writes Gateways with listeners and count Secrets into a folder, and what
// the baseline reads beside it. It returns the listeners' hosts and ports.
func (b *bench) secretsIn(folder string, count int) (hosts map[string]int, err error) {
	if err := os.MkdirAll(b.path(folder), 0o755); err != nil {
		return nil, err
	}
	hosts = map[string]int{}
	var objects, secrets, pem strings.Builder
	for number := 0; number < count; number++ {
		listener := number / certificatesEach
		if number%(listenersEach*certificatesEach) == 0 {
			fmt.Fprintf(&objects, secretGateway, listener/listenersEach)
		}
		if number%certificatesEach == 0 {
			host := fmt.Sprintf("h%d.test", listener)
			port := firstSecretsPort + listener/listenersEach
			hosts[host] = port
			fmt.Fprintf(&objects, "  - {name: l%d, hostname: %s, port: %d, protocol: HTTPS, tls: {certificateRefs: [", listener, host, port)
		}
		fmt.Fprintf(&objects, "{name: s-%d}", number)
		if number%certificatesEach == certificatesEach-1 || number == count-1 {
			objects.WriteString("]}}\n")
		} else {
			objects.WriteString(", ")
		}
		chain, key, err := makeCertificateOf(fmt.Sprintf("h%d.test", listener))
		if err != nil {
			return nil, err
		}
		pem.Write(chain)
		pem.Write(key)
		text := secretObject(number, chain, key)
		if number%certificatesEach == 0 && number < edits*certificatesEach {
			b.write(fmt.Sprintf("%s/secret-%05d.yaml", folder, number), text)
			continue
		}
		secrets.WriteString(text)
		if number%secretsPerFile == secretsPerFile-1 || number == count-1 {
			b.write(fmt.Sprintf("%s/secrets-%05d.yaml", folder, number), secrets.String())
			secrets.Reset()
		}
	}
	b.write(folder+"/gateways.yaml", objects.String())
	b.write(folder+".pem", pem.String())
	return hosts, nil
}

// shown is the certificate that a host gets, or an error.
func shown(host string, port int) (*x509.Certificate, error) {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: host})
	if err := secure.Handshake(); err != nil {
		return nil, err
	}
	return secure.ConnectionState().PeerCertificates[0], nil
}

// untilShown also tells how often it asked.
func untilShown(host string, port int, is func(*x509.Certificate) bool) (asked int, err error) {
	err = fmt.Errorf("never asked")
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
		asked++
		certificate, problem := shown(host, port)
		if problem == nil && is(certificate) {
			return asked, nil
		}
		err = fmt.Errorf("%s: %v", host, problem)
	}
	return asked, err
}

// handshakeTime is what one handshake costs a process, in nanoseconds.
func handshakeTime(pid int, host string, port int) (float64, error) {
	const count = 200
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	for i := 0; i < count; i++ {
		if _, err := shown(host, port); err != nil {
			return 0, err
		}
	}
	after, err := cpuTime(pid)
	return float64(after-before) / count, err
}

// secrets: what loading ten thousand certificates costs under `run`, against parsing
// each once, and what the change of one of them costs.
func (b *bench) secrets() error {
	hosts, err := b.secretsIn("secrets", allSecrets)
	if err != nil {
		return err
	}
	few, err := b.secretsIn("few-secrets", 2*certificatesEach)
	if err != nil {
		return err
	}
	if out, err := exec.Command("gcc", "-O2", "-o", b.path("parse"), "parse/parse.c", "-lcrypto").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if err := b.secretsLoaded(hosts); err != nil {
		return err
	}
	many, clock, err := b.secretsChanged("secrets", hosts)
	if err != nil {
		return err
	}
	own, _, err := b.secretsChanged("few-secrets", few)
	if err != nil {
		return err
	}
	b.add(row{what: fmt.Sprintf("one Secret of 10,000 changed: own time until it is shown, ms (median; by the clock; median among %d)", 2*certificatesEach),
		must: "10", yumen: fmt.Sprintf("%.1f; %.1f; %.1f", median(many), median(clock), median(own))})
	return nil
}

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}

// secretsLoaded compares the processor time from the start of `run` until every
// listener shows a certificate with that of the baseline, the least of a few runs.
func (b *bench) secretsLoaded(hosts map[string]int) error {
	const rounds = 5
	var least, parse float64
	for round := 0; round < rounds; round++ {
		command := exec.Command(b.path("parse"), b.path("secrets.pem"))
		out, err := command.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(allSecrets) {
			return fmt.Errorf("parse: %v: %s", err, out)
		}
		if took := float64(command.ProcessState.UserTime() + command.ProcessState.SystemTime()); round == 0 || took < parse {
			parse = took
		}
		p, err := b.startSecrets("secrets")
		if err != nil {
			return err
		}
		last := fmt.Sprintf("h%d.test", len(hosts)-1)
		_, err = untilShown(last, hosts[last], func(*x509.Certificate) bool { return true })
		took, problem := cpuTime(p.worker())
		p.stop()
		if err != nil || problem != nil {
			return fmt.Errorf("%v %v", err, problem)
		}
		if round == 0 || float64(took) < least {
			least = float64(took)
		}
	}
	b.add(row{what: fmt.Sprintf("10,000 P-256 Secrets under `run`, all referred to: CPU from start to serving against parsing each once (ratio of minima, %d runs)", rounds),
		must: "1.3", yumen: fmt.Sprintf("%.2f (%.0f ms)", least/parse, least/1e6)})
	return nil
}

func (b *bench) startSecrets(folder string) (*process, error) {
	return b.start(0, firstSecretsPort, append(b.yumenRun(b.path(folder), proxyPort), "off")...)
}

// secretsChanged renames new Secrets into place, one after the other, and waits
// until each is shown. The handshake that showed it counts as its own time, those
// that came too early do not: how many there are is the machine's to say.
func (b *bench) secretsChanged(folder string, hosts map[string]int) (own, clock []float64, err error) {
	p, err := b.startSecrets(folder)
	if err != nil {
		return nil, nil, err
	}
	defer p.stop()
	for host, port := range hosts {
		if _, err := untilShown(host, port, func(*x509.Certificate) bool { return true }); err != nil {
			return nil, nil, err
		}
	}
	handshake, err := handshakeTime(p.worker(), "h0.test", hosts["h0.test"])
	if err != nil {
		return nil, nil, err
	}
	for i := 0; i < edits; i++ {
		time.Sleep(500 * time.Millisecond)
		listener := i % len(hosts)
		host := fmt.Sprintf("h%d.test", listener)
		chain, key, err := makeCertificateOf(host)
		if err != nil {
			return nil, nil, err
		}
		temporary := b.write(folder+"/.new", secretObject(listener*certificatesEach, chain, key))
		before, err := cpuTime(p.worker())
		if err != nil {
			return nil, nil, err
		}
		start := time.Now()
		name := fmt.Sprintf("secret-%05d.yaml", listener*certificatesEach)
		if err := os.Rename(temporary, filepath.Join(b.path(folder), name)); err != nil {
			return nil, nil, err
		}
		want := certificateOf(chain)
		asked, err := untilShown(host, hosts[host], want.Equal)
		if err != nil {
			return nil, nil, err
		}
		took := time.Since(start)
		after, err := cpuTime(p.worker())
		if err != nil {
			return nil, nil, err
		}
		early := float64(asked-1) * handshake
		own, clock = append(own, (float64(after-before)-early)/1e6), append(clock, float64(took.Microseconds())/1e3)
	}
	return own, clock, nil
}
