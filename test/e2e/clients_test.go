package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Client certificates: who is believed through which chain and authority.

// bundleYAML is a ClusterTrustBundle of several authorities.
func bundleYAML(name string, pairs ...*tlsPair) string {
	text := "apiVersion: certificates.k8s.io/v1beta1\nkind: ClusterTrustBundle\nmetadata: {name: " + name + "}\nspec:\n  trustBundle: |\n"
	for _, pair := range pairs {
		text += indent(pemOf("CERTIFICATE", pair.certificate.Raw), "    ")
	}
	return text
}

// showing is a client that shows a chain, whatever authorities the server names.
func showing(roots *tlsPair, version uint16, pair *tlsPair, above ...*tlsPair) *tls.Config {
	return &tls.Config{RootCAs: rootsOf(roots), ServerName: "a.example", MaxVersion: version,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if pair == nil {
				return &tls.Certificate{}, nil
			}
			certificate := pair.forClient()
			for _, one := range above {
				certificate.Certificate = append(certificate.Certificate, one.certificate.Raw)
			}
			return &certificate, nil
		}}
}

func TestHTTPSClientChains(t *testing.T) {
	t.Parallel()
	inner := func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }
	authority := makePair(t, "", nil)
	roots := []*tlsPair{makePair(t, "", nil), makePair(t, "rsa", nil), makePair(t, "", nil), makePair(t, "p384", nil)}
	middle := makePairAs(t, "", roots[0], inner)
	lower := makePairAs(t, "", middle, inner)
	stranger := makePair(t, "", nil)
	anchor := makePairAs(t, "", stranger, inner) // is believed itself, who has issued it is not
	expired := makePairAs(t, "", roots[1], living(-2*time.Hour, -time.Hour), "client")
	purpose := func(of x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{of} }
	}
	forServers := makePairAs(t, "", roots[1], purpose(x509.ExtKeyUsageServerAuth), "client")
	forClients := makePairAs(t, "", roots[1], purpose(x509.ExtKeyUsageClientAuth), "client")
	noIssuer := makePair(t, "", makePair(t, "", roots[0], "no.authority"), "client") // of one that may issue none
	deep := makePair(t, "", lower, "client")
	port := freePort(t)
	g, b := httpsBasics(t, port, map[string]string{
		"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"ca.yaml": authorityYAML("one", roots[0]) + "---\n" + authorityYAML("anchor", anchor) + "---\n" +
			bundleYAML("several", roots[1], roots[2]) + "---\n" + authorityYAML("two", roots[3]),
		"gateway.yaml": httpsGateway(`  tls:
    frontend:
      default:
        validation:
          caCertificateRefs:
          - {group: "", kind: ConfigMap, name: one}
          - {group: certificates.k8s.io, kind: ClusterTrustBundle, name: several}
          - {group: "", kind: ConfigMap, name: two}
          - {group: "", kind: ConfigMap, name: anchor}
`, httpsListener(port, "a", "a.example", "s"))})
	g.askUntil(t, 200, showing(authority, 0, makePair(t, "", roots[0], "client")), "a.example")
	for _, row := range []struct {
		what  string
		pair  *tlsPair
		above []*tlsPair
		good  bool
	}{
		{"of the second authority", makePair(t, "rsa", roots[1], "client"), nil, true},
		{"of the third authority", makePair(t, "ed25519", roots[2], "client"), nil, true},
		{"of the fourth authority", makePair(t, "p384", roots[3], "client"), nil, true},
		{"with the one above", makePair(t, "", middle, "client"), []*tlsPair{middle}, true},
		{"with two above", deep, []*tlsPair{lower, middle}, true},
		{"in another order", deep, []*tlsPair{middle, lower}, true},
		{"with the root too", deep, []*tlsPair{lower, middle, roots[0]}, true},
		{"without the one above", makePair(t, "", middle, "client"), nil, false},
		{"with a gap", deep, []*tlsPair{middle}, false},
		{"of an anchor that is no root", makePair(t, "", anchor, "client"), nil, true},
		{"of who has issued the anchor", makePair(t, "", stranger, "client"), []*tlsPair{stranger}, false},
		{"of nobody", makePair(t, "", nil, "client"), nil, false},
		{"expired", expired, nil, false},
		{"for servers", forServers, nil, false},
		{"for clients", forClients, nil, true},
		{"of one that may issue none", noIssuer, nil, false},
		{"none", nil, nil, false},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			response, _, err := ask(g.address(), showing(authority, version, row.pair, row.above...), "a.example", "/")
			if (err == nil && response.StatusCode == 200) != row.good {
				t.Errorf("%s %x: %v %v", row.what, version, response, err)
				continue
			}
			if !row.good {
				continue
			}
			// The client's own, whatever came with it.
			if got := b.last(t).Header.Get("Client-Cert"); got != ":"+base64.StdEncoding.EncodeToString(row.pair.certificate.Raw)+":" {
				t.Errorf("%s: the backend was told %q", row.what, got)
			}
		}
	}
}

// With a fallback the Gateway says so as long as there is one; a default counts for
// ports without a setting of their own, and plain HTTP asks for nothing.
func TestHTTPSClientSettings(t *testing.T) {
	t.Parallel()
	authority, clients, others := makePair(t, "", nil), makePair(t, "", nil), makePair(t, "", nil)
	port, own, none, plain := freePort(t), freePort(t), freePort(t), freePort(t)
	validation := func(name, mode string) string {
		return fmt.Sprintf("validation: {caCertificateRefs: [{group: \"\", kind: ConfigMap, name: %s}]%s}", name, mode)
	}
	gateway := func(mode string) string {
		return httpsGateway(fmt.Sprintf("  tls:\n    frontend:\n      default: {%s}\n      perPort:\n      - {port: %d, tls: {%s}}\n      - {port: %d, tls: {}}\n",
			validation("clients", mode), own, validation("others", ""), none),
			httpsListener(port, "a", "a.example", "s"), httpsListener(own, "own", "a.example", "s"), httpsListener(none, "none", "a.example", "s"),
			fmt.Sprintf("  - {name: plain, port: %d, protocol: HTTP}\n", plain))
	}
	g, b := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"ca.yaml": authorityYAML("clients", clients) + "---\n" + authorityYAML("others", others), "gateway.yaml": gateway("")})
	client, other := makePair(t, "", clients, "client"), makePair(t, "", others, "client")
	g.askUntil(t, 200, showing(authority, 0, client), "a.example")
	asks := func(port int, pair *tlsPair, good bool, told *tlsPair) {
		t.Helper()
		response, _, err := ask(fmt.Sprintf("127.0.0.1:%d", port), showing(authority, 0, pair), "a.example", "/", "Client-Cert: :Zm9yZ2Vk:")
		if (err == nil && response.StatusCode == 200) != good {
			t.Errorf("port %d: %v %v", port, response, err)
		}
		want := ""
		if told != nil {
			want = ":" + base64.StdEncoding.EncodeToString(told.certificate.Raw) + ":"
		}
		if got := b.last(t).Header.Get("Client-Cert"); good && got != want {
			t.Errorf("port %d: the backend was told %q", port, got)
		}
	}
	insecure := func() (string, string) {
		c := condition(g.get("gateways")[0]["status"].(map[string]any)["conditions"], "InsecureFrontendValidationMode")
		if c == nil {
			return "", ""
		}
		return c["status"].(string), c["reason"].(string)
	}
	asks(port, client, true, client)
	asks(port, other, false, nil)
	asks(port, nil, false, nil)
	asks(own, client, false, nil)
	asks(own, other, true, other)
	asks(own, nil, false, nil)
	asks(none, nil, true, nil)
	asks(none, client, true, nil)
	g2 := &gate{t: t, port: plain}
	g2.expect(200, "GET", "a.example", "/")
	if status, _ := insecure(); status == "True" {
		t.Error("it is said to be insecure")
	}
	g.replace("gateway.yaml", gateway(", mode: AllowInsecureFallback"))
	g.eventually("the fallback", func() error {
		_, _, err := ask(g.address(), showing(authority, 0, nil), "a.example", "/")
		return err
	})
	g.eventually("the condition", func() error {
		if status, reason := insecure(); status != "True" || reason != "ConfigurationChanged" {
			return fmt.Errorf("%s %s", status, reason)
		}
		return nil
	})
	asks(port, client, true, client)
	asks(port, other, true, nil)
	asks(port, nil, true, nil)
	asks(own, nil, false, nil)
	g.replace("gateway.yaml", gateway(""))
	g.eventually("no fallback", func() error {
		if response, _, err := ask(g.address(), showing(authority, 0, nil), "a.example", "/"); err == nil {
			return fmt.Errorf("%v", response)
		}
		if status, _ := insecure(); status == "True" {
			return fmt.Errorf("it is said to be insecure")
		}
		return nil
	})
}

// A session is of use where it began, under what was asked of clients then: CVE-2025-23419.
func TestHTTPSSessionsStayWhereTheyBegan(t *testing.T) {
	t.Parallel()
	authority, clients, others := makePair(t, "", nil), makePair(t, "", nil), makePair(t, "", nil)
	port, closed := freePort(t), freePort(t)
	gateway := func(ca string) string {
		return httpsGateway(fmt.Sprintf("  tls:\n    frontend:\n      default: {}\n      perPort:\n      - {port: %d, tls: {validation: {caCertificateRefs: [{group: \"\", kind: ConfigMap, name: %s}]}}}\n", closed, ca),
			httpsListener(port, "a", "a.example", "s"), httpsListener(port, "b", "b.example", "s"), httpsListener(closed, "closed", "a.example", "s"))
	}
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example", "b.example").secret(t, "s"),
		"ca.yaml": authorityYAML("clients", clients) + "---\n" + authorityYAML("others", others), "gateway.yaml": gateway("clients")})
	client := makePair(t, "", clients, "client")
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cache := tls.NewLRUClientSessionCache(8)
		enter := func(port int, name string, pair *tlsPair) (string, error) {
			config := showing(authority, version, pair)
			config.ClientSessionCache, config.ServerName = cache, name
			conn, err := shake(fmt.Sprintf("127.0.0.1:%d", port), config)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			response, _, err := over(conn, name, "/")
			if err != nil {
				return "", err
			}
			return fmt.Sprint(response.StatusCode, " ", conn.ConnectionState().DidResume), nil
		}
		expect := func(what string, port int, name string, pair *tlsPair, want string) {
			t.Helper()
			if got, err := enter(port, name, pair); err != nil || got != want {
				t.Errorf("%x, %s: %q %v, not %q", version, what, got, err, want)
			}
		}
		refuses := func(what string, port int, pair *tlsPair) {
			t.Helper()
			if got, err := enter(port, "a.example", pair); err == nil {
				t.Errorf("%x, %s: %s", version, what, got)
			}
		}
		moved := func(from, to string) {
			t.Helper()
			state, ok := cache.Get(from)
			if !ok {
				t.Fatal("no session")
			}
			cache.Put(to, state)
		}
		expect("at first", port, "a.example", nil, "200 false")
		expect("again", port, "a.example", nil, "200 true")
		moved("a.example", "b.example")
		expect("at the listener beside", port, "b.example", nil, "200 false")
		// The cache knows names, no ports: it is shown to the closed one.
		expect("again", port, "a.example", nil, "200 true")
		refuses("without a certificate", closed, nil)
		expect("with one", closed, "a.example", client, "200 false")
		expect("with one, again", closed, "a.example", client, "200 true")
		g.replace("gateway.yaml", gateway("others"))
		g.eventually("others are asked for", func() error {
			conn, err := shake(fmt.Sprintf("127.0.0.1:%d", closed), showing(authority, tls.VersionTLS12, client))
			if err == nil {
				conn.Close()
				return fmt.Errorf("the client is let in")
			}
			return nil
		})
		refuses("by a session of what was asked before", closed, client)
		g.replace("gateway.yaml", gateway("clients"))
		g.eventually("clients are asked for", func() error {
			config := showing(authority, version, client)
			_, _, err := ask(fmt.Sprintf("127.0.0.1:%d", closed), config, "a.example", "/")
			return err
		})
	}
	if strings.Contains(g.stderr(), "level=error") {
		t.Error(g.stderr())
	}
}
