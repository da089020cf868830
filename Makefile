# Two commands for a fresh machine: make demo, make test. The rest is what they are made of.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Programs are not stamped with the revision: a checkout that belongs to another user would fail there.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

LINT := bin/golangci-lint
SQLC := go tool -modfile=tools.mod sqlc
GOFUMPT := go tool -modfile=tools.mod gofumpt
CROSSFADE := go run ./cmd/crossfade
DEMO := --customers 20000 --tenants 20 --rate 300 --seed 1 --report report.json

STATES := 20000000

say = @printf '\n== %s\n' $(1)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ensure-postgres ## Install what is missing and walk a live application up the ladder
	@mkdir -p bin
	go build -o bin/quickstart ./examples/quickstart
	@echo "bin/quickstart $(DEMO)"
	@exec bin/quickstart $(DEMO)

.PHONY: test
test: ensure-postgres ensure-compiler ensure-pgbouncer check-format vet check-imports check-generated lint check-readme check-cost test-model test-race ## Install what is missing and run all checks
	$(call say,'all checks passed')

.PHONY: ensure-postgres ensure-compiler ensure-pgbouncer
ensure-postgres:
	@scripts/ensure-postgres.sh
ensure-compiler:
	@scripts/ensure-compiler.sh
ensure-pgbouncer:
	@scripts/ensure-pgbouncer.sh

.PHONY: check-format
check-format: ## Fail if a tracked Go file is not as gofumpt writes it
	$(call say,'gofumpt')
	@scripts/check-format.sh

.PHONY: format
format: ## Format every Go file
	$(GOFUMPT) -w .

.PHONY: vet
vet: ## Run go vet
	$(call say,'go vet')
	go vet ./...
	cd bench && go vet ./...

.PHONY: check-imports
check-imports: ## Check the import graph and the shape of the packages
	$(call say,'import graph')
	go test -count=1 ./internal/archtest

.PHONY: check-readme
check-readme: ## Check that the README's programs compile, and that its commands and links exist
	$(call say,'README')
	go test -count=1 ./internal/readmetest

.PHONY: check-cost
check-cost: ensure-postgres ## Check what operations cost: allocations, ratios to plain code, round trips; without the race detector
	$(call say,'costs')
	go test -count=1 ./internal/guard
	go test -count=1 -run 'RoundTrips|Allocat' ./repo/postgres

.PHONY: generate
generate: ## Generate again: sqlc's queries, crossfade's routed repositories
	$(SQLC) generate
	$(SQLC) generate -f examples/shapes/sqlc.yaml
	$(CROSSFADE) gen ./...
	cd examples/shapes && go run ../../cmd/crossfade gen ./...
	cd gen/internal/golden && go run ../../../cmd/crossfade gen ./...
	cd bench && go run ../cmd/crossfade gen ./...

.PHONY: check-generated
check-generated: ## Fail if generated code is out of date
	$(call say,'generated code')
	$(SQLC) diff
	$(SQLC) diff -f examples/shapes/sqlc.yaml
	$(CROSSFADE) gen --check ./...
	cd examples/shapes && go run ../../cmd/crossfade gen --check ./...
	cd gen/internal/golden && go run ../../../cmd/crossfade gen --check ./...
	cd bench && go run ../cmd/crossfade gen --check ./...

.PHONY: lint
lint: $(LINT) ## Run golangci-lint
	$(call say,'golangci-lint')
	$(LINT) run --allow-parallel-runners ./...
	cd bench && ../$(LINT) run --allow-parallel-runners ./...

$(LINT): tools/lint/go.mod tools/lint/go.sum
	$(call say,'building golangci-lint (once)')
	@mkdir -p bin
	cd tools/lint && go build -o ../../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: tools
tools: $(LINT) ## Build the tools that checks and generators need
	$(SQLC) version
	$(GOFUMPT) --version

.PHONY: test-race
test-race: ensure-postgres ensure-compiler ensure-pgbouncer ## Run unit and integration tests with the race detector
	$(call say,'tests')
	go test -race -timeout 15m ./...
	cd bench && go test -race -timeout 15m ./...

.PHONY: test-model
test-model: ensure-postgres ## Explore every state of the model's small worlds, which the race detector is too slow for
	$(call say,'model')
	go test -count=1 -v -run 'TestTheLadder|TestFenceTable|TestEachBrokenRule' ./internal/model

.PHONY: test-faults
test-faults: ensure-postgres ensure-compiler ## Run the long checks: kills at random moments, many seeds
	$(call say,'long checks')
	CROSSFADE_LONG=1 go test -race -count=1 -timeout 60m ./...

.PHONY: chaos
chaos: ensure-postgres ## Kill, stop, cut and crash everything for DURATION=30m; SEED=n repeats a run's choices
	$(call say,'chaos')
	CROSSFADE_CHAOS=$(or $(DURATION),30m) CROSSFADE_SEED=$(SEED) go test -count=1 -timeout 24h -v -run TestNothingIsLost ./internal/chaos

.PHONY: model
model: ensure-postgres ## Explore the model of the ladder at length: STATES per world, minutes
	$(call say,'model')
	CROSSFADE_MODEL_STATES=$(STATES) go test -count=1 -timeout 120m -v -run 'TestTheLadder|TestFenceTable|TestEachBrokenRule' ./internal/model

.PHONY: test-mutants
test-mutants: ensure-postgres ## Break each safety rule once and demand that its test fails
	$(call say,'mutants')
	go test -tags mutants -count=1 -timeout 60m -v ./internal/mutants

.PHONY: soak
soak: ensure-postgres ## Run up and down the ladder for DURATION=1h at RATE=100 calls a second; SAVE=yes publishes the figures
	cd bench && go run ./soak -duration $(or $(DURATION),1h) -rate $(or $(RATE),100) $(if $(SAVE),-save ..)

.PHONY: bench
bench: ensure-postgres ## Measure what the shim costs beside direct calls and other tools, and write docs/performance.md: 10 minutes
	$(call say,'bench')
	@mkdir -p bin
	cd bench && go build -o ../bin/bench .
	@exec bin/bench --root .

.PHONY: bench-smoke
bench-smoke: ensure-postgres ## Run everything that make bench runs, for a moment each: its figures are worth nothing
	$(call say,'bench - quick')
	@mkdir -p bin
	cd bench && go build -o ../bin/bench .
	@exec bin/bench --quick
