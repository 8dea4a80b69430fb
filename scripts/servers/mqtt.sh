# Mosquitto, of the system's packages, and what a node of Sparkplug is made of, from npm.
speed=quick
install_sparkplug() {
    [ ! -d "$SERVERS/sparkplug/node_modules/protobufjs" ] || return 0
    step "MQTT.js and protobuf.js, from npm"
    command -v npm > /dev/null || { echo "npm is missing" >&2; return 1; }
    mkdir -p "$SERVERS/sparkplug" &&
        npm install --no-audit --no-fund --no-save --silent --prefix "$SERVERS/sparkplug" mqtt@5 protobufjs@8
}
install() {
    need_servers mosquitto mosquitto-clients
    install_sparkplug
}
