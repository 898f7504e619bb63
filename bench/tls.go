package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// overTLS: what dial and wrk speak, and which servers peers gives.
var overTLS bool

// One certificate, P-256, for all servers; each handshake is a full one of TLS 1.3.
var tlsClient = &tls.Config{InsecureSkipVerify: true, ServerName: "bench.test", MinVersion: tls.VersionTLS13,
	CurvePreferences: []tls.CurveID{tls.X25519}}

func scheme() string {
	if overTLS {
		return "https"
	}
	return "http"
}

// makeCertificateOf returns a chain and its key as PEM.
func makeCertificateOf(host string) (chain, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(240 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// certificateOf is the first of a chain that was made here.
func certificateOf(chain []byte) *x509.Certificate {
	block, _ := pem.Decode(chain)
	certificate, err := x509.ParseCertificate(block.Bytes)
	must(err)
	return certificate
}

// writeCertificate makes it, in the files that each proxy wants.
func (b *bench) writeCertificate() error {
	chain, key, err := makeCertificateOf("bench.test")
	if err != nil {
		return err
	}
	b.write("chain.pem", string(chain))
	b.write("key.pem", string(key))
	b.write("both.pem", string(chain)+string(key))
	return nil
}

func (b *bench) tls() error {
	if err := b.writeCertificate(); err != nil {
		return err
	}
	overTLS = true
	defer func() { overTLS = false }()
	for _, one := range []func() error{b.tlsInstructions, b.tlsCPU, b.tlsHandshakes, b.tlsIdle} {
		if err := one(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) tlsInstructions() error {
	return b.withBackend(func() error {
		kept := row{what: "user instructions, small keep-alive GET over TLS 1.3", must: "24,000", goal: "20,000"}
		full := row{what: "user instructions of a full handshake of TLS 1.3 and a request, P-256"}
		for _, peer := range b.peers() {
			a, c, err := b.perKeptRequest(4000, peer.args(b, proxyPort, false)...)
			if err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			kept.set(peer.name, thousands(a))
			full.set(peer.name, thousands(c))
		}
		b.add(kept)
		b.add(full)
		return nil
	})
}

// perKeptRequest is perRequest on connections that stay, since a handshake costs as
// much as a hundred requests; and what a connection for one request costs.
func (b *bench) perKeptRequest(n int64, args ...string) (kept, full float64, err error) {
	out := b.path("callgrind.out")
	valgrind := append([]string{"valgrind", "--tool=callgrind", "--callgrind-out-file=" + out}, args...)
	p, err := b.startServed(-1, proxyPort, valgrind...)
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	var clients []*client
	for len(clients) < 16 {
		c, err := dial(proxyPort)
		if err != nil {
			return 0, 0, err
		}
		defer c.close()
		clients = append(clients, c)
	}
	var count int64
	for _, turns := range []int64{n / 4, n} {
		for i := int64(0); i < turns; i++ {
			if err := clients[i%int64(len(clients))].small(smallHead); err != nil {
				return 0, 0, err
			}
		}
		time.Sleep(time.Second)
		if count, err = dump(p, out); err != nil {
			return 0, 0, err
		}
	}
	kept = float64(count) / float64(n)
	for i := 0; i < handshakes; i++ {
		if err := oneRequest(proxyPort); err != nil {
			return 0, 0, err
		}
	}
	time.Sleep(time.Second)
	count, err = dump(p, out)
	return kept, float64(count) / handshakes, err
}

const handshakes = 300 // in one measurement

// oneRequest opens a connection, makes a request and closes it.
func oneRequest(port int) error {
	c, err := dial(port)
	if err != nil {
		return err
	}
	defer c.close()
	return c.small(smallHead)
}

func (b *bench) tlsCPU() error {
	minima, err := b.interleaved(64, "/s", smallBytes)
	if err != nil {
		return err
	}
	b.ratios(row{what: "CPU a request over TLS 1.3 against nginx", must: "0.90", goal: "0.85"}, "nginx", minima)
	return nil
}

// aside keeps this process on one processor, as wrk is kept, off that of the servers;
// what it returns lets it go.
func aside() func() {
	pin := func(list string) {
		out, err := exec.Command("taskset", "-a", "-p", "-c", list, strconv.Itoa(os.Getpid())).CombinedOutput()
		if err != nil {
			panic(fmt.Sprintf("taskset: %v: %s", err, out))
		}
	}
	pin("1")
	return func() { pin("0-1") }
}

// medianRatio is of what was measured in the same rounds: a processor that changes its
// pace meanwhile changes it for both.
func medianRatio(list, against []float64) float64 {
	var ratios []float64
	for i := range list {
		ratios = append(ratios, list[i]/against[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// tlsHandshakes: connections that make one request each, none resumed.
func (b *bench) tlsHandshakes() error {
	defer aside()()
	costs := map[string][]float64{} // of each round
	err := b.withBackend(func() error {
		peers := b.peers()
		var servers []*process
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
				before, err := cpuTime(p.worker())
				if err != nil {
					return err
				}
				for n := 0; n < handshakes; n++ {
					if err := oneRequest(p.port); err != nil {
						return fmt.Errorf("%s: %w", peers[i].name, err)
					}
				}
				after, err := cpuTime(p.worker())
				if err != nil {
					return err
				}
				if round > 0 {
					costs[peers[i].name] = append(costs[peers[i].name], float64(after-before)/handshakes)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r := row{what: fmt.Sprintf("CPU of a full handshake and a request against nginx (median ratio of %d rounds)", b.slices), must: "0.95", goal: "0.90"}
	for name, list := range costs {
		r.set(name, fmt.Sprintf("%.2f", medianRatio(list, costs["nginx"])))
	}
	b.add(r)
	return nil
}

var ownObject = regexp.MustCompile(`OpenSSL's SSL (\d+)`)

// ownIdle is what OpenSSL's own object of an idle connection takes.
func (b *bench) ownIdle() (string, error) {
	const program = "test/tls/tls_idle"
	build := filepath.Dir(b.yumen)
	if out, err := exec.Command("ninja", "-C", build, program).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	out, err := exec.Command(filepath.Join(build, program)).CombinedOutput()
	match := ownObject.FindSubmatch(out)
	if err != nil || match == nil {
		return "", fmt.Errorf("%s: %v: %s", program, err, out)
	}
	return string(match[1]), nil
}

// tlsIdle: what an idle connection adds, beside OpenSSL's own object of one.
func (b *bench) tlsIdle() error {
	own, err := b.ownIdle()
	if err != nil {
		return err
	}
	return b.withBackend(func() error {
		r := row{what: "idle TLS connection, bytes of RssAnon", must: "OpenSSL's own " + own + " + 700", goal: "+ 500"}
		for _, peer := range b.peers() {
			p, err := b.start(0, proxyPort, peer.args(b, proxyPort, false)...)
			if err != nil {
				return err
			}
			_, bytes, err := idleMemory(p)
			p.stop()
			if err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			r.set(peer.name, thousands(bytes))
		}
		b.add(r)
		return nil
	})
}

const envoySecure = `      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_params: {tls_minimum_protocol_version: TLSv1_2, tls_maximum_protocol_version: TLSv1_3}
            tls_certificates: [{certificate_chain: {filename: %s}, private_key: {filename: %s}}]
`

func envoyTLSArgs(b *bench, port int, _ bool) []string {
	args := envoyArgs(b, port, false)
	name := b.path(fmt.Sprintf("envoy-%d.yaml", port))
	text, err := os.ReadFile(name)
	must(err)
	const clusters = "  clusters:\n"
	must(os.WriteFile(name, []byte(strings.Replace(string(text), clusters,
		fmt.Sprintf(envoySecure, b.path("chain.pem"), b.path("key.pem"))+clusters, 1)), 0o644))
	return args
}

func yumenTLSArgs(b *bench, port int, _ bool) []string {
	folder := b.yumenFolder(port)
	chain, err := os.ReadFile(b.path("chain.pem"))
	must(err)
	key, err := os.ReadFile(b.path("key.pem"))
	must(err)
	all := fmt.Sprintf(objects, port, backendPort) + anyRoute
	all = strings.Replace(all, "protocol: HTTP,", "protocol: HTTPS, tls: {certificateRefs: [{name: s}]},", 1)
	encode := base64.StdEncoding.EncodeToString
	all += fmt.Sprintf("---\n{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default}, type: kubernetes.io/tls, data: {tls.crt: %s, tls.key: %s}}\n",
		encode(chain), encode(key))
	must(os.WriteFile(filepath.Join(folder, "all.yaml"), []byte(all), 0o600))
	return append(b.yumenRun(folder, port), "off")
}

func nginxTLSArgs(b *bench, port int, _ bool) []string {
	args := nginxArgs(b, port, false)
	name := args[len(args)-1]
	text, err := os.ReadFile(name)
	must(err)
	listen := fmt.Sprintf("listen 127.0.0.1:%d backlog=4096;", port)
	must(os.WriteFile(name, []byte(strings.Replace(string(text), listen, fmt.Sprintf(
		"listen 127.0.0.1:%d ssl backlog=4096; ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2 TLSv1.3;",
		port, b.path("chain.pem"), b.path("key.pem")), 1)), 0o644))
	return args
}

func haproxyTLSArgs(b *bench, port int, _ bool) []string {
	args := haproxyArgs(b, port, false)
	name := args[len(args)-1]
	text, err := os.ReadFile(name)
	must(err)
	bind := fmt.Sprintf("bind 127.0.0.1:%d", port)
	secure := strings.Replace(string(text), bind, bind+" ssl crt "+b.path("both.pem"), 1)
	must(os.WriteFile(name, []byte(strings.Replace(secure, "X-Forwarded-Proto http", "X-Forwarded-Proto https", 1)), 0o644))
	return args
}
