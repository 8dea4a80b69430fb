#!/usr/bin/env bash
# The fuzzers, for as long as one likes: libFuzzer, led by what each input reaches, on top of each target's corpus.
#   scripts/fuzz.sh                  every target for a minute
#   scripts/fuzz.sh --seconds 3600   for an hour each
#   scripts/fuzz.sh --only board     those whose package or name has this text
#   scripts/fuzz.sh --keep           and makes the corpora anew: the smallest inputs that reach all that was reached
# Ends in a line `N passed, N failed`, and with 1 if something failed. What crashed lies in the target's `crashes` folder, and is
# run by the plain tests from then on. What a run finds new stays in target/fuzz without --keep.
source "$(dirname "$0")/lib.sh"

SECONDS_EACH=60
ONLY=
KEEP=
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) SECONDS_EACH=${2:?a number of seconds}; shift 2 ;;
        --only) ONLY=${2:?a part of a name}; shift 2 ;;
        --keep) KEEP=yes; shift ;;
        *) fail "unknown option $1" ;;
    esac
done

OUT=$PWD/target/fuzz
HOST=$(rustc -vV | sed -n 's/^host: //p')
# What `cargo bolero` builds with. It can't be told to build one test program alone, and a package's other ones don't link so.
FLAGS="--cfg fuzzing --cfg fuzzing_libfuzzer -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
FLAGS+=" -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-pc-table"
FLAGS+=" -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-stack-depth"

step "What is needed"
need_rust

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

# program PACKAGE: builds its unit tests with libFuzzer in them, and says where they are. With a target given, build scripts are
# left as they are; the flags need no nightly compiler, but its switch.
program() {
    RUSTC_BOOTSTRAP=1 BOLERO_FUZZER=libfuzzer RUSTFLAGS=$FLAGS cargo test --locked --lib --no-run --package "$1" --profile fuzz \
        --target "$HOST" --target-dir "$OUT/target" --message-format json-render-diagnostics |
        grep '"executable":"' | sed 's/.*"executable":"\([^"]*\)".*/\1/' | tail -n 1
}

# fuzzer PROGRAM NAME ARGUMENTS: runs a target by libFuzzer.
fuzzer() {
    BOLERO_TEST_NAME=$2 BOLERO_LIBTEST_HARNESS=1 RUST_BACKTRACE=0 BOLERO_LIBFUZZER_ARGS=$3 \
        "$1" "$2" --exact --nocapture --quiet --test-threads 1
}

# The most that a target's corpus has: each plain test run takes all of it.
KEPT_FILES_MAX=64
KEPT_BYTES_MAX=16000

# keep PROGRAM NAME FOUND CORPUS: reduces what was found to what adds something, small ones first, into the corpus.
keep() {
    local merged=$OUT/merged file bytes=0 files=0
    rm -rf "$merged"
    mkdir -p "$merged"
    fuzzer "$1" "$2" "-merge=1 $merged $PWD/$4 $3" >"$OUT/merge.log" 2>&1 || return 0
    [ "$(count "$merged")" -gt 0 ] || return 0
    # What once crashed stays, and what was put there by hand.
    find "$4" -type f ! -name 'crash-*' ! -name 'seed-*' -delete
    # The longest first: what is left of them reaches what no shorter one does.
    while read -r file; do
        bytes=$((bytes + $(stat -c %s "$file")))
        files=$((files + 1))
        [ $bytes -le $KEPT_BYTES_MAX ] && [ $files -le $KEPT_FILES_MAX ] || break
        cp "$file" "$4/"
    done < <(find "$merged" -type f -printf '%s %p\n' | sort -rn | cut -d' ' -f2)
}

PASSED=0
FAILED=0
ROWS=()
BUILT=
for target in "${TARGETS[@]}"; do
    read -r package name folder <<<"$target"
    if [ "$package" != "$BUILT" ]; then
        step "$package: build"
        exe=$(program "$package") || fail "$package does not build for fuzzing"
        BUILT=$package
    fi
    step "$package $name: $SECONDS_EACH s"
    # What a run finds is kept apart, so that a long run leaves the sources as they were, but for what crashed.
    found=$OUT/corpus/$package/$name
    crashes=$PWD/$folder/crashes
    log=$OUT/$package-${name//::/-}.log
    mkdir -p "$found" "$crashes"
    before=$(count "$found")
    verdict=passed
    options="-artifact_prefix=$crashes/ -timeout=10 -rss_limit_mb=2048 -max_total_time=$SECONDS_EACH"
    fuzzer "$exe" "$name" "$found $PWD/$folder/corpus $options" >"$log" 2>&1 || verdict=FAILED
    # A run that never began has found nothing, which is no proof.
    runs=$(grep -aoE '^#[0-9]+' "$log" | tail -n 1 | tr -d '#' || true)
    [ "${runs:-0}" -gt 0 ] || verdict=FAILED
    edges=$(grep -aoE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2 || true)
    if [ "$verdict" = passed ]; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        tail -n 40 "$log"
    fi
    if [ -n "$KEEP" ] && [ "$verdict" = passed ]; then
        keep "$exe" "$name" "$found" "$folder/corpus"
    fi
    ROWS+=("$(printf '%-18s %-22s %10s %7s %6s %8s  %s' "$package" "$name" "${runs:-0}" "${edges:-?}" \
        $(($(count "$found") - before)) "$(count "$crashes")" "$verdict")")
    rmdir "$crashes" 2>/dev/null || true
done

step "Targets"
printf '%-18s %-22s %10s %7s %6s %8s\n' package target runs edges new crashes
printf '%s\n' "${ROWS[@]}"
echo
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" -eq 0 ]
