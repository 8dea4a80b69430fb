//! What a reader says on the hub's own WebSocket: orders that are none, events that it may not publish, and channels by patterns.

use serde_json::{Value, json};
use tungstenite::Message;

use crate::{
    Group,
    target::{READ, Target, claims, code_of},
};

/// Who may read `flights` and `talk.*`, and publish to `talk.1`.
fn own(target: &Target) -> String {
    let mut claims = claims();
    claims["channels"] = json!(["flights", "talk.*"]);
    claims["publish"] = json!(["talk.1"]);
    target.signed(&json!({"alg": "EdDSA", "kid": "site"}), &claims)
}

/// What is answered to one text of a client that has just come: a refusal with its code, or how it is closed.
fn said(target: &Target, text: &str) -> String {
    let mut socket = target.open_own(&own(target)).expect("open");
    socket.until("\"hello\"");
    // It may be closed already: what is read next says so.
    let _ = socket.socket.send(Message::text(text));
    let answer = socket.until("\"code\"");
    match answer.starts_with('{') {
        true if answer.contains("\"refused\"") => format!("refused {}", code_of(answer.as_bytes())),
        true => format!("{} {}", socket.end(), code_of(answer.as_bytes())),
        false => answer,
    }
}

fn publish(event: &Value) -> String {
    json!({"type": "publish", "id": 1, "event": event}).to_string()
}

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    // What is tried below differs from this in one thing.
    let good = json!({"channel": "talk.1", "name": "n", "data": 1});
    let mut socket = target.open_own(&own(target)).expect("open");
    socket.send(&json!({"type": "publish", "id": 1, "event": good}));
    assert!(socket.until("\"id\":1").contains("\"published\""));

    let with = |field: &str, value: Value| {
        let mut event = good.clone();
        event[field] = value;
        said(target, &publish(&event))
    };
    group.refused("publishing to a channel of the site's own", with("channel", json!("flights")));
    group.refused("publishing to what may be read, and isn't named for it", with("channel", json!("talk.2")));
    group.refused("publishing to many at once (`talk.*`)", with("channel", json!("talk.*")));
    group.refused("publishing with a position of its own", with("position", json!("e:1")));
    group.refused("publishing as another user", with("user", json!("chief")));
    group.refused("publishing under a name with an escape", with("name", json!("\u{1b}[2J")));
    let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let bare = publish(&good).replace("\"data\":1", &format!("\"data\":{nested}"));
    group.refused("publishing data of 200 levels", said(target, &bare));
    group.refused(
        "publishing a number beyond any",
        said(target, &publish(&good).replace("\"data\":1", "\"data\":1e999")),
    );
    group.refused("publishing two events as one", said(target, &publish(&json!([good, good]))));
    group.refused(
        "publishing under a number that is a text",
        said(target, &json!({"type": "publish", "id": "1", "event": good}).to_string()),
    );
    group.refused("two orders in one frame", said(target, &format!("{0}\n{0}", publish(&good))));
    group.refused("a list of orders", said(target, &format!("[{}]", publish(&good))));
    group.refused("an order that isn't known", said(target, r#"{"type":"revoke","user":"7"}"#));
    group.refused("a message of the hub's own", said(target, r#"{"type":"event","channel":"flights"}"#));
    group.refused("an order with a field that isn't known", said(target, r#"{"type":"ping","id":1,"admin":true}"#));
    group.refused("a type twice", said(target, r#"{"type":"ping","type":"publish","id":1,"event":{}}"#));

    let subscribe = |channel: &str, place: Value| {
        said(target, &json!({"type": "subscribe", "channels": {channel: place}}).to_string())
    };
    group.refused("every channel (`*`) by a token for some", subscribe("*", Value::Null));
    group.refused("a pattern a letter wider than the token's", subscribe("talk*", Value::Null));
    group.refused("a pattern around a name that the token has", subscribe("flights*", Value::Null));
    group.refused("a pattern with two stars", subscribe("talk.**", Value::Null));
    group.refused("a star in the middle", subscribe("ta*lk.1", Value::Null));
    group.refused("a pattern at a place in the middle", subscribe("talk.*", json!("e:7")));
    let mut claims = claims();
    claims["channels"] = json!(["talk.**"]);
    let starred = target.signed(&json!({"alg": "EdDSA", "kid": "site"}), &claims);
    group.refused("a pattern that a token names as a name", target.get("/v1/poll?cursor=talk.*~", Some(&starred)));
    group.refused("a pattern in a snapshot", target.get("/v1/snapshot?channels=*", Some(READ)));
}
