#!/usr/bin/env bash
# Measures, and prints one figure a line beside a limit. On a quiet machine, or the figures are the neighbours'.
#   scripts/bench.sh                    all, in about fifteen minutes, and an hour with --memory
#   scripts/bench.sh --json             the JSON lines alone on standard output
#   scripts/bench.sh ingest glass       only these
#   scripts/bench.sh decode             a minute or two: what each dialect's decoder takes
#   scripts/bench.sh table              a minute: what a table of 100,000 rows takes
#   scripts/bench.sh alarms             four minutes: what 5,000 rules take, and how long an alarm takes to be announced
#   scripts/bench.sh hub                five minutes: the hub beside Centrifugo and Soketi, 20,000 connections, and a restart under 10,000
#   scripts/bench.sh kept               two minutes: what it costs the hub to keep events, beside SQLite alone
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
programs=false page=false decoders=false alarms=false hub=false
for bench in "${which[@]}"; do
    case $bench in
    decode | table | kept) decoders=true ;;
    alarms) decoders=true alarms=true ;;
    hub) decoders=true hub=true ;;
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

# The servers that the hub is held against, as the interop run has them. One that can't be had is left out.
SERVERS=target/interop
if $hub; then
    mkdir -p "$SERVERS"
    SERVERS=$(realpath "$SERVERS")
    for kind in centrifugo soketi; do
        # shellcheck source=/dev/null
        (source "scripts/servers/$kind.sh" && install) || echo "$kind can't be installed: it is left out" >&2
    done
    step "Build"
    cargo build --release --locked -p watchfloor-hub -p watchfloor-load
fi

# The hub under load. A reader's threads and the servers share the machine: what is printed is with the generator included.
bench_hub() {
    local load=$TARGET/release/watchfloor-load own=$TARGET/release/watchfloor-hub form=()
    $json && form=(--json)
    local servers=(--server "hub=$own" --server "hub-pusher=$own")
    [ -x "$SERVERS/centrifugo" ] && servers+=(--server "centrifugo=$SERVERS/centrifugo" --server "centrifugo-history=$SERVERS/centrifugo")
    local soketi=$SERVERS/soketi/node_modules/@soketi/soketi/bin/server.js
    [ -f "$soketi" ] && servers+=(--server "soketi=$soketi")
    "$load" compare "${servers[@]}" --connections 1000 --rate 50 --rate 500 --flood "${form[@]}" >&3
    "$load" compare "${servers[@]}" --connections 1000 --rate 500 --batch 10 "${form[@]}" >&3
    "$load" compare "${servers[@]}" --connections 500 --rate 100 "${form[@]}" >&3
    # Each connection is an open file on both sides.
    local many=20000 files
    files=$(ulimit -Hn)
    if [ "$files" != unlimited ] && [ "$files" -lt 20100 ]; then
        many=$((files - 100))
        echo "a process may have $files open files here: $many connections in place of 20000" >&2
    fi
    "$load" compare --server "hub=$own" --server "hub-pusher=$own" --connections "$many" --rest 10 --rate 2 --with=--heartbeat --with=20s "${form[@]}" >&3
    "$load" compare --server "hub=$own" --connections "$many" --rest 10 "${form[@]}" >&3
    "$load" storm --hub "$own" --connections 10000 --rate 4 --seconds 12 "${form[@]}" >&3
    "$load" storm --hub "$own" --connections 10000 --rate 4 --seconds 12 --in-order "${form[@]}" >&3
}

for bench in "${which[@]}"; do
    step "$bench"
    case $bench in
    decode) cargo bench --locked -p watchfloor-feed --bench decode >&3 ;;
    table) cargo bench --locked -p watchfloor-board --bench table >&3 ;;
    kept) cargo bench --locked -p watchfloor-hub --bench kept >&3 ;;
    alarms)
        cargo bench --locked -p watchfloor-board --bench alarms >&3
        cargo run --release --locked -p watchfloor-tests --bin bench -- alarms >&3
        ;;
    hub) bench_hub ;;
    paint | bundle) node ui/tests/bench.mjs "$bench" >&3 ;;
    heap) node ui/tests/bench.mjs heap "${minutes[@]}" >&3 ;;
    *) "$TARGET/release/bench" "$bench" >&3 ;;
    esac
done
