# Socket.IO and its adapters to Redis, from npm: all at once, since npm takes away what it isn't told of.
speed=quick
install_socketio() {
    [ ! -d "$SERVERS/socketio/node_modules/@socket.io/redis-streams-adapter" ] || return 0
    step "Socket.IO, from npm"
    command -v npm > /dev/null || { echo "npm is missing" >&2; return 1; }
    mkdir -p "$SERVERS/socketio" &&
        npm install --no-audit --no-fund --no-save --silent --prefix "$SERVERS/socketio" \
            socket.io@4.8 @socket.io/redis-adapter@8 @socket.io/redis-streams-adapter@0.3 redis@5
}
install() {
    install_socketio
}
