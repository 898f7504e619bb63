package judge

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// announcerNode is the node that the one announcer is on.
const announcerNode = "n"

// enter puts the calling goroutine's thread into a network namespace, for good.
func enter(name string) error {
	file, err := os.Open("/run/netns/" + name)
	if err != nil {
		return err
	}
	defer file.Close()
	runtime.LockOSThread()
	if _, _, failed := syscall.RawSyscall(sysSetns, file.Fd(), syscall.CLONE_NEWNET, 0); failed != 0 {
		return failed
	}
	return nil
}

// sysSetns is the same on each machine that Go runs on but these.
var sysSetns = map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]

// leads makes a port of 127.0.0.1 in a network namespace lead to the same one here.
func leads(t *testing.T, space, port string) {
	t.Helper()
	type opened struct {
		listener net.Listener
		err      error
	}
	done := make(chan opened)
	go func() {
		err := enter(space)
		var listener net.Listener
		if err == nil {
			listener, err = net.Listen("tcp", "127.0.0.1:"+port)
		}
		done <- opened{listener, err}
		// The thread ends with the goroutine, for it is never unlocked.
	}()
	it := <-done
	if it.err != nil {
		t.Fatal(it.err)
	}
	t.Cleanup(func() { it.listener.Close() })
	go func() {
		for {
			inside, err := it.listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer inside.Close()
				outside, err := net.Dial("tcp", "127.0.0.1:"+port)
				if err != nil {
					return
				}
				defer outside.Close()
				go func() { io.Copy(outside, inside); outside.Close() }()
				io.Copy(inside, outside)
			}()
		}
	}()
}

// announcerToken is what a pod of the DaemonSet on the node would have.
func announcerToken(t *testing.T, s *server) string {
	t.Helper()
	code, _, answer, err := s.send("POST", "/api/v1/nodes", "application/json",
		[]byte(fmt.Sprintf(`{"metadata":{"name":%q}}`, announcerNode)))
	if err != nil || code != 201 {
		t.Fatalf("POST a node: %d %v %s", code, err, answer)
	}
	code, _, answer, err = s.send("POST", "/api/v1/namespaces/yumen-system/serviceaccounts/yumen-announcer/token", "application/json",
		[]byte(fmt.Sprintf(`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"audiences":["yumen.dev/stream"],`+
			`"boundObjectRef":{"apiVersion":"v1","kind":"Node","name":%q}}}`, announcerNode)))
	if err != nil || code != 201 {
		t.Fatalf("POST a token: %d %v %s", code, err, answer)
	}
	var token struct{ Status struct{ Token string } }
	if err := json.Unmarshal(answer, &token); err != nil {
		t.Fatal(err)
	}
	return token.Status.Token
}

// startAnnouncer starts one on a link that nobody else is on; what it returns kills it.
func startAnnouncer(t *testing.T, s *server, c *controller, authority string) func() {
	t.Helper()
	program, err := filepath.Abs(yumen())
	if err != nil {
		t.Fatal(err)
	}
	space := fmt.Sprintf("yumen-judge-%d", os.Getpid())
	ip := func(words ...string) {
		t.Helper()
		if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v %s", words, err, out)
		}
	}
	ip("netns", "add", space)
	t.Cleanup(func() { exec.Command("ip", "netns", "del", space).Run() })
	ip("-n", space, "link", "set", "lo", "up")
	ip("-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
	ip("-n", space, "address", "add", "10.78.0.1/24", "dev", "eth0")
	ip("-n", space, "link", "set", "eth0", "up")
	ip("-n", space, "link", "set", "eth1", "up")
	leads(t, space, c.port)
	folder := t.TempDir()
	for name, text := range map[string]string{"token": announcerToken(t, s), "key": "a key of thirty-two bytes or more, for beats"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	announcer := exec.Command("ip", "netns", "exec", space, program, "announcer", "--controller", "127.0.0.1:"+c.port,
		"--server-name", "yumen-controller.yumen-system.svc", "--node", announcerNode, "--interface", "eth0", "--ca", authority,
		"--token-file", filepath.Join(folder, "token"), "--key-file", filepath.Join(folder, "key"), "--admin", "off",
		"--socket", filepath.Join(folder, "socket"))
	announcer.Stdout, announcer.Stderr = log, log
	if err := announcer.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		_ = announcer.Process.Kill()
		_ = announcer.Wait()
	}
	t.Cleanup(func() {
		kill()
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(folder, "log"))
			t.Logf("the announcer said:\n%s", text)
		}
	})
	return kill
}
