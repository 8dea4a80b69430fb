# Redis, of the system's packages.
speed=quick
install() {
    command -v redis-server > /dev/null || need_servers redis-server
}
