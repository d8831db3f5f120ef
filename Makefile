.DEFAULT_GOAL := help
.PHONY: help setup cluster up down test lint unit integration bench clean

PYTHON ?= python3
VENV := .venv/bin

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install everything into .venv and .tools; does nothing the second time
	@$(PYTHON) tools/setup.py
	@$(VENV)/python examples/shop/build.py > /dev/null

cluster:  ## build the Kubernetes control plane that tests use into .tools/cluster; minutes, once
	@$(PYTHON) tools/cluster.py

up: setup  ## launch the demo shop under load; VERSION=2.1 launches that version alone
	@$(VENV)/python examples/shop/demo.py $(VERSION)

down: setup  ## stop the demo and destroy what it owns
	@$(VENV)/python -m launch down dev --yes

lint: setup  ## style, formatting and types
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy

unit: setup  ## the tests that start no process
	@$(VENV)/pytest -q -m "not integration"

integration: setup cluster  ## the tests with the real engine and real processes
	@$(VENV)/pytest -q -m integration -n 2 --dist loadfile --no-loadscope-reorder

test: lint cluster  ## lint, then every test in one run, so that its last line counts them all
	@$(VENV)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

bench: setup  ## run the benchmarks; NAME=race runs one
	@$(VENV)/python -m bench $(NAME)

clean:  ## remove .venv and caches; keeps what is built in .tools and the state in .launch
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist .tools/setup.json
	@find . -name __pycache__ -type d -not -path './.launch/*' -prune -exec rm -rf {} +
