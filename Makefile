# `make demo` and `make test` do all their own set-up: Python 3.11+ with venv, make and a package
# index are enough.
PYTHON ?= python3
CONFIG ?= config.yaml
# As it was given, dollars and all; the recipes read it as a variable of the shell, which expands
# nothing in it.
override CONFIG := $(value CONFIG)
export CONFIG
CORES ?= 2
override FILE := $(value FILE)
override CLAIM := $(value CLAIM)
# Shells may export COLUMNS as the width of the terminal: only the one of this call counts.
override COLUMNS := $(if $(filter command,$(firstword $(origin COLUMNS))),$(value COLUMNS))
export FILE CLAIM COLUMNS
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test test-chaos test-slurm doctor progress report rescore controls motion sweeps benchmark schema format
help:
	@echo "make demo     synthetic databases, the whole pipeline on them, report"
	@echo "make test     the whole test suite, but for the tests on a real Slurm"
	@echo "make test-chaos  a run killed at KILLS=20 random moments, compared with one that never was"
	@echo "make test-slurm  profiles/slurm on a real Slurm, brought up here; needs root, installs Debian's packages"
	@echo "make doctor   looks at CONFIG=config.yaml, its databases and this machine before a run"
	@echo "make progress  how far the run of CONFIG=config.yaml is, live, from another terminal"
	@echo "make report   results of CONFIG=config.yaml, and report.html beside them"
	@echo "make rescore FILE=predictions.csv  metrics and intervals of anyone's predictions; CLAIM=uar=0.7605, COLUMNS=\"label=truth predicted=output\""
	@echo "make controls  what is and is not learnt on synthetic databases whose truth is known; QUICK=1: no doses"
	@echo "make motion   what motion, alignment and the search for the apex are worth on synthetic databases; BEYOND=1: variants"
	@echo "make sweeps   whether config/review.yaml and config/optimisers.yaml run, on the demo's databases"
	@echo "make benchmark  a plain training loop and others against this project; QUICK=1: minutes"
	@echo "make schema   the config's schema for editors, after a change of settings"
	@echo "make format   ruff and snakefmt, in place"

$(READY): envs/requirements.txt
	@echo "Setting up $(VENV): downloads about 3 GB (PyTorch above all), 6.5 GB on disk, from your package index."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@touch $@

demo: $(READY)
	@# gpu: on CPUs as many training jobs at a time as the cores allow; on a GPU they take turns.
	$(BIN)/snakemake --configfile config/demo.yaml --cores $(CORES) --resources gpu=$(CORES) \
		--report results/demo/report.html --report-after-run

doctor: $(READY)
	@$(BIN)/python workflow/scripts/job.py doctor.examine --config "$$CONFIG"

progress: $(READY)
	@$(BIN)/python workflow/scripts/job.py progress.show --config "$$CONFIG"

report: $(READY)
	@# By way of another folder: Snakemake would expand a $$ in the name of this one.
	@results=$$($(BIN)/python workflow/scripts/job.py config.show --config "$$CONFIG") && \
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder" "$$results/.report.html.unfinished"' EXIT && \
	$(BIN)/snakemake --configfile "$$CONFIG" --report "$$folder/report.html" --report-after-run && \
	cp -- "$$folder/report.html" "$$results/.report.html.unfinished" && \
	mv -- "$$results/.report.html.unfinished" "$$results/report.html" && echo "The report: $$results/report.html"

rescore: $(READY)
	@$(BIN)/python workflow/scripts/job.py rescore.score --file "$$FILE" --claim "$$CLAIM" \
		--columns "$$COLUMNS"

controls: $(READY)
	@$(BIN)/python workflow/scripts/job.py controls.run --cores $(CORES) \
		--quick $(if $(QUICK),True,False)

motion: $(READY)
	@# gpu: on CPUs as many training jobs at a time as the cores allow; on a GPU they take turns.
	$(if $(BEYOND),,$(BIN)/snakemake --configfile config/motion_synthetic.yaml --cores $(CORES) --resources gpu=$(CORES) \
		--report results/motion_synthetic/report.html --report-after-run)
	@$(BIN)/python workflow/scripts/job.py controls.motion --cores $(CORES) \
		--beyond $(if $(BEYOND),True,False)

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	@# One more than cores: tests wait for Snakemake a good part of their time.
	$(BIN)/pytest --numprocesses $$(($(CORES) + 1)) --dist worksteal

test-chaos: $(READY)
	KILLS=$${KILLS:-20} $(BIN)/pytest -s tests/test_chaos.py

test-slurm: $(READY)
	sh tests/slurm_install.sh
	$(BIN)/pytest -m slurm tests/test_slurm.py

sweeps: $(READY)
	$(BIN)/python benchmarks/sweeps.py --cores $(CORES)

benchmark: $(READY)
	$(BIN)/python benchmarks/training.py $(if $(QUICK),--quick)
	$(BIN)/python benchmarks/cropping.py $(if $(QUICK),--quick)
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/leave_one_out.py $(if $(QUICK),--rounds 1 --epochs 10)
	$(BIN)/python benchmarks/rendering.py
	$(BIN)/python benchmarks/flow.py $(if $(QUICK),--quick)

schema: $(READY)
	$(BIN)/python workflow/scripts/job.py config.schema --output workflow/schemas/config.schema.json

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow/rules
