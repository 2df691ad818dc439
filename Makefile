# Development tasks; `make` alone lists them. Everything they need beyond git, make, a C compiler, curl, openssl, rustup
# and Go they fetch or build themselves. KUBECONFIG is never read.

.DEFAULT_GOAL := help
.PHONY: help demo test conformance interop build lint fmt bench fuzz toolchain

help: ## List the tasks
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: toolchain ## Show Lath at work: a cluster and a cloud on this machine (root; KEEP=1 leaves them running)
	@cargo xtask demo $(if $(KEEP),--keep)

test: toolchain ## Run every test (root for the ones that make network namespaces)
	@cargo xtask test

conformance: toolchain ## Run Gateway API's conformance suite against Lath, and write the report (root; RUN=PATTERN, KEEP=1)
	@cargo xtask conformance $(if $(RUN),--run '$(RUN)') $(if $(KEEP),--keep)

interop: toolchain ## Try the simulator with the AWS SDKs for Python, JavaScript and Rust, and with gRPC (python3, node)
	@cargo xtask interop

fuzz: toolchain ## Throw made-up input at what reads requests, policies and signatures (C++ compiler; SECONDS_EACH=20)
	@cargo xtask fuzz $(if $(SECONDS_EACH),--seconds $(SECONDS_EACH))

build: toolchain ## Build the release binaries into target/release
	@cargo build --release --locked --package lath-agent --package lath-controller --package lath

lint: toolchain ## Check formatting, lints, dependency direction and generated files
	@cargo xtask lint

fmt: toolchain ## Format the code
	@cargo fmt --all

bench: toolchain ## Measure the simulator and the targets pipeline (root)
	@cargo xtask bench simulator
	@cargo xtask bench targets

# Automatic installation of toolchains may be off, so it is asked for; without a name rustup reads rust-toolchain.toml.
toolchain:
	@command -v rustup >/dev/null || { echo "rustup is missing: install it from https://rustup.rs" >&2; exit 1; }
	@rustup which cargo >/dev/null 2>&1 || { echo "installing the Rust toolchain of rust-toolchain.toml"; rustup toolchain install; }
