# The commands of this house, one line each: `make` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help run demo test bench docs check format lock clean crash

help: ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed; try: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@echo "Setting up $(VENV) from the lock file (once; a minute or two)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

run: $(READY) ## Start the hub on this machine and stay until Ctrl-C
	@$(BIN)/mash up

demo: $(READY) ## Play the scenario pack on the real parts, end to end
	@$(BIN)/mash demo

test: $(READY) ## Run all tests on real PostgreSQL, Prefect and SMTP, in three processes
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

bench: $(READY) requirements-bench.lock ## Measure the hub beside its peers; writes bench/results.md (half an hour)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@$(BIN)/python -m bench

docs: $(READY) requirements-docs.lock ## Build the documentation as a site: build/docs/index.html
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@$(BIN)/python -m engine.reference docs/reference
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs
	@echo "build/docs/index.html"

check: $(READY) ## Lint, format, strict types, and the import walls; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Put the code into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

crash: $(READY) ## Kill parts of a running hub 200 times while cases are played; half an hour
	@$(BIN)/python -m tests.crash.campaign --kills 200 --results bench
	@$(BIN)/python -m tests.crash.singles

lock: ## Resolve pyproject.toml anew into requirements.lock and those beside it (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --group dev --group scale pyproject.toml --output-file requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --constraint requirements.lock --group docs --output-file requirements-docs.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --constraint requirements.lock --group image pyproject.toml --output-file requirements-image.lock

clean: ## Throw away the virtual environment, caches and all local data
	rm -rf $(VENV) .mash .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
