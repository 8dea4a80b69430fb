# A bare WebSocket: the package `ws`, from npm.
speed=quick
install() {
    [ ! -d "$SERVERS/websocket/node_modules/ws" ] || return 0
    step "ws, from npm"
    command -v npm > /dev/null || { echo "npm is missing" >&2; return 1; }
    mkdir -p "$SERVERS/websocket" &&
        npm install --no-audit --no-fund --no-save --silent --prefix "$SERVERS/websocket" ws@8
}
