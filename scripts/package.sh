#!/usr/bin/env bash
# Builds packages of Watchfloor, by Tauri's bundler:
#   scripts/package.sh                 a .deb, and an AppImage where its tools can be had
#   scripts/package.sh --deb           the .deb alone
#   scripts/package.sh --appimage      the AppImage alone
#   scripts/package.sh --deb --debug   of programs that were built for tests, as the test of the package does
# Ends with the files' names and sizes.
source "$(dirname "$0")/lib.sh"

kinds=()
profile=(--release)
folder=$TARGET/release
for option in "$@"; do
    case $option in
        --deb | --appimage) kinds+=("${option#--}") ;;
        --debug) profile=(); folder=$TARGET/debug ;;
        *) fail "no such option: $option; there are --deb, --appimage and --debug" ;;
    esac
done
[ ${#kinds[@]} -gt 0 ] || kinds=(deb appimage)

step "What is needed"
need_packages "${BUILD_PACKAGES[@]}"
need_rust
need_node
scripts/npm-packages.sh bundler

step "The page"
build_ui

step "The programs"
if [ ${#profile[@]} -gt 0 ]; then
    cargo build "${profile[@]}" --locked --package watchfloor --package watchfloor-hub
fi
for program in watchfloor watchfloor-wall watchfloor-hub; do
    [ -x "$folder/$program" ] || fail "$folder/$program isn't built: run scripts/package.sh without --debug, or cargo build --workspace --bins"
done

step "What lies beside them"
made=$TARGET/package
mkdir -p "$made"
cp "$folder/watchfloor-hub" "$made/"
"$folder/watchfloor-wall" manual >"$made/watchfloor.1"
gzip -9nf "$made/watchfloor.1"
node scripts/notices.mjs "$made/third-party.md"
# unit TEMPLATE BOARD NAME: a unit of those that `watchfloor kiosk install` writes, for a board at a place of its own: without it, it shows
# nothing and fails nothing.
unit() {
    local start="/usr/bin/watchfloor --board $2 --kiosk"
    sed -e "s|{wall}|$start|; s|{user}|%i|; s|{cage}|/usr/bin/cage|; s|{xinit}|/usr/bin/xinit|; s|^\[Unit\]\$|&\nConditionPathExists=$2|" \
        "src-tauri/src/kiosk/units/$1.service" >"$made/$3.service"
    ! grep -n '[{}]' "$made/$3.service" >&2 || fail "$3.service: something stands for itself in src-tauri/src/kiosk/units/$1.service"
}
unit session %E/watchfloor/board.toml watchfloor-kiosk
unit cage /etc/watchfloor/board.toml watchfloor-kiosk@
unit x11 /etc/watchfloor/board.toml watchfloor-kiosk-x11@

outcome=0
for kind in "${kinds[@]}"; do
    step "The package: $kind"
    rm -rf "$folder/bundle/$kind"
    bundle=(target/interop/bundler/node_modules/.bin/tauri bundle --bundles "$kind")
    [ ${#profile[@]} -gt 0 ] || bundle+=(--debug)
    if ! "${bundle[@]}"; then
        echo "$kind: not built: see above" >&2
        if [ "$kind" = appimage ]; then
            # No package of Debian's, of npm's or of PyPI's was found that has these: the bundler fetches them itself, and keeps them.
            printf '%s\n' "note: the bundler needs AppRun-$(uname -m), linuxdeploy-$(uname -m).AppImage and linuxdeploy's plugins gtk and appimage," \
                "    from github.com/tauri-apps/binary-releases and github.com/linuxdeploy. Where this machine may not go there, build once" \
                "    where one may, and bring that machine's folder ${XDG_CACHE_HOME:-\$HOME/.cache}/tauri to the same place here" >&2
        fi
        [ "$kind" = appimage ] && [ ${#kinds[@]} -gt 1 ] || outcome=1
    fi
done

step "Built"
find "$folder/bundle" -maxdepth 2 -type f \( -name '*.deb' -o -name '*.AppImage' \) -printf '%s bytes  %p\n'
exit "$outcome"
