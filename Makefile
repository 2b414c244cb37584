# Everything runs in .venv, which holds exactly what requirements.lock pins. `make` alone lists the targets.

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
STAMP := .venv/.installed

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
# Small matrices: a second BLAS thread only gets in the first one's way.
export OPENBLAS_NUM_THREADS := 1
export PRE_COMMIT_HOME := $(CURDIR)/.venv/.pre-commit

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup report test coverage docs bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## build .venv from requirements.lock; does nothing when it is up to date

# The stamp is written last: an interrupted install is simply run again.
$(STAMP): requirements.lock pyproject.toml
	@rm -f $@
	@if $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then \
		echo "setting up the existing .venv ($$($(BIN)/python --version)) ..."; \
	else \
		python=$$(.ci/find-python) || exit; \
		echo "setting up .venv with $$("$$python" --version) ..."; \
		"$$python" -m venv --clear .venv; \
	fi
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true # a quick start even where Python may not write bytecode
	@touch $@

report: setup ## run every analysis of data/analyses.toml and write results/
	@$(BIN)/kyphobayes report --out results

# pytest comes last, so that its summary is the last thing on the screen. PYTEST="-n 4 -k tau" passes arguments on.
test: setup ## lint, types, pre-commit, tests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright
	@if [ -e .git ] && command -v git >/dev/null; then \
		$(BIN)/pre-commit run --all-files; \
	else \
		echo "not a git checkout, or no git: pre-commit is skipped"; \
	fi
	@$(BIN)/pytest -n 2 $(PYTEST)

coverage: setup ## tests with the lines that none of them runs; at least 95 % must be run
	@$(BIN)/pytest -q -n 2 --cov --cov-report=term $(PYTEST)

docs: setup ## build the documentation into build/docs
	@$(BIN)/sphinx-build -W --keep-going -q -b html -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

bench: setup ## time our work and the peers' on the same, and hold the ratios to the last record
	@$(BIN)/python -m benchmarks $(BENCH)

lock: ## pin anew what pyproject.toml asks for (needs uv)
	@uv pip compile --quiet --universal --python-version 3.12 --extra dev --extra dask --extra docs --upgrade \
		--generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock

clean: ## remove caches and build products; .venv and results/ stay
	@rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	@find . \( -name .venv -o -name .git \) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
