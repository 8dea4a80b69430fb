# Socket.IO with an adapter to Redis, which is of the system's packages.
# shellcheck source=scripts/servers/socketio.sh
source scripts/servers/socketio.sh
install() {
    { command -v redis-server > /dev/null || need_packages redis-server; } && install_socketio
}
