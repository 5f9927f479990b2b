# `make run` and `make test` are all that a reader needs; the rest is for maintainers.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run test mutants faults everywhere bench notebooks badges export lint encoder clean

run: $(VENV)/installed  ## run the six notebooks, then print captions and scores
	$(PY) -m utils.notebooks run

test: $(VENV)/installed  ## unit tests, then every stored cell output of the notebooks
	$(PY) -m pytest --nbval tests notebooks

mutants: $(VENV)/installed  ## plant one bug after another and say which test sees it
	$(PY) -m tests.mutants

faults: $(VENV)/installed  ## make things go wrong, and say what a reader sees
	$(PY) -m tests.faults

everywhere: $(VENV)/installed  ## the notebooks on Python 3.10 to 3.13, lowest and highest versions, and more; an hour
	$(PY) -m tests.everywhere

bench: $(VENV)/installed  ## measure speed, as ratios; writes data/bench.json
	$(PY) -m tests.bench

notebooks: $(VENV)/installed  ## run the notebooks on scenes and store them executed
	$(PY) -m utils.notebooks store

badges: $(VENV)/installed  ## REPO=owner/name: make the notebooks open in Colab from that repository
	$(PY) -m utils.notebooks badges $(REPO)

export: $(VENV)/installed-dev  ## write the cells marked `#| export` to utils/
	$(VENV)/bin/nbdev-export

lint: $(VENV)/installed-dev  ## ruff over code and notebooks, mypy over utils
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

encoder: $(VENV)/installed  ## train vgg16-slim again, from nothing
	$(PY) -m utils.pretrain

clean:
	rm -rf $(VENV) .venvs data/runs data/scenes

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PY) -m pip install --quiet mypy nbdev ruff
	touch $@
