# kilnlight: `make setup`, `make demo`, `make test`. Needs Python 3.11-3.13, git, make and the package index.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
WORKS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	if $$p -c '$(WORKS)' >/dev/null 2>&1; then echo $$p; break; fi; done)
endif

.PHONY: setup demo test check clean

setup: $(VENV)/.base

demo: setup
	$(BIN)/kilnlight demo --out demo-output --port $(PORT)

test: $(VENV)/.test
	$(BIN)/python -m pytest -m "not real_data and not browser"

# what a developer runs before a commit
check: $(VENV)/.dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

$(VENV)/.base: pyproject.toml
	@$(or $(PYTHON),false) -c '$(WORKS)' >/dev/null 2>&1 || { \
	echo "kilnlight needs Python 3.11, 3.12 or 3.13 with its venv module, and none was found$(if $(PYTHON), as $(PYTHON)):" >&2; \
	echo "install one (on Debian and Ubuntu: apt install python3 python3-venv) or name it: make setup PYTHON=/path/to/python" >&2; \
	exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@
	@echo "kilnlight is ready: $(BIN)/kilnlight --help"

$(VENV)/.test: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable '.[test,train]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable '.[test,train,browser,dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo-output build dist
