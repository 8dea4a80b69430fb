# Sockudo, built from its crate: ten minutes and more. It stands for `pusher`, as the second server of that protocol, and for `ably`.
speed=slow
install() {
    scripts/npm-packages.sh pusher-sdk || return 1
    [ ! -x "$SERVERS/sockudo/bin/sockudo" ] || return 0
    step "Sockudo, from its crate"
    at_least "$(rustc --version | cut -d' ' -f2)" 1.95 || { echo "it wants Rust 1.95 or newer" >&2; return 1; }
    need_packages build-essential protobuf-compiler libprotobuf-dev || return 1
    # As it is on a test machine: fast enough, and built in a third of the time.
    cargo install sockudo --version 5.2.0 --locked --no-default-features --features local,v2,ably-compat \
        --root "$SERVERS/sockudo" --target-dir "$SERVERS/sockudo/build" \
        --config 'profile.release.lto=false' --config 'profile.release.codegen-units=16' \
        --config 'profile.release.opt-level=1' && rm -rf "$SERVERS/sockudo/build"
}
