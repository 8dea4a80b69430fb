#!/usr/bin/env bash
# Makes the raster icons from icons/icon.svg.
source "$(dirname "$0")/lib.sh"

step "What is needed"
need_packages librsvg2-bin

step "Icons"
for size in 32x32:32 128x128:128 128x128@2x:256 icon:512; do
    rsvg-convert --width "${size#*:}" --height "${size#*:}" icons/icon.svg --output "icons/${size%:*}.png"
    echo "icons/${size%:*}.png"
done
# Of Windows and macOS.
scripts/npm-packages.sh bundler
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
target/interop/bundler/node_modules/.bin/tauri icon icons/icon.png --output "$made" >/dev/null
for name in icon.ico icon.icns; do
    cp "$made/$name" icons/
    echo "icons/$name"
done
