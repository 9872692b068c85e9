# Everything a contributor or operator does by hand has a target here; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STACK ?= main
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# STEP TITLE LOG ADVICE COMMAND…
STEP := deploy/local/step
LOGS := .local/setup-logs
NETWORK := mend what the log says, network and package index first, then run this again

DISTRIBUTIONS := protos $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml)) cli
# What the installed distributions are made of; their Python files are used in place.
METADATA := $(addsuffix /pyproject.toml,$(DISTRIBUTIONS)) protos/setup.py $(wildcard protos/*.yaml) \
	$(shell find protos/crm protos/google -name '*.proto')

## Run

.PHONY: run
run: setup ## Start everything on this machine and keep it alive until Ctrl-C
	@exec $(BIN)/crm run --stack $(STACK) $(ARGS)

.PHONY: status
status: setup ## Show every process, database and queue as one table
	@$(BIN)/crm status --stack $(STACK) $(ARGS)

.PHONY: tour
tour: setup ## Walk through what a running installation can do
	@$(BIN)/crm tour --stack $(STACK) $(ARGS)

.PHONY: reset
reset: setup ## Forget the local installation with all its data
	@$(BIN)/crm reset --stack $(STACK)

## Develop

.PHONY: setup
setup: $(VENV)/.code ## Make the virtual environment and install everything into it

.PHONY: test
test: setup ## Run every test on real servers, started privately
	@$(BIN)/pytest $(ARGS)

.PHONY: bench
bench: setup ## Measure how fast it is, beside the limits of this machine
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(ARGS)

.PHONY: fuzz
fuzz: setup ## Send what nobody means to every method, for SECONDS=60 each
	@CRM_FUZZ_SECONDS=$(or $(SECONDS),60) $(BIN)/pytest tests/security/test_fuzz.py tests/security/test_fuzz_json.py $(ARGS)

.PHONY: faults
faults: setup ## Do harm to a running installation and check that it kept its promises; SEED=n repeats a run
	@$(BIN)/python -m tests.faults $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: lint
lint: setup ## Check style, types, the walls between rooms, and the contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint protos
	$(BIN)/buf format -d --exit-code protos
	@BUF=$(BIN)/buf protos/breaking.sh

.PHONY: format
format: setup ## Write Python and protos the way lint wants them
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/buf format -w protos

.PHONY: lock
lock: setup ## Pin requirements.in to requirements.lock, with hashes
	$(PIP) install --quiet uv
	$(BIN)/uv pip compile --quiet --no-header --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --python-version 3.11 --output-file requirements.lock requirements.in

.PHONY: clean
clean: ## Remove the virtual environment and what tools left behind; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis protos/python

## Help

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^## / {printf "\n\033[1m%s\033[0m\n", substr($$0, 4)} \
		/^[a-z-]+:.*## / {printf "  make \033[36m%-8s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nVariables: STACK=name picks another installation, ARGS="…" is passed on to the command.\nmake bench takes ONLY="calls lag …" for some of its groups (import export lag calls tiers), and QUICK=1 for less of everything.\n'

# Debian's Python makes no virtual environment before python3-venv is installed.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null || { echo "please run: sudo apt-get install python3-venv"; exit 1; }; \
		$(STEP) "list of packages" $(LOGS)/apt-update.log "$(NETWORK)" apt-get update && \
		$(STEP) "python3-venv" $(LOGS)/apt-install.log "$(NETWORK)" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends python3-venv; }
	@$(STEP) "virtual environment $(VENV)" $(LOGS)/venv.log "make clean, then run this again" \
		$(PYTHON) -m venv $(VENV)

$(VENV)/.libraries: requirements.lock | $(VENV)/bin/python
	@$(STEP) "libraries" $(LOGS)/libraries.log "$(NETWORK)" $(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.code: $(VENV)/.libraries $(METADATA)
	@$(STEP) "this repository's distributions" $(LOGS)/distributions.log \
		"mend what the log says, then run this again; make clean begins anew" \
		$(PIP) install --no-build-isolation --no-deps $(foreach one,$(DISTRIBUTIONS),-e ./$(one))
	@touch $@
