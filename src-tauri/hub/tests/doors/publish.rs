//! `POST /v1/publish`, `/v1/alive`, `/v1/clock`

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use watchfloor_hub::HubConfig;

use crate::support::{Served, answer, error};

async fn send(served: &Served, kind: &str, key: Option<&str>, body: impl Into<reqwest::Body>) -> Response {
    let mut request = served.client.post(served.url("/v1/publish")).body(body);
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.send().await.expect("an answer")
}

const EVENT: &str = r#"{"channel":"a","name":"n","data":1}"#;

/// One event, an array, and lines.
#[tokio::test]
async fn three_forms() {
    let served = Served::start(HubConfig::default()).await;
    let epoch = served.hub.epoch();
    for (kind, body, offsets) in [
        ("application/json", EVENT.to_owned(), vec![1]),
        ("application/json; charset=utf-8", format!("[{EVENT},{EVENT}]"), vec![2, 3]),
        ("application/x-ndjson", format!("{EVENT}\r\n\n{EVENT}\n"), vec![4, 5]),
    ] {
        let positions: Vec<_> = offsets.iter().map(|offset| format!("{epoch}:{offset}")).collect();
        let found = answer(send(&served, kind, None, body).await).await;
        assert_eq!(found, (StatusCode::OK, json!({"positions": positions})));
    }
    served.stop().await;
}

/// Bad input is refused with its reason, and nothing of the batch is published.
#[tokio::test]
async fn refusals() {
    let served = Served::start(HubConfig::default()).await;
    let half = format!(r#"[{EVENT},{EVENT},{{"name":"n","data":1}}]"#);
    for (kind, body, status, code, message) in [
        (
            "application/json",
            half,
            StatusCode::BAD_REQUEST,
            "bad-event",
            "event 3: `channel` is missing: expected a channel name",
        ),
        (
            "application/json",
            " ".to_owned(),
            StatusCode::BAD_REQUEST,
            "bad-event",
            "the body is not JSON: EOF while parsing a value at line 1 column 1",
        ),
        (
            "text/plain",
            EVENT.to_owned(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type",
            "content-type is \"text/plain\": expected application/json or application/x-ndjson",
        ),
        (
            "",
            EVENT.to_owned(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type",
            "content-type is missing: expected application/json or application/x-ndjson",
        ),
        (
            "application/json",
            " ".repeat((8 << 20) + 1),
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-big",
            "the body has more than 8388608 bytes: expected at most that, publish in smaller batches",
        ),
    ] {
        let found = answer(send(&served, kind, None, body).await).await;
        assert_eq!(found, (status, error(code, message)));
    }
    let (_, health) = served.get("/v1/health").await;
    assert_eq!(health["channels"], 0);
    served.stop().await;
}

/// A repeated key gets the first answer and publishes nothing; the same key with another body is refused.
#[tokio::test]
async fn idempotency() {
    let served = Served::start(HubConfig::default()).await;
    let first = send(&served, "application/json", Some("k 1"), EVENT).await;
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let first = answer(first).await;
    let again = send(&served, "application/json", Some("k 1"), EVENT).await;
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(answer(again).await, first);
    let message = "`Idempotency-Key` was used with another body: expected a new key for a new batch";
    for (kind, body) in [("application/json", format!("{EVENT} ")), ("application/x-ndjson", EVENT.to_owned())] {
        let other = answer(send(&served, kind, Some("k 1"), body).await).await;
        assert_eq!(other, (StatusCode::UNPROCESSABLE_ENTITY, error("key-reused", message)));
    }
    assert_eq!(served.publish("a", [2]).await, [format!("{}:2", served.hub.epoch())]);

    let malformed = "`Idempotency-Key` is malformed: expected 1 to 200 printable ASCII characters";
    for key in [&*"k".repeat(201), "kä", ""] {
        let found = answer(send(&served, "application/json", Some(key), EVENT).await).await;
        assert_eq!(found, (StatusCode::BAD_REQUEST, error("bad-key", malformed)));
    }
    // A batch that was refused leaves its key free.
    assert_eq!(send(&served, "application/json", Some("k2"), "[]").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(send(&served, "application/json", Some("k2"), EVENT).await.status(), StatusCode::OK);
    served.stop().await;
}

/// Two senders of one batch at once: it is published once.
#[tokio::test]
async fn racing_repeats() {
    let served = Served::start(HubConfig::default()).await;
    let sends = (0..16).map(|_| send(&served, "application/json", Some("race"), EVENT));
    for response in futures_util::future::join_all(sends).await {
        let positions = answer(response).await;
        assert_eq!(positions, (StatusCode::OK, json!({"positions": [format!("{}:1", served.hub.epoch())]})));
    }
    served.stop().await;
}

/// The other two publishing routes say what is wrong too, and take JSON only.
#[tokio::test]
async fn signs_of_life_and_clocks() {
    let served = Served::start(HubConfig::default()).await;
    for (path, body, code, part) in [
        ("/v1/alive", json!({}), "bad-request", "missing field `channels`"),
        ("/v1/alive", json!({"channels": []}), "bad-request", "`channels` has 0: expected 1 to 256"),
        ("/v1/alive", json!({"channels": ["a b"]}), "bad-request", "\"a b\" is no channel name"),
        ("/v1/clock", json!({}), "bad-clock", "expected either `now`"),
        ("/v1/clock", json!({"now": 0, "speed": -1}), "bad-clock", "`speed` is -1"),
    ] {
        let (status, found) = served.post(path, body).await;
        assert_eq!((status, found["error"]["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code)));
        assert!(found["error"]["message"].as_str().is_some_and(|text| text.contains(part)), "{found}");
    }
    for path in ["/v1/alive", "/v1/clock"] {
        let request = served.client.post(served.url(path)).header("content-type", "application/x-ndjson").body("{}");
        let (status, found) = answer(request.send().await.expect("an answer")).await;
        let message = "content-type is \"application/x-ndjson\": expected application/json";
        assert_eq!((status, found), (StatusCode::UNSUPPORTED_MEDIA_TYPE, error("content-type", message)));
    }
    assert_eq!(served.post("/v1/alive", json!({"channels": ["a"]})).await, (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(served.get("/v1/health").await.1["channels"], 1);
    served.stop().await;
}

/// What others post in a form of their own is the data of one event; what is no such thing says why.
#[tokio::test]
async fn what_others_post() {
    let served = Served::start(HubConfig::default()).await;
    let post = |query: &str, body: &str| {
        let request = served.client.post(served.url(&format!("/v1/receive{query}")));
        request.header("content-type", "application/json").body(body.to_owned()).send()
    };
    let body = "{\n \"version\": \"4\", \"alerts\": [{\"status\": \"firing\"}]}";
    let found = answer(post("?channel=ops&name=alerts", body).await.expect("an answer")).await;
    assert_eq!(found, (StatusCode::OK, json!({"positions": [format!("{}:1", served.hub.epoch())]})));
    assert_eq!(post("?channel=ops", "[]").await.expect("an answer").status(), StatusCode::OK);
    let (_, told) = served.get(&format!("/v1/poll?cursor=ops~{}:0", served.hub.epoch())).await;
    let told = told.to_string();
    assert!(told.contains(r#""name":"alerts""#) && told.contains(r#""status":"firing""#), "{told}");
    assert!(told.contains(r#""name":"received""#), "{told}");
    for (query, body, code, message) in [
        ("", "1", "bad-query", "parameter channel is missing"),
        ("?channel=a%20b", "1", "bad-event", "is no channel name"),
        ("?channel=a&name=", "1", "bad-event", "`name` has 0 bytes"),
        ("?channel=a&event=x", "1", "bad-query", "unknown parameter"),
        ("?channel=a", "{", "bad-event", "the body is not JSON"),
        ("?channel=a", "1e999", "bad-event", ""),
    ] {
        let (status, found) = answer(post(query, body).await.expect("an answer")).await;
        assert_eq!((status, &found["error"]["code"]), (StatusCode::BAD_REQUEST, &json!(code)), "{query}");
        assert!(found["error"]["message"].as_str().is_some_and(|text| text.contains(message)), "{query}: {found}");
    }
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    assert_eq!(post("?channel=a", &large).await.expect("an answer").status(), StatusCode::PAYLOAD_TOO_LARGE);
    served.stop().await;
}
