# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Each installs what it needs into this folder first and can be run again.
SHELL := /bin/sh
PYTHON := .venv/bin/python

# Tools of `make audit`, run in environments of their own; the lock stays free of them.
AUDIT := .venv/bin/uv tool run --isolated --python $(PYTHON)

.PHONY: demo run test chaos simulate bench check format install lock fuzz audit az package release clean

install: ## install everything into .venv and .local
	@local/install

demo: install ## export segments of a made-up company and show how it goes (SEGMENTS=table.csv exports yours, DESTINATION=ortto to Ortto, KEEP=1 leaves the console up)
	@$(PYTHON) -m local.demo $(if $(SEGMENTS),--segments $(SEGMENTS)) $(if $(INSTANCES),--instances $(INSTANCES)) $(if $(KEEP),--keep) $(if $(DESTINATION),--destination $(DESTINATION))

run: install ## start the local stack and leave it up (INSTANCES=n starts n hosts, TELEMETRY=1 collects telemetry)
	@$(PYTHON) -m local.run $(if $(INSTANCES),--instances $(INSTANCES)) $(if $(TELEMETRY),--telemetry)

test: export PYTHONDONTWRITEBYTECODE = # eight workers, and whatever they start, compile the same modules
test: install ## run every test; most wait and two compute, so that eight workers fill two cores (WORKERS=8)
	@$(PYTHON) -m local.browser
	@$(PYTHON) -m pytest -n $(or $(WORKERS),8) --dist loadfile --no-loadscope-reorder --durations=15

chaos: install ## kills, pauses, restarts, storms: seeded rounds, each checked (ROUNDS=20 SEED=1 LANES=1 DESTINATION=ortto)
	@$(PYTHON) -m local.chaos $(if $(DESTINATION),--destination $(DESTINATION)) --rounds $(or $(ROUNDS),20) --seed $(or $(SEED),1) --lanes $(or $(LANES),1)

simulate: install ## a run's life by seed: interleavings, crashes, lost answers; a failing one is shortened (COUNT=3000 SEED=1 POINTS=1 PAIRS=bulk)
	@POLARS_MAX_THREADS=1 $(PYTHON) -m tests.simulation --count $(or $(COUNT),3000) --seed $(or $(SEED),1) $(if $(POINTS),--points) $(if $(PAIRS),--pairs $(PAIRS))

bench: install ## measure everything beside its rival, and write docs/performance.md (PARTS="pace planning" for some)
	@$(PYTHON) -m bench $(if $(PARTS),--parts $(PARTS),--write)

check: install ## types and style
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m local.console_types

format: install ## rewrite the code in the house style
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

lock: install ## lock the dependencies named in pyproject.toml again
	@.venv/bin/uv pip compile -q --universal --python-version 3.13 --no-header --no-emit-index-url \
	    --generate-hashes --upgrade pyproject.toml -o requirements.txt
	@.venv/bin/uv pip compile -q --universal --python-version 3.13 --no-header --no-emit-index-url \
	    --generate-hashes --upgrade pyproject.toml --group dev -o requirements-dev.txt

fuzz: install ## fuzz a parser, guided by coverage (TARGET=answers SECONDS=60)
	@.venv/bin/uv run --quiet --isolated --no-project --python $(PYTHON) --with-requirements requirements.txt \
	    --with-requirements tests/fuzz/requirements.txt python -m tests.fuzz $(or $(TARGET),answers) --seconds $(or $(SECONDS),60)

audit: install ## look up what is locked among known vulnerabilities, check workflows and templates; needs the network
	@for lock in requirements.txt requirements-dev.txt tests/fuzz/requirements.txt; do \
	    echo "Auditing $$lock"; \
	    $(AUDIT) pip-audit==2.10.1 --strict --disable-pip --require-hashes --progress-spinner off -r $$lock || { \
	        echo "$$lock: a vulnerability is named above, or the vulnerability service gave no answer; nothing is proved." >&2; \
	        exit 1; }; \
	done
	@$(AUDIT) zizmor==1.32.0 --offline --persona pedantic .github
	@rm -rf dist/audit && $(PYTHON) -m tests.infra.switches --audit dist/audit
	@found=$$($(AUDIT) checkov==3.3.30 --config-file infra/checkov.yaml) || { echo "$$found"; exit 1; }; echo "$$found"; \
	case "$$found" in \
	    *"Parsing errors"*) echo "infra: checkov read not every template; nothing is proved." >&2; exit 1;; \
	    *"Passed checks"*) ;; \
	    *) echo "infra: checkov checked nothing." >&2; exit 1;; \
	esac

az: install ## run every az command of the documents with the Azure CLI, as far as its sign-in; needs bicep and the network (minutes)
	@[ -x .local/az/bin/az ] || { .venv/bin/uv venv -q .local/az --python $(PYTHON) && \
	    .venv/bin/uv pip install -q --python .local/az/bin/python --compile-bytecode azure-cli==2.91.0; }
	@$(PYTHON) -m tests.infra.az .local/az/bin/az

package: install ## make the package that runs in Azure: dist/app, and the same as dist/segment-export.zip
	@$(PYTHON) -m local.package

release: install ## make a release in dist/release: package, compiled template, bill of materials, checksums; needs bicep (REPOSITORY=owner/name TAG=v1.0.0)
	@$(PYTHON) -m local.release $(if $(REPOSITORY),--repository $(REPOSITORY)) $(if $(TAG),--tag $(TAG))
	@$(AUDIT) --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.txt --pyproject pyproject.toml \
	    --output-reproducible --of JSON -o dist/release/sbom.json
	@$(PYTHON) -m local.release --checksums

clean: ## remove what the commands above installed and made
	rm -rf .venv .local .local-peers dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
