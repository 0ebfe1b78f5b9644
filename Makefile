# The only commands to know. Each sets up what it needs on a fresh machine with Python 3.11 and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.set-up
export DAGSTER_HOME ?= $(CURDIR)
export AMAZON_SAGE_HOME ?= $(CURDIR)/var
export DAGSTER_DISABLE_TELEMETRY := yes

.DEFAULT_GOAL := help
.PHONY: help demo dev test lint bench lock

help: ## say what each command does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 8

$(SETUP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(SETUP) ## a whole close of the sample seller: sandbox, Dagster, Sage, the file for finance
	$(BIN)/amazon-sage demo

dev: $(SETUP) ## the sandbox and the Dagster UI on 127.0.0.1:3000; Ctrl-C stops both
	$(BIN)/amazon-sage dev

test: $(SETUP) ## every test, on two cores
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(SETUP) ## style, types, SQL and banned imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 0 sql

bench: $(SETUP) ## the long drills and measurements: kills, faults, a busy warehouse, costs, a million lines, 10,000 orders
	$(BIN)/python -m amazon_sage_assets_tests.drills.crash_drill --kills 300
	$(BIN)/python -m amazon_sage_assets_tests.drills.crash_drill --kills 300 --of orders
	$(BIN)/python -m amazon_sage_assets_tests.drills.fault_drill --documents 2000
	$(BIN)/python -m amazon_sage_assets_tests.drills.fault_drill --documents 2000 --of orders
	$(BIN)/python -m amazon_sage_assets_tests.drills.warehouse_drill --documents 2000
	$(BIN)/python -m amazon_sage_assets_tests.benchmarks.request_costs
	$(BIN)/python -m amazon_sage_assets_tests.benchmarks.settlement_scale
	$(BIN)/python -m amazon_sage_assets_tests.benchmarks.order_scale --orders 10000

lock: ## compile requirements.lock again; needs uv
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-strip-extras --generate-hashes \
		--no-emit-index-url --no-annotate --no-header -o requirements.lock
