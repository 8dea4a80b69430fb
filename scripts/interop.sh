#!/usr/bin/env bash
# The wall before other people's servers: installs them, runs every scenario with each, prints the matrix.
#   scripts/interop.sh                      the kinds whose server installs within two minutes
#   scripts/interop.sh --all                every kind
#   scripts/interop.sh --only centrifugo    one; `--scenario TEXT` for some of its scenarios
#   scripts/interop.sh --transcripts FOLDER keeps what each server says there, in place of the matrix
# Ends in a line `N passed, N failed`. A server that can't be installed makes its cells "not run"; they don't pass.
source "$(dirname "$0")/lib.sh"

# Each kind is a file in scripts/servers: it sets `speed` to quick or slow, and `install` puts the server into $SERVERS.
SERVERS=target/interop

all=no
only=()
rest=()
while [ $# -gt 0 ]; do
    case $1 in
        --all) all=yes ;;
        --only) only+=("$2"); shift ;;
        *) rest+=("$1") ;;
    esac
    shift
done

mkdir -p "$SERVERS"
SERVERS=$(realpath "$SERVERS")
kinds=()
for file in scripts/servers/*.sh; do
    kind=$(basename "$file" .sh)
    speed=slow
    # shellcheck source=/dev/null
    source "$file"
    if [ ${#only[@]} -gt 0 ]; then
        case " ${only[*]} " in *" $kind "*) ;; *) continue ;; esac
    elif [ "$speed" = slow ] && [ "$all" = no ]; then
        continue
    fi
    kinds+=(--only "$kind")
    # A server that can't be had makes its cells "not run", no more.
    (install) || echo "the server of $kind can't be installed: its cells are not run" >&2
done

step "Build"
need_rust
cargo build --workspace --all-targets --locked

step "Scenarios"
exec "$TARGET/debug/interop" "${kinds[@]}" "${rest[@]}"
