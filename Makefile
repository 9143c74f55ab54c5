# Everything from a machine with Python 3.11 or newer, make and a package index. A second run starts at once.
PYTHON ?= python3
BIN := .venv/bin
RUN := .venv/.run-ready
DEV := .venv/.dev-ready

.PHONY: demo test lint types contracts bench eval faces cluster lock clean help

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
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not browser and not faces and not cluster" $(ARGS)

lint: $(DEV) ## ruff
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(DEV) ## mypy, strict
	$(BIN)/mypy

contracts: $(DEV) ## the walls of the house
	$(BIN)/lint-imports

bench: $(DEV) ## measured, never asserted
	$(BIN)/python -m tests.bench $(ARGS)

FACES := .gumshoe/faces
CLIENTS := .venv/.faces-ready
$(CLIENTS): $(DEV) config/requirements-faces.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r config/requirements-faces.lock
	touch $@

faces: $(CLIENTS) ## the simulated APIs against real servers and clients (Debian's packages are unpacked here; no root needed)
	@mkdir -p $(FACES) && cd $(FACES) && for name in prometheus prometheus-alertmanager; do \
	  [ -x root/usr/bin/$$name ] || { apt-get download -qq $$name && dpkg -x $${name}_*.deb root; }; done
	GUMSHOE_FACES=$(CURDIR)/$(FACES)/root/usr/bin GUMSHOE_FACES_BUILD=$(CURDIR)/$(FACES)/search $(BIN)/python -m pytest -q -s -m faces tests/faces $(ARGS)

EVAL := .gumshoe/eval
eval: $(RUN) ## the whole library, offline, graded and reported (TWICE=1: twice, with identical findings; CASES=@slice; JOBS=n)
	$(BIN)/gumshoe eval run $(if $(CASES),--cases '$(CASES)') --jobs $(or $(JOBS),2) --fresh --out $(EVAL)/run.json
	$(if $(TWICE),$(BIN)/gumshoe eval run $(if $(CASES),--cases '$(CASES)') --jobs $(or $(JOBS),2) --fresh --no-guessers --out $(EVAL)/again.json)
	$(if $(TWICE),$(BIN)/gumshoe eval compare --identical $(EVAL)/run.json $(EVAL)/again.json)
	$(BIN)/gumshoe eval report $(EVAL)/run.json --html $(EVAL)/run.html --png $(EVAL)/run.png

CLUSTER := .gumshoe/cluster
cluster: $(DEV) ## faults in a cluster with a real control plane, built here with Go (a quarter of an hour the first time)
	tests/cluster/build.sh $(CLUSTER)
	GUMSHOE_CLUSTER=$(CURDIR)/$(CLUSTER) $(BIN)/python -m pytest -q -m cluster tests/cluster $(ARGS)

lock: $(DEV) ## write config/*.lock anew
	for extra in "" dev faces; do $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --strip-extras --no-header --no-annotate $${extra:+--extra $$extra} \
	  --build-deps-for editable -o config/requirements$${extra:+-$$extra}.lock pyproject.toml; done

clean: ## forget the environment and all state
	rm -rf .venv .gumshoe *.egg-info
