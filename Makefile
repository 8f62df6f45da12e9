# The main jobs, each with the set-up that it needs. `make help` lists them.
PYTHON ?= python3
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS := .venv-docs
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
# on a terminal, bars of what is done; behind the targets, since it takes all that follows
RICH := $(shell test -t 2 && echo --logger rich)
# before a long run, what it will take: of the workflow by its plan, elsewhere what `make help` says
TAKES = @$(BIN)/python scripts/plan.py --short --gpus $(or $(GPUS),$(shell nvidia-smi -L 2>/dev/null | grep -c ^GPU))
# of CONFIG, and the results folder that it names
OF = $(or $(CONFIG),demo.yaml)
$(foreach file,$(CONFIG),$(if $(wildcard $(file)),,$(error CONFIG=$(file): there is no such file; name an overlay)))
ALONE = $(filter demo demo-sagd demo-steps study paper,$(MAKECMDGOALS))
$(if $(CONFIG),$(if $(ALONE),$(error make $(ALONE) has a config of its own; with yours: snakemake --cores all --configfile $(CONFIG))))
FOLDER = $(shell sed -nE 's/^results: *([^ #]+).*/\1/p' config.yaml $(OF) | tail -n 1)
# the study's kept scores, where there are none of its own yet
KEPT = @if [ -d results/reference/study/scores ] && [ ! -d results/study/scores ]; then \
  $(BIN)/python scripts/adopt.py study.yaml --scores results/reference/study || echo "all is computed here"; fi
SAYS = @sed -nE 's/^($@): .*\#\# /\1: /p' Makefile
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help predict demo demo-sagd demo-steps study bench bench-quality bench-points test test-quick lint paper dry-run plan fetch \
  adopt verify share image clean clean-cache distclean lock config-docs docs bug-info report
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): envs/requirements.lock pyproject.toml
	@echo "environment in $(VENV): 2 to 5 minutes, about 6 GB, most of it PyTorch"
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "error: Python 3.11 or later is needed; make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary=:all: --no-binary=connection-pool -r envs/requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(DOCS)/.ready: envs/docs.lock
	@echo "environment in $(DOCS), for the site alone: a minute, about 0.2 GB"
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --require-hashes --only-binary=:all: -r envs/docs.lock
	touch $@

demo: $(READY)  ## the whole pipeline on real CIFAR-10, small, and its report; 9 to 20 minutes on 2 cores
	$(TAKES) --configfile demo.yaml
	$(SNAKEMAKE) --configfile demo.yaml $(RICH)
	@$(BIN)/python scripts/stages.py results/demo
	@$(MAKE) --no-print-directory report CONFIG=demo.yaml

demo-sagd: $(READY)  ## spectral noise on real Fashion-MNIST, small; about 13 minutes on 2 cores
	$(TAKES) --configfile demo-sagd.yaml
	$(SNAKEMAKE) --configfile demo-sagd.yaml $(RICH)
	@$(BIN)/python scripts/stages.py results/demo-sagd

demo-steps: $(READY)  ## one small network, 50 to 1000 sampling steps; 7 to 25 minutes on 2 cores
	$(TAKES) --configfile demo.yaml demo-steps.yaml
	$(SNAKEMAKE) --configfile demo.yaml demo-steps.yaml $(RICH)
	@$(BIN)/python scripts/stages.py results/demo-steps

study: $(READY)  ## the papers' questions at 16 x 16 pixels, days on 2 cores; STEP=figY1 one of them
	$(KEPT)
	$(TAKES) $(STEP) --configfile study.yaml
	$(SNAKEMAKE) --configfile study.yaml $(RICH) $(if $(STEP),-- $(STEP))

predict: $(READY)  ## which noise and which sampler for my data? predicted FIDs, no training; CONFIG=mine.yaml
	@$(BIN)/python scripts/plan.py figP --gpus $(or $(GPUS),0) $(if $(CONFIG),--configfile $(CONFIG))
	$(SNAKEMAKE) figP $(if $(CONFIG),--configfile $(CONFIG)) $(RICH)

paper: $(READY)  ## the papers' whole grid; wants GPUs
	$(TAKES)
	$(SNAKEMAKE) $(RICH)

fetch: $(READY)  ## what comes from outside, for a later run without a network; minutes, about 2 GB; CONFIG=demo.yaml: 0.3 GB
	$(SAYS)
	$(SNAKEMAKE) fetch $(if $(CONFIG),--configfile $(CONFIG)) $(RICH)

report: $(READY)  ## one file of a finished run to mail, HTML and zip; a minute, at most 25 MB; CONFIG=demo.yaml
	$(SAYS)
	$(if $(findstring study.yaml,$(OF)),$(KEPT))
	$(SNAKEMAKE) pages --configfile $(OF) $(RICH)
	@for end in html zip; do \
	  $(SNAKEMAKE) pages --configfile $(OF) --report $(FOLDER)-report.$$end \
	    --report-stylesheet report/report.css || exit 1; done
	@echo "open $(FOLDER)-report.html in a browser; it needs no network"

adopt: $(READY)  ## take over copied results, if settings and code fit; CONFIG=demo.yaml
	$(BIN)/python scripts/adopt.py $(CONFIG)

verify: $(READY)  ## recompute the sha256 of results and name what is not as recorded; RESULTS=results/demo
	@$(BIN)/python scripts/verify.py $(RESULTS)

share: $(READY)  ## pack a results folder without paths, accounts and names of this machine; RESULTS=results/demo
	@$(BIN)/python scripts/share.py $(RESULTS)

dry-run: $(READY)  ## what `make paper` would do, jobs per rule; CONFIG=demo.yaml
	$(SNAKEMAKE) -n --quiet rules $(if $(CONFIG),--configfile $(CONFIG))

plan: $(READY)  ## what `make paper` would do and cost; CONFIG=demo.yaml GPUS=4 TARGETS=fig2a
	@$(BIN)/python scripts/plan.py $(TARGETS) $(if $(GPUS),--gpus $(GPUS)) $(if $(CONFIG),--configfile $(CONFIG))

image:  ## envs/shapednoise.sif, for Apptainer (wants apptainer); some ten minutes, several GB
	$(SAYS)
	apptainer build envs/shapednoise.sif envs/shapednoise.def

bench: $(READY)  ## speed and memory against a plain loop, side by side; about 20 minutes on 2 cores
	$(SAYS)
	$(BIN)/python -m benchmarks.engine.compare $(BENCH)

bench-quality: $(READY)  ## losses against a plain loop, and low precision against float32; about 12 minutes
	$(SAYS)
	$(BIN)/python -m benchmarks.engine.quality $(BENCH)

bench-points: $(READY)  ## how long a config of many points takes to plan and to start; about 5 minutes
	$(SAYS)
	$(BIN)/python -m benchmarks.points $(BENCH)

test: $(READY)  ## all tests; about half an hour on 2 cores
	$(SAYS)
	$(BIN)/python -m pytest -n 2 --dist loadgroup --durations 40 tests

test-quick: $(READY)  ## the tests that need no workflow runs; about two minutes
	$(SAYS)
	$(BIN)/python -m pytest -n 2 -m 'not slow' tests/unit

lint: $(READY)  ## ruff, snakefmt, import contracts, types, snakemake --lint; half a minute
	$(SAYS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow rules
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/snakemake --lint

clean:  ## remove all results but results/reference, keep data and environment
	rm -rf results/paper results/demo results/demo-sagd results/demo-steps results/study results/bench results/*-report.*

clean-cache: $(READY)  ## remove old checkpoints and other leftovers, never results; DAYS=7
	$(BIN)/python scripts/clean_cache.py --days $(or $(DAYS),7) $(RESULTS)

distclean: clean  ## also remove data (with archives that you put there), environment and history
	rm -rf data build .snakemake $(VENV) $(DOCS)

bug-info: $(READY)  ## what a report of a bug needs, without names of users and hosts
	@$(BIN)/python scripts/bug_info.py

config-docs: $(READY)  ## renew config.schema.json and docs/config.md from the config's model
	$(BIN)/python scripts/config_docs.py

docs: $(READY) $(DOCS)/.ready  ## documentation, tutorial and API as a site in build/site; two minutes, 20 MB
	$(SAYS)
	$(BIN)/python docs/run_notebook.py docs/tutorial.ipynb build/tutorial
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict
	@echo "open build/site/index.html in a browser; it needs no network"

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:  ## renew envs/*.lock from pyproject.toml (wants uv)
	$(LOCK) pyproject.toml --extra dev --extra cluster --constraint envs/constraints.txt -o envs/requirements.lock
	$(LOCK) --group docs -o envs/docs.lock
