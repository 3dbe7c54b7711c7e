# Every target does the set-up it needs, and redoes none of it the second time.
PYTHON ?= python3
BIN := .venv/bin
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: help chat test check index evals diff bench clean

help:
	@echo "make chat    open the chat on http://127.0.0.1:7860"
	@echo "make test    run every test"
	@echo "make check   format, lint, types, import direction"
	@echo "make index   build the index from knowledge/"
	@echo "make evals   run the scripted questions, hold them against their thresholds"
	@echo "make diff    the answers that a change of knowledge/ changes, since BEFORE=HEAD~1"
	@echo "make bench   timings and scores beside the stock LangChain chain and BM25"

.venv/.runtime: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 chat"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is needed (on Debian: apt install python3-venv)"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/.dev: .venv/.runtime
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

.venv/.bench: .venv/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,train]'
	@touch $@

# The tests drive a real browser and watch real system calls: Debian's chromium and strace.
.venv/.system: .venv/.runtime
	@for tool in chromium strace; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing fonts-dejavu-core >/dev/null; \
	  else echo "The tests need$$missing: sudo apt-get install$$missing"; exit 1; fi; \
	fi
	@touch $@

index: .venv/.runtime
	$(BIN)/python -m index build

chat: index
	$(BIN)/python -m bot serve

test: .venv/.dev .venv/.system index
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

evals: .venv/.dev index
	$(BIN)/python -m evals run
	$(BIN)/python -m evals gate

# In a clone without that revision there is no change to show.
BEFORE ?= HEAD~1
diff: .venv/.dev index
	@if git rev-parse --verify --quiet '$(BEFORE)^{commit}' >/dev/null; \
	then $(BIN)/python -m evals diff --before '$(BEFORE)'; \
	else echo "git has no $(BEFORE) here: no change of the answers to show"; fi

bench: .venv/.bench index
	$(BIN)/python -m evals bench

clean:
	rm -rf .venv .cache *.egg-info
