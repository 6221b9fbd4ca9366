# Run these through ./scripts/just, which makes the environment they need (.venv) first.
set positional-arguments

# The recipes start an embedded Redis where nobody named one.
redis := if env("REDIS_HOST", "") == "" { "--embedded-redis" } else { "" }

# The service looks for an engine as every Docker client does; one that scripts/engine started must be named to it.
engine := "if host=$(scripts/engine host); then export DOCKER_HOST=\"$host\"; fi"

# Networks that intercept TLS: where node is told of extra certificates, installs inside the boxes are told of them too.
export CHEF_EXTRA_CA_CERTS := env("CHEF_EXTRA_CA_CERTS", env("NODE_EXTRA_CA_CERTS", ""))

[private]
default:
    @just --list --unsorted

# Start the whole service, run a build, a test and a lint job of a sample project, stop everything (--keep: leave it up)
[no-exit-message]
demo *args:
    @{{ engine }}; exec python scripts/demo "$@"

# The tests; without --all those marked slow are left out; all else goes to pytest (paths, -k, -x, ...)
[no-exit-message]
test *args:
    @exec scripts/test "$@"

# Kill supervisors, Redis and containers at random under load, and count (--minutes N, --seed N, --engine own: dockerd too)
[no-exit-message]
chaos *args:
    @{{ engine }}; exec python -m scripts.chaos "$@"

# Measure the service beside Express + BullMQ, Python's queues and bare containers (names, --rounds N, --json FILE); needs wrk
[no-exit-message]
bench *args:
    @{{ engine }}; exec python -m scripts.bench "$@"

# Measure what the plots show (--rounds N, --json FILE); needs Docker
[no-exit-message]
bench-curves *args:
    @{{ engine }}; exec python -m scripts.bench.curves "$@"

# Draw docs/plots from what bench-curves measured (--json FILE, --into FOLDER)
[no-exit-message]
bench-plots *args:
    @exec python -m scripts.bench.plots "$@"

# Time builds of the sample web project beside its bare tools, and with a cold cache (--rounds N); needs Docker
[no-exit-message]
bench-engine *args:
    @{{ engine }}; exec python -m scripts.bench vite --rounds 5 "$@"

# Count what a receiver of webhooks is told a second, alone and beside a sick one, and what is lost (--jobs N, --rounds N)
[no-exit-message]
bench-notifier *args:
    @exec python -m scripts.bench.notifier "$@"

# The tests, and how much of the code they ran (branches count; 90 % is the floor)
coverage *args:
    @coverage run -m pytest -m "not slow" "$@"
    @coverage report --fail-under 90

# Run the tests again whenever a file changes
[no-exit-message]
test-watch *args:
    @exec watchfiles --filter python 'scripts/test {{ args }}' chef_supervisor tests

# Run the service
[no-exit-message]
serve *args:
    @{{ engine }}; exec chef-supervisor serve {{ redis }} "$@"

# Run the service, and start it again whenever its code or configuration changes
[no-exit-message]
dev *args:
    @{{ engine }}; exec watchfiles --sigint-timeout 40 'chef-supervisor serve {{ redis }} {{ args }}' chef_supervisor config

# Everything that is checked without running the code
check:
    ruff format --check .
    ruff check .
    mypy
    lint-imports --no-logo
    python scripts/lua_headers.py
    shellcheck scripts/just scripts/engine scripts/images scripts/lock scripts/test scripts/tools scripts/compose config/tools/tool .ci/run

# Format the code, and fix what can be fixed by itself
format:
    ruff check --fix-only .
    ruff format .

# Build the images (all, or those named: redis, runner, supervisor)
[no-exit-message]
images *args:
    @exec scripts/images "$@"

# Install pnpm, yarn, bun and oxlint for boxes under bubblewrap (the runner image has them built in)
[no-exit-message]
tools *args:
    @exec scripts/tools "$@"

# Find a Docker Engine, or start one (start, host, stop); prints its DOCKER_HOST
[no-exit-message]
engine *args:
    @exec scripts/engine "$@"

# Start the service, its Redis and whatever the profiles in COMPOSE_PROFILES name as containers
[no-exit-message]
up *args:
    @scripts/images runner supervisor
    @exec scripts/compose up --detach "$@"

# Stop them (--volumes: and forget all jobs)
[no-exit-message]
down *args:
    @exec scripts/compose down "$@"

# What they say
[no-exit-message]
logs *args:
    @exec scripts/compose logs --follow "$@"

# Compile the hash-locked requirements (--upgrade: with the newest versions)
[no-exit-message]
lock *args:
    @exec scripts/lock "$@"

# Remove what tools and builds left in the checkout, the environment included
clean:
    rm -rf .venv .venv.lock .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov build dist
    find chef_supervisor scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
