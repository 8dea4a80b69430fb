//! Many of one. The hub believes what this machine says of who comes, as a proxy on it would.

use serde_json::json;

use crate::{
    Group,
    target::{READ, Socket, Target, claims},
};

/// What the hub's file allows of one address, and of one user.
const OF_ADDRESS: usize = 50;
const OF_USER: usize = 20;

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let token = format!("Bearer {READ}");
    let open = |forwarded: &str| target.open("/v1/ws", &[("authorization", &token), ("x-forwarded-for", forwarded)]);
    let all = |count: usize, forwarded: &dyn Fn(usize) -> String| -> Vec<Socket> {
        (0..count).map(|number| open(&forwarded(number)).expect("one of those that may come")).collect()
    };
    let result = |opened: Result<Socket, String>| opened.err().unwrap_or_else(|| "101".to_owned());

    let mut there = all(OF_ADDRESS, &|_| "192.0.2.7".to_owned());
    group.refused("more WebSockets of one address than may be", result(open("192.0.2.7")));
    group.refused("the same with another address before it", result(open("203.0.113.1, 192.0.2.7")));
    group.refused("the same as IPv4 in IPv6", result(open("::ffff:192.0.2.7")));
    let poll = [("authorization", token.as_str()), ("x-forwarded-for", "192.0.2.7")];
    group.refused("the same by a poll", target.request("GET /v1/poll?cursor=flights~&wait_ms=0", &poll, ""));
    group.comes_to("somebody else meanwhile", result(open("192.0.2.8")), "101");
    let mut pusher = target.open("/app/wall?protocol=7", &[("x-forwarded-for", "192.0.2.7")]).expect("open");
    group.refused("the same at the Pusher door", pusher.end());
    there.clear();

    there = all(OF_ADDRESS, &|number| format!("2001:db8::{number:x}"));
    group.refused("more of one network of IPv6", result(open("2001:db8::ffff:1")));
    there.clear();

    let mut own = claims();
    own["sub"] = json!("somebody");
    let own = format!("Bearer {}", target.hs(&json!({"alg": "HS256", "kid": "secret"}), &own));
    let by_user = |number: usize| {
        let from = format!("198.51.100.{number}");
        target.open("/v1/ws", &[("authorization", &own), ("x-forwarded-for", &from)])
    };
    let there: Vec<Socket> = (0..OF_USER).map(|number| by_user(number).expect("one of those that may come")).collect();
    group.refused("more WebSockets of one user than may be, each from elsewhere", result(by_user(OF_USER)));
    drop(there);
}
