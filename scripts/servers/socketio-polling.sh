# Socket.IO by polls: the same server.
# shellcheck source=scripts/servers/socketio.sh
source scripts/servers/socketio.sh
