# What the scripts share: showing progress, and getting what is needed. Sourced, never run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What the app is built with, and what its tests need besides. Debian's names; Ubuntu has the same.
BUILD_PACKAGES=(build-essential pkg-config libwebkit2gtk-4.1-dev libgtk-3-dev librsvg2-dev libdbus-1-dev libasound2-dev)
TEST_PACKAGES=(cage chromium dbus dunst fonts-dejavu-core gnome-keyring imagemagick libasound2-plugins libsecret-tools openbox pulseaudio pulseaudio-utils python3-venv webkit2gtk-driver x11-utils x11-xserver-utils xclip xdotool
    xserver-xorg-core xserver-xorg-video-dummy xvfb xwayland)
# What the tests go through and talk to.
TEST_SERVERS=(haproxy nginx libnginx-mod-nchan prometheus-alertmanager redis-server mosquitto)
RUST_LEAST=1.90
NODE_LEAST=20.19

# Where cargo puts what it builds.
TARGET=${CARGO_TARGET_DIR:-target}

STARTED=$SECONDS

# Each step: the second in which it began, how long the processors had been busy by then in hundredths of a second, and its name.
STEPS=()

# busy: how long the processors have been busy since the machine was started, in hundredths of a second of one of them.
busy() {
    awk '/^cpu / { print $2 + $3 + $4; exit }' /proc/stat
}

# step TEXT: says what begins now, and when, and how long each step before it took: of a run that is cut off, the end is read.
step() {
    STEPS+=("$SECONDS $(busy) $*")
    printf '\n==> [%02d:%02d] %s\n' $(((SECONDS - STARTED) / 60)) $(((SECONDS - STARTED) % 60)) "$*"
    [ "${#STEPS[@]}" -le 1 ] || steps_took | head -n -1 | awk '{ printf "%s%s s", (NR > 1 ? ", " : "    until now: "), $1 } END { print "" }'
}

# steps_took: how long each step took until now, and how many processors were busy meanwhile.
steps_took() {
    local at next from from_busy to to_busy name
    for at in "${!STEPS[@]}"; do
        read -r from from_busy name <<<"${STEPS[at]}"
        read -r to to_busy _ <<<"${STEPS[at + 1]:-$SECONDS $(busy)}"
        printf '%6d s  %d %% busy  %s\n' $((to - from)) $(((to_busy - from_busy) / (to > from ? to - from : 1))) "$name"
    done
}

# fail TEXT: says what is lacking and ends with 3.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 3
}

# at_least FOUND LEAST: whether version FOUND is LEAST or newer.
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# need_packages NAME…: installs the system packages that are missing, or says which they are.
need_packages() {
    command -v dpkg-query >/dev/null || {
        printf 'note: not a Debian-like system: these packages, under their names here, are needed: %s\n' "$*"
        return
    }
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && { echo "system packages: all there"; return; }
    echo "system packages missing: ${missing[*]}"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        # Never ask for a password from within a script: say what is needed instead.
        sudo -n true 2>/dev/null || fail "they can't be installed without root: run 'sudo apt-get install ${missing[*]}' and start again"
        root=(sudo -n)
    fi
    "${root[@]}" apt-get update -qq
    # Debian starts a server that it installs: here only tests start them, on ports of their own. An answer of 101 from this file says
    # no to that (man invoke-rc.d); a machine that has one already says itself what it wants.
    local policy=/usr/sbin/policy-rc.d ours=no
    if [ ! -e "$policy" ]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod 755 "$policy"
    fi
    local outcome=0
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || outcome=$?
    [ "$ours" = no ] || "${root[@]}" rm -f "$policy"
    [ "$outcome" -eq 0 ] || fail "apt-get could not install them: ${missing[*]}"
    echo "system packages: installed"
}

# want_packages NAME…: installs those that this system has. They make something quicker, and nothing needs them.
want_packages() {
    command -v apt-cache >/dev/null || return 0
    local name
    for name in "$@"; do
        if apt-cache show "$name" >/dev/null 2>&1; then need_packages "$name"; fi
    done
}

# need_servers NAME…: the same of packages that are servers, which then don't start at each boot either, unless they were there before.
need_servers() {
    local fresh=() name unit root=()
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || fresh+=("$name")
    done
    need_packages "$@"
    command -v systemctl >/dev/null && [ ${#fresh[@]} -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || root=(sudo -n)
    for unit in $(dpkg-query -L "${fresh[@]}" | sed -n 's|^.*/systemd/system/\([^/@]*\.service\)$|\1|p'); do
        "${root[@]}" systemctl disable --quiet "$unit" || echo "note: $unit starts at each boot; 'systemctl disable $unit' keeps it from that" >&2
    done
}

need_rust() {
    command -v cargo >/dev/null || fail "cargo is missing: install Rust $RUST_LEAST or newer with rustup"
    local found
    found=$(rustc --version | cut -d' ' -f2)
    at_least "$found" "$RUST_LEAST" || fail "Rust $found is too old: $RUST_LEAST or newer is needed, try 'rustup update'"
    echo "Rust $found"
}

need_node() {
    command -v npm >/dev/null || fail "npm is missing: install Node.js $NODE_LEAST or newer"
    local found
    found=$(node --version | tr -d v)
    at_least "$found" "$NODE_LEAST" || fail "Node.js $found is too old: $NODE_LEAST or newer is needed"
    echo "Node.js $found"
}

# The page, built into ui/dist. Its packages are installed anew only when their lock file changed, and it is built anew only
# when something is newer: cargo builds the program again for every new page.
build_ui() {
    local lock=ui/node_modules/.lock
    if ! cmp -s ui/package-lock.json "$lock"; then
        npm --prefix ui ci --no-audit --no-fund --loglevel=error
        cp ui/package-lock.json "$lock"
        rm -rf ui/dist
    fi
    if [ -f ui/dist/index.html ] &&
        [ -z "$(find ui \( -path ui/node_modules -o -path ui/dist \) -prune -o -newer ui/dist/index.html -print -quit)" ]; then
        echo "the page: built already"
        return
    fi
    npm --prefix ui run build --silent
}
