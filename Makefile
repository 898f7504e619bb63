# What people type; meson and ninja do the work. `make help` lists it.
BUILD ?= build
DEBUG ?= build-debug
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

.PHONY: help build run check kube cluster cluster-tool cluster-down kubectl conformance debug fuzz bench install format tables docs clean go

help:
	@sed -n 's/^## //p' Makefile

## make run      build, start two echo backends and a gateway on 127.0.0.1:8080
run: build
	@tools/run.sh $(BUILD)/yumen

## make build    build/yumen, optimised
build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet src/cmd/yumen
	@cp $(BUILD)/src/cmd/yumen $(BUILD)/yumen

$(BUILD)/build.ninja:
	@tools/packages.sh build
	@CC=gcc meson setup $(BUILD) -Dtests=auto >/dev/null

## make debug    build-debug/yumen, with address and undefined-behaviour sanitizers
debug: $(DEBUG)/build.ninja
	@ninja -C $(DEBUG) --quiet src/cmd/yumen
	@cp $(DEBUG)/src/cmd/yumen $(DEBUG)/yumen

$(DEBUG)/build.ninja:
	@tools/packages.sh build check
	@CC=clang meson setup $(DEBUG) -Dbuildtype=debug -Doptimization=1 \
	    -Db_sanitize=address,undefined -Db_lundef=false >/dev/null

## make check    all tests: style, both compilers, sanitizers, golden, black box
check: go
	@tools/packages.sh build check
	@cd tools/check && go run . -root ../.. $(CHECK)

KUBE_FLAGS = -s -w -X $(KUBE_VERSION).gitVersion=v1.34.4 \
    -X $(KUBE_VERSION).gitMajor=1 -X $(KUBE_VERSION).gitMinor=34

## make cluster  start a Kubernetes of one node, in namespaces of its own, with yumen in it
cluster: build kube cluster-tool
	@tools/packages.sh build cluster
	@build-cluster/cluster up

## make cluster-down  end it; nothing of it stays
cluster-down: cluster-tool
	@build-cluster/cluster down

## make kubectl ARGS='get pods -A'  ask it
kubectl: cluster-tool
	@build-cluster/cluster kubectl $(ARGS)

## make conformance  the conformance suite of Gateway API in it; TEST=Name runs one test
conformance: cluster build-cluster/conformance.test
	@build-cluster/cluster load build-cluster/echo-basic $(ECHO_IMAGES)
	@build-cluster/cluster kubectl apply --server-side -f test/conformance/cluster.yaml >/dev/null
	@build-cluster/cluster enter build-cluster/conformance.test -test.timeout=60m \
	    -test.parallel=8 -usable-address=198.51.100.1 -unusable-address=203.0.113.1 \
	    $(if $(TEST),-run-test=$(TEST),-page=docs/conformance.md -table=src/gw/feature.def) \
	    $(CONFORMANCE)

SUITE_IMAGES = registry.k8s.io/gateway-api/conformance
ECHO_IMAGES = $(SUITE_IMAGES)/echo-basic:v0.1.0 $(SUITE_IMAGES)/echo-basic:v0.2.0

# The suite wants a newer Go than the rest, which comes as a module.
build-cluster/conformance.test: $(addprefix test/conformance/,go.mod go.sum \
    conformance_test.go results_test.go) | go
	@echo 'building the conformance suite: four minutes at first'
	@cd test/conformance && export GOTOOLCHAIN=auto CGO_ENABLED=0 GOFLAGS=-trimpath && \
	    go build -o ../../build-cluster/echo-basic \
	    sigs.k8s.io/gateway-api-conformance-images/echo-basic && go test -c -o ../../$@ .

cluster-tool: go
	@cd test/cluster && go build -o ../../build-cluster/cluster .

## make kube     build-cluster/kube: Kubernetes 1.34 in one program, for tests
kube: build-cluster/kube

KUBE_VERSION = k8s.io/component-base/version
build-cluster/kube: $(addprefix test/cluster/kube/,go.mod go.sum main.go)
	@echo 'building Kubernetes: five minutes at first'
	@cd test/cluster/kube && CGO_ENABLED=0 go build -trimpath \
	    -ldflags '$(KUBE_FLAGS)' -o ../../../$@ .

## make fuzz     each fuzz target for FUZZ_SECONDS (60)
fuzz: go
	@tools/packages.sh build check
	@cd tools/check && go run . -root ../.. -fuzz $(FUZZ_SECONDS)

## make bench    the figures of docs/performance.md, beside nginx and HAProxy
bench: build go
	@tools/packages.sh build bench
	@cd bench && go run . -yumen ../$(BUILD)/yumen $(BENCH)

## make install  bin, man page and examples under PREFIX (/usr/local)
install: build
	install -D -m 755 $(BUILD)/yumen $(DESTDIR)$(PREFIX)/bin/yumen
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	$(BUILD)/yumen help --man > $(DESTDIR)$(PREFIX)/share/man/man1/yumen.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/yumen/examples/hello examples/hello/*.yaml

## make format   clang-format over src, test, bench and tools
format:
	@tools/packages.sh build check
	@git ls-files '*.c' '*.h' | grep -v '/record_structs\|/record_tables' | \
	    xargs clang-format -i

## make tables   src/gw/*_tables.inc and deploy/metallb-crds.yaml from the CRDs of the Go modules that tools/crds names
tables:
	@cd tools/crds && go run . -root ../..

## make docs     the pages of docs/ that are made from the tables
docs: build
	@ninja -C $(BUILD) --quiet tools/docs && $(BUILD)/tools/docs docs

## make clean    remove what was built
clean:
	@[ ! -d build-cluster/run ] || $(MAKE) --no-print-directory cluster-down
	rm -rf $(BUILD) $(DEBUG) build-fuzz build-cluster run

# The tools and tests are in Go, which comes in no package of this Debian.
go:
	@command -v go >/dev/null || \
	    { echo 'Go 1.26 or later is needed and not in PATH: https://go.dev/dl'; exit 1; }
