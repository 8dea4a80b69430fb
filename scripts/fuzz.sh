#!/usr/bin/env bash
# The fuzzers, for as long as one likes: libFuzzer, led by what each input reaches, on top of each target's corpus.
#   scripts/fuzz.sh                  every target for a minute
#   scripts/fuzz.sh --seconds 3600   for an hour each
#   scripts/fuzz.sh --only board     those whose package or name has this text
# Ends in a line `N passed, N failed`, and with 1 if something failed. What crashed lies in the target's `crashes` folder, and is
# run by the plain tests from then on. What a run finds new stays in target/fuzz; docs/proof.md says how it gets into a corpus.
source "$(dirname "$0")/lib.sh"

SECONDS_EACH=60
ONLY=
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) SECONDS_EACH=${2:?a number of seconds}; shift 2 ;;
        --only) ONLY=${2:?a part of a name}; shift 2 ;;
        *) fail "unknown option $1" ;;
    esac
done

BOLERO_VERSION=0.13.4
TOOLS=$PWD/target/tools
OUT=$PWD/target/fuzz

step "What is needed"
need_rust
if ! "$TOOLS/bin/cargo-bolero" bolero --version 2>/dev/null | grep -qF "$BOLERO_VERSION"; then
    cargo install cargo-bolero --version "$BOLERO_VERSION" --locked --root "$TOOLS"
fi
export PATH=$TOOLS/bin:$PATH

# A target is a folder with a corpus: its room is the package, its name the test's path.
TARGETS=()
while read -r folder; do
    room=${folder#src-tauri/}
    name=$(basename "$folder")
    target="watchfloor-${room%%/*} ${name//__/::}"
    [[ $target == *"$ONLY"* ]] && TARGETS+=("$target $folder")
done < <(find src-tauri -path '*/__fuzz__/*' -name corpus -type d -printf '%h\n' | sort)
[ ${#TARGETS[@]} -gt 0 ] || fail "no target has '$ONLY' in its name"

count() {
    find "$1" -type f 2>/dev/null | wc -l
}

PASSED=0
FAILED=0
ROWS=()
for target in "${TARGETS[@]}"; do
    read -r package name folder <<<"$target"
    step "$package $name, $SECONDS_EACH s"
    mkdir -p "$OUT/corpus/$package/$name" "$folder/crashes"
    # What a run finds is kept apart, so that a long run leaves the sources as they were.
    cp -n "$folder"/corpus/* "$OUT/corpus/$package/$name/" 2>/dev/null || true
    before=$(count "$OUT/corpus/$package/$name")
    log=$OUT/$package-${name//::/-}.log
    verdict=passed
    cargo bolero test --package "$package" --rustc-bootstrap --sanitizer NONE --target-dir "$OUT/target" -T "${SECONDS_EACH}s" \
        --corpus-dir "$OUT/corpus/$package/$name" --crashes-dir "$PWD/$folder/crashes" "$name" >"$log" 2>&1 || verdict=FAILED
    # A run that never began has found nothing, which is no proof.
    runs=$(grep -aoE '^#[0-9]+' "$log" | tail -n 1 | tr -d '#' || true)
    [ "${runs:-0}" -gt 0 ] || verdict=FAILED
    coverage=$(grep -aoE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2 || true)
    crashes=$(count "$folder/crashes")
    rmdir "$folder/crashes" 2>/dev/null || true
    if [ "$verdict" = passed ]; then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)); tail -n 40 "$log"; fi
    ROWS+=("$(printf '%-18s %-24s %10s %8s %6s %7s  %s' "$package" "$name" "${runs:-0}" "${coverage:-?}" \
        $(($(count "$OUT/corpus/$package/$name") - before)) "$crashes" "$verdict")")
done

step "Targets"
printf '%-18s %-24s %10s %8s %6s %7s\n' package target runs edges new crashes
printf '%s\n' "${ROWS[@]}"
echo
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ]
