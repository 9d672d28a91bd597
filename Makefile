# Two commands: `make app` serves the app, `make test` runs every test. The rest is for developers.
# `make app NETWORKS=RUN` puts a network that you have trained into the menu; several as in PATH, or with spaces.

PORT ?= 8501
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
# `make TORCH=cpu app` takes PyTorch's CPU-only build: a tenth of the download.
ifeq ($(TORCH),cpu)
PIP += --extra-index-url https://download.pytorch.org/whl/cpu
endif

ifdef NETWORKS
export CAPSVIZ_NETWORKS := $(NETWORKS)
endif

.PHONY: app test bench clean

app: $(VENV)/.installed
	$(BIN)/streamlit run app.py --server.port $(PORT)

# Three workers on two cores, for one often waits for its browser, with a thread each: PyTorch's threads would wait for each
# other, and take three times as long.
test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	sh tests/e2e/install_chromium.sh $(BIN)/python
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache

# A stamp for each list of requirements: a second start installs nothing, a changed list installs again.
$(VENV)/.installed: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "capsviz needs Python 3.11 or newer: make PYTHON=python3.12 app"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || \
		{ echo "No virtual environment could be made: on Debian or Ubuntu, apt install python3-venv"; exit 1; }
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@
