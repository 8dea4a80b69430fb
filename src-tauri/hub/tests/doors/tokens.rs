//! H8: what readers may read, at every door.

#![allow(clippy::panic, reason = "what a test did not expect ends it")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::StatusCode;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, client::IntoClientRequest},
};
use watchfloor_hub::{HubConfig, Keys, Readers, SigningKey, Token};

use crate::support::{EventStream, Served, Socket, answer, error};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn signed(life: i64, channels: &[&str], key: &[u8]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let exp = (i64::try_from(now).expect("in range") + life * 1000) as f64 / 1000.0;
    let claims = json!({"exp": exp, "channels": channels});
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

fn token(life: i64, channels: &[&str]) -> String {
    signed(life, channels, KEY)
}

async fn served() -> Served {
    let readers = Readers { token: Token::new("all-readers"), keys: Keys::new(SigningKey::new(KEY)) };
    Served::start(HubConfig { readers, ..HubConfig::default() }).await
}

async fn get(served: &Served, path: &str, token: Option<&str>) -> (StatusCode, Value) {
    let mut request = served.client.get(served.url(path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    answer(request.send().await.expect("an answer")).await
}

async fn websocket(served: &Served, token: &str) -> Result<Socket, u16> {
    let mut request = format!("ws://{}/v1/ws", served.address).into_client_request().expect("request");
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("header"));
    match connect_async(request).await {
        Ok((socket, _)) => Ok(Socket { socket }),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// Every door asks; health is for those who look after the hub, and publishing needs the token of publishers.
#[tokio::test]
async fn every_door_asks() {
    let served = served().await;
    served.publish("flights", 1..=2).await;
    let doors = ["/v1/sse?cursor=flights~", "/v1/poll?cursor=flights~&wait_ms=0", "/v1/snapshot?channels=flights"];
    let mut other_key = *KEY;
    other_key[0] ^= 1;
    for door in doors {
        for (token, code) in [
            (None, "unauthorised"),
            (Some("all-reader".to_owned()), "unauthorised"),
            (Some(signed(60, &["*"], &other_key)), "unauthorised"),
            (Some(token(-60, &["*"])), "token-expired"),
        ] {
            let (status, body) = get(&served, door, token.as_deref()).await;
            assert_eq!((status, &body["error"]["code"]), (StatusCode::UNAUTHORIZED, &json!(code)), "{door}: {body}");
            assert!(token.is_none_or(|token| !body.to_string().contains(&token)));
        }
        let denied = error("denied", "channel flights is not among those that the token names");
        assert_eq!(get(&served, door, Some(&token(60, &["weather", "flight"]))).await, (StatusCode::FORBIDDEN, denied));
    }
    for good in ["all-readers".to_owned(), token(60, &["fl*"])] {
        assert_eq!(get(&served, doors[1], Some(&good)).await.0, StatusCode::OK);
        assert_eq!(get(&served, doors[2], Some(&good)).await.0, StatusCode::OK);
        assert!(websocket(&served, &good).await.is_ok());
    }
    for bad in ["", "all-reader", &token(-60, &["*"])] {
        assert_eq!(websocket(&served, bad).await.err(), Some(401), "{bad}");
    }
    assert_eq!(served.get("/v1/health").await.0, StatusCode::OK);
    served.stop().await;
}

/// The end is told, a channel outside is refused, and a new token is taken on the running connection.
#[tokio::test]
async fn renewed_on_the_running_connection() {
    let served = served().await;
    served.publish("flights", 1..=2).await;
    let mut socket = websocket(&served, &token(60, &["flights"])).await.expect("good");
    let hello = socket.until("hello").await.remove(0);
    let left = hello["access"]["expires_ms"].as_u64().expect("milliseconds");
    assert!((50_000..=60_000).contains(&left), "{left}");
    socket.send(json!({"type": "subscribe", "channels": {"flights": null}})).await;
    socket.until("heartbeat").await;

    socket.send(json!({"type": "authorise", "token": token(600, &["flights", "weather"])})).await;
    let told = socket.until("authorised").await.pop().expect("a message");
    assert!(told["expires_ms"].as_u64().is_some_and(|left| left > 500_000), "{told}");
    // A bad one costs nothing.
    for bad in [token(-60, &["flights"]), "nonsense".to_owned()] {
        socket.send(json!({"type": "authorise", "token": bad})).await;
        let told = socket.until("error").await.pop().expect("a message");
        assert_eq!(told["code"], "bad-token");
        assert!(!told.to_string().contains(&bad));
    }
    served.publish("flights", [3]).await;
    socket.until("event").await;
    socket.send(json!({"type": "subscribe", "channels": {"weather": null}})).await;
    socket.until("subscribed").await;

    // One that takes a channel away that is being read.
    socket.send(json!({"type": "authorise", "token": token(60, &["weather"])})).await;
    let told = socket.until("error").await.pop().expect("a message");
    assert_eq!(told["code"], "denied");
    let frame = loop {
        if let Err(frame) = socket.next().await {
            break frame.expect("a frame");
        }
    };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, "denied"));

    let mut socket = websocket(&served, "all-readers").await.expect("good");
    let hello = socket.until("hello").await.remove(0);
    assert_eq!(hello["access"], json!({"expires_ms": null}));
    served.stop().await;
}

/// No connection outlives its token by more than the grace, and nothing is sent on it after; not in the middle of a flood either.
#[tokio::test]
async fn expiry_closes() {
    let served = served().await;
    served.publish("flights", 1..=2).await;
    let short = token(1, &["flights"]);
    let mut socket = websocket(&served, &short).await.expect("good");
    socket.send(json!({"type": "subscribe", "channels": {"flights": null}})).await;
    let request = served.client.get(served.url("/v1/sse?cursor=flights~")).bearer_auth(&short);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = EventStream::of(response);
    let begun = Instant::now();
    let frame = async {
        loop {
            served.publish("flights", [7]).await;
            if let Err(frame) = socket.next().await {
                return frame.expect("a frame");
            }
        }
    };
    let (frame, last) = tokio::join!(frame, async {
        let mut last = Vec::new();
        while let Some(event) = stream.next().await {
            last = event.data;
        }
        last
    });
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "token expired"));
    assert_eq!(last.last().map(|message| message["code"].clone()), Some(json!("token-expired")));
    let took = begun.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(9)).contains(&took), "{took:?}");
    served.stop().await;
}

/// A hub that asks for nothing says nothing of tokens, and takes whatever is presented.
#[tokio::test]
async fn open_hubs_are_as_ever() {
    let served = Served::start(HubConfig::default()).await;
    let mut socket = websocket(&served, "whatever").await.expect("open");
    let hello = socket.until("hello").await.remove(0);
    assert!(hello.get("access").is_none(), "{hello}");
    served.stop().await;
}

/// A key of a site, and its token that names it.
fn site_key(name: &str) -> (Value, String) {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).expect("a key");
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": name, "use": "sig", "x": BASE64.encode(pair.public_key())});
    let head = json!({"alg": "EdDSA", "kid": name});
    let claims = json!({"exp": 4_102_444_800_u64, "channels": ["flights"]});
    let message = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
    let tag = pair.sign(message.as_bytes());
    (jwk, format!("{message}.{}", BASE64.encode(tag)))
}

/// A site changes its keys without a word: what is signed by the new one is taken at once, and by the old one no more. While the site can't be
/// asked, the keys that were known are good.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_site() {
    let ((old, by_old), (new, by_new)) = (site_key("2026-10"), site_key("2026-11"));
    let set = Arc::new(Mutex::new(Some(json!({"keys": [old]}))));
    let site = axum::Router::new().route(
        "/keys",
        axum::routing::get({
            let set = set.clone();
            async move || {
                let set = set.lock().expect("nobody panics").clone();
                set.map(|set| set.to_string()).ok_or(StatusCode::BAD_GATEWAY)
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/keys", listener.local_addr().expect("its address"));
    let serving = tokio::spawn(async move { axum::serve(listener, site).await });

    let readers = Readers { token: None, keys: Keys::default().with_set(&url) };
    let served = Served::start(HubConfig { readers, ..HubConfig::default() }).await;
    let path = "/v1/snapshot?channels=flights";
    let asked = async |token: &str| get(&served, path, Some(token)).await.0;
    assert_eq!(asked(&by_old).await, StatusCode::OK);
    assert_eq!(asked(&by_new).await, StatusCode::UNAUTHORIZED);

    *set.lock().expect("nobody panics") = None;
    let until = async |token: &str, wanted: StatusCode| {
        let begun = Instant::now();
        while asked(token).await != wanted {
            assert!(begun.elapsed() < Duration::from_secs(20), "never {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert_eq!(asked(&by_old).await, StatusCode::OK);
    *set.lock().expect("nobody panics") = Some(json!({"keys": [new]}));
    until(&by_new, StatusCode::OK).await;
    assert_eq!(asked(&by_old).await, StatusCode::UNAUTHORIZED);
    served.stop().await;
    serving.abort();
}
