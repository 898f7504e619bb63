package judge

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// keyShapes are the bytes by which a private key of P-256 would be known in memory: a
// part of the number, as it stands in a Secret, in PEM, in DER and in libcrypto.
func keyShapes(t *testing.T, text []byte) map[string][]byte {
	t.Helper()
	block, _ := pem.Decode(text)
	const at, header = 36, len("-----BEGIN PRIVATE KEY-----\n") // of the number in PKCS 8
	if block == nil || !bytes.Equal(block.Bytes[at-2:at], []byte{4, 32}) {
		t.Fatalf("not as expected: %s", text)
	}
	number := slices.Clone(block.Bytes[at : at+24])
	reversed := slices.Clone(number)
	slices.Reverse(reversed)
	from, to := header+at/3*4, header+64 // the first line ends there
	return map[string][]byte{
		"Secret": []byte(base64.StdEncoding.EncodeToString(text)[(from+2)/3*4 : to/3*4]),
		"PEM":    text[from:to],
		"DER":    number,
		"number": reversed,
	}
}

// holds counts, by shape, where the controller has it in memory that it can write to.
func (c *controller) holds(shapes map[string][]byte) (map[string]int, error) {
	pid := c.command.Process.Pid
	regions, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	found := map[string]int{}
	for _, line := range strings.Split(string(regions), "\n") {
		var from, to int64
		var rights string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); n != 3 || !strings.HasPrefix(rights, "rw") {
			continue
		}
		block := make([]byte, to-from)
		n, _ := memory.ReadAt(block, from)
		for name, shape := range shapes {
			found[name] += bytes.Count(block[:n], shape)
		}
	}
	return found, nil
}

// A private key that came from the API server is in the object that is kept and in the
// unit that proxies get, and nowhere else; one that was replaced is nowhere.
func TestControllerForgetsKeys(t *testing.T) {
	const secrets, secret = "/api/v1/namespaces/default/secrets", "/api/v1/namespaces/default/secrets/forgotten"
	const gateways, gateway = gatewayRoot + "/namespaces/default/gateways", gatewayRoot + "/namespaces/default/gateways/forgetful"
	const class = gatewayRoot + "/gatewayclasses/forgetful"
	drop(t, gateway, secret, class)
	folder := t.TempDir()
	signer, err := newAuthority(folder)
	if err != nil {
		t.Fatal(err)
	}
	pair := func(name string) (string, map[string][]byte) {
		if err := signer.server(name); err != nil {
			t.Fatal(err)
		}
		chain, _ := os.ReadFile(filepath.Join(folder, name+".crt"))
		key, err := os.ReadFile(filepath.Join(folder, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := json.Marshal(object{"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
			"metadata": object{"name": "forgotten", "namespace": "default"}, "data": object{"tls.crt": chain, "tls.key": key}})
		return string(body), keyShapes(t, key)
	}
	first, firstShapes := pair("first")
	second, secondShapes := pair("second")
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("forgetful", ours), 201)
	send(t, "POST", secrets, first, 201)
	send(t, "POST", gateways, strings.Replace(gatewayOf("forgetful", "forgetful"), `"protocol":"HTTP"`,
		`"protocol":"HTTPS","tls":{"certificateRefs":[{"name":"forgotten"}]}`, 1), 201)
	t.Cleanup(func() { drop(t, gateway, secret, class) })
	c := startController(t, newRelay(t))
	are := func(shapes map[string][]byte, wanted map[string]int) func() error {
		return func() error {
			found, err := c.holds(shapes)
			if err == nil && !maps.Equal(found, wanted) {
				err = fmt.Errorf("found %v times, not %v", found, wanted)
			}
			return err
		}
	}
	once := map[string]int{"Secret": 1, "PEM": 1, "DER": 0, "number": 0}
	nowhere := map[string]int{"Secret": 0, "PEM": 0, "DER": 0, "number": 0}
	waitFor(t, "the first key where it is kept", 20*time.Second, are(firstShapes, once))
	send(t, "PUT", secret, second, 200)
	waitFor(t, "the second key where it is kept", 20*time.Second, are(secondShapes, once))
	waitFor(t, "the first key nowhere", 20*time.Second, are(firstShapes, nowhere))
	send(t, "DELETE", secret, "", 200)
	waitFor(t, "the second key nowhere", 20*time.Second, are(secondShapes, nowhere))
}
