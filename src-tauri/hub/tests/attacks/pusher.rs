//! What clients and servers of Pusher's sign.

use ring::hmac;
use serde_json::{Value, json};

use crate::{
    Group,
    target::{APP_SECRET, Socket, Target, now},
};

fn sign_by(secret: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sign(text: &str) -> String {
    sign_by(APP_SECRET, text)
}

struct Client {
    socket: Socket,
    id: String,
}

fn connect(target: &Target) -> Client {
    let mut socket = target.open("/app/wall?protocol=7", &[]).expect("open");
    let greeting = socket.until("connection_established");
    let greeting: Value = serde_json::from_str(&greeting).expect("JSON");
    let data: Value = serde_json::from_str(greeting["data"].as_str().expect("a text")).expect("JSON in a text");
    Client { id: data["socket_id"].as_str().expect("an id").to_owned(), socket }
}

impl Client {
    /// What the hub says to a frame: the error's code, or the event.
    fn says(&mut self, event: &str, data: Value) -> String {
        self.socket.send(&json!({"event": event, "data": data}));
        self.answer()
    }

    fn answer(&mut self) -> String {
        let answer = self.socket.until("event");
        let Ok(answer) = serde_json::from_str::<Value>(&answer) else { return answer };
        let data = match &answer["data"] {
            Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            data => data.clone(),
        };
        let said = answer["event"].as_str().unwrap_or_default();
        match (said, &data["code"], &data["status"]) {
            ("pusher:error", Value::Number(code), _) => format!("{code}"),
            ("pusher:subscription_error", _, Value::Number(status)) => format!("{status} subscription_error"),
            (said, ..) => said.to_owned(),
        }
    }
}

/// A request of the HTTP API, signed, with one thing changed.
fn api(target: &Target, changed: impl Fn(&mut Request)) -> String {
    let body = json!({"name": "n", "channel": "flights", "data": "{}"}).to_string();
    let mut request = Request {
        secret: APP_SECRET,
        key: "wall",
        at: now(),
        signed: body.clone(),
        body,
        path: "/apps/1/events",
        extra: "",
    };
    changed(&mut request);
    let Request { secret, key, at, signed, body, path, extra } = request;
    let digest = md5_hex(&signed);
    let query = format!("auth_key={key}&auth_timestamp={at}&auth_version=1.0&body_md5={digest}");
    let signature = sign_by(secret, &format!("POST\n/apps/1/events\n{query}"));
    let length = body.len().to_string();
    let line = format!("POST {path}?{query}{extra}&auth_signature={signature}");
    target.request(&line, &[("content-type", "application/json"), ("content-length", &length)], &body)
}

struct Request {
    secret: &'static str,
    key: &'static str,
    at: i64,
    signed: String,
    body: String,
    path: &'static str,
    extra: &'static str,
}

fn md5_hex(text: &str) -> String {
    use md5::{Digest, Md5};
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let private = "private-team.42";
    let subscribe = |what: &dyn Fn(&str) -> Value| {
        let mut client = connect(target);
        let data = what(&client.id);
        client.says("pusher:subscribe", data)
    };
    let good =
        subscribe(&|id| json!({"channel": private, "auth": format!("wall:{}", sign(&format!("{id}:{private}")))}));
    assert_eq!(good, "pusher_internal:subscription_succeeded");
    group.refused("a private channel without a signature", subscribe(&|_| json!({"channel": private})));
    group.refused(
        "a signature of another connection",
        subscribe(&|_| json!({"channel": private, "auth": format!("wall:{}", sign(&format!("1.1:{private}")))})),
    );
    group.refused(
        "a signature of another channel",
        subscribe(&|id| json!({"channel": private, "auth": format!("wall:{}", sign(&format!("{id}:private-team.1")))})),
    );
    group.refused(
        "a signature by another secret",
        subscribe(
            &|id| json!({"channel": private, "auth": format!("wall:{}", sign_by("other", &format!("{id}:{private}")))}),
        ),
    );
    group.refused(
        "a signature of another application",
        subscribe(&|id| json!({"channel": private, "auth": format!("other:{}", sign(&format!("{id}:{private}")))})),
    );
    group.refused(
        "a signature cut short",
        subscribe(
            &|id| json!({"channel": private, "auth": format!("wall:{}", &sign(&format!("{id}:{private}"))[..32])}),
        ),
    );
    let presence = "presence-room";
    let person = json!({"user_id": "7"}).to_string();
    group.refused(
        "another person than the one that was signed",
        subscribe(&|id| json!({"channel": presence, "channel_data": json!({"user_id": "1"}).to_string(), "auth": format!("wall:{}", sign(&format!("{id}:{presence}:{person}")))})),
    );
    group.refused("a person in a presence channel without a signature of him", subscribe(&|id| json!({"channel": presence, "channel_data": person, "auth": format!("wall:{}", sign(&format!("{id}:{presence}")))})));
    let user = json!({"id": "7"}).to_string();
    let mut client = connect(target);
    let auth = format!("wall:{}", sign(&format!("{}::user::{user}", client.id)));
    group.refused(
        "signing in as somebody else",
        client.says("pusher:signin", json!({"auth": auth, "user_data": json!({"id": "1"}).to_string()})),
    );
    let mut client = connect(target);
    group.refused(
        "events to a user who isn't signed in",
        client.says("pusher:subscribe", json!({"channel": "#server-to-user-7"})),
    );
    let mut client = connect(target);
    client.says("pusher:subscribe", json!({"channel": "flights"}));
    client.socket.send(&json!({"event": "client-x", "channel": "flights", "data": {}}));
    group.refused("a client's event on a public channel", client.answer());
    client.socket.send(&json!({"event": "client-x", "channel": private, "data": {}}));
    group.refused("a client's event where he isn't subscribed", client.answer());
    client.socket.send(&json!({"event": "orders.shipped", "channel": "flights", "data": {}}));
    group.refused("a site's event by a client", client.answer());
    let opened = target.open("/app/wall?protocol=7", &[("origin", "https://evil.example")]);
    let mut socket = Client { socket: opened.expect("open, to be told why"), id: String::new() };
    group.refused("a page of another site", socket.answer());

    assert_eq!(api(target, |_| {}), "200");
    group.refused("the HTTP API without a signature", target.post("/apps/1/events", None, "{}"));
    group.refused("a signature by another secret there", api(target, |request| request.secret = "other"));
    group.refused("another application's key", api(target, |request| request.key = "other"));
    group.refused("a request of 11 minutes ago (replay)", api(target, |request| request.at -= 660));
    group.refused("a request of a time to come", api(target, |request| request.at += 660));
    group.refused(
        "another body than was signed",
        api(target, |request| request.body = request.body.replace("flights", "weather")),
    );
    group.refused("another address than was signed", api(target, |request| request.path = "/apps/1/batch_events"));
    group.refused("a parameter that wasn't signed", api(target, |request| request.extra = "&x=1"));
    group.refused("an application that there isn't", api(target, |request| request.path = "/apps/2/events"));
}
