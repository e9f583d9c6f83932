# What a person wants to do with this project. `make` lists it.

# A recipe ends with its first command that fails.
.SHELLFLAGS := -ec

host := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
target := $(or $(CARGO_TARGET_DIR),target)
openssl := . tests/openssl.sh;

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

# Packed relocations take 60 KB off what Ansible copies at every task; they need binutils 2.38 or lld, and glibc 2.36.
cargo_static := RUSTFLAGS='-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs' cargo build --release --locked --target $(host)
modules_of = $(notdir $(basename $(wildcard modules/$(1)/src/bin/*.rs)))
# CRATE FROM TO
install_modules = @for module in $(call modules_of,$(1)); do install -m 755 -t $(3) $(2)/release/$$module; done

has-cargo:
	@command -v cargo >/dev/null || { echo "there is no cargo here; hint: https://rustup.rs" >&2; exit 1; }

# Static for the nodes, so that one binary runs on every release of Proxmox VE, and where nothing is needed for it; with this
# machine's OpenSSL for the switch, which is talked to from this machine. Each has a target folder to itself, or they would throw each other's results out.
build: has-cargo ## the module binaries, in library/
	$(cargo_static) -p pve -p link
	$(openssl) cargo build --release --locked -p eos
	$(call install_modules,pve,$(target)/$(host),library)
	$(call install_modules,link,$(target)/$(host),library)
	$(call install_modules,eos,$(target),library)
	@tests/needs $(addprefix library/,$(call modules_of,eos))

collection: build ## the same as collection bothends.lacp, in dist/: a play names the switch once
	collection/lay_out library dist

# OpenSSL and zlib are linked otherwise than by `build`: one more target folder.
release: has-cargo ## all modules with their documentation, in dist/: static, for other machines too
	$(cargo_static) -p pve -p link
	$(openssl) OPENSSL_STATIC=1 LIBZ_SYS_STATIC=1 $(cargo_static) -p eos --target-dir $(target)/static
	@rm -rf dist
	@install -D -m 644 -t dist library/*.yml
	$(call install_modules,pve,$(target)/$(host),dist)
	$(call install_modules,link,$(target)/$(host),dist)
	$(call install_modules,eos,$(target)/static/$(host),dist)
	@for module in $(call modules_of,*); do \
		dynamic=$$(readelf --dynamic dist/$$module); \
		case $$dynamic in *NEEDED*) echo "dist/$$module is not static: $$dynamic" >&2; exit 1 ;; esac; \
		printf '%9d bytes, needs no library: ' "$$(stat --format %s dist/$$module)"; dist/$$module --version; \
	done

venv: ## Ansible in .venv
	tests/lab/prepare venv

lab-root: ## the lab's Debian packages in .lab/root; installs nothing
	tests/lab/prepare root

demo: ## both ends of two links, from nothing to a proof; then broken and repaired (YES=1: do not ask; KEEP=1: stay up)
	@tests/lab/demo

molecule: build ## the same playbooks in molecule's sequence
	@tests/molecule

test: ## everything that proves the project; the lab where it is run as root
	@tests/run

check: ## format, lints, dependencies, documentation, shell scripts
	@tests/check

bench: build ## what a task costs that has nothing to do, beside the Python modules for Open vSwitch; and a Port-Channel beside arista.eos
	@tests/lab/prepare root
	@tests/lab/prepare venv
	@tests/lab/prepare clients
	@tests/lab/prepare bench
	@cargo build --quiet --locked --package eos_sim
	@cargo run --quiet --locked --release --package bench

outage: build ## for how long a migration cuts a node off, beside the way by hand (CAPTURE=1: what was on the cables around every loss)
	@tests/lab/prepare root
	@tests/lab/prepare venv
	@cargo build --quiet --locked --package eos_sim
	@cargo run --quiet --locked --release --package bench -- migration $(if $(CAPTURE),--capture)

soak: build ## runs killed at random moments, again and again (KILLS=1000, with the real ifreload REAL=30); tasks for one switch at every moment of each other's; more foreign clients
	@tests/lab/prepare clients
	cargo run --quiet -p lab --bin soak -- $(or $(KILLS),1000) $(or $(REAL),30) $(SEED)
	$(openssl) cargo nextest run --locked --profile soak --package eos --package eos_sim --run-ignored only

faults: build ## what a migration comes to when something goes wrong: every fault in every phase, in the lab (CELLS="node_rebooted …": some of them)
	@tests/lab/prepare root
	@tests/lab/prepare venv
	@cargo build --quiet --locked --package eos_sim
	@cargo run --quiet --locked --package faults -- $(CELLS)
	@$(if $(CELLS),,cargo nextest run --locked --profile soak --package lab --run-ignored only --filterset 'binary(migrate_playbook)')

disabled: ## shows that tests can fail: rules disabled one by one, each with its test that has to go red
	@tests/disabled/run

.PHONY: molecule help has-cargo build collection release venv lab-root demo test check bench outage soak faults disabled
