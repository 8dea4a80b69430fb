# Centrifugo with its Redis engine: minutes to build.
speed=slow
install() {
    command -v redis-server > /dev/null || need_packages redis-server
    [ ! -x "$SERVERS/centrifugo" ] || return 0
    step "Centrifugo, a Go module"
    command -v go > /dev/null || { echo "Go is missing" >&2; return 1; }
    GOBIN=$SERVERS go install github.com/centrifugal/centrifugo/v6@v6.9.1
}
