#!/usr/bin/env bash
# The simulation proof, for as long as one likes: real feed and board in virtual time, faults drawn from fresh seeds.
#   scripts/simulate.sh                       10,000 hours with faults, 10,000 dense schedules, 100 healthy days, the storm
#   scripts/simulate.sh --hours 1000000       so many simulated hours, each a schedule of its own
#   scripts/simulate.sh --healthy-days 1000   so many days in which nothing goes wrong
#   scripts/simulate.sh --storm               10,000 walls lose one server
#   scripts/simulate.sh --hours 1 --seed 42   one seed again
#   scripts/simulate.sh --plan FILE           a plan again, as a failure prints it
#   scripts/simulate.sh --dialect redis --hours 300   the same hours with a server that speaks it; `all` for each dialect
# Ends in a line `N passed, N failed`, and with 1 if something failed. docs/proof.md says what is checked.
source "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || set -- --hours 10000 --dense 10000 --healthy-days 100 --storm

step "Build"
need_rust
# With the checks that the tests have, and a fifth quicker than theirs.
cargo build --locked --profile fuzz --package watchfloor-simulation --bin simulate

step "Simulate $*"
exec "$TARGET/fuzz/simulate" "$@"
