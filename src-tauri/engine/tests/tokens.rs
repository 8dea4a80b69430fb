//! A wall by tokens: a real hub that asks for them, a real address that gives them, files that change.
#![allow(clippy::unwrap_used, missing_docs)] // a test that cannot go on panics; its names say what it is

#[allow(dead_code)]
#[path = "wall/support.rs"]
mod support;

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, Once},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use serde_json::json;
use support::{BOARD, PATIENCE, Server, Wall, board};
use tokio::net::TcpListener;
use watchfloor_board::freshness::Freshness;
use watchfloor_engine::{BoardInput, EngineConfig};
use watchfloor_hub::{Keys, Readers, SigningKey, Token};

const KEY: &[u8; 32] = b"k3y-0123456789abcdef-0123456789a";
const LOGIN: &str = "l0gin-s3cret";

/// What the address does that gives tokens.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Tokens of so many seconds.
    Good(u64),
    Fails,
    Hangs,
    Garbage,
}

#[derive(Debug)]
struct Desk {
    manner: Manner,
    given: Vec<String>,
}

type Shared = Arc<Mutex<Desk>>;

fn token(life: u64) -> String {
    let exp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + life;
    let claims = json!({"exp": exp, "channels": ["ord*"]});
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

async fn give(State(desk): State<Shared>, headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|value| *value != *format!("Bearer {LOGIN}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let manner = desk.lock().unwrap().manner;
    match manner {
        Manner::Good(life) => {
            let token = token(life);
            desk.lock().unwrap().given.push(token.clone());
            axum::Json(json!({"token": token, "expires_in": life})).into_response()
        }
        Manner::Fails => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Manner::Hangs => std::future::pending().await,
        Manner::Garbage => format!("{{\"token\": [\"{LOGIN}\"]}}").into_response(),
    }
}

async fn desk(manner: Manner) -> (SocketAddr, Shared) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let desk = Arc::new(Mutex::new(Desk { manner, given: Vec::new() }));
    let router = Router::new().route("/token", post(give)).with_state(Arc::clone(&desk));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, desk)
}

/// Everything that is logged in this process, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> Log {
    static START: Once = Once::new();
    static LOG: Mutex<Option<Log>> = Mutex::new(None);
    START.call_once(|| {
        let log = Log::default();
        *LOG.lock().unwrap() = Some(log.clone());
        let writer = move || log.clone();
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(writer).init();
    });
    LOG.lock().unwrap().clone().unwrap()
}

fn secret_file(path: &Path, text: &str) {
    fs::write(path, format!("{text}\n")).unwrap();
    mode(path, 0o600);
}

#[cfg(unix)]
fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn mode(_: &Path, _: u32) {}

fn with_token(hub: SocketAddr, token: &str) -> BoardInput {
    let text = board(hub).replace("channels =", &format!("token = {token}\nchannels ="));
    BoardInput::Text { name: "board.toml".into(), text }
}

fn cause(wall: &Wall) -> String {
    wall.sources[0].words.clone()
}

/// H1, H2, H8: tokens of a few seconds are renewed on the running connection, and the wall is live throughout; while the
/// address fails, hangs or answers garbage, it is live for as long as its token is good, then says why; and nothing that is
/// secret is in the log, the journal, the report or what the page gets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_lived_tokens() {
    let log = log();
    let data = tempfile::tempdir().unwrap();
    let login = data.path().join("login");
    secret_file(&login, LOGIN);
    let (address, desk) = desk(Manner::Good(4)).await;
    let server = Server::start_for(BOARD, Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) }).await;
    server.publish(1..=10).await;
    let place = format!("{{ from = \"http://{address}/token\", secret = {{ file = \"{}\" }} }}", login.display());
    let journal = data.path().join("data");
    fs::create_dir(&journal).unwrap();
    let mut wall = Wall::start(EngineConfig {
        data_dir: Some(journal.clone()),
        ..EngineConfig::new(with_token(server.address, &place))
    })
    .await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    let begun = Instant::now();
    let mut painted = String::new();
    let mut published = 10;
    while desk.lock().unwrap().given.len() < 4 {
        assert!(begun.elapsed() < PATIENCE);
        server.publish([1]).await;
        published += 1;
        painted.push_str(&format!("{:?}", wall.pull().await));
        assert_eq!(wall.quality("count").freshness, Freshness::Live, "{:?}", wall.sources);
    }
    assert_eq!(wall.sources[0].gaps, 0, "no link was lost for it");

    for (manner, words) in [
        (Manner::Fails, "token expired; new one: HTTP 503"),
        (Manner::Garbage, "token expired; new one: answered with something else"),
        (Manner::Hangs, "token expired; new one: no answer in time"),
    ] {
        desk.lock().unwrap().manner = manner;
        let took = wall.until("not live", |wall| wall.quality("count").freshness != Freshness::Live).await;
        assert!(took < Duration::from_secs(6), "live past the end of its token: {took:?}");
        wall.until(words, |wall| cause(wall).contains(words)).await;
        painted.push_str(&format!("{:?}", wall.pull().await));
        server.publish([1]).await;
        published += 1;
        desk.lock().unwrap().manner = Manner::Good(4);
        wall.until("live again", |wall| wall.is_live_at("count", f64::from(published))).await;
    }
    let report = wall.engine.report().await.to_string();
    wall.engine.stop().await;

    let mut secrets = desk.lock().unwrap().given.clone();
    secrets.push(LOGIN.to_owned());
    let mut places = vec![("report".to_owned(), report.into_bytes()), ("page".to_owned(), painted.into_bytes())];
    places.push(("log".to_owned(), log.0.lock().unwrap().clone()));
    for entry in fs::read_dir(&journal).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        places.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap()));
    }
    // A lock may be empty; the journal isn't.
    places.retain(|(_, bytes)| !bytes.is_empty());
    assert!(places.len() > 3, "{:?}", places.iter().map(|(place, _)| place).collect::<Vec<_>>());
    for (place, bytes) in &places {
        for secret in &secrets {
            // The signature alone would do to use it; the words around are known.
            let tag = secret.rsplit('.').next().unwrap();
            let found = bytes.windows(tag.len()).any(|window| window == tag.as_bytes());
            assert!(!found, "H8: a secret is in the {place}");
        }
    }
}

/// A token in a file is read anew when it changes, refused while others may read it, and a wrong one is shown as refusal.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_files_that_change() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("token");
    let readers = |token: &str| Readers { token: Token::new(token), keys: Keys::default() };
    let mut server = Server::start_for(BOARD, readers("first-s3cret")).await;
    server.publish(1..=3).await;
    let place = format!("{{ file = \"{}\" }}", path.display());
    let mut wall = Wall::start(EngineConfig::new(with_token(server.address, &place))).await;
    wall.until("no file", |wall| cause(wall).contains("is not there: create it")).await;
    fs::write(&path, "first-s3cret\n").unwrap();
    mode(&path, 0o644);
    wall.until("open to all", |wall| cause(wall).contains("others may read the file")).await;
    mode(&path, 0o600);
    wall.until("live", |wall| wall.is_live_at("count", 3.0)).await;

    // A wrong one costs nothing while the old one is good.
    secret_file(&path, "wr0ng");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        wall.pull().await;
        assert_eq!(wall.quality("count").freshness, Freshness::Live, "{:?}", wall.sources);
    }
    server.down().await;
    server.up_anew_for(readers("second-s3cret")).await;
    server.publish(1..=3).await;
    wall.until("refused", |wall| wall.quality("count").freshness == Freshness::Refused).await;
    assert!(cause(&wall).contains("no valid token (HTTP 401)"), "{}", cause(&wall));
    secret_file(&path, "second-s3cret");
    let took = wall.until("live by the new one", |wall| wall.quality("count").freshness == Freshness::Live).await;
    assert!(took < Duration::from_secs(15), "as soon as it is there: {took:?}");
    wall.engine.stop().await;
}

/// A channel that the token doesn't name is a refusal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_outside_the_token_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("token");
    secret_file(&path, &token(600));
    let server = Server::start_for(BOARD, Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) }).await;
    let place = format!("{{ file = \"{}\" }}", path.display());
    let BoardInput::Text { name, text } = with_token(server.address, &place) else { return };
    let text = text.replace("channels = [\"orders\"]", "channels = [\"orders\", \"wages\"]");
    let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name, text })).await;
    wall.until("refused", |wall| wall.quality("count").freshness == Freshness::Refused).await;
    assert!(cause(&wall).contains("channel wages is not among those that the token names"), "{}", cause(&wall));
    wall.engine.stop().await;
}
