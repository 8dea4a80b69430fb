//! What readers present.

use serde_json::{Value, json};

use crate::{
    Group,
    target::{PUBLISH, READ, Target, claims, hs, now, token},
};

const POLL: &str = "/v1/poll?cursor=flights~&wait_ms=0";

fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

fn without(claim: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(claim);
    claims
}

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let ed = json!({"alg": "EdDSA", "kid": "site"});
    let hs256 = json!({"alg": "HS256", "kid": "secret"});
    // What is tried below differs from these in one thing.
    assert_eq!(target.get(POLL, Some(&target.signed(&ed, &claims()))), "200");
    assert_eq!(target.get(POLL, Some(&target.hs(&hs256, &claims()))), "200");
    let poll = |token: &str| target.get(POLL, Some(token));

    group.refused("no token", target.get(POLL, None));
    group.refused("an empty token", target.request(&format!("GET {POLL}"), &[("authorization", "Bearer ")], ""));
    group.refused("another scheme", target.request(&format!("GET {POLL}"), &[("authorization", "Basic YTpi")], ""));
    group.refused("the publishers' token", poll(PUBLISH));
    group.refused("a part of the readers' token", poll(&READ[..READ.len() - 1]));
    group.refused("the readers' token in the address", target.get(&format!("{POLL}&token={READ}"), None));
    let twice = [("authorization", "Bearer x"), ("authorization", &*format!("Bearer {READ}"))];
    group.refused("two tokens, the second good", target.request(&format!("GET {POLL}"), &twice, ""));
    group.refused("what is no token", poll("a.b.c"));
    group.refused("two parts", poll(target.signed(&ed, &claims()).rsplit_once('.').expect("three parts").0));
    group.refused("a fourth part", poll(&format!("{}.x", target.signed(&ed, &claims()))));
    group.refused("an expired token", poll(&target.signed(&ed, &with("exp", json!(now() - 60)))));
    group.refused("one that isn't good yet", poll(&target.signed(&ed, &with("nbf", json!(now() + 60)))));
    group.refused("one without an end", poll(&target.signed(&ed, &without("exp"))));
    group.refused("an end that is a text", poll(&target.signed(&ed, &with("exp", json!("9999999999")))));
    group.refused("an end that is null", poll(&target.signed(&ed, &with("exp", Value::Null))));
    group.refused("one for somebody else (`aud`)", poll(&target.signed(&ed, &with("aud", json!("other")))));
    group.refused("one without channels", poll(&target.signed(&ed, &without("channels"))));
    group.refused("channels that are a text", poll(&target.signed(&ed, &with("channels", json!("flights")))));
    group.refused("one for another channel", poll(&target.signed(&ed, &with("channels", json!(["flight"])))));
    group.refused("one for no channel", poll(&target.signed(&ed, &with("channels", json!([])))));
    let none = |alg: &str| token(&json!({"alg": alg}), &claims(), |_| Vec::new());
    group.refused("`alg` none, no signature", poll(&none("none")));
    group.refused("`alg` nOnE", poll(&none("nOnE")));
    group.refused("`alg` none, another's signature", poll(&target.hs(&json!({"alg": "none"}), &claims())));
    let [pem, bytes] = target.public();
    group.refused("HS256 by the public key's file", poll(&token(&json!({"alg": "HS256"}), &claims(), hs(&pem))));
    group.refused(
        "HS256 by the public key's file, named as the site's",
        poll(&token(&json!({"alg": "HS256", "kid": "site"}), &claims(), hs(&pem))),
    );
    group.refused("HS256 by the public key itself", poll(&token(&json!({"alg": "HS256"}), &claims(), hs(&bytes))));
    group.refused(
        "EdDSA with the secret's name",
        poll(&target.signed(&json!({"alg": "EdDSA", "kid": "secret"}), &claims())),
    );
    group.refused("RS256 with an HMAC", poll(&target.hs(&json!({"alg": "RS256"}), &claims())));
    group.refused("HS512 in place of HS256", poll(&target.hs(&json!({"alg": "HS512", "kid": "secret"}), &claims())));
    group.refused("an empty key", poll(&token(&json!({"alg": "HS256"}), &claims(), hs(b""))));
    let kid = |kid: &str| poll(&token(&json!({"alg": "HS256", "kid": kid}), &claims(), hs(b"")));
    group.refused("`kid` that is a path", kid("../../../../dev/null"));
    group.refused("`kid` that is SQL", kid("' UNION SELECT 'x' --"));
    group.refused("`kid` that is a command", kid("|sleep 10"));
    let bait = target.bait.url();
    for (what, name) in [("a key's address in the header (`jku`)", "jku"), ("the same (`x5u`)", "x5u")] {
        group.refused(what, poll(&token(&json!({"alg": "HS256", "kid": "new", name: bait}), &claims(), hs(b"own"))));
    }
    let own = json!({"kty": "oct", "k": "b3du"});
    group.refused(
        "a key in the header (`jwk`)",
        poll(&token(&json!({"alg": "HS256", "jwk": own}), &claims(), hs(b"own"))),
    );
    assert!(!target.bait.was_taken(), "nobody is asked whom a token names");
    let critical = json!({"alg": "EdDSA", "kid": "site", "crit": ["b64"], "b64": false});
    group.refused("what must be understood and isn't (`crit`)", poll(&target.signed(&critical, &claims())));
    let good = target.signed(&ed, &with("channels", json!(["weather"])));
    let parts: Vec<&str> = good.split('.').collect();
    let altered = target.signed(&ed, &claims());
    let swapped = format!("{}.{}.{}", parts[0], altered.split('.').nth(1).expect("claims"), parts[2]);
    group.refused("other claims under a good signature", poll(&swapped));
    group.refused("a token of 100,000 characters", poll(&"a".repeat(100_000)));
    group.refused("reading by SSE what it doesn't name", target.get("/v1/sse?cursor=flights~", Some(&good)));
    group.refused(
        "reading a snapshot of what it doesn't name",
        target.get("/v1/snapshot?channels=weather,flights", Some(&good)),
    );
    group.refused("an aggregate of what it doesn't name", target.get("/v1/aggregates/flights", Some(&good)));
    let mut socket = target.open_own(&good).expect("open");
    socket.send(&json!({"type": "subscribe", "channels": {"weather": null, "flights": null}}));
    group.refused("subscribing by WebSocket to what it doesn't name", socket.end());
    let mut socket = target.open_own(&good).expect("open");
    socket.send(&json!({"type": "subscribe", "channels": {"weather": null}}));
    assert!(socket.until("\"heartbeat\"").contains("weather"));
    socket.send(&json!({"type": "authorise", "token": token(&json!({"alg": "none"}), &claims(), |_| Vec::new())}));
    assert!(socket.until("error").contains("bad-token"));
    socket.send(&json!({"type": "subscribe", "channels": {"flights": null}}));
    group.refused("a worse token on a running connection, then more channels", socket.end());
    group.refused("publishing with the readers' token", target.post("/v1/publish", Some(READ), "{}"));
    group.refused("publishing with a reader's token", target.post("/v1/publish", Some(&good), "{}"));
    group.refused(
        "setting the clock with a reader's token",
        target.post("/v1/clock", Some(&good), "{\"system\": true}"),
    );
}
