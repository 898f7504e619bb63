package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// toTLS: the backend is spoken to in TLS, which HAProxy takes off in front of it,
// connection by connection; the proxies believe its certificate alone.
var toTLS bool

const securePort = 9101

// secureBackend starts what takes TLS off.
func (b *bench) secureBackend() (*process, error) {
	return b.start(1, securePort, "/usr/sbin/haproxy", "-db", "-f", b.write("secure.cfg", fmt.Sprintf(`global
 nbthread 1
 maxconn 9500
defaults
 mode tcp
 timeout connect 5s
 timeout client 3600s
 timeout server 3600s
frontend f
 bind 127.0.0.1:%d ssl crt %s ssl-min-ver TLSv1.3 alpn http/1.1
 default_backend b
backend b
 server s 127.0.0.1:%d
`, securePort, b.path("both.pem"), backendPort)))
}

func (b *bench) tlsBackends() error {
	if err := b.writeCertificate(); err != nil {
		return err
	}
	toTLS = true
	defer func() { toTLS = false }()
	minima, err := b.interleaved(64, "/s", smallBytes)
	if err != nil {
		return err
	}
	b.ratios(row{what: "CPU a request to a backend of TLS 1.3 against nginx"}, "nginx", minima)
	return b.withBackend(func() error {
		kept := row{what: "user instructions, small keep-alive GET to a backend of TLS 1.3"}
		for _, peer := range b.peers() {
			n := int64(4000)
			counts, err := b.perRequest(n, []string{smallHead}, peer.args(b, proxyPort, false)...)
			if err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			kept.set(peer.name, thousands(counts[0]))
		}
		b.add(kept)
		return nil
	})
}

// edit puts text in the place of others in a file that was written for a proxy.
func edit(name string, pairs ...string) {
	text, err := os.ReadFile(name)
	must(err)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(text), pairs[i]) {
			must(fmt.Errorf("%s has no %q", name, pairs[i]))
		}
	}
	must(os.WriteFile(name, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o644))
}

var plainBackend, tlsBackend = fmt.Sprintf("127.0.0.1:%d", backendPort), fmt.Sprintf("127.0.0.1:%d", securePort)

func yumenToTLSArgs(b *bench, port int, _ bool) []string {
	folder := b.yumenFolder(port)
	chain, err := os.ReadFile(b.path("chain.pem"))
	must(err)
	edit(filepath.Join(folder, "all.yaml"), fmt.Sprintf("port: %d", backendPort), fmt.Sprintf("port: %d", securePort))
	policy := "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: app, namespace: default}\n" +
		"spec:\n  targetRefs: [{group: \"\", kind: Service, name: app}]\n" +
		"  validation: {hostname: bench.test, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}\n" +
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca, namespace: default}\ndata:\n  ca.crt: |\n    " +
		strings.ReplaceAll(strings.TrimSpace(string(chain)), "\n", "\n    ") + "\n"
	must(os.WriteFile(filepath.Join(folder, "policy.yaml"), []byte(policy), 0o644))
	return append(b.yumenRun(folder, port), "off")
}

func nginxToTLSArgs(b *bench, port int, _ bool) []string {
	args := nginxArgs(b, port, false)
	edit(args[len(args)-1], plainBackend, tlsBackend, "proxy_pass http://app;", "proxy_pass https://app; proxy_ssl_protocols TLSv1.2 TLSv1.3; "+
		"proxy_ssl_verify on; proxy_ssl_server_name on; proxy_ssl_name bench.test; proxy_ssl_trusted_certificate "+b.path("chain.pem")+";")
	return args
}

func haproxyToTLSArgs(b *bench, port int, _ bool) []string {
	args := haproxyArgs(b, port, false)
	edit(args[len(args)-1], "server s "+plainBackend, "server s "+tlsBackend+
		" ssl verify required verifyhost bench.test sni str(bench.test) ca-file "+b.path("chain.pem"))
	return args
}

const envoyToTLS = `    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: bench.test
        common_tls_context:
          tls_params: {tls_minimum_protocol_version: TLSv1_2, tls_maximum_protocol_version: TLSv1_3}
          validation_context:
            trusted_ca: {filename: %s}
            match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: bench.test}}]
`

func envoyToTLSArgs(b *bench, port int, _ bool) []string {
	args := envoyArgs(b, port, false)
	edit(b.path(fmt.Sprintf("envoy-%d.yaml", port)), fmt.Sprintf("port_value: %d}", backendPort), fmt.Sprintf("port_value: %d}", securePort),
		"    connect_timeout: 5s\n", "    connect_timeout: 5s\n"+fmt.Sprintf(envoyToTLS, b.path("chain.pem")))
	return args
}
