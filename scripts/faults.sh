#!/usr/bin/env bash
# The proof by real faults: the real programs, a line between them that breaks, and what the wall said to it as one table.
#   scripts/faults.sh                  all, the wall killed at 200 instants and 2,000 connections losing their hub
#   scripts/faults.sh --only tls-name  one of them; `--only list` names them
#   scripts/faults.sh --kills 1000     more instants
#   scripts/faults.sh --json           one JSON object a fault
# Ends in a line `N passed, N failed`, and with 1 if something failed. docs/proof.md has the table of a run.
source "$(dirname "$0")/lib.sh"

step "What is needed"
need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
need_rust
need_node

step "Build"
build_ui
# As it is tested: built in seconds where the tests were.
cargo build --workspace --all-targets --locked

step "Faults $*"
exec "$TARGET/debug/faults" "$@"
