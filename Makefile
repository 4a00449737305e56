# The two commands are `make serve` and `make test`; both do all the set-up they need.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB := client_web
STAMPS := .make
PAGES := $(WEB)/editor/dist/index.html

.PHONY: serve cluster test test-fast lint format bench setup lock clean

serve: $(STAMPS)/python $(PAGES)  ## Run the editor on http://127.0.0.1:8000 with its data in ./data
	$(BIN)/manyhands serve $(ARGS)

cluster: $(STAMPS)/python $(PAGES) $(STAMPS)/redis $(STAMPS)/postgres $(STAMPS)/haproxy  ## Three nodes behind HAProxy, with Redis and PostgreSQL, in ./data/cluster
	$(BIN)/python -m deploy.loopback $(ARGS)

setup: $(STAMPS)/python-dev $(STAMPS)/web $(PAGES)

test: lint setup $(STAMPS)/chromium $(STAMPS)/redis $(STAMPS)/postgres $(STAMPS)/haproxy  ## Everything
	cd $(WEB) && npm test
	$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

test-fast: $(STAMPS)/python-dev  ## What takes no longer than a minute
	$(BIN)/pytest -n 2 -m "not slow and not e2e" $(ARGS)

lint: $(STAMPS)/python-dev $(STAMPS)/web
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(WEB) && npm run lint && npm run types

format: $(STAMPS)/python-dev $(STAMPS)/web
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	cd $(WEB) && npm run format

bench: setup $(STAMPS)/peers $(STAMPS)/redis $(STAMPS)/postgres  ## Speed and memory, next to other servers; prints tables, writes build/bench.json
	$(BIN)/python -m tests.bench $(ARGS)

lock: $(STAMPS)/python-dev  ## Renew the Python lock files from pyproject.toml
	$(BIN)/pip-compile -q --upgrade -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) $(STAMPS) $(WEB)/node_modules $(WEB)/*/node_modules $(WEB)/*/dist tests/bench/peers/node_modules build

$(STAMPS)/venv:
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Manyhands needs Python 3.11 or newer: $$($(PYTHON) --version) is too old."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make a virtual environment: on Debian, install python3-venv."; exit 1; }
	@touch $@

$(STAMPS)/python: $(STAMPS)/venv requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(STAMPS)/python-dev: $(STAMPS)/python requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

$(STAMPS)/web: $(WEB)/package-lock.json
	@mkdir -p $(STAMPS)
	@command -v npm >/dev/null || { echo "Manyhands' pages are built with Node.js 20 or newer and npm: install them."; exit 1; }
	cd $(WEB) && npm ci --no-audit --no-fund
	@touch $@

$(PAGES): $(STAMPS)/web $(shell find $(WEB)/provider/src $(WEB)/editor/src $(WEB)/editor/public $(WEB)/editor/index.html $(WEB)/editor/vite.config.ts -type f 2>/dev/null)
	cd $(WEB) && npm run build
	@touch $@

$(STAMPS)/peers: tests/bench/peers/package-lock.json tests/bench/peers/requirements.txt
	@mkdir -p $(STAMPS)
	cd tests/bench/peers && npm ci --no-audit --no-fund
	$(PYTHON) -m venv $(STAMPS)/peers-python
	$(STAMPS)/peers-python/bin/pip install --quiet --disable-pip-version-check -r tests/bench/peers/requirements.txt
	@touch $@

$(STAMPS)/chromium:
	@mkdir -p $(STAMPS)
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-liberation; } || { echo "The browser tests need Debian's chromium: apt-get install chromium"; exit 1; }
	@touch $@

$(STAMPS)/redis:
	@mkdir -p $(STAMPS)
	@command -v redis-server >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-server; } || { echo "The tests of several nodes need Redis 7: apt-get install redis-server"; exit 1; }
	@touch $@

$(STAMPS)/postgres:
	@mkdir -p $(STAMPS)
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql; } || { echo "The tests of several nodes need PostgreSQL 12 or newer: apt-get install postgresql"; exit 1; }
	@touch $@

$(STAMPS)/haproxy:
	@mkdir -p $(STAMPS)
	@PATH="$$PATH:/usr/sbin" command -v haproxy >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq haproxy; } || { echo "Several nodes need HAProxy 2.6 or newer in front of them: apt-get install haproxy"; exit 1; }
	@touch $@
