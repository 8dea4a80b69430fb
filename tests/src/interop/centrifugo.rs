//! Centrifugo, installed as a Go module by `scripts/interop.sh`: with its memory engine as one row, with its Redis engine as another.

mod shop;

use std::{
    any::Any,
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::post,
};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    example::{Setting, Told},
    jwt::{jwt, now},
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, free_address},
    stand::{FOUND_MAX, Stand, keep_secret},
    store::Store,
};
use crate::{
    faults::{process::Report, publisher::client},
    program::root,
};

/// Publications that a channel's history keeps.
const HISTORY: usize = 200;
const SECRET: &str = "interop";
const USER: &str = "wall";
/// How long somebody stays on a channel who isn't dropped.
const STAY_MAX: Duration = Duration::from_secs(600);

/// How long a subscription token is good.
const SUBSCRIPTION_LIFE: Duration = Duration::from_secs(6);
/// Within this long two of them have come to their end, and what the server allows after it.
const RENEWED_TWICE: Duration = Duration::from_secs(16);

/// The ways to a server for whom something swallows WebSockets.
const LINES: &str = "HTTP streaming";
const EVENTS: &str = "server-sent events";
/// Channels that are had by the site's word alone.
const TOKENS: &str = "subscription token";
/// Channels of which the newest publication alone is given back.
const NEWEST: &str = "cache recovery";

/// The channels by the site's word: a name that says so, and a namespace where it turns out.
const SIGNED: [&str; 2] = ["$signed:ticks", "signed:ticks"];

/// A server, which keeps what it has in a Redis of its own, or in its memory.
pub(super) struct Centrifugo<const REDIS: bool> {
    process: Process,
    redis: Option<Store>,
    address: SocketAddr,
    version: String,
    http: Client,
    site: Site,
    /// Where a board of [`Peer::OWN`] listens in place of the public channel.
    own_channel: OnceLock<&'static str>,
}

/// With its memory engine.
pub(super) type Memory = Centrifugo<false>;
/// With its Redis engine.
pub(super) type OverRedis = Centrifugo<true>;

impl<const REDIS: bool> Centrifugo<REDIS> {
    async fn api(&self, method: &str, body: &Value) -> Result<Value> {
        call(&self.http, self.address, method, body).await
    }
}

async fn call(http: &Client, address: SocketAddr, method: &str, body: &Value) -> Result<Value> {
    let url = format!("http://{address}/api/{method}");
    let answer = http.post(url).header("x-api-key", SECRET).json(body).send().await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    ensure!(answer.get("error").is_none(), "{answer}");
    Ok(answer)
}

/// A probe: it says what it is.
async fn is_up(http: &Client, address: SocketAddr) -> Result<()> {
    call(http, address, "info", &json!({})).await?;
    Ok(())
}

fn channel(private: bool) -> &'static str {
    if private { "closed:ticks" } else { "open:ticks" }
}

/// What the site knows of subscriptions.
#[derive(Default)]
struct Rights {
    /// The connection's token, to be shown for one of a channel.
    shown: String,
    refuses: bool,
    /// By channel, how many tokens were given for it.
    given: BTreeMap<String, usize>,
    /// How often one was refused.
    refused: usize,
}

/// The site whose word a channel may need.
struct Site {
    address: SocketAddr,
    rights: Arc<Mutex<Rights>>,
    /// Where the wall has the connection's token from.
    token: PathBuf,
    server: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Site {
    async fn start(folder: &Path) -> Result<Self> {
        let shown = jwt(&json!({ "sub": USER }), SECRET);
        let token = folder.join("connection-token");
        keep_secret(&token, &shown)?;
        let rights = Arc::new(Mutex::new(Rights { shown, ..Rights::default() }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/subscription-token", post(give)).with_state(Arc::clone(&rights));
        let server = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, rights, token, server })
    }

    fn rights(&self) -> MutexGuard<'_, Rights> {
        self.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn board(&self) -> String {
        format!(
            "auth = \"http://{}/subscription-token\"\ntoken = {{ file = \"{}\" }}",
            self.address,
            self.token.display()
        )
    }
}

/// Gives a token for a channel to who shows the connection's.
async fn give(
    State(rights): State<Arc<Mutex<Rights>>>,
    headers: HeaderMap,
    Json(question): Json<Value>,
) -> std::result::Result<Json<Value>, StatusCode> {
    let mut rights = rights.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if shown != Some(&rights.shown) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let Some(channel) = question["channel"].as_str() else { return Err(StatusCode::BAD_REQUEST) };
    if rights.refuses {
        rights.refused += 1;
        return Err(StatusCode::FORBIDDEN);
    }
    let end = now().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)? + SUBSCRIPTION_LIFE;
    *rights.given.entry(channel.to_owned()).or_default() += 1;
    let claims = json!({ "sub": USER, "channel": channel, "exp": end.as_secs() });
    Ok(Json(json!({ "token": jwt(&claims, SECRET) })))
}

impl<const REDIS: bool> Peer for Centrifugo<REDIS> {
    const KIND: &'static str = if REDIS { "centrifugo-redis" } else { "centrifugo" };
    const HISTORY: Offer<usize> = Ok(HISTORY);
    const OWN: &'static [&'static str] = &[LINES, EVENTS, TOKENS, NEWEST];
    const EXAMPLES: &'static [&'static str] = if REDIS { &[] } else { shop::EXAMPLES };

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let program = root().join("target/interop/centrifugo");
        if !program.is_file() {
            return Ok(Err("target/interop/centrifugo is missing: scripts/interop.sh installs it".to_owned()));
        }
        let address = free_address()?;
        let config = folder.join("centrifugo.json");
        let namespace = |name: &str, anonymous: bool| {
            json!({
                "name": name, "history_size": HISTORY, "history_ttl": "300s", "force_recovery": true,
                "allow_subscribe_for_client": true, "allow_history_for_client": true,
                "allow_subscribe_for_anonymous": anonymous, "allow_history_for_anonymous": anonymous,
                "presence": true, "join_leave": true,
                "allow_presence_for_client": true, "allow_presence_for_anonymous": anonymous,
                "allowed_delta_types": ["fossil"], "delta_publish": true,
            })
        };
        // Nobody subscribes to these without a token.
        let signed = json!({
            "name": "signed", "history_size": HISTORY, "history_ttl": "300s", "force_recovery": true,
            "allow_history_for_subscriber": true,
        });
        let newest = json!({
            "name": "newest", "history_size": 1, "history_ttl": "300s",
            "force_recovery": true, "force_recovery_mode": "cache",
            "allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true,
            "allow_history_for_client": true, "allow_history_for_anonymous": true,
        });
        if REDIS && Command::new("redis-server").arg("--version").output().is_err() {
            return Ok(Err("redis-server is missing: scripts/interop.sh installs it".to_owned()));
        }
        let redis = if REDIS { Some(Store::start(folder).await?) } else { None };
        let engine = match &redis {
            Some(redis) => {
                let address = format!("redis://127.0.0.1:{}", redis.port());
                json!({ "type": "redis", "redis": { "address": address } })
            }
            None => json!({ "type": "memory" }),
        };
        let settings = json!({
            "engine": engine,
            "http_stream": { "enabled": true },
            "sse": { "enabled": true },
            // For those who only listen.
            "uni_http_stream": { "enabled": true },
            "http_server": { "address": "127.0.0.1", "port": address.port().to_string() },
            "http_api": { "key": SECRET },
            "client": {
                "token": { "hmac_secret_key": SECRET },
                "allow_anonymous_connect_without_token": true,
                // So long after a subscription token's end it ends the subscription, and so often it looks.
                "expired_sub_close_delay": "1s", "presence_update_interval": "1s",
            },
            "channel": { "namespaces": [
                namespace("open", true), namespace("closed", false), signed, newest, shop::namespace(),
            ] },
        });
        fs::write(&config, settings.to_string())?;
        // A program that is built as a Go module doesn't know its own.
        let version = format!("Centrifugo 6.9.1, {} engine", if REDIS { "Redis" } else { "memory" });
        let mut command = Command::new(program);
        command.arg("--config").arg(&config);
        let (launch, http) = (Launch { command, log: config.with_extension("log") }, client()?);
        let process = Process::start(launch, async || is_up(&http, address).await).await?;
        let site = Site::start(folder).await?;
        Ok(Ok(Self { process, redis, address, version, http, site, own_channel: OnceLock::new() }))
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let token = entry.token.as_ref().map(|path| format!("token = {{ file = \"{}\" }}", path.display()));
        let public = [channel(entry.private)];
        let (channels, own): (&[&'static str], _) = match entry.own {
            Some(LINES) => (&public, "transport = \"http-stream\"".to_owned()),
            Some(EVENTS) => (&public, "transport = \"sse\"".to_owned()),
            Some(TOKENS) => (&SIGNED, self.site.board()),
            Some(NEWEST) => (&["newest:ticks"], String::new()),
            _ => (&public, String::new()),
        };
        if entry.own.is_some() {
            self.own_channel.get_or_init(|| channels[0]);
        }
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"centrifugo\"\nurl = \"ws://127.0.0.1:{port}/connection/websocket\"\n\
             channels = {channels:?}\nevent = {{ name = \"kind\" }}\npresence = {}\n{}\n{own}\n",
            entry.presence,
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let channel = self.own_channel.get().copied().unwrap_or_else(|| channel(private));
        let commands: Vec<Value> =
            messages.iter().map(|data| json!({ "publish": { "channel": channel, "data": data } })).collect();
        let answer = self.api("batch", &json!({ "commands": commands })).await?;
        let replies = answer["replies"].as_array().context("replies")?;
        ensure!(
            replies.len() == messages.len() && replies.iter().all(|reply| reply.get("error").is_none()),
            "{answer}"
        );
        Ok(())
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps && !REDIS {
            return Ok(Err("its memory engine keeps nothing"));
        }
        self.process.kill()?;
        if let Some(redis) = self.redis.as_mut().filter(|_| !keeps) {
            redis.restart().await?;
        }
        self.process.start_anew(async || is_up(&self.http, self.address).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        let mut claims = json!({ "sub": USER });
        if let Some(life) = life {
            claims["exp"] = (now()? + life).as_secs().into();
        }
        Ok(jwt(&claims, SECRET))
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.api("disconnect", &json!({ "user": USER })).await?;
        Ok(Ok(()))
    }

    async fn join(&self) -> Result<Offer<Box<dyn Any>>> {
        let url = format!("http://{}/connection/uni_http_stream", self.address);
        let body = json!({ "subs": { (channel(false)): {} } });
        let answer = self.http.post(url).timeout(STAY_MAX).json(&body).send().await?;
        // It stays for as long as its answer is listened to.
        Ok(Ok(Box::new(answer.error_for_status()?)))
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        Ok(shop::setting(self.address))
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        shop::tell(self, step).await
    }

    async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
        match name {
            LINES => over_http(stand, "http-stream").await,
            EVENTS => over_http(stand, "sse").await,
            TOKENS => tokens(stand).await,
            NEWEST => newest(stand).await,
            other => bail!("no scenario `{other}`"),
        }
    }
}

fn source<'a>(report: &'a Report, what: &str) -> &'a Value {
    &report.value["sources"]["ops"][what]
}

/// H1, H3: where the board says so it comes by an answer without an end, and what is said goes beside it: in order, and from its place
/// after a cut.
async fn over_http<const REDIS: bool>(stand: &mut Stand<Centrifugo<REDIS>>, way: &str) -> Result<()> {
    stand.is_live("the beginning").await?;
    stand.publish(200).await?;
    let report = stand.equals(Some(200)).await?;
    ensure!(source(&report, "transport") == way, "it goes by {}", source(&report, "transport"));
    cut_off(stand, 20).await?;
    let report = stand.equals(Some(220)).await?;
    ensure!(source(&report, "transport") == way, "it goes on by {}", source(&report, "transport"));
    is_proven(&report, 1)
}

/// There were so many gaps, and each was closed by what was missed.
fn is_proven(report: &Report, gaps: usize) -> Result<()> {
    let (continuity, count) = (report.continuity(), |what: &str| source(report, what).as_u64());
    let (proven, all) = (count("gaps_proven"), count("gaps"));
    ensure!(
        continuity == "proven" && proven == Some(gaps as u64) && all == proven,
        "{continuity}, {proven:?} proven of {all:?} gaps, not {gaps}"
    );
    Ok(())
}

/// A channel is had by the site's word, and kept over that word's end without a break. Who is given none any more is refused it, with
/// the connection sound; whoever is given one again has what was missed.
async fn tokens<const REDIS: bool>(stand: &mut Stand<Centrifugo<REDIS>>) -> Result<()> {
    stand.is_live("a token that the site gives").await?;
    stand.publish(10).await?;
    let first = stand.equals(Some(10)).await?;
    let begun = Instant::now();
    while begun.elapsed() < RENEWED_TWICE {
        stand.publish(1).await?;
        stand.equals(Some(stand.published())).await?;
    }
    let given = stand.peer.site.rights().given.clone();
    ensure!(SIGNED.iter().all(|name| given.get(*name) >= Some(&3)), "not renewed twice: {given:?}");
    for report in stand.wall.reports().iter().filter(|report| report.at >= first.at) {
        ensure!(source(report, "freshness") == "live", "not kept: {}", report.value);
        let same = ["gaps", "reconnects"].iter().all(|what| source(report, what) == source(&first, what));
        ensure!(same, "begun again: {}", report.value);
    }
    stand.peer.site.rights().refuses = true;
    let report = stand.says(&["refused"], RENEWED_TWICE).await?;
    ensure!(report.said().contains("gives no token"), "refused for something else: {}", report.said());
    ensure!(stand.peer.site.rights().refused > 0, "the site wasn't asked");
    stand.publish(5).await?;
    stand.peer.site.rights().refuses = false;
    let report = stand.equals(Some(stand.published())).await?;
    is_proven(&report, SIGNED.len())
}

/// H3: of what was missed the newest is given back, which is proof where it is the only one, and else said to be that alone.
async fn newest<const REDIS: bool>(stand: &mut Stand<Centrifugo<REDIS>>) -> Result<()> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    stand.equals(Some(10)).await?;
    cut_off(stand, 1).await?;
    is_proven(&stand.equals(Some(11)).await?, 1)?;
    cut_off(stand, 5).await?;
    // Nothing is published any more: what is shown is what the server has kept.
    let report = stand.shows(stand.published()).await?;
    let (continuity, unknown) = (report.continuity(), source(&report, "gaps_unknown"));
    ensure!(continuity == "unknown" && unknown == 1, "{continuity}, {unknown} unknown gaps");
    ensure!(report.count() == Some(12), "{:?} counted: more or less than the newest came", report.count());
    Ok(())
}

/// Publishes `count` events while the line is cut.
async fn cut_off<const REDIS: bool>(stand: &mut Stand<Centrifugo<REDIS>>, count: usize) -> Result<()> {
    stand.line.set(|line| line.cut = true);
    stand.says(&["down", "stale"], FOUND_MAX).await?;
    stand.publish(count).await?;
    stand.line.set(|line| line.cut = false);
    Ok(())
}
