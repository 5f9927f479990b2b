# `make run` and `make test` are all that a reader needs; the rest is for maintainers.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run course test test-quick mutants faults everywhere bench notebooks badges export lint encoder captioner study clean clean-all

run: $(VENV)/installed  ## run the notebooks of Part I, then print captions and scores
	$(PY) -m utils.notebooks run

course: $(VENV)/installed  ## the same with the notebooks of both Parts
	$(PY) -m utils.notebooks course

test: $(VENV)/installed-tests  ## unit tests, ruff among them, then every stored cell output of the notebooks
	$(PY) -m pytest -n 2 --nbval tests notebooks

test-quick: $(VENV)/installed-tests  ## only the unit tests that start no process and train on no photograph
	$(PY) -m pytest -m "not slow" tests

mutants: $(VENV)/installed-tests  ## plant one bug after another and say which test sees it
	$(PY) -m tests.tools.mutants

faults: $(VENV)/installed  ## make things go wrong, and say what a reader sees
	$(PY) -m tests.tools.faults

everywhere: $(VENV)/installed  ## the notebooks on Python 3.10 to 3.13, lowest and highest versions, and more; an hour
	$(PY) -m tests.tools.everywhere

bench: $(VENV)/installed  ## measure speed, as ratios; writes data/bench.json
	$(PY) -m tests.tools.bench

notebooks: $(VENV)/installed  ## run the notebooks on scenes and store them executed
	$(PY) -m utils.notebooks store

badges: $(VENV)/installed  ## REPO=owner/name: make the notebooks open in Colab from that repository
	$(PY) -m utils.notebooks badges $(REPO)

export: $(VENV)/installed-dev  ## write the cells marked `#| export` to utils/
	$(PY) -m tests.tools.export

lint: $(VENV)/installed-dev  ## ruff over code and notebooks, mypy over utils
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

study: $(VENV)/installed  ## NAME=04_mistakes: run what needs more time than a notebook may take; goes on if stopped
	$(PY) -m utils.studies $(NAME)

encoder: $(VENV)/installed  ## NAME=resnet-slim: train a slim encoder again, from nothing; by default vgg16-slim
	$(PY) -m utils.pretrain $(if $(findstring command,$(origin NAME)),$(NAME))

captioner: $(VENV)/installed  ## train, measure and store data/captioner-photographs.keras, from Flickr8k
	CAPTION_DATASET=flickr8k CAPTION_ENCODER=mobilenet $(PY) -m utils.captioner

clean:  ## remove environments and caches; what was drawn, extracted and trained stays
	rm -rf $(VENV) .venvs .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

clean-all: clean  ## remove drawn pictures, features and trained models as well; says which first
	@echo "Removed with their $$(find data/runs -name captioner.keras 2>/dev/null | wc -l) trained models:"
	@du -sh data/scenes data/scenes-sketch data/features data/runs 2>/dev/null || true
	rm -rf data/scenes data/scenes-sketch data/features data/runs

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/installed-tests: tests/requirements.txt $(VENV)/installed
	$(PY) -m pip install --quiet --requirement tests/requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed-tests
	$(PY) -m pip install --quiet mypy nbdev
	touch $@
