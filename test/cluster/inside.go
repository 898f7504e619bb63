package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// inside is the first process of the namespaces; its working directory is
// build-cluster/run. It starts the components, starts again what ends, and takes them
// all with it when it ends. Until the node is ready, a component that ends is the end.
func inside() error {
	s := &supervisor{waiting: map[int]chan syscall.WaitStatus{}, failed: make(chan error, 16)}
	go s.reap()
	if err := errors.Join(hide(), tunables()); err != nil {
		return err
	}
	for _, line := range []string{
		"ip link set lo up",
		// The network that the node is in; other hosts may come to its switch.
		"ip netns add lan",
		"ip link add node0 type veth peer name outside netns lan",
		"ip address add " + nodeAddress + "/24 dev node0",
		"ip link set node0 up",
		"ip -n lan link add switch type bridge",
		"ip -n lan link set switch up",
		"ip -n lan link set outside master switch up",
		// The kubelet and the API server want one, and all addresses of load balancers go
		// there, to be rewritten on the way.
		"ip route add default dev node0",
	} {
		if err := s.once(strings.Fields(line)...); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
		return err
	}
	if err := s.bringUp(); err != nil {
		return err
	}
	if err := os.WriteFile("ready", nil, 0o600); err != nil {
		return err
	}
	s.mu.Lock()
	s.ready = true
	s.mu.Unlock()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
	return nil
}

// hide lays empty folders over those that components write to, whatever they are
// told, so that nothing of it is on the machine afterwards.
func hide() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts of its own: %w", err)
	}
	for _, folder := range []string{"/run", "/tmp", "/var/lib", "/var/log"} {
		if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("hide %s: %w", folder, err)
		}
	}
	// The working directory is found though it may lie below one of them.
	return errors.Join(
		os.MkdirAll(home, 0o755),
		syscall.Mount(".", home, "", syscall.MS_BIND|syscall.MS_REC, ""),
		os.Chdir(home),
		syscall.Mount("proc", "/proc", "proc", 0, ""),
		syscall.Sethostname([]byte(nodeName)))
}

// tunables shows the kubelet the kernel's settings as it wants them, or it would
// change them for the whole machine.
func tunables() error {
	var failed error
	for name, value := range map[string]string{
		"vm/overcommit_memory":      "1",
		"vm/panic_on_oom":           "0",
		"kernel/panic":              "10",
		"kernel/panic_on_oops":      "1",
		"kernel/keys/root_maxkeys":  "1000000",
		"kernel/keys/root_maxbytes": "25000000",
	} {
		to := filepath.Join("/proc/sys", name)
		if _, err := os.Stat(to); err != nil {
			continue
		}
		from := filepath.Join("/run/tunables", name)
		failed = errors.Join(failed, os.MkdirAll(filepath.Dir(from), 0o755),
			os.WriteFile(from, []byte(value+"\n"), 0o644),
			syscall.Mount(from, to, "", syscall.MS_BIND, ""))
	}
	return failed
}

const certificates = home + "/certificates/"

func config(of string) string { return "--kubeconfig=" + home + "/" + of + ".kubeconfig" }

// bringUp starts the components and waits for a node that takes pods.
func (s *supervisor) bringUp() error {
	s.keep("etcd", "etcd", "--data-dir", home+"/etcd", "--unsafe-no-fsync",
		"--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
		"--listen-peer-urls", "http://127.0.0.1:2380")
	s.keep("containerd", "containerd", "-c", home+"/containerd.toml")
	s.keep("apiserver", "./kube", "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=0.0.0.0", "--secure-port=6443", "--advertise-address="+nodeAddress,
		"--service-cluster-ip-range="+serviceRange, "--allow-privileged", "--authorization-mode=Node,RBAC",
		"--feature-gates=ClusterTrustBundle=true",
		"--runtime-config=certificates.k8s.io/v1beta1/clustertrustbundles=true",
		"--tls-cert-file="+certificates+"apiserver.crt", "--tls-private-key-file="+certificates+"apiserver.key",
		"--client-ca-file="+certificates+"ca.crt",
		"--service-account-key-file="+certificates+"accounts.pub",
		"--service-account-signing-key-file="+certificates+"accounts.key",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--kubelet-client-certificate="+certificates+"admin.crt", "--kubelet-client-key="+certificates+"admin.key",
		"--kubelet-certificate-authority="+certificates+"ca.crt", "--kubelet-preferred-address-types=InternalIP",
		"--audit-policy-file="+home+"/audit.yaml", "--audit-log-path="+home+"/log/audit.log")
	api, err := newAPI()
	if err != nil {
		return err
	}
	if err := s.poll("the API server", func() error { _, err := api.get("/readyz"); return err }); err != nil {
		return err
	}
	err = s.poll("containerd", func() error {
		return s.once("ctr", "-a", containerdSocket, "-n", "k8s.io", "images", "import", "pause.tar")
	})
	if err != nil {
		return err
	}
	s.keep("controller-manager", "./kube", "kube-controller-manager", config("controller-manager"),
		"--service-account-private-key-file="+certificates+"accounts.key", "--root-ca-file="+certificates+"ca.crt",
		// A node that is heard from no more because the API server is away is not lost with
		// all its pods: tests take it away for a minute.
		"--node-monitor-grace-period=5m",
		"--use-service-account-credentials", "--leader-elect=false", "--bind-address=127.0.0.1",
		"--cluster-signing-cert-file="+certificates+"ca.crt", "--cluster-signing-key-file="+certificates+"ca.key")
	s.keep("scheduler", "./kube", "kube-scheduler", config("scheduler"), "--leader-elect=false", "--bind-address=127.0.0.1")
	s.keep("kubelet", "./kube", "kubelet", config("kubelet"), "--config", home+"/kubelet.yaml",
		"--hostname-override", nodeName, "--node-ip", nodeAddress, "--root-dir", home+"/kubelet",
		"--cert-dir", home+"/kubelet/pki")
	s.keep("proxy", "./kube", "kube-proxy", config("proxy"), "--hostname-override", nodeName,
		"--proxy-mode", "nftables", "--cluster-cidr", podNetwork, "--conntrack-max-per-core", "0",
		"--conntrack-tcp-timeout-established", "0", "--conntrack-tcp-timeout-close-wait", "0")
	return s.poll("a node that is ready", api.nodeReady)
}

// supervisor starts processes and is the one that waits for them: as the first of its
// namespace it is also the parent of all that lost theirs.
type supervisor struct {
	mu      sync.Mutex
	waiting map[int]chan syscall.WaitStatus
	ready   bool
	failed  chan error
}

func (s *supervisor) reap() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err != nil || pid <= 0 {
			<-ended
			continue
		}
		s.mu.Lock()
		if waiter := s.waiting[pid]; waiter != nil {
			waiter <- status
			delete(s.waiting, pid)
		}
		s.mu.Unlock()
	}
}

func (s *supervisor) start(log string, arguments []string) (chan syscall.WaitStatus, error) {
	path, err := exec.LookPath(arguments[0])
	if err != nil {
		return nil, err
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer nothing.Close()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	process, err := os.StartProcess(path, arguments, &os.ProcAttr{Files: []*os.File{nothing, out, out}})
	if err != nil {
		return nil, err
	}
	waiter := make(chan syscall.WaitStatus, 1)
	s.waiting[process.Pid] = waiter
	return waiter, process.Release()
}

// keep runs a component for as long as the cluster lives.
func (s *supervisor) keep(name string, arguments ...string) {
	go func() {
		for {
			waiter, err := s.start("log/"+name+".log", arguments)
			if err == nil {
				err = fmt.Errorf("%s ended: %s\n%s", name, told(<-waiter), tail("log/"+name+".log"))
			}
			s.mu.Lock()
			ready := s.ready
			s.mu.Unlock()
			if !ready {
				s.failed <- err
				return
			}
			fmt.Fprintln(os.Stderr, err)
			time.Sleep(time.Second)
		}
	}()
}

func (s *supervisor) once(arguments ...string) error {
	log := "log/" + filepath.Base(arguments[0]) + ".log"
	waiter, err := s.start(log, arguments)
	if err != nil {
		return err
	}
	if status := <-waiter; status.ExitStatus() != 0 {
		return fmt.Errorf("%s: %s\n%s", strings.Join(arguments, " "), told(status), tail(log))
	}
	return nil
}

func told(status syscall.WaitStatus) string {
	if status.Signaled() {
		return status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

func tail(path string) string {
	text, _ := os.ReadFile(path)
	if len(text) > 3000 {
		text = text[len(text)-3000:]
	}
	return string(text)
}

const patience = 3 * time.Minute

func (s *supervisor) poll(what string, try func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case err := <-s.failed:
			return err
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited for %s: %w", what, err)
		}
	}
}

// api asks the API server, from inside.
type api struct{ client *http.Client }

func newAPI() (*api, error) {
	pair, err := tls.LoadX509KeyPair(certificates+"admin.crt", certificates+"admin.key")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(certificates + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return &api{&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
	}}}, nil
}

func (a *api) get(path string) ([]byte, error) {
	response, err := a.client.Get("https://127.0.0.1:6443" + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", path, response.Status, text)
	}
	return text, err
}

func (a *api) nodeReady() error {
	text, err := a.get("/api/v1/nodes/" + nodeName)
	if err != nil {
		return err
	}
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := json.Unmarshal(text, &node); err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" {
			if condition.Status == "True" {
				return nil
			}
			return errors.New(condition.Message)
		}
	}
	return errors.New("the kubelet has not said anything yet")
}
