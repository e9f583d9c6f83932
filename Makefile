# What a person wants to do with this project. `make` lists it.

host := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
release := $(or $(CARGO_TARGET_DIR),target)/$(host)/release

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

# Static, so that one binary runs on every release of Proxmox VE. Packed relocations take 60 KB off what Ansible
# copies at every task; they need binutils 2.38 or lld, and glibc 2.36.
build: ## the module binaries, static, in library/
	@command -v cargo >/dev/null || { echo "there is no cargo here; hint: https://rustup.rs" >&2; exit 1; }
	RUSTFLAGS='-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs' cargo build --release --locked -p pve --target $(host)
	find $(release) -maxdepth 1 -type f -executable -name 'pve_*' -exec install -m 755 -t library {} +

venv: ## Ansible in .venv
	tests/lab/prepare venv

lab-root: ## the lab's Debian packages in .lab/root; installs nothing
	tests/lab/prepare root

demo: ## two nodes, a playbook, LACP negotiated (YES=1: do not ask; KEEP=1: leave the lab up)
	@tests/lab/demo

test: ## everything that proves the project; the lab where it is run as root
	@tests/run

check: ## format, lints, dependencies, documentation, shell scripts
	@tests/check

bench: build ## what a task costs that has nothing to do, beside the Python modules for Open vSwitch
	@tests/lab/prepare root
	@tests/lab/prepare venv
	@tests/lab/prepare bench
	@cargo run --quiet --locked --package bench

soak: build ## runs killed at random moments, again and again (KILLS=1000)
	cargo run --quiet -p lab --bin soak -- $(or $(KILLS),200)

.PHONY: help build venv lab-root demo test check bench soak
