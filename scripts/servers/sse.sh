# nginx and its module Nchan, of the system's packages.
speed=quick
install() {
    need_servers nginx libnginx-mod-nchan
}
