# Ably, as Sockudo speaks it: the same program.
# shellcheck source=scripts/servers/pusher.sh
source scripts/servers/pusher.sh
