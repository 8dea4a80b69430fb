#!/usr/bin/env bash
# Measures, and prints one figure a line beside a limit. On a quiet machine, or the figures are the neighbours'.
#   scripts/bench.sh                    all, in about ten minutes, and an hour with --memory
#   scripts/bench.sh --json             the JSON lines alone on standard output
#   scripts/bench.sh ingest glass       only these
#   scripts/bench.sh decode             a minute or two: what each dialect's decoder takes
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
[ ${#which[@]} -gt 0 ] || which=(ingest glass start idle decode)

exec 3>&1
$json && exec 1>&2

# The decoders alone need neither the page nor the programs.
whole=false
for bench in "${which[@]}"; do
    [ "$bench" = decode ] || whole=true
done

step "What is needed"
if ! $whole; then
    need_packages build-essential
    need_rust
else
    need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    need_rust
    need_node
    step "Build"
    build_ui
    cargo build --release --workspace --bins --locked
fi

for bench in "${which[@]}"; do
    step "$bench"
    case $bench in
    decode) cargo bench --locked -p watchfloor-feed --bench decode >&3 ;;
    *) "$TARGET/release/bench" "$bench" >&3 ;;
    esac
done
