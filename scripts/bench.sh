#!/usr/bin/env bash
# Measures, and prints one figure a line beside a limit. On a quiet machine, or the figures are the neighbours'.
#   scripts/bench.sh                    all, in about ten minutes, and an hour with --memory
#   scripts/bench.sh --json             the JSON lines alone on standard output
#   scripts/bench.sh ingest glass       only these
source "$(dirname "$0")/lib.sh"

json=false
which=()
for word in "$@"; do
    case $word in
    --json) json=true ;;
    --memory) which+=(memory) ;;
    *) which+=("$word") ;;
    esac
done
[ ${#which[@]} -gt 0 ] || which=(ingest glass start idle)

exec 3>&1
$json && exec 1>&2

step "What is needed"
need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
need_rust
need_node

step "Build"
build_ui
cargo build --release --workspace --bins --locked

for bench in "${which[@]}"; do
    step "$bench"
    "$TARGET/release/bench" "$bench" >&3
done
