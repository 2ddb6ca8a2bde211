# The two commands to know:  make run   starts a complete server on loopback,
#                            make test  installs what the tests need and runs them.
# Needs python3 (3.11 or later), python3-venv and make; everything else comes from here.

# Debian builds its python3 with profile-guided optimisation, version managers as a rule do not: a command
# costs a quarter less CPU (docs/performance.md). Where it will not do, the python3 of the PATH.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo /usr/bin/python3 || echo python3)
# Containers often have it set. The tests start some hundred servers, and each would compile all modules anew: 0.7 s of CPU.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run develop test check lint bench bench-peers bench-curves reliability-peers soak fuzz lock packages versions clean

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: $(VENV)/.run ## Start a complete mail server on loopback, for trying it out
	@exec $(BIN)/postroad dev

develop: $(VENV)/.dev ## Set up .venv with the development tools

# Most tests wait for servers that they start: three processes keep two cores busy. 0 runs all in this one.
TEST_PROCESSES ?= 3
IMAPFLOW := tests/interop/imapflow
test: $(VENV)/.dev packages $(IMAPFLOW)/node_modules/.made ## Install what the tests need and run them
	$(PYTEST) -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -m 'not soak'

check: lint ## Types, style, import contracts, then the tests
	@$(MAKE) --no-print-directory test

lint: $(VENV)/.dev ## Types, style and import contracts only
	$(BIN)/mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

BENCH ?=
bench: $(VENV)/.run ## Measure postroad alone (BENCH="--only smtp-10 --pairs 3")
	$(BIN)/python -m bench --alone $(BENCH)

bench-peers: $(VENV)/.run packages ## Measure postroad in turns with Postfix and Dovecot (as root; BENCH as above)
	$(BIN)/python -m bench $(BENCH)

bench-curves: $(VENV)/.bench packages ## Measure how cost grows, and draw it into docs/performance (as root)
	$(BIN)/python -m bench.curves --write docs/performance $(BENCH)

reliability-peers: $(VENV)/.dev packages ## Kill postroad, Postfix and Dovecot and cut their power (as root; RELIABILITY="--cuts 10")
	$(BIN)/python -m tests.faults.compare $(RELIABILITY)

soak: $(VENV)/.dev packages ## Run the long tests in their full size, then every fuzz target
	$(PYTEST) -m soak
	$(MAKE) fuzz

FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.fuzz ## Run every fuzz target for FUZZ_SECONDS (60)
	@found=; for target in $(patsubst tests/fuzz/fuzz_%.py,%,$(wildcard tests/fuzz/fuzz_*.py)); do \
	  echo "== $$target"; \
	  $(BIN)/python -m tests.fuzz $$target --seconds $(FUZZ_SECONDS) || found="$$found $$target"; \
	done; \
	if [ "$$found" ]; then echo "Found something, see .fuzz:$$found" >&2; exit 1; fi

packages:
	@tests/interop/install-packages

versions: $(VENV)/.dev packages $(IMAPFLOW)/node_modules/.made ## Write docs/interop.md anew from what is installed
	$(BIN)/python -m tests.interop.versions

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
  --no-emit-index-url --custom-compile-command "make lock" pyproject.toml
lock: | $(VENV)/.made ## Resolve the dependencies anew into requirements*.txt
	$(PIP) install uv
	$(LOCK) --output-file requirements.txt
	$(LOCK) --constraints requirements.txt --extra dev --output-file requirements-dev.txt
	$(LOCK) --constraints requirements.txt --extra fuzz --output-file requirements-fuzz.txt
	$(LOCK) --constraints requirements.txt --extra bench --output-file requirements-bench.txt

clean: ## Remove what was built, the virtual environment too
	rm -rf $(VENV) $(IMAPFLOW)/node_modules .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second run quick: pip is asked only when a lock file changed.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "postroad needs Python 3.11 or later; try  make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "On Debian this needs:  sudo apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/.made
	@echo "Installing postroad into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing the development tools into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

# Without it test_imapflow.py says what is missing. No package of its lock has anything to run.
$(IMAPFLOW)/node_modules/.made: $(IMAPFLOW)/package-lock.json | packages
	@echo "Installing ImapFlow into $(IMAPFLOW) ..."
	@cd $(IMAPFLOW) && if npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then touch node_modules/.made; fi

$(VENV)/.bench: requirements-bench.txt $(VENV)/.run
	@echo "Installing what draws into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/.fuzz: requirements-fuzz.txt $(VENV)/.run
	@echo "Installing the fuzzer into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-fuzz.txt
	@touch $@
