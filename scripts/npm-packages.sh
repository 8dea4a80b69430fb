#!/usr/bin/env bash
# Packages from npm that tests talk to or are held to account by, or that packages are made by, each at its version:
#   scripts/npm-packages.sh ably-client       Ably's own JavaScript client, and what it reads deltas by: for tests/tests/ably.rs
#   scripts/npm-packages.sh pusher-sdk        Pusher's own SDK for Node: for tests/src/interop/pusher.mjs
#   scripts/npm-packages.sh pusher-clients    the same, and who hears it: pusher-js and Laravel Echo, for tests/tests/pusher_clients.rs
#   scripts/npm-packages.sh bundler           Tauri's bundler: for scripts/package.sh
# They go into a folder of that name in target/interop. Does nothing if they are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1-} in
    ably-client) VERSIONS=(ably@2.28.0 @ably/vcdiff-decoder@1.0.6) ;;
    pusher-sdk) VERSIONS=(pusher@5.3.4) ;;
    pusher-clients) VERSIONS=(pusher@5.3.4 pusher-js@8.6.0 laravel-echo@2.5.0) ;;
    bundler) VERSIONS=(@tauri-apps/cli@2.12.5) ;;
    *) echo "error: no such packages: '${1-}'; there are ably-client, bundler, pusher-clients and pusher-sdk" >&2; exit 2 ;;
esac
folder=target/interop/$1
[ "$(cat "$folder/.versions" 2>/dev/null)" != "${VERSIONS[*]}" ] || exit 0
command -v npm >/dev/null || { echo "npm is missing" >&2; exit 1; }
mkdir -p "$folder"
npm install --no-audit --no-fund --no-save --silent --prefix "$folder" "${VERSIONS[@]}"
echo "${VERSIONS[*]}" >"$folder/.versions"
