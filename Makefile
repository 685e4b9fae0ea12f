# udpchat. 'make' lists what it can do; go, make and git are all it needs.
#
# Variables: PORT for run, FUZZTIME and FUZZ for fuzz, KILLS for crash, SEED or SEEDS for sim,
# DURATION for soak, DATAGRAMS for abuse, TESTFLAGS for test and sim.

GO       ?= go
BIN      := .bin
PORT     ?= 4000
FUZZTIME ?= 10s
FUZZ     ?= .
SEED     ?=
MESSAGES ?= 10000
UPLOAD   ?= 10s
SEEDS    ?=
KILLS    ?= 100
DURATION ?= 1h
DATAGRAMS ?= 1000000
TESTFLAGS ?=
LINES_MAX := 600

# What the figures that ship for machines without a wire lane are made of.
RECORDED := cmd/internal/compare/recorded/tcp.json.gz
RECORD_OF := --transport tcp-cubic --transport tcp-bbr --transport tcp-reno \
	$(addprefix --profile ,lossy-0 lossy-1 lossy-5 lossy-10 lossy-20 lossy-30 bursty-5 bursty-10)

# The race detector needs cgo and a C compiler. Without them the tests run without it, and say so.
CGO := $(shell test "$$($(GO) env CGO_ENABLED)" = 1 && command -v $$($(GO) env CC))
# One library fills its tables when a program begins, which takes half a second with the race detector, in each of the many
# processes that tests start. And a program that has ended waits for the races of what still runs: a second, if it is not told.
RACE := $(if $(CGO),-race -gcflags=github.com/mattn/go-runewidth=-race=false)
export GORACE ?= atexit_sleep_ms=100

# The Go command writes the commit into a binary, where it may look for it; see cmd/internal/origin.
STAMP := $(addprefix -ldflags=-X=udpchat/cmd/internal/origin.revision=,$(shell git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null))

.DEFAULT_GOAL := help
.PHONY: help run build test crash fuzz sim soak abuse latency bulk bench bench-nats bench-reliable compare-record lint tidy cross clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: build ## build, then start the server on port 4000 (PORT=…)
	@exec $(BIN)/udpchat serve --listen :$(PORT) --data data

build: ## build the binary into .bin/
	@mkdir -p $(BIN)
	$(GO) build $(STAMP) -o $(BIN)/udpchat ./cmd/udpchat

test: ## run all tests with the race detector, in random order
	@test -n "$(RACE)" || echo "notice: no cgo or no C compiler, testing without the race detector"
	$(GO) test $(RACE) -shuffle=on -timeout 20m $(TESTFLAGS) ./...
	@test -z "$(RACE)" || { echo "what is on one goroutine once more, all of it, without the race detector:"; \
		$(GO) test -shuffle=on -timeout 20m $(TESTFLAGS) ./reliable ./reliable/simulate; }

crash: ## kill servers and writers KILLS=100 times and leaders of a cluster, fill disks, set clocks, damage files, and look for every message
	$(GO) test -count=1 -v -timeout 30m $(TESTFLAGS) -run 'Killed|Damage' ./chat/store/sqlite -args -kills=$(KILLS) -flips=1000
	$(GO) test -count=1 -v -timeout 30m $(TESTFLAGS) -run 'Killed|Leader' ./chat/store/jetstream -args -kills=$(KILLS) -leader-kills=5 -leader-stops=5
	$(GO) test -count=1 -v -timeout 30m $(TESTFLAGS) ./cmd/internal/crash -args -long -kills=$(KILLS) -stop=30s

fuzz: ## run every fuzz target for FUZZTIME=10s, or those that FUZZ=REGEXP matches
	@GO=$(GO) FUZZTIME=$(FUZZTIME) .ci/fuzz '$(FUZZ)'

sim: ## simulate connections on a bad link; SEED=N repeats one run, SEEDS=N makes so many
	$(GO) test -count=1 -v -timeout 10m $(TESTFLAGS) -run Simul ./reliable/simulate $(if $(SEED)$(SEEDS),-args $(if $(SEED),-seed=$(SEED)) $(if $(SEEDS),-seeds=$(SEEDS)))

soak: ## simulate seeds that nobody has seen for DURATION=1h; a violation prints its seed
	$(GO) test -count=1 -v -timeout 0 $(TESTFLAGS) -run 'TestSoak$$' ./reliable/simulate -args -soak=$(DURATION)

abuse: ## attack the transport with DATAGRAMS=1000000 of each kind: random, mutated, replayed, forged, hellos, an insider's
	$(GO) test -count=1 -v -timeout 30m $(TESTFLAGS) -run 'Abuse' ./reliable -args -datagrams=$(DATAGRAMS)
	$(GO) test -count=1 -v -timeout 10m $(TESTFLAGS) -run 'AttacksOnKCP' ./cmd/internal/compare

latency: ## how long chat messages take on lossy links, for each kind of redundancy; MESSAGES=10000
	$(GO) test -count=1 -v -timeout 10m -run SimulationOfChat ./reliable/simulate -args -messages=$(MESSAGES)

bench-reliable: build ## our transport beside KCP and QUIC: bad links, the loopback, idle connections
	@$(BIN)/udpchat bench reliable
	@$(BIN)/udpchat bench pingpong
	@for t in udp kcp; do $(BIN)/udpchat bench idle --transport $$t --connections 10000 2>/dev/null; done

bulk: ## what files get of lossy and shared lines, and how long chat takes beside one; UPLOAD=10s
	$(GO) test -count=1 -v -timeout 10m -run 'SimulationOf(Bulk|ChatBeside|TwoFiles|AFile)' ./reliable/simulate -args -upload=$(UPLOAD)

bench-nats: ## figures of a server on a cluster of three NATS servers, which it starts on this machine; two minutes
	$(GO) test -count=1 -v -timeout 20m -run 'FiguresOfACluster' ./cmd/internal/crash -args -figures

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

compare-record: build ## measure the kernel's TCP for the figures that ship: Linux, a machine with nothing else to do, 10 minutes
	$(BIN)/udpchat compare --lane wire $(RECORD_OF) --json $(BIN)/recorded.json
	@mkdir -p $(dir $(RECORDED))
	gzip -9nc $(BIN)/recorded.json > $(RECORDED)

lint: ## check format, vet, staticcheck and file sizes
	@echo "gofmt -l"; bad=$$(gofmt -l .); test -z "$$bad" || { echo "not formatted, run gofmt -w:"; echo "$$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@echo "no file over $(LINES_MAX) lines"; find . -name '*.go' -exec wc -l {} + | awk '$$1 > $(LINES_MAX) && $$2 != "total" { print; bad = 1 } END { exit bad }'

tidy: ## check that go.mod and go.sum are tidy
	$(GO) mod tidy -diff

cross: ## build for other platforms: linux/arm64, darwin/arm64, windows/amd64
	CGO_ENABLED=0 GOOS=linux   GOARCH=arm64 $(GO) build $(STAMP) -o $(BIN)/cross/udpchat-linux-arm64       ./cmd/udpchat
	CGO_ENABLED=0 GOOS=darwin  GOARCH=arm64 $(GO) build $(STAMP) -o $(BIN)/cross/udpchat-darwin-arm64      ./cmd/udpchat
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) build $(STAMP) -o $(BIN)/cross/udpchat-windows-amd64.exe ./cmd/udpchat

clean: ## remove what was built
	rm -rf $(BIN)
