#!/usr/bin/env bash
# Teeth: puts deliberate defects into a copy of the sources, one at a time, and prints which check catches each.
#   scripts/mutants.sh                 all of them
#   scripts/mutants.sh --every 9       every ninth
#   scripts/mutants.sh --only backoff,token  those whose names have one of these texts
# Ends in a line `N passed, N failed`, and with 1 if one was caught by nothing. The list is tests/mutants.json.
source "$(dirname "$0")/lib.sh"

step "What is needed"
need_rust
need_node

step "Defects, each caught by something"
exec node scripts/mutants.mjs "$@"
