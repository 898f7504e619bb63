package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var streamRefused = regexp.MustCompile(`(?m)^yumen_stream_refused_total (\d+)`)

// tokenOf asks for a token of the scene; bound: of this pod.
func tokenOf(t *testing.T, p place, account, pod string, more ...string) string {
	t.Helper()
	arguments := append([]string{"-n", "scene", "create", "token", account}, more...)
	if pod != "" {
		arguments = append(arguments, "--bound-object-kind=Pod", "--bound-object-name="+pod)
	}
	return ask(t, p, "", arguments...)
}

// expired is the token as it would be two hours later, signed by the cluster's own key.
func expired(t *testing.T, p place, token string) string {
	t.Helper()
	text, err := os.ReadFile(p.run("certificates/accounts.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	claims := map[string]any{}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		claims[name] = int64(claims[name].(float64)) - 7200
	}
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// watcher is the log of a program that is ended once a line of it tells of the stream.
type watcher struct {
	text  bytes.Buffer
	found chan string
}

var ofStream = regexp.MustCompile(`(?m)^.*event=stream\.(refused|up) .*$`)

func (w *watcher) Write(part []byte) (int, error) {
	n, err := w.text.Write(part)
	if line := ofStream.Find(w.text.Bytes()); line != nil {
		select {
		case w.found <- string(line):
		default:
		}
	}
	return n, err
}

// shows starts a proxy beside the cluster's, which shows a token and goes by the name
// of a pod; it tells what the proxy's log says of that.
func shows(t *testing.T, p place, token, pod string) string {
	t.Helper()
	folder := t.TempDir()
	bundle := ask(t, p, "", "-n", "scene", "get", "configmap", "web-scene", "-o", `jsonpath={.data.ca\.pem}`)
	for name, text := range map[string]string{"token": token, "ca.pem": bundle + "\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	controller := ask(t, p, "", "-n", "yumen-system", "get", "service", "yumen-controller", "-o", "jsonpath={.spec.clusterIP}:9912")
	log := &watcher{found: make(chan string, 1)}
	var line string
	_ = within(p, func(c *exec.Cmd) {
		c.Stdout, c.Stderr = log, log
		go func() {
			select {
			case line = <-log.found:
			case <-time.After(20 * time.Second):
				line = "nothing"
			}
			_ = c.Process.Kill()
		}()
	}, p.in("build/yumen"), "proxy", "--controller", controller, "--gateway", "scene/web", "--name", pod,
		"--ca", filepath.Join(folder, "ca.pem"), "--token-file", filepath.Join(folder, "token"),
		"--server-name", "yumen-controller.yumen-system.svc", "--admin", "off", "--workers", "1",
		"--socket", filepath.Join(folder, "socket"))
	if line == "nothing" {
		t.Fatalf("the proxy's log:\n%s", log.text.Bytes())
	}
	return line
}

// refusals is how many connections the controllers have refused.
func refusals(t *testing.T, p place) int {
	t.Helper()
	sum := 0
	for _, ip := range controllers(t, p) {
		found := streamRefused.FindSubmatch(fetched(t, p, "http://"+ip+":9911/metrics"))
		if found == nil {
			t.Fatalf("no metric of %s", ip)
		}
		n, _ := strconv.Atoi(string(found[1]))
		sum += n
	}
	return sum
}

const otherGateway = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: other, namespace: scene}
spec:
  gatewayClassName: scene
  listeners: [{name: http, protocol: HTTP, port: 80}]
`

// podsOf are the names of a Gateway's pods that run.
func podsOf(t *testing.T, p place, gateway string) []string {
	t.Helper()
	return strings.Fields(ask(t, p, "", "-n", "scene", "get", "pods", "-l", "gateway.networking.k8s.io/gateway-name="+gateway,
		"--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}"))
}

// The stream takes the token of a pod of its own Gateway, for its own audience, while
// that pod is there and the token holds; every other one it refuses, says why, to the
// proxy and in its own log, and counts it.
func TestTokensAreRefused(t *testing.T) {
	p := root(t)
	raiseScene(t, p)
	ask(t, p, otherGateway, "apply", "--server-side", "-f", "-")
	eventually(t, "the other Gateway's pod", func() bool { return len(podsOf(t, p, "other")) == 1 })
	other := podsOf(t, p, "other")[0]
	pods := podsOf(t, p, "web")
	if len(pods) != 2 {
		t.Fatalf("pods: %v", pods)
	}
	const audience = "--audience=yumen.dev/stream"
	good := tokenOf(t, p, "web-scene", pods[0], audience)
	ofGone := tokenOf(t, p, "web-scene", pods[1], audience)
	ask(t, p, "", "-n", "scene", "delete", "pod", pods[1], "--grace-period=1")

	if line := shows(t, p, good, pods[0]); !strings.Contains(line, "event=stream.up") {
		t.Fatalf("the right token: %s", line)
	}
	before := refusals(t, p)
	cases := []struct{ name, token, pod, want string }{
		{"no token at all", "nonsense", pods[0], "the cluster does not know the token"},
		{"another audience", tokenOf(t, p, "web-scene", pods[0]), pods[0], "is invalid for the target audiences"},
		{"another Gateway's pod", tokenOf(t, p, "other-scene", other, audience), other, "the token is for the proxies of another Gateway"},
		{"another pod's", good, other, "the token is not bound to the pod of this name"},
		{"bound to no pod", tokenOf(t, p, "web-scene", "", audience), pods[0], "the token is not bound to the pod of this name"},
		{"another account's", tokenOf(t, p, "default", "", audience), pods[0], "the token is not bound to the pod of this name"},
		{"a pod that is gone", ofGone, pods[1], "the cluster does not know the token: "},
		{"expired", expired(t, p, good), pods[0], "service account token has expired"},
	}
	for _, one := range cases {
		line := shows(t, p, one.token, one.pod)
		fmt.Printf("%s: %s\n", one.name, line)
		if !strings.Contains(line, "event=stream.refused") || !strings.Contains(line, one.want) {
			t.Errorf("%s: %s", one.name, line)
		}
	}
	if more := refusals(t, p) - before; more < len(cases) {
		t.Errorf("%d refusals were counted, not %d", more, len(cases))
	}
	logs := ask(t, p, "", "-n", "yumen-system", "logs", "-l", "app.kubernetes.io/component=controller", "--tail=-1")
	for _, one := range cases {
		if !regexp.MustCompile(`event=stream\.peer_refused .*proxy="?` + one.pod + `"? .*` + regexp.QuoteMeta(one.want)).MatchString(logs) {
			t.Errorf("the controllers' logs do not say %q of %s", one.want, one.pod)
		}
	}
}
