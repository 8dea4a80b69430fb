//! Names of channels, events and aggregates, and places in histories.

use serde_json::json;

use crate::{
    Group,
    target::{PUBLISH, READ, Target},
};

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let channel = |channel: &str| target.publish(&json!({"channel": channel, "name": "n", "data": 1}));
    group.refused("a channel that is a path", channel("../secrets"));
    group.refused("a channel with a line end", channel("flights\r\nx"));
    group.refused("a channel with a null byte", channel("flights\u{0}"));
    group.refused("a channel that only looks alike (Cyrillic а)", channel("flаghts"));
    group.refused("a channel with a place in it (`flights~e:1`)", channel("flights~e:1"));
    group.refused("a channel with another behind it (`flights|weather`)", channel("flights|weather"));
    group.refused("no name of a channel", channel(""));
    group.refused("a channel of 201 characters", channel(&"c".repeat(201)));
    group.refused("a channel that stands for many (`*`)", channel("*"));
    let name = |name: &str| target.publish(&json!({"channel": "flights", "name": name, "data": 1}));
    group.refused("an event whose name has an escape", name("\u{1b}[2J"));
    group.refused("an event of 201 characters", name(&"n".repeat(201)));
    group.refused(
        "an event with a field that isn't known",
        target.publish(&json!({"channel": "flights", "name": "n", "data": 1, "admin": true})),
    );
    group.refused(
        "an event that names its own position",
        target.publish(&json!({"channel": "flights", "name": "n", "data": 1, "position": "e:1"})),
    );
    group.refused(
        "an event from before the year 1",
        target.publish(&json!({"channel": "flights", "name": "n", "data": 1, "time": i64::MIN})),
    );
    group.refused(
        "data that is no object where fields are named",
        target.publish(&json!({"channel": "open.a", "name": "n", "data": "555"})),
    );
    let poll = |cursor: &str| target.get(&format!("/v1/poll?cursor={cursor}&wait_ms=0"), Some(READ));
    group.refused("a place beyond any number", poll("flights~e:18446744073709551616"));
    group.refused("a place below nothing", poll("flights~e:-1"));
    group.refused("a channel twice in a cursor", poll("flights~|flights~"));
    group.refused("a line end in a cursor", poll("flights~%0d%0aset-cookie:x"));
    group.refused("a parameter twice", target.get("/v1/poll?cursor=flights~&cursor=weather~", Some(READ)));
    group.refused("a parameter that isn't known", poll("flights~&admin=1"));
    group.refused("a path upwards", target.get("/v1/../../etc/passwd", Some(READ)));
    group.refused("a path upwards, encoded", target.get("/v1/aggregates/..%2f..%2fetc%2fpasswd", Some(READ)));
    group.refused("a path upwards, encoded twice", target.get("/v1/aggregates/%252e%252e%252f", Some(READ)));
    group.refused("a path with a null byte", target.get("/v1/aggregates/flights%00", Some(READ)));
    group.refused("a path with two slashes", target.get("//v1/publish", Some(PUBLISH)));
    let method = [("x-http-method-override", "POST"), ("authorization", &*format!("Bearer {PUBLISH}"))];
    group.refused("another method by a header", target.request("GET /v1/publish", &method, ""));
    group.refused("TRACE", target.request("TRACE /v1/health", &[], ""));
    group.refused("CONNECT", target.raw(b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n"));
}
