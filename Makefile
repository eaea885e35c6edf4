# One verb, one target. Everything happens inside .venv, so nothing else on the machine changes.
#
#   make demo PHOTO=mine.jpg   your own photograph instead of the one that comes along
#   make test JOBS=4           more test processes (two by default)
#   make test TESTS=tests/cli  part of the suite

PYTHON ?= python3
PHOTO ?=
JOBS ?= 2
TESTS ?= tests

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt

# What an installation depends on: another pin or another line of C++ installs anew.
CPP := $(shell find kernels -name '*.cpp' -o -name '*.hpp' -o -name '*.inl')
# The page's own; they are no part of an installation.
VIEWER_CPP := $(wildcard viewer/csrc/*)
SOURCES := pyproject.toml constraints.txt kernels/CMakeLists.txt $(CPP)

GPU := $(shell command -v nvidia-smi)

# Each test process keeps to one core; several of them share the machine without fighting.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# What the makers of the theme and of its engine have to say about each other's future.
QUIET_SITE := NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true

.PHONY: help demo test check format viewer docs wheels bench-kernels clean
.DEFAULT_GOAL := help

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Encode a photograph, decode it, compare with JPEG and WebP
	@$(BIN)/python -m vqcodec_cli.demo $(if $(PHOTO),--photo "$(PHOTO)")

test: $(VENV)/.dev ## Run the whole test suite
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal $(TESTS)

check: $(VENV)/.dev ## Formatting, lint and types, of Python and of C++
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP) $(VIEWER_CPP)

format: $(VENV)/.dev ## Format every file in place
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/clang-format -i $(CPP) $(VIEWER_CPP)

viewer: $(VENV)/.demo ## Build the viewer for the browser into viewer/dist
	@$(BIN)/python viewer/build.py

# Not --quiet: it keeps warnings from being counted, and so from being errors.
docs: $(VENV)/.docs ## Build the site of the documentation into site/, warnings are errors
	$(QUIET_SITE) $(BIN)/python -m mkdocs build --strict

wheels: $(VENV)/.wheels ## Build source distributions and wheels into dist/, and look at them
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m build --outdir dist kernels
	$(BIN)/python -m auditwheel show dist/vqcodec-*.whl
	$(BIN)/python -m auditwheel show dist/vqcodec_kernels-*.whl
	$(BIN)/python -m twine check --strict dist/*

bench-kernels: $(VENV)/.dev ## Time the nearest-code kernels against their peers
	$(PIP) install --quiet --constraint constraints.txt --requirement bench/requirements.txt
	$(BIN)/python -m bench.kernels_cpu
	$(if $(GPU),$(BIN)/python -m bench.kernels_gpu)

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build demo dist site viewer/dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python $(SOURCES)
	$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.docs: $(BIN)/python $(SOURCES)
	$(INSTALL) --editable '.[docs]'
	@touch $@

$(VENV)/.wheels: $(BIN)/python $(SOURCES)
	$(INSTALL) auditwheel build twine
	@touch $@

$(VENV)/.dev: $(BIN)/python $(SOURCES)
	$(INSTALL) --editable '.[test,check]'
	@touch $@
