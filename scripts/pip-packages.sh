#!/usr/bin/env bash
# Packages for Python that tests talk to, each at its version, with a Python of their own:
#   scripts/pip-packages.sh pusher-python     Pusher's server SDK for Python: for tests/tests/pusher_clients.rs
# They go into a folder of that name in target/interop. Does nothing if they are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1-} in
    pusher-python) VERSIONS=(pusher==3.3.4) ;;
    *) echo "error: no such packages: '${1-}'; there is pusher-python" >&2; exit 2 ;;
esac
folder=target/interop/$1
[ "$(cat "$folder/.versions" 2>/dev/null)" != "${VERSIONS[*]}" ] || exit 0
command -v python3 >/dev/null || { echo "python3 is missing" >&2; exit 1; }
python3 -m venv --clear "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check "${VERSIONS[@]}"
echo "${VERSIONS[*]}" >"$folder/.versions"
