#!/usr/bin/env bash
# Installs what is needed, builds Watchfloor, and opens the demo wall. What follows is passed on:
#   scripts/run.sh --speed 120
#   scripts/run.sh --board FILE       a wall of your own instead of the demo
FROM=$PWD
source "$(dirname "$0")/lib.sh"

step "What is needed"
need_packages "${BUILD_PACKAGES[@]}"
need_rust
need_node

step "The page"
build_ui

step "The programs (the first time, some minutes)"
cargo build --release --locked --package watchfloor --package watchfloor-hub --package watchfloor-demo

case " $* " in
*" --board "* | *" --board="*) wall=() ;;
*) wall=(--demo) ;;
esac
PROGRAM=$(realpath "$TARGET/release/watchfloor")
step "The wall: $PROGRAM ${wall[*]} $*"
# Files are named from where this was called.
cd "$FROM"
exec "$PROGRAM" "${wall[@]}" "$@"
