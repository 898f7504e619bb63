// Cluster runs a one-node Kubernetes in namespaces of its own, with yumen in it. It
// must be root; what the machine lacks it says before it starts anything.
//
//	cluster [-root DIR] up                   start (if it does not run) and install yumen
//	cluster [-root DIR] down                 end it; nothing of it stays
//	cluster [-root DIR] need                 say what this machine lacks; exit status 3 if it does
//	cluster [-root DIR] kubectl ARGUMENT...  kubectl in it
//	cluster [-root DIR] enter COMMAND...     a command in its network
//	cluster [-root DIR] image OUT.tar        yumen's image
//	cluster [-root DIR] load PROGRAM NAME... bring it images of a static program by these names
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// errLacks is what a machine that cannot run the cluster fails with.
var errLacks = errors.New("this machine lacks what a cluster needs")

type command struct {
	arguments int // how many at least
	run       func(p place, arguments []string) error
}

var commands = map[string]command{
	"up":      {0, func(p place, _ []string) error { return up(p) }},
	"down":    {0, func(p place, _ []string) error { return down(p) }},
	"need":    {0, func(p place, _ []string) error { return need(p) }},
	"kubectl": {0, func(p place, arguments []string) error { return enterKubectl(p, arguments) }},
	"enter":   {1, func(p place, arguments []string) error { return enter(p, arguments) }},
	"image":   {1, func(p place, arguments []string) error { return yumenImage(p, arguments[0]) }},
	"load":    {2, func(p place, arguments []string) error { return loadProgram(p, arguments[0], arguments[1:]) }},
	// What the program starts itself as, in namespaces of their own.
	"inside": {0, func(_ place, _ []string) error { return inside() }},
	"probe":  {0, func(_ place, _ []string) error { return probe() }},
}

func main() {
	root := flag.String("root", ".", "the project's root")
	flag.Parse()
	known, ok := commands[flag.Arg(0)]
	if !ok || flag.NArg()-1 < known.arguments {
		fmt.Fprintln(os.Stderr, "usage: cluster [-root DIR] up|down|need|kubectl|enter|image|load ...")
		os.Exit(2)
	}
	absolute, err := filepath.Abs(*root)
	if err == nil {
		err = known.run(place{absolute}, flag.Args()[1:])
	}
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "cluster:", err)
	if errors.Is(err, errLacks) {
		os.Exit(3)
	}
	os.Exit(1)
}

// place is where everything lies: what is built and kept in build-cluster, what lives
// with the cluster in build-cluster/run.
type place struct{ root string }

func (p place) in(parts ...string) string {
	return filepath.Join(append([]string{p.root}, parts...)...)
}
func (p place) built(name string) string { return p.in("build-cluster", name) }
func (p place) run(parts ...string) string {
	return filepath.Join(append([]string{p.built("run")}, parts...)...)
}
func (p place) kubeconfig() string { return p.run("admin.kubeconfig") }
