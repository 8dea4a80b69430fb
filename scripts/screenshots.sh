#!/usr/bin/env bash
# Takes the pictures in docs/images from the real window, on a display of its own.
source "$(dirname "$0")/lib.sh"

step "What is needed"
need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
need_rust
need_node

step "Build"
build_ui
cargo build --workspace --all-targets --locked

step "Pictures"
"$TARGET/debug/screenshots" "$@"
