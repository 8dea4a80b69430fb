# Soketi, from npm.
speed=quick
install() {
    scripts/npm-packages.sh pusher-sdk || return 1
    [ ! -f "$SERVERS/soketi/node_modules/@soketi/soketi/bin/server.js" ] || return 0
    step "Soketi, from npm"
    command -v npm > /dev/null || { echo "npm is missing" >&2; return 1; }
    mkdir -p "$SERVERS/soketi" || return 1
    # What it names as its WebSocket library isn't on npm; this one is the same, built for Node 20.
    cat > "$SERVERS/soketi/package.json" << EOF
{ "private": true, "version": "0.0.0",
  "dependencies": { "@soketi/soketi": "1.6.1" },
  "overrides": { "uWebSockets.js": "npm:@trufflesuite/uws-js-unofficial@20.30.0-unofficial.0" } }
EOF
    (cd "$SERVERS/soketi" && npm install --no-audit --no-fund --silent)
}
