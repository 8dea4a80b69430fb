# Mosquitto, of the system's packages.
speed=quick
install() {
    need_servers mosquitto mosquitto-clients
}
