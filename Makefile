INPUT = inputs/example.xlsx
MONTH =
OUT =

python = .venv/bin/python
ifeq ($(shell uname -s),Darwin)
# Homebrew's folder is not where the loader looks. Set per command: macOS drops DYLD_* from what a shell inherits.
python = DYLD_FALLBACK_LIBRARY_PATH=/opt/homebrew/lib:/usr/local/lib:/usr/lib .venv/bin/python
endif

.PHONY: help report check lint types test bench golden example lock clean setup

help: ## this list
	@awk -F ':[^#]*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

report: setup ## a workbook's report: INPUT=inputs/example.xlsx [MONTH=2026-11] [OUT=reports]
	$(python) -m engine report "$(INPUT)" $(if $(MONTH),--month "$(MONTH)") $(if $(OUT),--out "$(OUT)")

check: lint types test ## all that CI runs

lint: setup ## style and likely mistakes (ruff)
	$(python) -m ruff check

types: setup ## types (mypy)
	$(python) -m mypy

test: setup ## the tests (pytest)
	$(python) -m pytest

bench: setup ## how fast sweeps and reports are here, beside what the machine gives
	$(python) tests/benchmarks/sweep.py

golden: setup ## accept what the tests now see as the golden texts
	$(python) -m pytest --update-golden

example: setup ## write inputs/example*.xlsx and published-cases.xlsx anew
	$(python) -m engine blank --example

lock: setup ## requirements.lock from pyproject.toml; UPGRADE=1 takes the newest versions
	$(python) -m pip install -q uv
	.venv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --fork-strategy fewest \
		--no-build --generate-hashes --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
		--quiet --output-file requirements.lock

clean: ## remove .venv and what tools leave behind; reports stay
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find engine tests -name __pycache__ -prune -exec rm -rf {} +

setup:
	@sh .ci/setup
