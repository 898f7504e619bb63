package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The cluster's own small world. Every pod has a routed link of its own (ptp): on one
// bridge the answers to a Service's address would go past the node that rewrote it.
const (
	nodeName     = "node"
	nodeAddress  = "192.168.50.1" // the article's network
	podNetwork   = "10.244.0.0/16"
	serviceRange = "10.96.0.0/16"
	serviceOfAPI = "10.96.0.1"

	// home is where build-cluster/run appears inside: short, for the paths of sockets.
	home       = "/run/cluster"
	pauseImage = "yumen.dev/test/pause:1"
)

const networkConfig = `{"cniVersion": "0.4.0", "name": "pods", "plugins": [{
	"type": "ptp",
	"ipam": {"type": "host-local", "subnet": "` + podNetwork + `", "rangeStart": "10.244.1.1",
		"routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/run/addresses"}
}]}
`

const containerdConfig = `version = 2
root = "` + home + `/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "` + containerdSocket + `"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + pauseImage + `"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "` + pluginFolder + `"
    conf_dir = "` + home + `/network"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`

const containerdSocket = "/run/containerd.sock"

const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /%s
failSwapOn: false
failCgroupV1: false
containerRuntimeEndpoint: unix://` + containerdSocket + `
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: ` + home + `/certificates/ca.crt}
authorization: {mode: Webhook}
address: ` + nodeAddress + `
tlsCertFile: ` + home + `/certificates/kubelet.crt
tlsPrivateKeyFile: ` + home + `/certificates/kubelet.key
clusterDomain: cluster.local
maxPods: 250
seccompDefault: true
makeIPTablesUtilChains: false
enforceNodeAllocatable: []
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%}
volumePluginDir: ` + home + `/kubelet/volumeplugins
podLogsDir: ` + home + `/pods
`

// What yumen does at the API, and nothing else, is kept: test for its rights.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:yumen-system"]
- level: None
`

// lay writes everything that the components read.
func lay(p place, group string) error {
	var failed error
	for _, folder := range []string{"certificates", "log", "network", "kubelet", "pods", "etcd", "containerd"} {
		failed = errors.Join(failed, os.MkdirAll(p.run(folder), 0o700))
	}
	if failed != nil {
		return failed
	}
	if _, err := newAuthority(p.run("certificates")); err != nil {
		return err
	}
	for _, one := range []string{"admin", "controller-manager", "scheduler", "proxy", "kubelet"} {
		text, err := kubeconfig(p.run("certificates"), one)
		failed = errors.Join(failed, err, os.WriteFile(p.run(one+".kubeconfig"), []byte(text), 0o600))
	}
	for name, text := range map[string]string{
		"network/10-pods.conflist": networkConfig,
		"containerd.toml":          containerdConfig,
		"kubelet.yaml":             fmt.Sprintf(kubeletConfig, group),
		"audit.yaml":               auditPolicy,
	} {
		failed = errors.Join(failed, os.WriteFile(p.run(name), []byte(text), 0o600))
	}
	// The components run from the folder that is seen inside, wherever the tree lies.
	return errors.Join(failed, linkOrCopy(p.built("kube"), p.run("kube")), layPause(p))
}

// kubeconfig carries its certificates in itself, to be read from inside and outside.
func kubeconfig(folder, user string) (string, error) {
	var failed error
	data := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		failed = errors.Join(failed, err)
		return base64.StdEncoding.EncodeToString(text)
	}
	text := strings.Join([]string{
		"apiVersion: v1",
		"kind: Config",
		"clusters:",
		"- name: cluster",
		"  cluster: {server: \"https://127.0.0.1:6443\", certificate-authority-data: " + data("ca.crt") + "}",
		"users:",
		"- name: " + user,
		"  user: {client-certificate-data: " + data(user+".crt") + ", client-key-data: " + data(user+".key") + "}",
		"contexts:",
		"- name: cluster",
		"  context: {cluster: cluster, user: " + user + "}",
		"current-context: cluster",
		"",
	}, "\n")
	return text, failed
}

func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}
