# The front doors. `make run` and `make test` work in a fresh clone; ARGS is passed on: make run ARGS="--rest 127.0.0.1:8080".
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
NODE_TESTS := tests/node/node_modules/.package-lock.json tests/dashboard/node_modules/.package-lock.json

.PHONY: help setup venv run test test-faults soak fuzz check bench bench-large generate dashboard lock clean

help:
	@echo "make setup     environment from the lock, into .venv"
	@echo "make run       serve REST on 127.0.0.1:3100 and gRPC on 127.0.0.1:3101"
	@echo "make test      every test"
	@echo "make test-faults  a hundred kills of each kind and ten of every other fault (make test: two of each)"
	@echo "make soak      an hour of mixed load and the drift of memory, files and latency; MINUTES=5 for less"
	@echo "make fuzz      every route and RPC with made-up requests, and every reader with made-up bytes, at length"
	@echo "make check     style, types, imports, contract"
	@echo "make bench     speed, against the budgets of the design; 20 minutes (ARGS=--quick: one)"
	@echo "make bench-large  the same for longer, up to 10,000,000 stored events; an hour, 15 GB"
	@echo "make generate  Python code from proto/"
	@echo "make dashboard  rest_facade/dashboard/dist from its sources, and the README's pictures"
	@echo "make lock      lock files from pyproject.toml"
	@echo "make clean     remove what the others made (not healthguard-data)"

venv:
	@scripts/setup

setup: venv
	@if command -v npm >/dev/null; then $(MAKE) --silent $(NODE_TESTS) || echo "setup: no packages from npm; the tests that use Node cannot run"; fi

# Packages of the programs that tests drive with Node; a machine without it needs none.
%/node_modules/.package-lock.json: %/package-lock.json
	@npm ci --silent --prefix $*
	@touch $@

# exec: the signal that stops make's child reaches the server itself.
run: venv
	@exec $(BIN)/healthguard serve $(ARGS)

# Python may keep what it compiles, also where it was told not to: each worker would compile tests and their packages again.
test test-faults fuzz: export PYTHONDONTWRITEBYTECODE =

# Most tests wait for processes they started: three at a time keep two cores busy. ARGS="-n 0 tests/rest" runs some, one by one.
test: setup
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

test-faults: setup
	@HEALTHGUARD_TEST_FAULT_ROUNDS=$${HEALTHGUARD_TEST_FAULT_ROUNDS:-100} $(BIN)/python -m pytest tests/faults $(ARGS)

soak: venv
	@$(BIN)/python -m tests.soak $(or $(MINUTES),60) $(ARGS)

fuzz: setup
	@HEALTHGUARD_TEST_FUZZ_TIMES=$${HEALTHGUARD_TEST_FUZZ_TIMES:-50} $(BIN)/python -m pytest tests/fuzz $(ARGS)

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	scripts/check-breaking
	scripts/check-dashboard
	$(BIN)/python scripts/check_dependencies.py
	$(BIN)/python -m pytest tests/contract

bench: venv
	@$(BIN)/python -m tests.bench $(ARGS)

bench-large: venv
	@$(BIN)/python -m tests.bench --large $(ARGS)

generate: venv
	$(BIN)/buf format --write
	scripts/generate

# Needs Node and Chromium; users of the committed files need neither.
dashboard: setup
	@npm ci --silent --prefix rest_facade/dashboard && npm run --silent build --prefix rest_facade/dashboard
	@HEALTHGUARD_SHOTS=$(CURDIR)/docs $(BIN)/python -m pytest tests/dashboard -k demo $(ARGS)

lock: venv
	scripts/lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/*/node_modules rest_facade/dashboard/node_modules bench-results dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
