# Two commands: `make demo` shows it, `make test` runs everything that CI runs.
.PHONY: demo test build help

help:
	@echo "make demo    build, start a server, and walk through one instance role end to end"
	@echo "make test    everything that CI runs"
	@echo "make build   the release binary, target/release/daypass"

build:
	@scripts/prerequisites.sh
	cargo build --release --locked -p daypass

demo: build
	@scripts/demo.sh

test:
	@tests/run.sh
