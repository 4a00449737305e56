# The two commands are `make serve` and `make test`; both do all the set-up they need.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB := client_web
STAMPS := .make
# Tests start hundreds of servers: what Python has compiled, it shall find compiled the next time.
unexport PYTHONDONTWRITEBYTECODE
PAGES := $(WEB)/editor/dist/index.html

.PHONY: serve build cluster test test-fast lint format describe bench dist setup lock clean

serve: $(STAMPS)/python $(PAGES)  ## Run the editor on http://127.0.0.1:8000 with its data in ./data
	$(BIN)/manyhands serve $(ARGS)

cluster: $(STAMPS)/python $(PAGES) $(STAMPS)/redis $(STAMPS)/postgres $(STAMPS)/haproxy  ## Three nodes behind HAProxy, with Redis and PostgreSQL, in ./data/cluster
	$(BIN)/python -m deploy.loopback $(ARGS)

build: $(STAMPS)/python $(PAGES)  ## What `make serve` needs, without serving

setup: $(STAMPS)/python-dev $(STAMPS)/web $(PAGES)

LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports && cd $(WEB) && npm run lint && npm run types
# In a new clone each of pytest's workers would compile all tests, at the same time.
COMPILED := test -e $(STAMPS)/compiled || { $(BIN)/pytest --collect-only --quiet > /dev/null 2>&1; touch $(STAMPS)/compiled; }
SERVERS := $(addprefix $(STAMPS)/,redis postgres pgbouncer haproxy nginx)

test: setup $(STAMPS)/browsers $(STAMPS)/stock $(STAMPS)/examples $(SERVERS)  ## Everything: whatever fails, all three run and say so
	@set -o pipefail; lint= pages= server=; \
	($(COMPILED); $(LINT)) > $(STAMPS)/lint.txt 2>&1 & \
	(cd $(WEB) && npm test) 2>&1 | tee $(STAMPS)/pages.txt || pages=failed; \
	wait $$! || lint=failed; cat $(STAMPS)/lint.txt; \
	$(BIN)/pytest -n 5 --dist loadgroup $(ARGS) || server=failed; \
	[ -z "$$lint" ] || { echo "Of the linters, before pytest:"; tail -n 20 $(STAMPS)/lint.txt; }; \
	[ -z "$$pages" ] || { echo "Of the pages, before pytest:"; grep -aE "FAIL|Error:|Test Files|Tests " $(STAMPS)/pages.txt | tail -n 40; }; \
	[ -z "$$lint$$pages$$server" ]

test-fast: $(STAMPS)/python-dev  ## What takes no longer than a minute
	MANYHANDS_EXAMPLES=$${MANYHANDS_EXAMPLES:-15} $(BIN)/pytest -n 2 -m "not slow and not e2e" --ignore=tests/e2e --ignore=tests/cluster $(ARGS)

lint: $(STAMPS)/python-dev $(STAMPS)/web
	$(LINT)

format: $(STAMPS)/python-dev $(STAMPS)/web
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	cd $(WEB) && npm run format

describe: $(STAMPS)/python-dev $(STAMPS)/web  ## Renew what is written from the declared operations and the schema: PROTOCOL.md's tables, the editor's types, docs/format.md, what tests compare both sides by
	$(BIN)/manyhands openapi --table | sed -i -e '/openapi --table: begin/,/openapi --table: end/{//!d}' -e '/openapi --table: begin/r /dev/stdin' server/PROTOCOL.md
	$(BIN)/manyhands openapi --types > $(WEB)/editor/src/api/wire.ts
	cd $(WEB) && npx vitest run --project schema format --update && npx vitest run --project editor contents suggesting/views --update

bench: setup $(STAMPS)/peers $(STAMPS)/installed $(STAMPS)/redis $(STAMPS)/postgres  ## Speed and memory, next to other servers; prints tables, writes build/bench.json
	$(BIN)/python -m tests.bench $(ARGS)

dist: $(STAMPS)/python-dev $(PAGES)  ## Packages for other machines, in ./dist: wheel and sdist of the server, provider, binding and schema for npm
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	for package in binding provider schema; do (cd $(WEB)/$$package && npm pack --loglevel=error --pack-destination "$(CURDIR)/dist") || exit 1; done

# One lock file serves every Python from 3.11 on: what only some of them need stands there with its condition.
LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate --no-header
lock: $(STAMPS)/python-dev  ## Renew the Python lock files from pyproject.toml
	$(LOCK) -o requirements.lock pyproject.toml
	$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) $(STAMPS) $(WEB)/node_modules $(WEB)/*/node_modules $(WEB)/*/dist $(WEB)/*/tsconfig.tsbuildinfo tests/bench/peers/node_modules tests/doors/node_modules examples/node_modules build dist

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
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "Manyhands' pages are built with Node.js 20 or newer: $$(node --version) is too old."; exit 1; }
	cd $(WEB) && npm ci --no-audit --no-fund
	@touch $@

$(PAGES): $(STAMPS)/web $(shell find $(WEB)/binding/src $(WEB)/provider/src $(WEB)/schema/src $(WEB)/editor/src $(WEB)/editor/public $(WEB)/editor/index.html $(WEB)/editor/vite.config.ts -type f 2>/dev/null)
	cd $(WEB) && npm run build
	@touch $@

$(STAMPS)/peers: tests/bench/peers/package-lock.json tests/bench/peers/requirements.txt
	@mkdir -p $(STAMPS)
	cd tests/bench/peers && npm ci --no-audit --no-fund
	$(PYTHON) -m venv $(STAMPS)/peers-python
	$(STAMPS)/peers-python/bin/pip install --quiet --disable-pip-version-check -r tests/bench/peers/requirements.txt
	@touch $@

# What a server meets that somebody has installed: nothing that only tests need, some of which other packages import.
$(STAMPS)/installed: $(STAMPS)/venv requirements.lock
	$(PYTHON) -m venv $(STAMPS)/installed-python
	$(STAMPS)/installed-python/bin/pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

$(STAMPS)/stock: tests/doors/package-lock.json
	@mkdir -p $(STAMPS)
	cd tests/doors && npm ci --omit=optional --no-audit --no-fund
	@touch $@

$(STAMPS)/examples: examples/package-lock.json
	@mkdir -p $(STAMPS)
	cd examples && npm ci --no-audit --no-fund
	@touch $@

# What Debian has: $(call from_debian,how to see that it is there,packages,who needs it). A fresh machine may be busy updating itself: wait for it.
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300

define from_debian
@mkdir -p $(STAMPS)
@{ $(1); } >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { $(APT) update; $(APT) install -y $(2); }; } || { echo "$(3): apt-get install $(2)"; exit 1; }
@touch $@
endef

# Chromium does for its shell without windows, at twice the processor time.
$(STAMPS)/browsers:
	$(call from_debian,command -v chromium,chromium fonts-liberation,The browser tests need Debian's chromium)
	@command -v chromium-headless-shell >/dev/null || $(APT) install -y chromium-headless-shell >/dev/null 2>&1 || echo "Without Debian's chromium-headless-shell the browser tests take longer."

$(STAMPS)/redis:
	$(call from_debian,command -v redis-server,redis-server,The tests of several nodes need Redis 7)

$(STAMPS)/postgres:
	$(call from_debian,ls /usr/lib/postgresql/*/bin/postgres || command -v postgres,postgresql,The tests of several nodes need PostgreSQL 12 or newer)

$(STAMPS)/pgbouncer:
	$(call from_debian,PATH="$$PATH:/usr/sbin" command -v pgbouncer,pgbouncer,The tests of the ways to PostgreSQL need PgBouncer)

$(STAMPS)/haproxy:
	$(call from_debian,PATH="$$PATH:/usr/sbin" command -v haproxy,haproxy,Several nodes need HAProxy 2.6 or newer in front of them)

$(STAMPS)/nginx:
	$(call from_debian,PATH="$$PATH:/usr/sbin" command -v nginx,nginx,The tests of deploy/nginx.conf need nginx)
