package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// holder is who leads, as the Lease says.
func holder(t *testing.T, p place) string {
	t.Helper()
	out, err := kubectl(p, nil, "-n", "yumen-system", "get", "lease", "yumen-controller", "-o", "jsonpath={.spec.holderIdentity}")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// processOf is the controller in the pod that an identity names.
func processOf(t *testing.T, p place, identity string) int {
	t.Helper()
	pod, _, _ := strings.Cut(identity, "_")
	for _, pid := range processes(t, p, "yumen", "controller") {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if strings.Contains("\x00"+string(text), "\x00HOSTNAME="+pod+"\x00") {
			return pid
		}
	}
	t.Fatalf("no process of %q", identity)
	return 0
}

const programmed = `jsonpath={.status.conditions[?(@.type=="Programmed")].status}`

// stays looks again and again until it is told to stop; it tells what else kubectl
// printed, and when.
func stays(p place, want string, arguments ...string) (stop func() []string) {
	end, ended := make(chan struct{}), make(chan []string)
	go func() {
		var seen []string
		for {
			select {
			case <-end:
				ended <- seen
				return
			case <-time.After(200 * time.Millisecond):
			}
			out, err := kubectl(p, nil, arguments...)
			if got := strings.TrimSpace(string(out)); err == nil && got != want {
				seen = append(seen, time.Now().Format("05.000 ")+got)
			}
		}
	}()
	return func() []string { close(end); return <-ended }
}

// statusIsWritten changes the Gateway and waits until its status tells of that: the
// leader knows that its proxies serve it, whichever controller they came to first.
func statusIsWritten(t *testing.T, p place, port int) {
	t.Helper()
	generation := ask(t, p, fmt.Sprintf(`[{"op":"replace","path":"/spec/listeners","value":[
		{"name":"http","protocol":"HTTP","port":80},{"name":"other","protocol":"HTTP","port":%d}]}]`, port),
		"-n", "scene", "patch", "gateway", "web", "--type=json", "--patch-file=/dev/stdin", "-o", "jsonpath={.metadata.generation}")
	eventually(t, "the status of a changed Gateway", func() bool {
		return ask(t, p, "", "-n", "scene", "get", "gateway", "web", "-o",
			`jsonpath={.status.conditions[?(@.type=="Programmed")]['observedGeneration','status']}`) == generation+" True"
	})
}

// Of two controllers the one that leads ends, in each of the ways in which one can:
// changes are served, also before another leads; no request is lost; no status flaps; the
// other one's statuses know what the proxies serve.
func TestAnotherControllerLeads(t *testing.T) {
	p := root(t)
	address := raiseScene(t, p)
	url := "http://" + address + "/"
	statusIsWritten(t, p, 8080)
	flows(t, p, url, "200")
	for number, one := range []struct {
		name string
		end  func(t *testing.T, leader string)
	}{
		{"killed", func(t *testing.T, leader string) {
			if err := syscall.Kill(processOf(t, p, leader), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}},
		{"its pod deleted", func(t *testing.T, leader string) {
			pod, _, _ := strings.Cut(leader, "_")
			ask(t, p, "", "-n", "yumen-system", "delete", "pod", pod, "--wait=false")
		}},
		{"stopped", func(t *testing.T, leader string) {
			pid := processOf(t, p, leader)
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { syscall.Kill(pid, syscall.SIGCONT) })
		}},
	} {
		t.Run(one.name, func(t *testing.T) {
			flapped := stays(p, "True", "-n", "scene", "get", "gateway", "web", "-o", programmed)
			whilePouring(t, p, url, func() {
				leader := holder(t, p)
				start := time.Now()
				one.end(t, leader)
				changeIsServed(t, p, address)
				served := time.Since(start)
				eventually(t, "another leader", func() bool { now := holder(t, p); return now != "" && now != leader })
				led := time.Since(start)
				statusIsWritten(t, p, 8081+number)
				fmt.Printf("cluster %s: a change was served after %.1f s, another led after %.1f s, its status was there after %.1f s\n",
					t.Name(), served.Seconds(), led.Seconds(), time.Since(start).Seconds())
			})
			if seen := flapped(); len(seen) > 0 {
				t.Errorf("the Gateway was not programmed: %v", seen)
			}
			rolledOut(t, p)
		})
	}
}
