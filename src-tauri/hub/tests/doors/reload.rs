//! Other settings in the middle: H1 for who may stay, H8 for who may not.

use axum::{Router, routing::post};
use futures_util::SinkExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};
use tokio_tungstenite::tungstenite::Message;
use watchfloor_hub::{
    App, AppConfig, Authorise, Durability, HubConfig, Keys, Proxies, Rate, Rates, Readers, Rules, Settings, SigningKey,
    Token, Topic, Webhook,
};

use crate::{
    revoke::{KEY, token},
    support::{PATIENCE, Served, Socket, answer},
};

/// What a connection hears until it is closed: the code of the last error, and that of the close.
async fn end(socket: &mut Socket) -> (Value, u16) {
    let mut last = Value::Null;
    loop {
        match socket.next().await {
            Ok(messages) => {
                for message in messages.into_iter().filter(|message| message["type"] == "error") {
                    last = message["code"].clone();
                }
            }
            Err(frame) => return (last, frame.expect("a reason").code.into()),
        }
    }
}

async fn get(served: &Served, path: &str, token: Option<&str>) -> StatusCode {
    let request = served.client.get(served.url(path));
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    answer(request.send().await.expect("an answer")).await.0
}

const POLL: &str = "/v1/poll?cursor=a~&wait_ms=0";

/// A hub that was open asks for tokens: who came without one is ended; and open again, nobody is.
#[tokio::test]
async fn an_open_hub_is_shut() {
    let served = Served::start(HubConfig::default()).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("heartbeat").await;
    let keys = Keys::new(SigningKey::new(KEY));
    let shut = HubConfig { readers: Readers { token: Token::new("all"), keys }, ..HubConfig::default() };
    assert_eq!(served.hub.reload(&shut).await, 1);
    assert_eq!(end(&mut socket).await, (json!("revoked"), 4003));
    assert_eq!(
        (get(&served, POLL, None).await, get(&served, POLL, Some("all")).await),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );

    let own = token(json!({"sub": "7"}));
    let mut by_key = Socket { socket: served.open("/v1/ws", Some(&own)).await };
    let mut by_token = Socket { socket: served.open("/v1/ws", Some("all")).await };
    for socket in [&mut by_key, &mut by_token] {
        socket.send(json!({"type": "subscribe", "channels": {"a": null}})).await;
        socket.until("heartbeat").await;
    }
    // Another token of all readers: the key is good yet.
    let keys = Keys::new(SigningKey::new(KEY));
    let other = HubConfig { readers: Readers { token: Token::new("others"), keys }, ..HubConfig::default() };
    assert_eq!(served.hub.reload(&other).await, 1);
    assert_eq!(end(&mut by_token).await, (json!("revoked"), 4003));
    // Who presents what is good now goes on by that.
    by_key.send(json!({"type": "authorise", "token": "others"})).await;
    by_key.until("authorised").await;
    let only =
        HubConfig { readers: Readers { token: Token::new("others"), ..Readers::default() }, ..HubConfig::default() };
    assert_eq!(served.hub.reload(&only).await, 0);
    assert_eq!(served.hub.reload(&HubConfig::default()).await, 0);
    served.publish("a", [1]).await;
    by_key.until("event").await;
    served.stop().await;
}

/// A site is to be asked that wasn't: who reads its channels comes back, and is asked about; who reads others reads on.
#[tokio::test]
async fn a_site_is_asked_from_now_on() {
    let served = Served::start(HubConfig::default()).await;
    let (mut asked, mut other) =
        (served.subscribed(json!({"asked": null})).await, served.subscribed(json!({"a": null})).await);
    asked.until("heartbeat").await;
    other.until("heartbeat").await;
    // Nobody is there, so nobody says yes.
    let site = |channel: &str| (channel == "asked").then(|| "http://127.0.0.1:1/may".into());
    let authorise = || Some(Authorise::new(KEY, site));
    let now = HubConfig { authorise: authorise(), ..HubConfig::default() };
    assert_eq!(served.hub.reload(&now).await, 1);
    assert_eq!(end(&mut asked).await, (json!("authorise-failing"), 1013));
    assert_eq!(get(&served, "/v1/poll?cursor=asked~&wait_ms=0", None).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&served, POLL, None).await, StatusCode::OK);
    served.publish("a", [1]).await;
    other.until("event").await;
    // The same again changes nothing.
    assert_eq!(served.hub.reload(&HubConfig { authorise: authorise(), ..HubConfig::default() }).await, 0);
    served.stop().await;
}

/// What channels take, who publishes, whom proxies are believed to bring, and how many may come.
#[tokio::test]
async fn the_rest_holds_at_once() {
    let served = Served::start(HubConfig::default()).await;
    let event = || json!({"channel": "a", "name": "n", "data": {"kept": 1, "secret": 2}});
    let publish = async |token: &str| {
        answer(
            served
                .client
                .post(served.url("/v1/publish"))
                .bearer_auth(token)
                .json(&event())
                .send()
                .await
                .expect("an answer"),
        )
        .await
        .0
    };
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("heartbeat").await;
    let settings = |_: &str| Settings {
        durability: Durability::Memory,
        fields: Some(std::sync::Arc::new(watchfloor_hub::Fields::new(["kept"]))),
        events_a_second: Some(1),
        ..Settings::default()
    };
    let proxies = Proxies { networks: vec!["127.0.0.0/8".parse().expect("a network")], ..Proxies::default() };
    let address = Rate { at_once: Some(1), a_second: None };
    let now = HubConfig {
        publish_token: Token::new("now"),
        rules: Rules::new(settings),
        proxies,
        rates: Rates { address, ..Rates::default() },
        ..HubConfig::default()
    };
    assert_eq!(served.hub.reload(&now).await, 0);
    assert_eq!((publish("before").await, publish("now").await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
    assert_eq!(publish("now").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        socket.until("event").await.pop().expect("an event")["data"],
        json!({"kept": 1}),
        "on the same connection"
    );
    let by = async |address: &str| {
        let request = served.client.get(served.url("/v1/sse?cursor=a~")).header("x-forwarded-for", address);
        request.send().await.expect("an answer")
    };
    let _first = by("192.0.2.7").await;
    assert_eq!(
        (by("192.0.2.7").await.status(), by("192.0.2.8").await.status()),
        (StatusCode::TOO_MANY_REQUESTS, StatusCode::OK)
    );
    served.stop().await;
}

/// What waits for a site that can't be reached is told where the file says that the site is now.
#[tokio::test]
async fn what_waits_for_a_site_follows_it() {
    let told = |url: String| {
        let webhook = Webhook { url, events: vec![Topic::Occupied, Topic::Vacated] };
        let app = AppConfig {
            id: "1".into(),
            key: "key".into(),
            secret: "a secret of its own".into(),
            webhook: Some(webhook),
            ..AppConfig::default()
        };
        HubConfig { apps: vec![App::new(&app, &[]).expect("sound")], ..HubConfig::default() }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nowhere = format!("http://{}/", listener.local_addr().expect("its address"));
    // Whoever calls is hung up on: the site is down.
    let (called, mut calls) = tokio::sync::mpsc::channel(100);
    let down = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
            let _ = called.try_send(());
        }
    });
    let served = Served::start(told(nowhere)).await;
    let mut client = served.open("/app/key?protocol=7", None).await;
    let asked = json!({"event": "pusher:subscribe", "data": {"channel": "room"}});
    client.send(Message::text(asked.to_string())).await.expect("sent");
    timeout(PATIENCE, calls.recv()).await.expect("it is tried").expect("to be told");

    let (heard, mut bodies) = tokio::sync::mpsc::channel(100);
    let site = Router::new().route("/hook", post(async move |body: String| heard.send(body).await.expect("a place")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let elsewhere = format!("http://{}/hook", listener.local_addr().expect("its address"));
    let up = tokio::spawn(async move { axum::serve(listener, site).await.expect("served") });
    assert_eq!(served.hub.reload(&told(elsewhere)).await, 0);
    drop(client);
    let mut names = Vec::new();
    while names.len() < 2 {
        let body = timeout(PATIENCE, bodies.recv()).await.expect("it is told").expect("served");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        names.extend(body["events"].as_array().expect("a list").iter().map(|event| event["name"].clone()));
    }
    assert_eq!(names, ["channel_occupied", "channel_vacated"]);
    down.abort();
    up.abort();
    served.stop().await;
}
