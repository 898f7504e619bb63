package judge

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// server is etcd and kube-apiserver alone: no controllers, no nodes, nobody who
// would act on an object. Both end with this process, however it ends.
type server struct {
	folder string
	base   string
	client *http.Client
	// stop ends both; waiting is closed when one has ended by itself.
	stop    context.CancelFunc
	waiting chan string
	// begin starts the API server, which is running.
	begin   func() error
	running *exec.Cmd
}

const patience = 3 * time.Minute

// startServer's options are of the API server; without them it lets everybody do
// everything.
func startServer(kube, folder string, options ...string) (*server, error) {
	a, err := newAuthority(folder)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(a.server("apiserver"), a.client("admin"), a.client("service")); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{folder: folder, base: "https://127.0.0.1:" + ports[2], stop: cancel, waiting: make(chan string, 2)}
	etcd := "http://127.0.0.1:" + ports[0]
	if len(options) == 0 {
		options = []string{"--authorization-mode=AlwaysAllow"}
	}
	s.begin = func() error {
		return s.run(ctx, "apiserver", append([]string{kube, "kube-apiserver", "--etcd-servers=" + etcd,
			"--bind-address=127.0.0.1", "--secure-port=" + ports[2], "--advertise-address=192.0.2.1",
			"--endpoint-reconciler-type=none", "--service-cluster-ip-range=" + cmp.Or(os.Getenv("SERVICE_RANGE"), "10.96.0.0/16"),
			"--client-ca-file=" + a.path("ca.crt"),
			"--tls-cert-file=" + a.path("apiserver.crt"), "--tls-private-key-file=" + a.path("apiserver.key"),
			"--service-account-key-file=" + a.path("service.pub"),
			"--service-account-signing-key-file=" + a.path("service.key"),
			"--service-account-issuer=https://kubernetes.default.svc",
			// Objects name namespaces that nobody made.
			"--disable-admission-plugins=NamespaceLifecycle"}, options...)...)
	}
	err = errors.Join(
		s.run(ctx, "etcd", "etcd", "--data-dir", filepath.Join(folder, "etcd"), "--unsafe-no-fsync",
			"--listen-client-urls", etcd, "--advertise-client-urls", etcd,
			"--listen-peer-urls", "http://127.0.0.1:"+ports[1]),
		s.begin())
	if err == nil {
		s.client, err = newClient(a)
	}
	if err == nil {
		err = s.poll("the API server to be ready", func() error { return s.get("/readyz", nil) })
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return s, nil
}

// run starts a program of the server; what it says goes to a file.
func (s *server) run(ctx context.Context, name string, args ...string) error {
	log, err := os.Create(filepath.Join(s.folder, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Stdout, c.Stderr = log, log
	c.Dir = s.folder
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		return err
	}
	s.running = c
	go func() {
		err := c.Wait()
		if ctx.Err() == nil {
			s.waiting <- fmt.Sprintf("%s ended: %v\n%s", name, err, tail(log.Name()))
		}
	}()
	return nil
}

// restart ends the API server and starts another one, on what etcd has.
func (s *server) restart() error {
	if err := s.running.Process.Kill(); err != nil {
		return err
	}
	<-s.waiting
	s.client.CloseIdleConnections()
	if err := s.begin(); err != nil {
		return err
	}
	return s.poll("the API server to be ready again", func() error { return s.get("/readyz", nil) })
}

func tail(path string) string {
	text, _ := os.ReadFile(path)
	if len(text) > 3000 {
		text = text[len(text)-3000:]
	}
	return string(text)
}

func newClient(a *authority) (*http.Client, error) {
	pair, err := tls.LoadX509KeyPair(a.path("admin.crt"), a.path("admin.key"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
			MaxIdleConnsPerHost: 16,
		},
	}, nil
}

func freePorts(count int) ([]string, error) {
	var ports []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		ports = append(ports, port)
	}
	return ports, nil
}

func (s *server) poll(what string, try func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case ended := <-s.waiting:
			return errors.New(ended)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waiting for %s: %w\n%s", what, err, tail(filepath.Join(s.folder, "apiserver.log")))
		}
	}
}

func (s *server) get(path string, into any) error {
	code, _, body, err := s.send("GET", path, "", nil)
	if err != nil {
		return err
	}
	if code != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, code, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

func (s *server) send(method, path, kind string, body []byte) (int, http.Header, []byte, error) {
	request, err := http.NewRequest(method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("Accept", "application/json")
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, text, err
}

// install makes the CRDs known and waits until each of their versions is served.
func (s *server) install(kinds []kind) error {
	for _, k := range kinds {
		if k.crd == nil {
			continue
		}
		body, err := json.Marshal(k.crd)
		if err != nil {
			return err
		}
		code, _, answer, err := s.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
			"application/json", body)
		if err != nil {
			return err
		}
		// A kind with several versions comes several times.
		if code != http.StatusCreated && code != http.StatusConflict {
			return fmt.Errorf("CRD of %s: %d %s", k.name, code, answer)
		}
	}
	for _, k := range kinds {
		err := s.poll(k.name+" to be served", func() error { return s.get(k.path("default")+"?limit=1", nil) })
		if err != nil {
			return err
		}
	}
	return nil
}

// path is where objects of the kind are.
func (k *kind) path(namespace string) string {
	parts := []string{"", "apis", k.group, k.version}
	if k.group == "" {
		parts = []string{"", "api", k.version}
	}
	if k.namespaced {
		parts = append(parts, "namespaces", namespace)
	}
	return strings.Join(append(parts, k.plural), "/")
}
