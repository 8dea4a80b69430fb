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
