# nats-server as a broker of MQTT 3.1.1, which knows no other, and Mosquitto's clients.
speed=quick
install() {
    need_servers mosquitto mosquitto-clients && (source scripts/servers/nats.sh && install)
}
