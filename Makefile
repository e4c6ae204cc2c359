# The only door: every command that CI or a person runs has a target here.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
WEEKS ?= 6
JOBS ?= 4
BENCH ?=

.DEFAULT_GOAL := help
.PHONY: compose-env help setup check test test-fresh format events jars up demo bench

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## create .venv with the pinned packages

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

check: setup ## lint, format, types, import contracts, generated pages, language, compose file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m motcua.cli.events
	$(BIN)/python -m pytest tests/architecture/test_language.py
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: setup ## rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

events: setup ## rewrite docs/events.md, docs/asyncapi.yaml, docs/problems.md and the schema snapshots from the code
	$(BIN)/python -m motcua.cli.events --write

jars: setup ## rewrite motcua/local/embedded/jars.tsv from pom.xml (needs Maven)
	$(BIN)/python -m motcua.local.embedded.maven

test: export PYTHONDONTWRITEBYTECODE =# it would have each of hundreds of processes compile the project anew
test: setup ## every test, on real brokers and databases: JOBS (4) files side by side
	$(BIN)/python -m pytest tests -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-fresh: setup ## the broker without Java, Maven and cached jars, as on a fresh machine: downloads 45 MB
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && mkdir "$$fresh/bin" && ln -s "$$(command -v sh)" "$$fresh/bin/" && \
	env -u JAVA_HOME -u MOTCUA_JAVA -u MOTCUA_MAVEN PATH="$$fresh/bin" MOTCUA_CACHE="$$fresh/cache" \
	  $(BIN)/python -m pytest -n 0 --timeout 900 tests/integration/motcua/test_embedded_kafka.py

compose-env: .env ## write .env with a fresh password for each role of the compose file

.env:
	(umask 077; for role in POSTGRES INTAKE ROUTING SLA NOTIFY VERIFY OPS; do \
	  echo "$${role}_PASSWORD=$$($(PYTHON) -c 'import secrets; print(secrets.token_hex(16))')"; done > .env)

up: setup ## the whole centre on this machine, until Ctrl-C
	$(BIN)/python -m motcua up

demo: setup ## WEEKS weeks (6; all: 27) of 2017 through a fresh centre, checked; ends by itself
	$(BIN)/python -m motcua demo --weeks $(WEEKS)

bench: setup ## rates, CPU, memory, latency beside limits and peers: docs/benchmarks.md (BENCH=--quick to try)
	$(BIN)/python -m tests.bench $(BENCH)
