#!/usr/bin/env bash
# Pusher's own SDK for Node, from npm: pusher.mjs beside this publishes and signs by it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
VERSION=5.3.4
folder=target/interop/pusher-sdk
[ "$(cat "$folder/.version" 2>/dev/null)" != "$VERSION" ] || exit 0
command -v npm >/dev/null || { echo "npm is missing" >&2; exit 1; }
mkdir -p "$folder"
npm install --no-audit --no-fund --no-save --silent --prefix "$folder" "pusher@$VERSION"
echo "$VERSION" >"$folder/.version"
