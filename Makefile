# Foresync. `make demo` shows it, `make test` proves it, `make help` lists the rest.
# Works in a fresh clone on a Debian-like machine with Python >= 3.11, as root or not, without questions.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FRONTEND := $(BIN)/python hatch_build.py

# One thread for each training process: more of them than cores spin and starve each other.
export OMP_NUM_THREADS ?= 1

.PHONY: help setup run demo test test-tools lint format openapi docs constraints clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

# ---- the environment -------------------------------------------------------------------------------------

setup: $(VENV)/.installed ## make .venv, install everything, build the dashboard
	@$(FRONTEND)

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "foresync: there is no '$(PYTHON)'; install Python >= 3.11, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "foresync: needs Python >= 3.11, and $(PYTHON) is $$($(PYTHON) --version); name a newer one: make PYTHON=/path/to/python" >&2; exit 1; }
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	  package="$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(call apt_install,$$package); \
	  else echo "foresync: $(PYTHON) cannot make environments; install the package $$package" >&2; exit 1; fi; fi
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@touch $@

# The machine's own certificates, where it has some: an index may be reached through a proxy that signs anew.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

# uv does not read pip's settings, so pip's local wheels are named to it. Without such a folder, torch comes
# as the CPU build that its makers serve, or, where only the package index can be reached, as the index has it.
UV_SETTINGS = links="$${PIP_FIND_LINKS:-$$($(BIN)/pip config get global.find-links 2>/dev/null || true)}"; \
	if [ -n "$$links" ]; then export UV_FIND_LINKS="$$(echo $$links | tr ' ' ',')"; else export UV_TORCH_BACKEND="$${UV_TORCH_BACKEND:-cpu}"; fi

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt hatch_build.py
	@$(UV_SETTINGS); \
	install() { FORESYNC_SKIP_FRONTEND=1 UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --python $(BIN)/python \
	  --constraint constraints.txt --build-constraint constraints.txt "$$@"; }; \
	install --editable '.[dev]' || { unset UV_TORCH_BACKEND; install --editable '.[dev]'; }; \
	node="$$($(FRONTEND) requirements)"; if [ -n "$$node" ]; then install "$$node"; fi
	@touch $@

# ---- use -------------------------------------------------------------------------------------------------

run demo: export FORESYNC_HOME ?= $(CURDIR)/.foresync

run: setup ## serve the dashboard on 127.0.0.1
	@exec $(BIN)/foresync serve

demo: setup ## serve, run the demonstration experiment, compare its two runs
	@exec $(BIN)/foresync demo

# ---- checks ----------------------------------------------------------------------------------------------

test: setup test-tools ## the whole suite: Python, units of the dashboard, a real browser
	$(BIN)/python -m pytest -m "not browser" -n 3 --dist loadfile
	$(FRONTEND) npm run test
	$(BIN)/python -m pytest -m browser -n 2 --dist loadfile

lint: setup ## formatter, linters, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy hatch_build.py
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(FRONTEND) npm run types
	$(FRONTEND) npm run lint

format: setup ## write what the formatter wants
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What a plain user cannot install is not needed to train; the tests that need it say so.
test-tools:
	@if ! command -v chromium chromium-browser google-chrome >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(call apt_install,chromium); \
	  else echo "foresync: there is no Chromium, so the browser tests will be skipped; install the package chromium" >&2; fi; fi

define apt_install
{ apt-get update -q -o Acquire::Retries=3 && DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 $(1); } </dev/null
endef

# ---- committed files that are made -----------------------------------------------------------------------

openapi: setup ## write frontend/openapi.json anew from the backend
	$(BIN)/python -m backend.openapi >$(VENV)/openapi.json
	mv $(VENV)/openapi.json frontend/openapi.json

docs: setup ## write docs/reference/ anew from the code
	$(BIN)/python -m docs.generate

constraints: setup ## resolve constraints.txt anew from pyproject.toml
	@$(UV_SETTINGS); $(BIN)/uv pip compile pyproject.toml --extra dev --group setup --upgrade \
	  --quiet --no-header --no-annotate --no-emit-find-links --no-emit-index-url >$(VENV)/constraints.new
	@{ sed -n '/^#/p' constraints.txt; sed 's/+cpu$$//' $(VENV)/constraints.new; } >$(VENV)/constraints.txt
	mv $(VENV)/constraints.txt constraints.txt

clean: ## remove the environment and everything that was built; runs and results stay
	rm -rf $(VENV) backend/static frontend/dist frontend/node_modules build dist *.egg-info
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/screenshots
