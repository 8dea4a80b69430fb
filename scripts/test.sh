#!/usr/bin/env bash
# Installs what is needed and runs every check and test, from a cold machine as well. Ends with how many tests ran.
source "$(dirname "$0")/lib.sh"

LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
FAILED=()
# tried COMMAND…: runs it, shows what it prints, and keeps it to count from. Its failure is told at the end, where one run has shown all that fails.
tried() {
    "$@" 2>&1 | tee -a "$LOG" || FAILED+=("$*")
}

step "What is needed"
need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
# The browser without a desktop's furniture opens a page in half the time.
want_packages chromium-headless-shell
need_servers "${TEST_SERVERS[@]}"
need_rust
need_node
scripts/npm-packages.sh ably-client
scripts/npm-packages.sh pusher-clients
scripts/pip-packages.sh pusher-python

step "The page: build"
build_ui

step "Format, deliberate defects' places, and the page's lint, types and unit tests"
tried cargo fmt --all --check
tried node scripts/mutants.mjs --check
tried npm --prefix ui run format:check --silent
tried npm --prefix ui run lint --silent
tried npm --prefix ui run check --silent
tried npm --prefix ui test --silent

step "The page: in a browser"
tried npm --prefix ui run test:built --silent

step "Rust: lint"
tried cargo clippy --workspace --all-targets --locked --quiet -- --deny warnings

step "Rust: build"
# All targets, so that programs and tests share one build of what they depend on.
cargo build --workspace --all-targets --locked

step "Rust: tests, with real servers and a real window"
tried node scripts/rust-tests.mjs

step "Other people's servers: those that install quickly"
tried scripts/interop.sh --at-once 5

step "How long each step took"
steps_took

step "Counts"
node scripts/count.mjs "$LOG" || FAILED+=("counts")
if [ "${#FAILED[@]}" -gt 0 ]; then
    step "What failed"
    grep -aE "^(FAIL |test .* FAILED$|  [a-z_]+: ended with )" "$LOG" | cut -c1-160 | tail -n 40 || true
    fail "$(printf '%s; ' "${FAILED[@]}")see above"
fi
