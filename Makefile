# Thin over CMake's presets: what each target does is one line of cmake, ctest or a script.
# `make demo` and `make test` install what they need (tools/setup.sh) and take it from there.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
JOBS := $(shell nproc)
FUZZ ?= csv zip expr parquet pipes
FUZZ_SECONDS ?= 600
PLANS ?= 500
RUN_TESTS = .venv/bin/python tools/run_tests.py $(1) -j $(JOBS) $(if $(FRESH),--fresh)
BUILD = cmake --preset $(1) $(if $(VERBOSE),,>build/$(1).configure.log) && cmake --build --preset $(1) -j $(JOBS) $(2)

.PHONY: help setup setup-build setup-clang demo test faults bench format clean asan tsan coverage fuzz install release

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install packages and .venv; returns at once when nothing changed
	@tools/setup.sh test
	@mkdir -p build

setup-build:
	@tools/setup.sh build
	@mkdir -p build

release: setup-build ## build the program as users run it: build/release/bin/mutirao
	@$(call BUILD,release,--target mutirao_program)

demo: release ## run the example job on the bundled data and show what came out
	@examples/demo.sh build/release/bin/mutirao build/demo

test: setup ## build with checks on and run every test; FRESH=1: also when nothing changed
	@$(call BUILD,dev)
	@$(call RUN_TESTS,dev)

faults: setup ## all faults of a cluster, and PLANS random plans on 1, 2, 4 workers and while workers are killed
	@$(call BUILD,dev,--target mutirao_program cluster_plans worker_module towns_module)
	@cd tests && MUTIRAO_SLOW_TESTS=1 MUTIRAO_CLUSTER_PLANS=$(PLANS) MUTIRAO_BIN=../build/dev/bin/mutirao ../.venv/bin/python -m pytest cluster

setup-clang:
	@tools/setup.sh test clang llvm
	@mkdir -p build

asan: setup-clang ## the same under AddressSanitizer and UBSan
	@$(call BUILD,asan)
	@$(call RUN_TESTS,asan)

tsan: setup-clang ## the same under ThreadSanitizer
	@$(call BUILD,tsan)
	@$(call RUN_TESTS,tsan)

coverage: setup ## run every test with gcov's counters; build/coverage/report says which lines of src ran
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/coverage-requirements.txt
	@$(call BUILD,coverage)
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage -j $(JOBS)
	@tools/coverage.sh build/coverage

fuzz: setup-clang ## give each target of fuzz/ (FUZZ) made-up input for FUZZ_SECONDS
	@$(call BUILD,fuzz)
	@for target in $(FUZZ); do fuzz/run.sh $$target $(FUZZ_SECONDS) || exit 1; done

bench: setup ## measure against DuckDB, Polars, Dask and pyarrow on 1 GB; ARGS="--jobs J1 …" (bench/README.md)
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@$(call BUILD,release,--target mutirao_program mutirao_datagen)
	@.venv/bin/python bench/run.py $(ARGS) && .venv/bin/python bench/table.py

format: setup ## format all C++ in place
	@git ls-files '*.h' '*.cc' | xargs clang-format -i

install: setup ## build and install into PREFIX (default build/install)
	@$(call BUILD,release)
	@cmake --install build/release --prefix "$(or $(PREFIX),build/install)"

clean: ## remove everything that was built; .venv stays
	rm -rf build
