# Everything from a machine with Python 3.11 or newer, make and a package index. A second run starts at once.
PYTHON ?= python3
BIN := .venv/bin
RUN := .venv/.run-ready
DEV := .venv/.dev-ready

.PHONY: demo test lint types contracts bench lock clean help

help: ## what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 20

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Gumshoe needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv

$(RUN): $(BIN)/python config/requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r config/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(DEV): $(RUN) config/requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r config/requirements-dev.lock
	touch $@

demo: $(RUN) ## the whole way from an alert to its finding, on this machine (SCENARIO=name, ONCE=1, PORT=n)
	$(BIN)/gumshoe demo $(if $(ONCE),--once --scenario $(or $(SCENARIO),all),$(if $(SCENARIO),--scenario $(SCENARIO))) $(if $(PORT),--port $(PORT))

test: $(DEV) ## every test that needs no browser
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not browser" $(ARGS)

lint: $(DEV) ## ruff
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(DEV) ## mypy, strict
	$(BIN)/mypy

contracts: $(DEV) ## the walls of the house
	$(BIN)/lint-imports

bench: $(DEV) ## measured, never asserted
	$(BIN)/python -m tests.bench $(ARGS)

lock: $(DEV) ## write config/*.lock anew
	for extra in "" dev; do $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --strip-extras --no-header --no-annotate $${extra:+--extra $$extra} \
	  --build-deps-for editable -o config/requirements$${extra:+-$$extra}.lock pyproject.toml; done

clean: ## forget the environment and all state
	rm -rf .venv .gumshoe *.egg-info
