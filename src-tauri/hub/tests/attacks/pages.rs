//! Web pages in the browsers of people who may reach the hub, and names that lead to it by a trick.

use serde_json::json;

use crate::{
    Group,
    target::{PUBLISH, READ, Target},
};

const POLL: &str = "GET /v1/poll?cursor=flights~&wait_ms=0";

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let bearer = format!("Bearer {READ}");
    let own = format!("http://{}", target.address);
    let with = |name: &'static str, value: &str| target.request(POLL, &[("authorization", &bearer), (name, value)], "");
    group.refused("a page of another site reads", with("origin", "https://evil.example"));
    group.refused("a page without an origin reads", with("origin", "null"));
    group.refused("a page whose name begins like the hub's", with("origin", &format!("{own}.evil.example")));
    group.refused("a page of the hub's name and another port", with("origin", "http://127.0.0.1:1"));
    for (what, origin) in
        [("a page opens a WebSocket", "https://evil.example"), ("a sandboxed page opens a WebSocket", "null")]
    {
        let opened = target.open("/v1/ws", &[("authorization", &bearer), ("origin", origin)]);
        group.refused(what, opened.err().unwrap_or_else(|| "101".to_owned()));
    }
    let publish = format!("Bearer {PUBLISH}");
    let event = json!({"channel": "flights", "name": "n", "data": 1}).to_string();
    let length = event.len().to_string();
    let form = |kind: &str, origin: &str| {
        let head =
            [("authorization", &*publish), ("content-type", kind), ("content-length", &length), ("origin", origin)];
        target.request("POST /v1/publish", &head, &event)
    };
    group.refused("a page's form publishes", form("application/json", "https://evil.example"));
    group.refused("a body that browsers send without asking (`text/plain`)", form("text/plain", &own));
    let host = |host: &str| {
        target.raw(
            format!("{POLL} HTTP/1.1\r\nhost: {host}\r\nauthorization: {bearer}\r\nconnection: close\r\n\r\n")
                .as_bytes(),
        )
    };
    // This hub has a publish token, so any name would do beyond the loopback; here it listens on the loopback.
    group.refused("a name that was made to lead to this machine (DNS rebinding)", host("evil.example"));
    group.refused("the same with the port", host("evil.example:8787"));
    group.refused("a name that begins like the loopback's", host("127.0.0.1.evil.example"));
    group.refused("no name", target.raw(format!("{POLL} HTTP/1.1\r\nauthorization: {bearer}\r\n\r\n").as_bytes()));
    let absolute = "GET http://evil.example/v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    group.refused("another name in the request line than in `Host`", target.raw(absolute.as_bytes()));
    let options = target.request(
        "OPTIONS /v1/publish",
        &[("origin", "https://evil.example"), ("access-control-request-method", "POST")],
        "",
    );
    group.refused("asking whether a page may publish (preflight)", options);
}
