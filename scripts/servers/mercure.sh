# A Mercure hub, a Go module: minutes to build.
speed=slow
install() {
    [ ! -x "$SERVERS/mercure" ] || return 0
    step "Mercure, a Go module"
    command -v go > /dev/null || { echo "Go is missing" >&2; return 1; }
    # Not by `go install`: some module proxies refuse its question for a module of the command's own.
    local build
    build=$(mktemp -d) || return 1
    (cd "$build" && go mod init interop && go mod edit -require=github.com/dunglas/mercure@v0.20.2 &&
        GOFLAGS=-mod=mod go build -o "$SERVERS/mercure" github.com/dunglas/mercure/cmd/mercure)
    local built=$?
    rm -rf "$build"
    return "$built"
}
