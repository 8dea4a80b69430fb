#!/usr/bin/env bash
# Measures, and prints one figure a line beside a limit. On a quiet machine, or the figures are the neighbours'.
#   scripts/bench.sh                    all, in about fifteen minutes, and an hour with --memory
#   scripts/bench.sh --json             the JSON lines alone on standard output
#   scripts/bench.sh ingest glass       only these
#   scripts/bench.sh decode             a minute or two: what each dialect's decoder takes
#   scripts/bench.sh table              a minute: what a table of 100,000 rows takes
#   scripts/bench.sh alarms             four minutes: what 5,000 rules take, and how long an alarm takes to be announced
#   scripts/bench.sh paint bundle heap  the page alone, in five minutes: frames and long tasks, bytes, what grows in an hour at 30 times its pace
#   scripts/bench.sh --minutes 60 heap  what grows in an hour, as it goes
source "$(dirname "$0")/lib.sh"

json=false
which=()
minutes=()
while [ $# -gt 0 ]; do
    case $1 in
    --json) json=true ;;
    --memory) which+=(memory) ;;
    --minutes)
        minutes=(--minutes "${2:?--minutes says how many}")
        shift
        ;;
    *) which+=("$1") ;;
    esac
    shift
done
[ ${#which[@]} -gt 0 ] || which=(ingest glass start idle decode paint bundle heap)

exec 3>&1
$json && exec 1>&2

# The decoders alone need neither the page nor the programs, the page alone none of Rust.
programs=false page=false decoders=false alarms=false
for bench in "${which[@]}"; do
    case $bench in
    decode | table) decoders=true ;;
    alarms) decoders=true alarms=true ;;
    paint | bundle | heap) page=true ;;
    *) programs=true page=true ;;
    esac
done

step "What is needed"
if $page; then
    need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    need_node
    build_ui
elif $alarms; then
    need_packages "${TEST_PACKAGES[@]}" build-essential
else
    need_packages build-essential
fi
if $programs || $decoders; then need_rust; fi
if $programs; then
    step "Build"
    cargo build --release --workspace --bins --locked
fi

for bench in "${which[@]}"; do
    step "$bench"
    case $bench in
    decode) cargo bench --locked -p watchfloor-feed --bench decode >&3 ;;
    table) cargo bench --locked -p watchfloor-board --bench table >&3 ;;
    alarms)
        cargo bench --locked -p watchfloor-board --bench alarms >&3
        cargo run --release --locked -p watchfloor-tests --bin bench -- alarms >&3
        ;;
    paint | bundle) node ui/tests/bench.mjs "$bench" >&3 ;;
    heap) node ui/tests/bench.mjs heap "${minutes[@]}" >&3 ;;
    *) "$TARGET/release/bench" "$bench" >&3 ;;
    esac
done
