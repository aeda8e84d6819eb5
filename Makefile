# Each target sets up what it needs in .venv: once, and quick the second time.

PYTHON ?= python3
PORT ?= 8080
BIN = .venv/bin

# A stamp is written when an installation has ended well, and carries Python's version. Without a
# stamp, or with the mark of an installation that was interrupted, .venv is made afresh.
VERSION := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
PACKAGES = .venv/packages-$(VERSION)
TOOLS = .venv/tools-$(VERSION)
UNFINISHED = .venv/unfinished
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e

.PHONY: help setup demo test check bench soak catalogs screenshots

help: ## This list.
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

setup: $(PACKAGES) ## Set up .venv, with the command jisr in it.

demo: $(PACKAGES) ## Rehearse a real programme in the browser; no token is needed. PORT=8080
	@$(BIN)/python -m bot demo --port $(PORT)

test: $(TOOLS) ## Run the tests, on SQLite and on PostgreSQL.
	@$(BIN)/pytest -n auto --dist loadfile

check: $(TOOLS) ## Check style, types, the rooms' borders and the three catalogs.
	@$(quietly) $(BIN)/ruff check
	@$(quietly) $(BIN)/ruff format --check
	@$(quietly) $(BIN)/mypy
	@$(quietly) $(BIN)/lint-imports
	@$(quietly) $(BIN)/jisr catalogs check
	@echo "Style, types, borders and catalogs are in order."

bench: $(TOOLS) ## Measure, beside what one would use instead; some minutes.
	@$(BIN)/python -m tests.bench

soak: $(TOOLS) ## Kill, stop and flood it at full size; some hours. SOAK="--seed 7 --kills 5"
	@$(BIN)/python -m tests.soak $(SOAK)

catalogs: $(PACKAGES) ## Bring the catalogs up to date with what the conversations say.
	@$(BIN)/jisr catalogs update

screenshots: $(TOOLS) ## Take the pictures of the documentation anew; needs Chromium.
	@$(BIN)/python -m tests.screenshots

# Run a command, and show what it says only if it fails.
quietly = quietly() { said=$$("$$@" 2>&1) || { printf '%s\n' "$$said"; return 1; }; }; quietly

$(PACKAGES): pyproject.toml constraints.txt
	@$(suitable)
	@echo "Setting up Python packages in .venv (once, about a minute) ..."
	@$(begin)
	@$(INSTALL) .
	@rm $(UNFINISHED) && touch $@

$(TOOLS): $(PACKAGES)
	@echo "Setting up the test tools in .venv (once, about a minute) ..."
	@$(begin)
	@$(INSTALL) '.[test]'
	@rm $(UNFINISHED) && touch $(PACKAGES) && touch $@

begin = { [ -e $(PACKAGES) ] && [ ! -e $(UNFINISHED) ]; } || \
  "$(PYTHON)" -m venv --clear .venv && touch $(UNFINISHED)

# Say what is missing, and how to get it.
define suitable
command -v "$(PYTHON)" >/dev/null || { \
  echo "There is no $(PYTHON) here. Install Python 3.11 or later, or name yours:" \
    "make PYTHON=python3.12"; exit 1; }; \
"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "Jisr needs Python 3.11 or later, and this is $$("$(PYTHON)" --version 2>&1)." \
    "If you have another, name it: make PYTHON=python3.12"; exit 1; }; \
"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
  echo "This Python can't make virtual environments. Install its venv module" \
    "(on Debian and Ubuntu: python3-venv)."; exit 1; }
endef
