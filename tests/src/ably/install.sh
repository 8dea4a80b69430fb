#!/usr/bin/env bash
# Ably's own JavaScript client, and what it reads deltas by, from npm: tests/tests/ably.rs is held to account by it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
VERSIONS=(ably@2.28.0 @ably/vcdiff-decoder@1.0.6)
folder=target/interop/ably-client
[ "$(cat "$folder/.versions" 2>/dev/null)" != "${VERSIONS[*]}" ] || exit 0
command -v npm >/dev/null || { echo "npm is missing" >&2; exit 1; }
mkdir -p "$folder"
npm install --no-audit --no-fund --no-save --silent --prefix "$folder" "${VERSIONS[@]}"
echo "${VERSIONS[*]}" >"$folder/.versions"
