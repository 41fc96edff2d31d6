# Everything here works on a fresh clone: each target sets up what it needs, once.

VENV    := .venv
JOBS    := 2
ROUNDS  := 60
MESSAGES:= 100000
ARGS    :=
UPGRADE :=
PYTHON  ?=

SHELL := /bin/sh
PATH  ?= /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

BIN := $(VENV)/bin
LOG := var/setup.log
PIP  = $(BIN)/python -m pip --disable-pip-version-check --no-input

# One lock for all supported Pythons; it names packages, versions and hashes, and no address.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header

# $(call logged,COMMAND): run it, its output in the log; show the log's end when it fails.
logged = $(1) >>$(LOG) 2>&1 || { tail -n 30 $(LOG) >&2; echo "Set-up failed; all of it is in $(LOG)." >&2; exit 1; }

# The first Python that is new enough and can make environments. Python 3.11 to 3.13 are tested, so
# they go before a newer one.
define find_python
if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; else set -- python3 python3.13 python3.12 python3.11 python; fi; \
python=; old=; bare=; \
for limit in 13 99; do \
  for candidate in "$$@"; do \
    [ -z "$$python" ] || break; \
    "$$candidate" -c 'import sys' >/dev/null 2>&1 || continue; \
    "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' || { old=$$candidate; continue; }; \
    "$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] > (3, '$$limit'))' || continue; \
    "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1 || { bare=$$candidate; continue; }; \
    python=$$candidate; \
  done; \
done; \
if [ -z "$$python" ]; then \
  if [ -n "$$bare" ]; then \
    version=$$("$$bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
    echo "$$bare cannot make virtual environments: install the package that has its venv and ensurepip modules (on Debian and Ubuntu: apt-get install python$$version-venv)." >&2; \
  elif [ -n "$$old" ]; then \
    echo "commsched needs Python 3.11 or newer; $$old is $$("$$old" -c 'import sys; print(sys.version.split()[0])'). Name another one with: make PYTHON=/path/to/python3" >&2; \
  else \
    echo "commsched needs Python 3.11 or newer, and found none. Name one with: make PYTHON=/path/to/python3" >&2; \
  fi; \
  exit 1; \
fi
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check lock bench bench-full chaos facts clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.stamp-dev ## Make .venv with all that development needs (PYTHON=... chooses the Python)

demo: $(VENV)/.stamp-runtime ## Show commsched at work on sample customers
	@$(BIN)/commsched demo

test: $(VENV)/.stamp-dev ## Run the tests and say what was skipped, and why
	@$(BIN)/python -m pytest -n $(JOBS) -rs $(ARGS)

test-all: ## Run the tests on Python 3.11, 3.12 and 3.13, as far as they are here
	@ran=; absent=; failed=; \
	for version in 3.11 3.12 3.13; do \
	  found=; \
	  for candidate in python$$version $$HOME/.pyenv/versions/$$version.*/bin/python \
	      $$HOME/.local/share/uv/python/cpython-$$version.*/bin/python$$version; do \
	    if "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then absent="$$absent $$version"; continue; fi; \
	  echo "== Python $$version"; \
	  if $(MAKE) --no-print-directory test VENV=.venvs/$$version PYTHON="$$found"; \
	    then ran="$$ran $$version"; else failed="$$failed $$version"; fi; \
	done; \
	echo "== passed:$${ran:- none}; failed:$${failed:- none}; not on this machine:$${absent:- none}"; \
	[ -z "$$failed" ] && [ -n "$$ran" ]

check: $(VENV)/.stamp-dev ## Lint, check types, layers and documentation
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_docs.py

lock: $(VENV)/.stamp-dev ## Bring requirements/ in line with pyproject.toml (UPGRADE=1 takes newer versions too)
	@echo "requirements/dev.txt, runtime.txt, build.txt, bench.txt"
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --group dev -o requirements/dev.txt
	@$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	@$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --group bench -c requirements/dev.txt -o requirements/bench.txt

bench: $(VENV)/.stamp-bench ## Measure speed and memory, and compare with others (ARGS="B1 B4" for some of it)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-full: $(VENV)/.stamp-bench ## The same with up to a million customers, which takes hours, into docs/performance.md
	@$(BIN)/python -m benchmarks --full --write --save var/bench-full.json

chaos: $(VENV)/.stamp-dev ## Break things at random for about half an hour (ROUNDS=..., MESSAGES=... for more or less)
	@CHAOS_ROUNDS=$(ROUNDS) CHAOS_SECONDS=300 CHAOS_MESSAGES=$(MESSAGES) $(BIN)/python -m pytest -n $(JOBS) -rs tests/faults $(ARGS)

facts: $(VENV)/.stamp-dev ## Make the sample facts afresh
	@$(BIN)/python tools/sample_facts.py
	@$(BIN)/python tools/sample_clinic.py

clean: ## Remove environments, caches and everything under var/
	rm -rf .venv .venvs node_modules var dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each step, so that a second run has nothing to do.

$(VENV)/.stamp-venv:
	@mkdir -p var; : >$(LOG)
	@$(find_python); \
	echo "Setting up $(VENV) with $$("$$python" --version) (the first time only; details in $(LOG))"; \
	$(call logged,"$$python" -m venv $(VENV))
	@touch $@

$(VENV)/.stamp-runtime: $(VENV)/.stamp-venv pyproject.toml requirements/runtime.txt requirements/build.txt
	@mkdir -p var; echo "Installing what commsched needs to run"; \
	$(call logged,$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt); \
	$(call logged,$(PIP) install --no-deps --no-build-isolation --no-index --editable .)
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-runtime requirements/dev.txt
	@mkdir -p var; echo "Installing the development tools"; \
	$(call logged,$(PIP) install --require-hashes -r requirements/dev.txt)
	@touch $@

$(VENV)/.stamp-bench: $(VENV)/.stamp-dev requirements/bench.txt
	@mkdir -p var; echo "Installing what the benchmarks compare with"; \
	$(call logged,$(PIP) install --require-hashes -r requirements/bench.txt)
	@touch $@
