# Everything a person types. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install run demo test lint format bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(STAMP) ## put everything into .venv

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mailticket needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,auth]'
	@touch $@

run: install ## start the daemon on embedded defaults: SQLite, SMTP on loopback, a Maildir for outgoing mail
	$(BIN)/mailticket --config config run

demo: install ## watch a whole ticket life go by, over real SMTP, in under 30 seconds
	$(BIN)/mailticket demo

test: install ## lint, types and every test this machine can run; the others are skipped with a reason
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m compileall -q mailticket tests # scenarios start hundreds of processes
	$(BIN)/pytest -q -n 4 --dist loadgroup

lint: install ## style and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## what a mail costs, beside the floor measured in the same run
	$(BIN)/python -m bench

clean: ## remove the virtual environment and the caches, never your data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
