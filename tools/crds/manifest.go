package main

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"
)

// metalLB is the module whose CRDs make a manifest of their own, for clusters that
// never had it.
const metalLB = "go.universe.tf/metallb"

const manifestHead = `# The kinds of metallb.io, for a cluster that never had MetalLB:
#
#     kubectl apply --server-side -f deploy/metallb-crds.yaml
#
# Where MetalLB was installed they are there; leave them as they are. yumen reads
# IPAddressPool, L2Advertisement and BGPAdvertisement, and writes ServiceL2Status and
# the statuses of IPAddressPools.
#
# Made by "make tables" of the CRDs of %s %s, word for word
# (Copyright: the MetalLB authors, Apache License 2.0).
`

// writeManifest returns the CRDs of MetalLB, as they are in its module.
func writeManifest() ([]byte, error) {
	for i := range sources {
		if sources[i].module == metalLB {
			return sources[i].manifest()
		}
	}
	return nil, fmt.Errorf("no source is %s", metalLB)
}

func (s *source) manifest() ([]byte, error) {
	archive, err := s.open()
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	var out bytes.Buffer
	fmt.Fprintf(&out, manifestHead, s.module, s.version)
	sort.Slice(archive.File, func(i, j int) bool { return archive.File[i].Name < archive.File[j].Name })
	for _, file := range archive.File {
		if !s.wants(strings.TrimPrefix(file.Name, s.module+"@"+s.version+"/")) {
			continue
		}
		reader, err := file.Open()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(reader)
		reader.Close()
		if err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(text, []byte("---\n")) {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}
