# Every target sets itself up: a .venv with plain python3 and pip, nothing else is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo docs test test-all bench chaos check format lock clean

demo: $(VENV)/.user
	$(BIN)/reconciler demo

# The documentation as a site that needs no server and no network: build/site/index.html. Warnings are errors.
docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -W -n -q -b html docs build/site
	@echo "To read it, open build/site/index.html in a browser."

# Compiled modules are kept, even if the shell disables that. Without them, each worker and each command that a test
# starts would compile everything again.
test test-all bench chaos: export PYTHONDONTWRITEBYTECODE =

# What a change should pass before it is pushed: minutes. ARGS go to pytest.
# Four workers for two cores: many tests wait for a moment, or for a process that was killed.
PYTEST := $(BIN)/python -m pytest -n 4 --dist worksteal
test: $(VENV)/.dev
	$(PYTEST) -m "not slow" $(ARGS)

# Everything: after the tests above, every combination and example, long random runs and kills. RECONCILER_TEST_POSTGRES adds PostgreSQL.
test-all: test
	$(PYTEST) -m "slow or hypothesis" --hypothesis-profile full --timeout 600 $(ARGS)

# Every goal of performance beside its reference, in minutes. ARGS are rows, and options: --against CHECKOUT.
bench: $(VENV)/.dev
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)

# Bounded by CHAOS_SECONDS (600); CHAOS_SEED replays a run.
chaos: $(VENV)/.dev
	$(BIN)/python tests/chaos/long.py

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck .ci/* .github/lock reconciler/cli/completions/reconciler.bash
	$(BIN)/hadolint Containerfile
	$(BIN)/jactionlint --shellcheck $(BIN)/shellcheck .github/workflows/*.yml .github/dependabot.yml \
	  examples/pipelines/github/*.yml
	$(BIN)/zizmor --offline --quiet .github examples/pipelines/github/*.yml

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Pins the dependencies again, with hashes: .github/requirements*.txt.
lock: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'
	.github/lock $(BIN)/uv

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The demo runs what a user would install; the tests need the tools of a developer.
$(VENV)/.user: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[sandbox]'
	touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.user
