# A server of a few lines on Node's own HTTP: nothing is installed.
speed=quick
install() {
    command -v node > /dev/null || { echo "Node.js is missing" >&2; return 1; }
}
