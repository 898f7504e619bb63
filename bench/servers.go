package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	backendPort = 9100
	proxyPort   = 9200
)

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) write(name, text string) string {
	must(os.WriteFile(b.path(name), []byte(text), 0o644))
	return b.path(name)
}

func (b *bench) buildBackend() error {
	out, err := exec.Command("gcc", "-O2", "-D_GNU_SOURCE", "-o", b.path("backend"), "backend/backend.c").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// process is a server that was started here and is ended here.
type process struct {
	*exec.Cmd
	port  int
	log   *os.File
	dumps int // by callgrind
}

// start runs a command, on one processor when cpu >= 0, and waits for its port.
func (b *bench) start(cpu, port int, args ...string) (*process, error) {
	if cpu >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(cpu)}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	log, err := os.CreateTemp(b.dir, "log-")
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{Cmd: cmd, port: port, log: log}
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			time.Sleep(50 * time.Millisecond)
			return p, nil
		}
		var status syscall.WaitStatus
		if pid, _ := syscall.Wait4(cmd.Process.Pid, &status, syscall.WNOHANG, nil); pid == cmd.Process.Pid {
			text, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("%v ended: %s", args, text)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%v does not listen on %d", args, port)
}

func (p *process) stop() {
	p.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { p.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		p.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(60 * time.Second):
			p.Process.Kill()
			<-done
		}
	}
	p.log.Close()
}

// worker is the process that carries the traffic: nginx forks it.
func (p *process) worker() int { return p.Process.Pid }

// peer is one of the proxies: how it is started, on a port, in front of the backend,
// and with an access log in JSON if it can be measured so.
type peer struct {
	name string
	args func(b *bench, port int, log bool) []string
	logs bool
}

func (b *bench) peers() []peer {
	list := []peer{{"yumen", yumenArgs, true}, {"nginx", nginxArgs, true}, {"haproxy", haproxyArgs, false}, {"envoy", envoyArgs, false}}
	if overTLS {
		list = []peer{{"yumen", yumenTLSArgs, false}, {"nginx", nginxTLSArgs, false}, {"haproxy", haproxyTLSArgs, false}, {"envoy", envoyTLSArgs, false}}
	}
	if toTLS {
		list = []peer{{"yumen", yumenToTLSArgs, false}, {"nginx", nginxToTLSArgs, false}, {"haproxy", haproxyToTLSArgs, false}, {"envoy", envoyToTLSArgs, false}}
	}
	if b.envoy == "" {
		list = list[:len(list)-1]
	}
	return list
}

func (r *row) set(name, value string) {
	switch name {
	case "yumen":
		r.yumen = value
	case "nginx":
		r.nginx = value
	case "haproxy":
		r.haproxy = value
	case "envoy":
		r.envoy = value
	}
}

const objects = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: bench, namespace: default}
spec:
  gatewayClassName: yumen
  addresses: [{type: IPAddress, value: 127.0.0.1}]
  listeners: [{name: http, protocol: HTTP, port: %d}]
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {ports: [{name: http, port: 80, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, namespace: default, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: http, port: %d, protocol: TCP}]
endpoints: [{addresses: ["127.0.0.1"], conditions: {ready: true}}]
`

const anyRoute = `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: default}
spec:
  parentRefs: [{name: bench}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
`

func (b *bench) yumenRun(folder string, port int) []string {
	return []string{b.yumen, "run", "-f", folder, "--workers", "1", "--admin", fmt.Sprintf("127.0.0.1:%d", port+100),
		"--socket", b.path(fmt.Sprintf("admin-%d.sock", port)), "--drain-timeout", "1", "--access-log"}
}

func (b *bench) yumenFolder(port int) string {
	folder := fmt.Sprintf("yumen-%d", port)
	os.MkdirAll(b.path(folder), 0o755)
	b.write(folder+"/all.yaml", fmt.Sprintf(objects, port, backendPort)+anyRoute)
	return b.path(folder)
}

func yumenArgs(b *bench, port int, log bool) []string {
	args := b.yumenRun(b.yumenFolder(port), port)
	if log {
		return append(args, "json:"+b.path("access.log"))
	}
	return append(args, "off")
}

// The fields that yumen logs, as far as nginx has them; buffered as it may be.
const nginxLog = `log_format json escape=json '{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
  '"host":"$host","path":"$uri","protocol":"$server_protocol","status":$status,"bytes_in":$request_length,"bytes_out":$bytes_sent,'
  '"duration":"$request_time","upstream":"$upstream_addr","upstream_time":"$upstream_response_time","request_id":"$request_id",'
  '"user_agent":"$http_user_agent"}'; access_log %s json buffer=64k flush=1s;`

func nginxArgs(b *bench, port int, log bool) []string {
	name := fmt.Sprintf("nginx-%d.conf", port)
	access := "access_log off;"
	if log {
		access = fmt.Sprintf(nginxLog, b.path("nginx.log"))
	}
	b.write(name, fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %s/nginx-%d.pid; error_log /dev/null crit;
events { worker_connections 20000; }
http { %s keepalive_requests 1000000000; keepalive_timeout 3600s; client_body_temp_path %s; proxy_temp_path %s;
 fastcgi_temp_path %s; uwsgi_temp_path %s; scgi_temp_path %s;
 upstream app { server 127.0.0.1:%d; keepalive 256; keepalive_requests 1000000000; }
 server { listen 127.0.0.1:%d backlog=4096; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
  proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Request-Id $request_id; } } }
`, b.dir, port, access, b.path("t1"), b.path("t2"), b.path("t3"), b.path("t4"), b.path("t5"), backendPort, port))
	return []string{"/usr/sbin/nginx", "-e", "/dev/null", "-p", b.dir, "-c", b.path(name)}
}

func haproxyArgs(b *bench, port int, _ bool) []string {
	name := fmt.Sprintf("haproxy-%d.cfg", port)
	b.write(name, fmt.Sprintf(`global
 nbthread 1
 maxconn 9500
 maxpipes 64
defaults
 mode http
 timeout connect 5s
 timeout client 3600s
 timeout server 60s
 option forwardfor
 option splice-auto
frontend f
 bind 127.0.0.1:%d backlog 4096
 http-request set-header X-Forwarded-Proto http
 unique-id-format %%{+X}o\ %%ci:%%cp_%%fi:%%fp_%%Ts_%%rt:%%pid
 unique-id-header X-Request-Id
 default_backend app
backend app
 http-reuse always
 server s 127.0.0.1:%d
`, port, backendPort))
	return []string{"/usr/sbin/haproxy", "-db", "-f", b.path(name)}
}

func envoyArgs(b *bench, port int, _ bool) []string {
	name := fmt.Sprintf("envoy-%d.yaml", port)
	b.write(name, fmt.Sprintf(`static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: %d}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: b
          use_remote_address: true
          route_config: {virtual_hosts: [{name: a, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: app}}]}]}
          http_filters: [{name: envoy.filters.http.router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
  clusters:
  - name: app
    connect_timeout: 5s
    load_assignment: {cluster_name: app, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}
`, port, backendPort))
	return []string{b.envoy, "-c", b.path(name), "--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"}
}

// status reads a field of /proc/PID/status in KiB.
func status(pid int, field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, errors.New("no " + field)
}

// cpuTime is the run time of all tasks of a process, in nanoseconds; work that the
// kernel does for loopback lands in the sender, so this is the true total.
func cpuTime(pid int) (int64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("no tasks of %d: %v", pid, err)
	}
	var total int64
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		n, _ := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		total += n
	}
	return total, nil
}
