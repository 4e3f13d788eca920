# make run    set up and start the centre at http://127.0.0.1:8000
# make test   set up and run the whole test suite
# make check  the house's own checks (style, types, floors, templates, migrations)
# make bench  the benchmarks
# make help   all targets

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
export MPC_BIND ?= 127.0.0.1:8000

.PHONY: help setup setup-dev run demo test check format bench clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile | sed '/^$$/d'

$(VENV)/.ready: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or later is needed; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, $(PYTHON) is older; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the centre needs into $(VENV) ..."
	@$(PIP) install --quiet --only-binary :all: -r requirements.txt
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready
	@$(PIP) install --quiet --only-binary :all: -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.ready

setup-dev: $(VENV)/.ready-dev

run: setup
	@$(BIN)/python manage.py prepare $(if $(PRODUCTS),--products $(PRODUCTS))
	@$(BIN)/honcho -f Procfile start || test $$? -eq 130

test: setup-dev
	@$(BIN)/python -m tests.lanes $(ARGS)

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	@$(BIN)/python manage.py bench --all

clean:
	rm -rf $(VENV) staticfiles .pytest_cache .mypy_cache .ruff_cache
