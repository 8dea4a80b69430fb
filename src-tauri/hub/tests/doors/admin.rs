//! H8: what those ask who look after the hub: apart from the doors, and what is entered of who was refused.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use watchfloor_hub::{App, AppConfig, Hub, HubConfig, Keys, Readers, SigningKey, Token};

use crate::support::{PATIENCE, Served, answer};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// The listener of its own.
struct Admin {
    url: String,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Admin {
    async fn of(hub: &Hub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let (stop, stopped) = oneshot::channel();
        let hub = hub.clone();
        let task = tokio::spawn(async move {
            let until = async {
                let _ = stopped.await;
            };
            hub.administer(listener, until).await
        });
        Self { url, client: reqwest::Client::new(), stop, task }
    }

    fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).json(body)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth("looks-after");
        answer(request.send().await.expect("an answer")).await
    }

    async fn revoke(&self, body: Value) -> (StatusCode, Value) {
        let request = self.post("/v1/revoke", &body).bearer_auth("looks-after");
        answer(request.send().await.expect("an answer")).await
    }

    async fn stop(self) {
        self.stop.send(()).expect("still served");
        self.task.await.expect("no panic").expect("no error");
    }
}

fn config() -> HubConfig {
    HubConfig { admin_token: Token::new("looks-after"), ..HubConfig::default() }
}

/// It is on no door, its token is asked for, and names and pages of others don't come in; health is open.
#[tokio::test]
async fn apart_from_the_doors() {
    let served = Served::start(config()).await;
    let admin = Admin::of(&served.hub).await;
    for path in ["/v1/revoke", "/v1/connections", "/v1/audit", "/v1/ready"] {
        assert_eq!(served.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let target = json!({"user": "7"});
    for (token, status) in [(None, 401), (Some("looks-afte"), 401), (Some("looks-after"), 200)] {
        let mut request = admin.post("/v1/revoke", &target);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), status, "{token:?}");
    }
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let request = admin.post("/v1/revoke", &target).bearer_auth("looks-after").header(name, value);
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::FORBIDDEN, "{name}");
    }
    let bare = admin.client.get(format!("{}/v1/health", admin.url)).send().await.expect("an answer");
    assert_eq!(answer(bare).await.1["revocations"], 1);
    assert_eq!(admin.get("/v1/ready").await.0, StatusCode::OK);
    let hub = served.stop().await;
    assert_eq!(admin.get("/v1/ready").await.1["error"]["code"], "not-ready");
    admin.stop().await;

    // Beyond the loopback only with a token.
    let open = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let refused = Hub::new(HubConfig::default()).administer(open, async {}).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("admin token")));
    drop(hub);
}

/// Bad input: what is wrong with a revocation, in words; nothing of such a list is taken.
#[tokio::test]
async fn bad_revocations() {
    let served = Served::start(config()).await;
    let admin = Admin::of(&served.hub).await;
    for (body, part) in [
        (json!({}), "nobody is named"),
        (json!([]), "0 revocations"),
        (json!(7), "invalid type"),
        (json!({"user": "7", "token": "t"}), "several are named"),
        (json!({"user": ""}), "`user` has 0 bytes"),
        (json!({"user": "x".repeat(257)}), "`user` has 257 bytes"),
        (json!({"user": "7", "ttl": "soon"}), "`ttl` is \"soon\""),
        (json!({"user": "7", "ttl": "99999d"}), "at most 3650 days"),
        (json!({"user": "7", "until": 1}), "unknown field `until`"),
        (json!({"user": "7", "app": "9"}), "no application \"9\""),
        (json!({"connection": "c", "ttl": "1h"}), "leave `ttl` out"),
        (json!({"channel": "a b"}), "a b"),
        (json!([{"user": "7"}, {"user": 7}]), "revocation 2"),
        (json!(vec![json!({"user": "7"}); 101]), "101 revocations"),
    ] {
        let (status, answer) = admin.revoke(body.clone()).await;
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("bad-revocation")), "{body}");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains(part)), "{part}: {answer}");
    }
    assert_eq!(admin.get("/v1/health").await.1["revocations"], 0);
    admin.stop().await;
    served.stop().await;
}

/// Who reads, by pages; and a connection that was found there is ended by its name.
#[tokio::test]
async fn who_reads() {
    let served = Served::start(config()).await;
    let admin = Admin::of(&served.hub).await;
    let mut sockets = Vec::new();
    for number in 0..5 {
        let mut socket = served.subscribed(json!({"a": null, (format!("c{number}")): null})).await;
        socket.until("heartbeat").await;
        sockets.push(socket);
    }
    let (_, page) = admin.get("/v1/connections?limit=2").await;
    let first = page["connections"].as_array().expect("a list").clone();
    assert_eq!((first.len(), &first[0]["door"], &first[0]["channels"]), (2, &json!("websocket"), &json!(["a", "c0"])));
    assert!(first[0]["address"].as_str().is_some_and(|address| address.starts_with("127.0.0.1:")));
    let next = page["next"].as_u64().expect("more");
    let (_, rest) = admin.get(&format!("/v1/connections?after={next}&limit=3")).await;
    assert_eq!((rest["connections"].as_array().map(Vec::len), &rest["next"]), (Some(3), &Value::Null));
    let (_, one) = admin.get("/v1/connections?channel=c3").await;
    assert_eq!(one["connections"].as_array().map(Vec::len), Some(1));
    assert_eq!(admin.get("/v1/connections?user=7").await.1["connections"], json!([]));
    for query in ["limit=0", "limit=1001", "limit=x", "after=x", "who=7"] {
        assert_eq!(admin.get(&format!("/v1/connections?{query}")).await.0, StatusCode::BAD_REQUEST, "{query}");
    }
    let told = admin.revoke(json!({"connection": one["connections"][0]["connection"], "reason": "by a test"})).await;
    assert_eq!(told, (StatusCode::OK, json!({"connections": 1, "cut_off": 0})));
    let code = loop {
        if let Err(frame) = sockets[3].next().await {
            break u16::from(frame.expect("a reason").code);
        }
    };
    assert_eq!(code, 4003);
    admin.stop().await;
    served.stop().await;
}

/// Each refusal is entered with who and why, never with what was presented; floods are counted; the newest come first.
#[tokio::test]
async fn what_was_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let readers = Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) };
    let served = Served::start(HubConfig { readers, audit_log: Some(path.clone()), ..config() }).await;
    let admin = Admin::of(&served.hub).await;
    let get = async |path: &str| {
        served.client.get(served.url(path)).bearer_auth("a-secret-of-a-reader").send().await.expect("an answer")
    };
    assert_eq!(get("/v1/poll?cursor=a~").await.status(), StatusCode::UNAUTHORIZED);
    let publish = served.client.post(served.url("/v1/publish")).header("origin", "https://evil.example");
    assert_eq!(publish.json(&json!({})).send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
    admin.revoke(json!({"user": "7\nrevoked", "reason": "lost\r\n{\"what\":\"forged\"}"})).await;
    let (_, log) = admin.get("/v1/audit").await;
    let entries = log["entries"].as_array().expect("entries").clone();
    let kinds: Vec<_> = entries.iter().map(|entry| (entry["what"].as_str(), entry["code"].as_str())).collect();
    assert_eq!(
        kinds,
        [
            (Some("revoked"), Some("revoked")),
            (Some("refused"), Some("origin")),
            (Some("refused"), Some("unauthorised"))
        ]
    );
    assert_eq!((&entries[0]["user"], &entries[0]["count"]), (&json!("7\\u{a}revoked"), &json!(0)));
    assert_eq!(entries[0]["reason"], "lost\\u{d}\\u{a}{\"what\":\"forged\"}");
    assert_eq!(entries[2]["door"], "/v1/poll");
    assert!(entries[2]["address"].as_str().is_some_and(|address| address.starts_with("127.0.0.1:")));
    assert_eq!(admin.get("/v1/audit?limit=1").await.1["entries"].as_array().map(Vec::len), Some(1));

    for _ in 0..400 {
        get("/v1/poll?cursor=a~").await;
    }
    let begun = tokio::time::Instant::now();
    let left_out = loop {
        let (_, log) = admin.get("/v1/audit?limit=2000").await;
        let entries = log["entries"].as_array().expect("entries").clone();
        let refused =
            entries.iter().filter(|entry| entry["code"] == "unauthorised" && entry["what"] == "refused").count();
        let counted: u64 = entries
            .iter()
            .filter(|entry| entry["what"] == "left-out")
            .filter_map(|entry| entry["count"].as_u64())
            .sum();
        if refused as u64 + counted == 401 {
            break counted;
        }
        assert!(begun.elapsed() < PATIENCE, "{refused} entered, {counted} counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    admin.stop().await;
    drop(served.stop().await);
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(!text.contains("a-secret-of-a-reader") && !text.contains("forged\"}\n"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let counted: u64 =
        lines.iter().filter(|line| line["what"] == "left-out").filter_map(|line| line["count"].as_u64()).sum();
    assert_eq!(counted, left_out);
}

/// H8: whose application came with a file that was read anew can be revoked; whose has gone with it can't be named.
#[tokio::test]
async fn what_is_revoked_is_of_now() {
    let served = Served::start(config()).await;
    let admin = Admin::of(&served.hub).await;
    let user = || json!({"user": "7", "app": "shop"});
    assert_eq!(admin.revoke(user()).await.0, StatusCode::BAD_REQUEST, "there is no such application yet");
    let app = AppConfig { id: "shop".into(), key: "shop-key".into(), secret: "x".repeat(8), ..AppConfig::default() };
    let apps = vec![App::new(&app, &[]).expect("sound")];
    served.hub.reload(&HubConfig { apps, ..config() }).await;
    assert_eq!(admin.revoke(user()).await.0, StatusCode::OK);
    served.hub.reload(&config()).await;
    assert_eq!(admin.revoke(user()).await.0, StatusCode::BAD_REQUEST, "it is gone");
    admin.stop().await;
    served.stop().await;
}
