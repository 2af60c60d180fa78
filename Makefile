# make run    shows what h5arrow does with the sample file
# make test   runs all tests, including those with pyarrow, h5py and vaex
#
# Both first install the system packages that they need (make deps; H5ARROW_NO_DEPS=1 skips that). `make help` lists all
# targets.

GO          ?= go
PKGS        ?= ./...
FUZZTIME    ?= 10s
JOBS        ?= 2
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Build tags for what this machine has. They are computed when a recipe runs, as make deps may change them.
TAGS = $(shell scripts/tags.sh)

# What has code: the tests of the tree itself read the same text in every build.
code = $(filter-out %/internal/repotest,$(shell CGO_ENABLED=$(1) $(GO) list -tags '$(2)' $(PKGS)))

# Symbols of the SQL engine are for nobody outside the program: without them it is smaller and starts sooner.
ifeq ($(shell uname -s),Linux)
LINK = -ldflags '-extldflags=-Wl,--exclude-libs,ALL'
endif

ROOT  := $(CURDIR)
VENV  := $(ROOT)/build/venv
CASES := $(ROOT)/build/cases

# vaex-core and, before Python 3.12, anndata need pandas 2. It writes the cases of pandas, too.
VENV2  := $(ROOT)/build/venv-pandas2
CASES2 := $(ROOT)/build/cases-pandas2

# The Python package with what its tests use.
VENVPY := $(ROOT)/build/venv-python

# The same with Spark and Ray, which are large: only for clustertest.
VENVCLUSTER := $(ROOT)/build/venv-cluster

# The Go tests use these where they exist: Pythons, the first of which has a test's packages, the interoperability cases, and a
# driver.
export H5ARROW_PYTHON := $(VENV)/bin/python:$(VENV2)/bin/python
export H5ARROW_CASES  := $(CASES)
export H5ARROW_JDBC_JAR := $(ROOT)/build/jars/flight-sql-jdbc-driver.jar

.DEFAULT_GOAL := build
.PHONY: help deps build release install man run venv cases interop interop2 stores engines python pythontest clustertest clusterrace test gotest race purego attack fuzz cross lint generate bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

deps: ## install the system packages that a full build needs
	@scripts/deps.sh

build: ## build bin/h5arrow with all that this machine has
	@mkdir -p bin
	$(GO) build -tags '$(TAGS)' $(LINK) -o bin/h5arrow ./cmd/h5arrow

release: ## build small commands that need no libraries in build/release, with and without SQL
	@GO='$(GO)' scripts/release.sh build/release

install: ## install h5arrow with all that this machine has
	$(GO) install -tags '$(TAGS)' ./cmd/h5arrow

man: build ## write the manual pages to build/man
	bin/h5arrow help --man build/man

run: deps build ## inspect the sample, convert it to Arrow, show its first rows and what was mapped
	@mkdir -p build
	bin/h5arrow inspect testdata/sample.h5
	bin/h5arrow convert testdata/sample.h5 build/sample.arrow --force --json >build/sample.json
	$(GO) run ./examples/headarrow -n 10 build/sample.arrow
	@python3 scripts/summary.py <build/sample.json

venv: ## make build/venv and build/venv-pandas2, with the Python packages of the interoperability tests
	@scripts/venv.sh $(VENV) testdata/interop/requirements.txt examples/requirements.txt scripts/requirements.txt
	@scripts/venv.sh $(VENV2) testdata/interop/requirements-pandas2.txt

cases: venv ## write the interoperability cases to build/cases, and those of pandas 2 to build/cases-pandas2
	@stamp="$$(cat testdata/interop/*.py testdata/interop/families/*.py $(VENV)/stamp $(VENV2)/stamp | cksum)"; \
	if [ "$$(cat $(CASES)/stamp 2>/dev/null)" != "$$stamp" ]; then \
		rm -rf $(CASES) $(CASES2) && mkdir -p $(CASES) && \
		export VAEX_HOME=$(ROOT)/build/vaex PYTHONDONTWRITEBYTECODE=1 && \
		$(VENV)/bin/python testdata/interop/make_cases.py $(CASES) --only core,chunked,nulls,conventions,bad,pandas && \
		$(VENV2)/bin/python testdata/interop/make_cases.py $(CASES) --only vaex,anndata && \
		$(VENV2)/bin/python testdata/interop/make_cases.py $(CASES2) --only pandas && \
		echo "$$stamp" >$(CASES)/stamp; \
	fi

interop2: cases build ## run the cases that pandas 2 wrote
	@$(VENV2)/bin/python scripts/interop.py $(CASES2) --h5arrow bin/h5arrow --jobs $(JOBS)
	@$(VENV2)/bin/python scripts/pandas_roundtrip.py $(CASES2) --h5arrow bin/h5arrow
	@H5ARROW_PYTHON=$(VENV2)/bin/python H5ARROW_REQUIRE_ALL=0 $(GO) test -count=1 -run 'TestSoftware/pandas' ./arrowmap/tablewriter

interop: cases build interop2 ## run the interoperability cases
	@$(VENV)/bin/python scripts/interop.py $(CASES) --h5arrow bin/h5arrow --jobs $(JOBS)
	@echo "again, to streams, with one worker and without mapping:"
	@$(VENV)/bin/python scripts/interop.py $(CASES) --h5arrow bin/h5arrow --jobs $(JOBS) --ext .arrows --extra=--workers=1 --extra=--io=read
	@$(VENV)/bin/python scripts/pandas_roundtrip.py $(CASES) --h5arrow bin/h5arrow

stores: cases build ## run the interoperability cases over HTTP, S3, GCS and Azure, by servers that it installs (needs npm)
	@scripts/venv.sh build/venv-stores scripts/requirements-stores.txt
	@GOBIN=$(ROOT)/build/stores $(GO) install github.com/fsouza/fake-gcs-server@v1.56.1
	@npm install --silent --no-fund --no-audit --prefix build/stores azurite@3.35.0
	@$(VENV)/bin/python scripts/stores.py $(CASES) --h5arrow bin/h5arrow --jobs $(JOBS) --moto build/venv-stores/bin/moto_server \
		--gcs build/stores/fake-gcs-server --azurite build/stores/node_modules/.bin/azurite-blob

engines: cases build ## open all outputs of the interoperability cases with pandas, Polars, DuckDB and DataFusion
	@$(VENV)/bin/python scripts/engines.py $(CASES) $(CASES2) --h5arrow bin/h5arrow --jobs $(JOBS)

python: ## build the wheel of the Python package in build/wheels
	@scripts/venv.sh $(VENVPY) python/requirements.txt
	@GO='$(GO)' scripts/wheel.sh $(VENVPY) build/wheels

pythontest: ## test the Python package, with a wheel of its own
	@scripts/venv.sh $(VENVPY) python/requirements.txt
	@GO='$(GO)' H5ARROW_WHEEL_PATHS=1 scripts/wheel.sh $(VENVPY) build/wheels-test
	@cd python/tests && PYTHONDONTWRITEBYTECODE=1 $(VENVPY)/bin/python -m pytest -q -p no:cacheprovider --ignore=cluster

clustertest: ## test the Python package with Spark and Ray, two workers each (needs Java 17; minutes, 1.5 GB of packages)
	@scripts/venv.sh $(VENVCLUSTER) python/requirements-cluster.txt
	@GO='$(GO)' H5ARROW_WHEEL_PATHS=1 scripts/wheel.sh $(VENVCLUSTER) build/wheels-cluster
	@cd python/tests/cluster && PYTHONDONTWRITEBYTECODE=1 $(VENVCLUSTER)/bin/python -m pytest -q -p no:cacheprovider

clusterrace: ## time Spark and Ray with one worker and with two, after clustertest (2 GB decoded; on a quiet machine)
	@cd python/tests/cluster && PYTHONDONTWRITEBYTECODE=1 $(VENVCLUSTER)/bin/python race.py $(if $(ROWS),--rows $(ROWS))

test: deps build ## run all tests
	@GO='$(GO)' PKGS='$(PKGS)' MAKE='$(MAKE)' scripts/test.sh

gotest: ## run the Go tests alone
	@GO='$(GO)' scripts/gotest.sh -tags '$(TAGS)' $(PKGS)

race: ## run the Go tests with the race detector and the invariants
	$(GO) test -race -short -tags '$(TAGS),invariants' $(call code,1,$(TAGS))

purego: ## build without cgo, test without cgo and without assembly
	CGO_ENABLED=0 $(GO) build -ldflags='-s -w' $(PKGS)
	CGO_ENABLED=0 $(GO) test -tags purego $(call code,0,purego)

attack: ## attack servers, and print what they withstand: minutes, on Linux
	$(GO) test -count=1 -timeout 30m -v -tags '$(TAGS),attack' -run '^TestAttack' ./ipc/flight ./cmd/h5arrow

fuzz: ## run each fuzz target for FUZZTIME
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' PKGS='$(PKGS)' TAGS='$(TAGS)' scripts/fuzz.sh

cross: ## compile for other systems, and for 32 bits with the tests, without cgo
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -ldflags='-s -w' $(PKGS)
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) build -ldflags='-s -w' $(PKGS)
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) build -ldflags='-s -w' $(PKGS)
	CGO_ENABLED=0 GOOS=js GOARCH=wasm $(GO) build -ldflags='-s -w' $(PKGS)
	CGO_ENABLED=0 GOOS=linux GOARCH=386 $(GO) vet $(PKGS)

lint: ## gofmt, go vet, staticcheck, go mod tidy
	@bad="$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go'))"; if [ -n "$$bad" ]; then echo "not formatted by gofmt:"; echo "$$bad"; exit 1; fi
	$(GO) vet -tags '$(TAGS),invariants' $(PKGS)
	CGO_ENABLED=0 $(GO) vet -tags purego $(PKGS)
	$(GO) run $(STATICCHECK) -tags '$(TAGS),invariants' $(PKGS)
	$(GO) mod tidy -diff

generate: ## write the generated files again
	$(GO) generate $(PKGS)

bench: build ## compare with other programs if ../shared/bench has the scripts for it, else run the Go benchmarks
	@GO='$(GO)' TAGS='$(TAGS)' PKGS='$(PKGS)' scripts/bench.sh

clean: ## remove bin and build
	rm -rf bin build
