# Centrifugo, a Go module: minutes to build.
speed=slow
install() {
    [ ! -x "$SERVERS/centrifugo" ] || return 0
    step "Centrifugo, a Go module"
    command -v go > /dev/null || { echo "Go is missing" >&2; return 1; }
    GOBIN=$SERVERS go install github.com/centrifugal/centrifugo/v6@v6.9.1
}
