package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// shapes are the bytes by which a private key would be known in memory, by name:
// a part that is secret, as it stands in a Secret, in PEM, in DER and in numbers
// of libcrypto.
func shapes(t testing.TB, pair *tlsPair) map[string][]byte {
	t.Helper()
	var number []byte
	switch key := pair.key.(type) {
	case *ecdsa.PrivateKey:
		number = key.D.FillBytes(make([]byte, 32))
	case *rsa.PrivateKey:
		number = key.D.Bytes() // as DER has it: one key in some dozens needs fewer than 256 bytes
	default:
		t.Fatalf("%T", key)
	}
	_, text := pair.pem(t)
	block, _ := pem.Decode([]byte(text))
	at := bytes.Index(block.Bytes, number)
	if at < 0 {
		t.Fatal("the number is not in its file")
	}
	// Three bytes are four characters, a line has 64; data is of what has lines.
	first := (at + 2) / 3 * 4
	from := len("-----BEGIN PRIVATE KEY-----\n") + first + first/64
	to := from + min(16, 64-first%64)
	data := base64.StdEncoding.EncodeToString([]byte(text))
	reversed := slices.Clone(number[:24])
	slices.Reverse(reversed)
	return map[string][]byte{
		"Secret": []byte(data[(from+2)/3*4 : to/3*4]),
		"PEM":    []byte(text[from:to]),
		"DER":    number[:24],
		"number": reversed,
	}
}

// remembered counts, by shape, where a process has it in its own memory.
func remembered(t testing.TB, pid int, wanted map[string][]byte) map[string]int {
	t.Helper()
	regions, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skip("the memory of another process is not to be seen here: ", err)
	}
	defer memory.Close()
	found := map[string]int{}
	for _, line := range strings.Split(string(regions), "\n") {
		var from, to uint64
		var rights string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); n != 3 || !strings.HasPrefix(rights, "rw") {
			continue
		}
		block := make([]byte, to-from)
		n, _ := memory.ReadAt(block, int64(from))
		for name, shape := range wanted {
			found[name] += bytes.Count(block[:n], shape)
		}
	}
	return found
}

// isRemembered waits until a key is in memory as often as wanted: connections that
// were opened by it may still be closing.
func (g *gate) isRemembered(pair *tlsPair, wanted map[string]int) {
	g.t.Helper()
	shapes := shapes(g.t, pair)
	g.eventually("a private key where it is used", func() error {
		if found := remembered(g.t, g.cmd.Process.Pid, shapes); !maps.Equal(found, wanted) {
			return fmt.Errorf("found %v times, not %v", found, wanted)
		}
		return nil
	})
}

// secretAs is a Secret as people may write it.
func secretAs(t *testing.T, form string, pair *tlsPair) string {
	chain, key := pair.pem(t)
	plain := pair.secret(t, "s")
	switch form {
	case "stringData":
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\ntype: kubernetes.io/tls\nstringData:\n" +
			"  tls.crt: |\n" + indent(chain, "    ") + "  tls.key: |\n" + indent(key, "    ")
	case "list":
		return "apiVersion: v1\nkind: List\nitems:\n- " + strings.TrimPrefix(indent(plain, "  "), "  ")
	case "JSON":
		encode := base64.StdEncoding.EncodeToString
		return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"},
			"type": "kubernetes.io/tls", "data": {"tls.crt": %q, "tls.key": %q}}`, encode([]byte(chain)), encode([]byte(key)))
	}
	return plain
}

// A private key is where it is used and nowhere else: in the object, in the unit,
// and as the one worker signs with it. One that was replaced is nowhere.
func TestPrivateKeyIsNotLeftInMemory(t *testing.T) {
	scanned(t)
	for _, form := range []string{"p256", "rsa", "stringData", "list", "JSON"} {
		t.Run(form, func(t *testing.T) {
			kind := form
			if kind != "rsa" {
				kind = "p256"
			}
			port := freePort(t)
			keys := makeKeys(t, kind)
			g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": secretAs(t, form, keys.first),
				"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s"))})
			keys.shown(g, keys.first)
			once := map[string]int{"Secret": 1, "PEM": 1, "DER": 0, "number": 1}
			g.isRemembered(keys.first, once)
			g.replace("secret.yaml", secretAs(t, form, keys.second))
			keys.shown(g, keys.second)
			g.isRemembered(keys.second, once)
			g.isRemembered(keys.first, nowhere)
		})
	}
}

// What came by standard input is not kept beside what became of it.
func TestPrivateKeyOfStandardInput(t *testing.T) {
	scanned(t)
	for name, size := range map[string]int{"small": 0, "large": 9 << 20} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			keys := makeKeys(t, "p256")
			g := prepare(t, port, nil)
			objects := strings.Join([]string{secretAs(t, "", keys.first), httpsGateway("", httpsListener(port, "a", "a.example", "s")),
				serviceYAML("b", serve(t, "b").port), routeYAML("r", "", prefixRule("/", "b")), strings.Repeat("# nothing\n", size/10)}, "---\n")
			g.spawnWith(strings.NewReader(objects), []string{"run", "-f", "-", "--socket", g.socket, "--admin", g.admin, "--workers", "2", "--access-log", "off"})
			g.waitReady()
			keys.shown(g, keys.first)
			g.isRemembered(keys.first, map[string]int{"Secret": 1, "PEM": 1, "DER": 0, "number": 1})
		})
	}
}

// A controller has the object and the unit, a proxy the unit and what signs: neither
// keeps what went between them.
func TestPrivateKeyOfControllerAndProxy(t *testing.T) {
	scanned(t)
	app := serve(t, "app")
	keys := makeKeys(t, "p256")
	web := freePort(t)
	files := twoGateways(web, freePort(t), app.port, app.port, app.port)
	files["web.yaml"] = strings.Replace(files["web.yaml"], "protocol: HTTP,", "protocol: HTTPS, tls: {certificateRefs: [{name: s}]},", 1)
	files["secret.yaml"] = secretAs(t, "", keys.first)
	f := startFleet(t, files)
	p := f.proxy("web", "web-1", web)
	p.eventually("it is ready", p.tryReady)
	keys.shown(p, keys.first)
	controllers := map[string]int{"Secret": 1, "PEM": 1, "DER": 0, "number": 0}
	proxies := map[string]int{"Secret": 0, "PEM": 1, "DER": 0, "number": 1}
	f.controller.isRemembered(keys.first, controllers)
	p.isRemembered(keys.first, proxies)
	f.write("objects/secret.yaml", secretAs(t, "", keys.second))
	keys.shown(p, keys.second)
	f.current(1)
	f.controller.isRemembered(keys.second, controllers)
	f.controller.isRemembered(keys.first, nowhere)
	p.isRemembered(keys.second, proxies)
	p.isRemembered(keys.first, nowhere)
}

var nowhere = map[string]int{"Secret": 0, "PEM": 0, "DER": 0, "number": 0}

func scanned(t *testing.T) {
	if slow() {
		t.Skip("with sanitizers there are terabytes to be read, and what is freed is kept")
	}
}

// keyPairs are two of a name, the second to come after the first.
type keyPairs struct{ authority, first, second *tlsPair }

func makeKeys(t testing.TB, kind string) *keyPairs {
	authority := makePair(t, "", nil)
	return &keyPairs{authority, makePair(t, kind, authority, "a.example"), makePair(t, kind, authority, "a.example")}
}

// shown waits until one of them is shown to clients, and a request is answered.
func (k *keyPairs) shown(g *gate, pair *tlsPair) {
	g.t.Helper()
	g.eventually("a certificate is shown", func() error {
		conn, err := shake(g.address(), &tls.Config{RootCAs: rootsOf(k.authority), ServerName: "a.example"})
		if err != nil {
			return err
		}
		defer conn.Close()
		if !conn.ConnectionState().PeerCertificates[0].Equal(pair.certificate) {
			return fmt.Errorf("it is another one")
		}
		if response, _, err := over(conn, "a.example", "/"); err != nil || response.StatusCode != 200 {
			return fmt.Errorf("%v %v", response, err)
		}
		return nil
	})
}
