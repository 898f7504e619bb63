package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What listeners offer, asked for piece by piece as testssl does: by default nothing
// without forward secrecy and authenticated encryption, no renegotiation, no
// compression, no early data; with options just what they say.

// offer is all that a listener takes: versions, ciphers of TLS 1.2 and 1.3, curves of
// either, protocols, each sorted.
type offer struct{ versions, ciphers, suites, curves12, curves13, protocols string }

func words(of ...string) string {
	slices.Sort(of)
	return strings.Join(of, " ")
}

// openssl is s_client to a name; input is typed. How it ends is told by what it says.
func openssl(address, name, input string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", append([]string{"s_client", "-connect", address, "-servername", name}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

const closingRequest = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"

// offered asks for each that Go or OpenSSL can.
func offered(t *testing.T, address, name string, authority *tlsPair) offer {
	t.Helper()
	takes := func(change func(*tls.Config)) bool {
		config := &tls.Config{RootCAs: rootsOf(authority), ServerName: name, MinVersion: tls.VersionTLS10}
		change(config)
		conn, err := shake(address, config)
		if err != nil {
			return false
		}
		defer conn.Close()
		state := conn.ConnectionState()
		return len(config.NextProtos) == 0 || state.NegotiatedProtocol == config.NextProtos[0]
	}
	var versions, ciphers, suites, protocols []string
	curves := map[uint16][]string{}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		if takes(func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = version, version
			for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
				c.CipherSuites = append(c.CipherSuites, suite.ID)
			}
		}) {
			versions = append(versions, strings.TrimPrefix(tls.VersionName(version), "TLS "))
		}
	}
	asked := 0
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		asked++
		if takes(func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite.ID} }) {
			ciphers = append(ciphers, strings.TrimPrefix(suite.Name, "TLS_ECDHE_"))
		}
	}
	if asked < 15 {
		t.Errorf("only %d ciphers were asked for", asked)
	}
	for _, suite := range []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"} {
		if out := openssl(address, name, closingRequest, "-tls1_3", "-ciphersuites", suite, "-ign_eof"); strings.Contains(out, "Cipher is "+suite) {
			suites = append(suites, suite)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, curve := range []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521} {
			if takes(func(c *tls.Config) {
				c.MinVersion, c.MaxVersion, c.CurvePreferences = version, version, []tls.CurveID{curve}
			}) {
				curves[version] = append(curves[version], curve.String())
			}
		}
	}
	for _, protocol := range []string{"http/1.1", "h2", "http/1.0", "h3", "acme-tls/1", "spdy/3"} {
		if takes(func(c *tls.Config) { c.NextProtos = []string{protocol} }) {
			protocols = append(protocols, protocol)
		}
	}
	return offer{words(versions...), words(ciphers...), words(suites...), words(curves[tls.VersionTLS12]...), words(curves[tls.VersionTLS13]...), words(protocols...)}
}

func optionsYAML(pairs ...string) string {
	text := "      options:\n"
	for i := 0; i < len(pairs); i += 2 {
		text += fmt.Sprintf("        yumen.dev/tls-%s: %q\n", pairs[i], pairs[i+1])
	}
	return text
}

func TestHTTPSOffers(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	usual := offer{words("1.2", "1.3"),
		words("ECDSA_WITH_AES_128_GCM_SHA256", "RSA_WITH_AES_128_GCM_SHA256", "ECDSA_WITH_AES_256_GCM_SHA384", "RSA_WITH_AES_256_GCM_SHA384",
			"ECDSA_WITH_CHACHA20_POLY1305_SHA256", "RSA_WITH_CHACHA20_POLY1305_SHA256"),
		words("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"),
		words("X25519", "CurveP256", "CurveP384"), words("X25519", "CurveP256", "CurveP384"), "http/1.1"}
	without := func(change func(*offer)) offer {
		changed := usual
		change(&changed)
		return changed
	}
	rows := []struct {
		name, options string
		want          offer
	}{
		{"usual", "", usual},
		{"one3", optionsYAML("min-version", "1.3"), without(func(o *offer) { o.versions, o.ciphers, o.curves12 = "1.3", "", "" })},
		{"one2", optionsYAML("min-version", "1.2"), usual},
		// Each kind of cipher stands for its version alone.
		{"cipher2", optionsYAML("ciphers", "ECDHE-RSA-AES256-GCM-SHA384"), without(func(o *offer) { o.ciphers = "RSA_WITH_AES_256_GCM_SHA384" })},
		// In TLS 1.2 a client must know the certificate's own curve as well (RFC 8422 5.1.1).
		{"ciphers", optionsYAML("ciphers", "TLS_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
			without(func(o *offer) {
				o.ciphers, o.suites, o.curves12 = "ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384", "CurveP256"
			})},
		{"suite", optionsYAML("ciphers", "TLS_CHACHA20_POLY1305_SHA256"), without(func(o *offer) { o.suites = "TLS_CHACHA20_POLY1305_SHA256" })},
		{"curves", optionsYAML("curves", "secp521r1,P-256"), without(func(o *offer) {
			o.curves12, o.curves13 = words("CurveP256", "CurveP521"), words("CurveP256", "CurveP521")
		})},
		{"all", optionsYAML("min-version", "1.3", "ciphers", "TLS_AES_128_GCM_SHA256", "curves", "X25519"),
			offer{"1.3", "", "TLS_AES_128_GCM_SHA256", "", "X25519", "http/1.1"}},
	}
	var names, listeners []string
	for _, row := range rows {
		names = append(names, row.name+".example")
		listeners = append(listeners, httpsListener(port, row.name, row.name+".example", "s", "r")+row.options)
	}
	g, _ := httpsBasics(t, port, map[string]string{
		"secret.yaml":  makePair(t, "", authority, names...).secret(t, "s") + "---\n" + makePair(t, "rsa", authority, names...).secret(t, "r"),
		"gateway.yaml": httpsGateway("", listeners...),
	})
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "usual.example"}, "usual.example")
	for _, row := range rows {
		if got := offered(t, g.address(), row.name+".example", authority); got != row.want {
			t.Errorf("%s offers\n%+v, not\n%+v", row.name, got, row.want)
		}
	}
}

// What is beside ciphers: renegotiation, compression, early data, tickets, signatures.
func TestHTTPSOffersNothingElse(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{
		"secret.yaml":  makePair(t, "", authority, "a.example").secret(t, "s") + "---\n" + makePair(t, "rsa", authority, "a.example").secret(t, "r"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s", "r")),
	})
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	session := filepath.Join(t.TempDir(), "session")
	for _, c := range []struct {
		what, input string
		args        []string
		want, never string
	}{
		{"a server's renegotiation is secure", closingRequest, []string{"-tls1_2", "-ign_eof"}, "Secure Renegotiation IS supported", ""},
		{"renegotiation", "R\n", []string{"-tls1_2"}, "no renegotiation", "HTTP/1.1 200"},
		{"compression", closingRequest, []string{"-tls1_2", "-comp", "-ign_eof"}, "Compression: NONE", "Compression: zlib"},
		{"a ticket says that early data is none", closingRequest, []string{"-tls1_3", "-ign_eof", "-sess_out", session}, "Max Early Data: 0", ""},
		{"early data", closingRequest, []string{"-tls1_3", "-sess_in", session, "-early_data", "/dev/null", "-ign_eof"}, "Early data was not sent", "Early data was accepted"},
		{"extended master secret", closingRequest, []string{"-tls1_2", "-ign_eof"}, "Extended master secret: yes", ""},
		{"a ticket of TLS 1.2", closingRequest, []string{"-tls1_2", "-ign_eof"}, "TLS session ticket:", ""},
		{"no session by number", closingRequest, []string{"-tls1_2", "-no_ticket", "-ign_eof"}, "Session-ID: \n", ""},
		{"fallback is told", closingRequest, []string{"-tls1_2", "-fallback_scsv"}, "inappropriate fallback", "HTTP/1.1 200"},
		{"SHA-1 signs nothing", closingRequest, []string{"-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-sigalgs", "RSA+SHA1:ECDSA+SHA1"}, "alert", "HTTP/1.1 200"},
		{"no key exchange without forward secrecy", closingRequest, []string{"-tls1_2", "-cipher", "kRSA:kDHE:kPSK:aNULL:@SECLEVEL=0"}, "alert", "HTTP/1.1 200"},
	} {
		out := openssl(g.address(), "a.example", c.input, c.args...)
		if !strings.Contains(out, c.want) || (c.never != "" && strings.Contains(out, c.never)) {
			t.Errorf("%s: no %q in\n%s", c.what, c.want, out)
		}
	}
	if n := strings.Count(openssl(g.address(), "a.example", closingRequest, "-tls1_3", "-ign_eof"), "Post-Handshake New Session Ticket arrived"); n != 1 {
		t.Errorf("%d tickets of TLS 1.3", n)
	}
	// Hellos of before TLS 1.0: SSL 2's own, and SSL 3.0 as the version of one.
	for what, hello := range map[string]string{
		"SSL 2": "\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80" + strings.Repeat("r", 16),
		"SSL 3": "\x16\x03\x00\x00\x2d\x01\x00\x00\x29\x03\x00" + strings.Repeat("r", 32) + "\x00\x00\x02\x00\x2f\x01\x00",
	} {
		if answer := rawAny(t, g.address(), hello); answer != "" && answer[0] != 0x15 {
			t.Errorf("%s: %q", what, answer)
		}
	}
}
