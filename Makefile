# Everything a developer does, each from a clean clone: `make demo` and `make test` need Python >= 3.11, make and a
# package index, and nothing else but redis-server for `make test`. `make help` lists the targets.

# The interpreter: the first suitable one, unless PYTHON says which.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
# What goes wrong in the demo, and how often; `openrouter-client simulate --help` lists what else can. The seed settles
# which requests it hits, and the retries are enough for nearly every seed.
FAULTS ?= 429:0.08,502:0.06,error200:0.04,reset:0.04
SEED ?= 9
STAND_IN := --simulate --seed '$(SEED)' --faults '$(FAULTS)' --retries 5
# How many processes run the tests.
WORKERS ?= 2

VENV := .venv
BUILD := build
DEMO_VENV := $(BUILD)/venv-demo
CORE_VENV := $(BUILD)/venv-core
WHEEL_VENV := $(BUILD)/venv-wheel
AUDIT_VENV := $(BUILD)/venv-audit
PEERS_VENV := $(BUILD)/venv-peers
FUZZ_VENV := $(BUILD)/venv-fuzz
MUTATE_VENV := $(BUILD)/venv-mutate
DOCS_VENV := $(BUILD)/venv-docs
PEERS_ONLY := calls-1,calls-50,calls-500,tls-50,streams-1,streams-50,imports
SOURCES := $(shell find core shell -type f -not -name '*.pyc' 2>/dev/null) README.md LICENSE

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# Bytecode is written as usual, but the environment of the caller must not leak into what is tested.
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test lint types test-core test-shell test-ray worlds soak fuzz mutate audit test-matrix bench \
	bench-speed bench-load bench-servers bench-readme bench-peers bench-redis bench-bulk bench-bulk-peers docs \
	docs-serve fmt dev clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- using it -------------------------------------------------------------------------------------------------------

# LIVE=1 with OPENROUTER_API_KEY set asks the real OpenRouter, and costs money; otherwise the embedded stand-in answers.
demo: $(DEMO_VENV)/.ready ## predictions for examples/markets.jsonl, from the local stand-in, faults and all
	$(DEMO_VENV)/bin/openrouter-client predict examples/markets.jsonl $(if $(filter 1,$(LIVE)),,$(STAND_IN))

# --- checking it ----------------------------------------------------------------------------------------------------

test: lint types test-core test-shell test-ray ## every check and every test, against the built wheel

lint: $(VENV)/.ready ## ruff and the architecture's contracts
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/lint-imports

# --verifytypes asks the first python on the PATH where the package is, whatever --pythonpath says.
types: $(VENV)/.ready $(WHEEL_VENV)/.wheel ## mypy and basedpyright, both strict, and the types as users see them
	$(VENV)/bin/mypy
	$(VENV)/bin/basedpyright --warnings
	$(VENV)/bin/mypy --config-file tests/typing/mypy.ini --python-executable $(WHEEL_VENV)/bin/python tests/typing
	$(VENV)/bin/basedpyright --warnings --project tests/typing --pythonpath $(WHEEL_VENV)/bin/python
	PATH=$(CURDIR)/$(WHEEL_VENV)/bin:$$PATH $(VENV)/bin/basedpyright --ignoreexternal --verifytypes openrouter_client
	PATH=$(CURDIR)/$(WHEEL_VENV)/bin:$$PATH $(VENV)/bin/basedpyright --ignoreexternal --verifytypes openrouter_core

test-core: $(CORE_VENV)/.wheel ## the core's tests, where there is no aiohttp; every branch of the core is covered
	@! $(CORE_VENV)/bin/python -c 'import aiohttp' 2>/dev/null || { echo 'aiohttp must not be in $(CORE_VENV)'; exit 1; }
	$(CORE_VENV)/bin/python -m pytest tests/core -n $(WORKERS) --cov --cov-report=term --cov-fail-under=100

test-shell: $(WHEEL_VENV)/.wheel ## all other tests, but for those of Ray
	$(WHEEL_VENV)/bin/python -m pytest tests --ignore=tests/core --ignore=tests/spread -n $(WORKERS)

# One process, for it brings a cluster up. RAY_*: no statistics for Ray's makers, and no token in the home directory.
test-ray: $(WHEEL_VENV)/.wheel ## bulk runs on a local Ray cluster of two workers, which are killed
	RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled $(WHEEL_VENV)/bin/python -m pytest tests/spread

worlds: $(CORE_VENV)/.wheel ## 100,000 random worlds under a virtual clock, each checked against the rules, a few minutes
	$(CORE_VENV)/bin/python -m tests.worlds $(WORLDS)

soak: $(VENV)/.ready ## an hour of mixed traffic through a proxy that injects faults (SOAK="--minutes 5": the form for CI)
	$(VENV)/bin/python -m tests.soak $(SOAK)

# Exit code 2 where the advisories could not be asked for; AUDIT=--offline checks the licences alone.
audit: $(VENV)/.ready $(AUDIT_VENV)/.ready ## licences of what comes along, and advisories against it
	$(VENV)/bin/python -m tests.audit --pip-audit $(AUDIT_VENV)/bin/pip-audit $(AUDIT)

# MATRIX="--only newest-3.12" runs a part; what is not installed here is skipped, and said.
test-matrix: $(BUILD)/wheel ## the tests with each Python, with the lowest and newest dependencies, and on uvloop
	$(VENV)/bin/python -m tests.matrix "$$(cat $(BUILD)/wheel)" $(MATRIX)

fuzz: $(FUZZ_VENV)/.ready ## coverage-guided fuzzing of what reads others' words, ten million times (FUZZ="--help")
	$(FUZZ_VENV)/bin/python -m tests.fuzz $(FUZZ)

mutate: $(MUTATE_VENV)/.ready ## mutants of the core: each is killed by a test, or listed as equivalent (MUTATE=retry_after)
	$(MUTATE_VENV)/bin/python -m tests.mutation $(MUTATE)

bench: bench-speed bench-load ## the benchmarks, about twenty minutes (BENCH="--quick": three)

bench-speed: $(VENV)/.ready ## CPU, latency and memory beside raw aiohttp
	$(VENV)/bin/python -m tests.benchmarks.bench $(BENCH)

bench-load: $(VENV)/.ready ## policies under load, under the virtual clock and in real time over loopback
	$(VENV)/bin/python -m tests.benchmarks.load $(BENCH)

bench-servers: $(VENV)/.ready ## servers drawn at random, under the virtual clock: what the tables do not ask, three minutes
	$(VENV)/bin/python -m tests.benchmarks.servers $(BENCH)

bench-readme: $(VENV)/.ready ## the same, and the tables go into README.md
	$(VENV)/bin/python -m tests.benchmarks.bench --readme $(BENCH)
	$(VENV)/bin/python -m tests.benchmarks.load --readme $(BENCH)

bench-peers: $(PEERS_VENV)/.ready ## the same beside openai and OpenRouter's own SDK, installed for this alone
	$(PEERS_VENV)/bin/python -m tests.benchmarks.bench --peers openai,official --only $(PEERS_ONLY) $(BENCH)
	$(PEERS_VENV)/bin/python -m tests.benchmarks.load --real --peers openai $(BENCH)

bench-redis: $(VENV)/.ready ## four processes with one key through a Redis: what they reach together, three minutes
	$(VENV)/bin/python -m tests.benchmarks.sharing $(BENCH)

bench-bulk: $(VENV)/.ready ## bulk runs: killed 20 times, durable beside bare, a million rows, on Ray; forty minutes
	$(VENV)/bin/python -m tests.benchmarks.bulk $(BENCH)
	$(VENV)/bin/python -m tests.benchmarks.spread $(BENCH)

bench-bulk-peers: $(PEERS_VENV)/.ready ## bulk runs beside other tools, killed half-way and run again; five minutes
	$(PEERS_VENV)/bin/python -m tests.benchmarks.bulk_peers $(BENCH)

# Strict: a link, an anchor or a name that leads nowhere fails the build, and so does a page that nobody finds. (With
# --quiet, MkDocs would not count its warnings.)
docs: $(DOCS_VENV)/.ready ## the site of the documentation, into build/site
	$(mkdocs) build --strict --config-file docs/site/mkdocs.yml
	@echo 'Open $(BUILD)/site/index.html'

docs-serve: $(DOCS_VENV)/.ready ## the same, on http://127.0.0.1:8000, made anew when something changes
	$(mkdocs) serve --config-file docs/site/mkdocs.yml

fmt: $(VENV)/.ready ## format, and mend what ruff can mend
	$(VENV)/bin/ruff check --fix-only
	$(VENV)/bin/ruff format

dev: $(VENV)/.ready ## only the environment to develop in (.venv)

clean: ## remove everything that the other targets made
	rm -rf $(VENV) $(BUILD) dist .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find core shell tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

# --- environments ---------------------------------------------------------------------------------------------------
# Each is made anew when what goes into it changes (the interpreter, the pins, the dependencies that pyproject.toml
# names), and left alone otherwise.

# $(1): the environment's folder. A pip of the pinned version, because dependency groups are younger than Python 3.11's.
define new_venv
	@$(PYTHON) -m venv --clear $(1) || { rm -rf $(1); echo; \
		echo 'No virtual environment could be made with $(PYTHON).'; \
		echo 'On Debian and Ubuntu: apt-get install python3-venv (and see the message above).'; exit 1; }
	@$(1)/bin/python -m pip install --quiet --upgrade --constraint constraints.txt pip
endef
# The advice that Material gives about MkDocs 2 is for those who choose versions.
mkdocs = NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs
install = bin/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt

# Rewritten only if it would differ, so that it is as old as the last change. Two makes at a time do not meet here.
$(BUILD)/ingredients: FORCE
	@test -n '$(PYTHON)' || { echo 'No Python >= 3.11 was found. Name one: make PYTHON=/path/to/python3.12'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python >= 3.11 is needed, and $(PYTHON) is older or missing: make PYTHON=/path/to/python3.12'; exit 1; }
	@mkdir -p $(BUILD)
	@new=$@.$$$$; \
		$(PYTHON) -c 'import sys, tomllib; print(sys.base_prefix, sys.version, open("constraints.txt").read()); \
		[print(part) for name, part in tomllib.load(open("pyproject.toml", "rb")).items() if name != "tool"]' > $$new && \
		if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

$(VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(VENV))
	$(VENV)/$(install) --group dev --editable '.[cli,otel,parquet,plot,ray,redis]'
	@touch $@

$(DEMO_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(DEMO_VENV))
	$(DEMO_VENV)/$(install) --editable '.[cli]'
	@touch $@

# What is tested is the wheel that users would get, built from the source distribution that they would get.
$(BUILD)/wheel: $(VENV)/.ready $(SOURCES) pyproject.toml
	@rm -rf $(BUILD)/dist
	$(VENV)/bin/python -m build --no-isolation --outdir $(BUILD)/dist > $(BUILD)/build.log || { cat $(BUILD)/build.log; exit 1; }
	@ls $(BUILD)/dist/*.whl > $@

# The peers' versions are not pinned: the newest of them is what one compares with.
$(PEERS_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(PEERS_VENV))
	$(PEERS_VENV)/$(install) --editable '.[cli]' trustme openai openrouter async-batch-llm batchllm-ai flexllm
	@touch $@

$(AUDIT_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(AUDIT_VENV))
	$(AUDIT_VENV)/$(install) --group audit
	@touch $@

$(WHEEL_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(WHEEL_VENV))
	$(WHEEL_VENV)/$(install) --group test-ray
	@touch $@

$(CORE_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(CORE_VENV))
	$(CORE_VENV)/$(install) --group test-core msgspec returns
	@touch $@

# pip leaves a wheel alone whose version is installed already: hence the uninstall.
$(WHEEL_VENV)/.wheel: $(WHEEL_VENV)/.ready $(BUILD)/wheel
	@$(WHEEL_VENV)/bin/python -m pip uninstall --quiet --yes aio-openrouter 2>/dev/null
	$(WHEEL_VENV)/$(install) "$$(cat $(BUILD)/wheel)[cli,otel,parquet,plot,ray,redis]"
	@touch $@

# Instrumented and mutated are the sources as they are, and not the wheel.
$(FUZZ_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(FUZZ_VENV))
	$(FUZZ_VENV)/$(install) --group fuzz --editable .
	@touch $@

$(MUTATE_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(MUTATE_VENV))
	$(MUTATE_VENV)/$(install) --group mutate --editable .
	@touch $@

$(DOCS_VENV)/.ready: $(BUILD)/ingredients
	$(call new_venv,$(DOCS_VENV))
	$(DOCS_VENV)/$(install) --group docs --editable '.[cli,plot]'
	@touch $@

$(CORE_VENV)/.wheel: $(CORE_VENV)/.ready $(BUILD)/wheel
	@$(CORE_VENV)/bin/python -m pip uninstall --quiet --yes aio-openrouter 2>/dev/null
	$(CORE_VENV)/$(install) --no-deps "$$(cat $(BUILD)/wheel)"
	@touch $@
