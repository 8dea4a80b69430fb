//! What Soketi and Sockudo have in common: a process, Pusher's REST API, and a site that signs for its channels.

use std::{
    any::Any,
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Error, Result, ensure};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::post,
};
use futures_util::{SinkExt, StreamExt};
use md5::{Digest, Md5};
use reqwest::Client;
use ring::hmac;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::{
    jwt::{jwt, now},
    peer::{Entry, Offer},
    process::{Launch, Process},
};
use crate::faults::publisher::client;

/// The app that a server is told of.
pub(super) const ID: &str = "interop";
pub(super) const KEY: &str = "interop-key";
pub(super) const SECRET: &str = "interop-secret";

/// Tokens that the site takes, each with its end, if it has one.
type Tokens = Arc<Mutex<BTreeMap<String, Option<Instant>>>>;

/// A server, and the site whose channels it serves.
pub(super) struct Server {
    process: Process,
    address: SocketAddr,
    http: Client,
    /// Events in one request: what it was told to take.
    batch_max: usize,
    tokens: Tokens,
    site: SocketAddr,
    signer: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signer.abort();
    }
}

/// A probe: it says itself that it is ready.
pub(super) async fn is_ready(http: &Client, address: SocketAddr) -> Result<()> {
    http.get(format!("http://{address}/ready")).send().await?.error_for_status()?;
    Ok(())
}

impl Server {
    /// Starts it, and waits until it is there.
    pub(super) async fn start(launch: Launch, address: SocketAddr, batch_max: usize) -> Result<Self> {
        let tokens = Tokens::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let site = listener.local_addr()?;
        let router = Router::new().route("/broadcasting/auth", post(authorise)).with_state(Arc::clone(&tokens));
        let signer = tokio::spawn(async move {
            let _ended = axum::serve(listener, router).await;
        });
        let http = client()?;
        let process = Process::start(launch, async || is_ready(&http, address).await).await?;
        Ok(Self { process, address, http, batch_max, tokens, site, signer })
    }

    /// A call of its REST API. Soketi's refusals have the status 200 as well, and say so in their body.
    async fn api(&self, call: &str, body: &Value) -> Result<()> {
        let (path, body) = (format!("/apps/{ID}/{call}"), body.to_string());
        let now = now().map_err(Error::msg)?.as_secs();
        let md5 = hex(&Md5::digest(body.as_bytes()));
        let query = format!("auth_key={KEY}&auth_timestamp={now}&auth_version=1.0&body_md5={md5}");
        let signature = sign(&format!("POST\n{path}\n{query}"));
        let url = format!("http://{}{path}?{query}&auth_signature={signature}", self.address);
        let answer = self.http.post(url).header("content-type", "application/json").body(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        ensure!(status.is_success() && answer.get("error").is_none(), "{status}: {text}");
        Ok(())
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The board's source, of this kind.
    pub(super) fn source(&self, kind: &str, port: u16, entry: &Entry) -> String {
        let token = entry.token.as_ref().map(|path| format!("token = {{ file = \"{}\" }}\n", path.display()));
        let besides = if entry.presence { format!(", \"{PRESENCE}\"") } else { String::new() };
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"{kind}\"\nurl = \"ws://127.0.0.1:{port}\"\napp = \"{KEY}\"\n\
             channels = [\"{}\"{besides}]\nauth = \"http://{}/broadcasting/auth\"\n{}",
            channel(entry.private),
            self.site,
            token.unwrap_or_default()
        )
    }

    pub(super) async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let event =
            |data: &Value| json!({ "name": data["kind"], "channel": channel(private), "data": data.to_string() });
        for batch in messages.chunks(self.batch_max) {
            let events: Vec<Value> = batch.iter().map(event).collect();
            self.api("batch_events", &json!({ "batch": events })).await?;
        }
        Ok(())
    }

    pub(super) fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    pub(super) async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err("it keeps nothing"));
        }
        self.process.kill()?;
        self.process.start_anew(async || is_ready(&self.http, self.address).await).await?;
        Ok(Ok(()))
    }

    /// Somebody besides the wall on the presence channel, until what this gives is dropped.
    pub(super) async fn join(&self) -> Result<Box<dyn Any>> {
        let url = format!("ws://{}/app/{KEY}?protocol=7&client=interop&version=1.0", self.address);
        let (mut socket, _answer) = connect_async(url).await?;
        let hello: Value = serde_json::from_str(socket.next().await.context("it ended")??.to_text()?)?;
        let hello: Value = serde_json::from_str(hello["data"].as_str().context("data")?)?;
        let id = hello["socket_id"].as_str().context("socket_id")?;
        let mut ask = presence_of(id, "guest");
        ask["channel"] = PRESENCE.into();
        let ask = json!({ "event": "pusher:subscribe", "data": ask });
        socket.send(Message::text(ask.to_string())).await?;
        let answer = socket.next().await.context("it ended")??;
        ensure!(answer.to_text()?.contains("subscription_succeeded"), "{answer}");
        Ok(Box::new(socket))
    }

    pub(super) fn token(&self, life: Option<Duration>) -> Offer<String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let mut claims = json!({ "jti": tokens.len() });
        if let Some(life) = life {
            claims["exp"] = (now()? + life).as_secs().into();
        }
        let token = jwt(&claims, SECRET);
        tokens.insert(token.clone(), life.map(|life| Instant::now() + life));
        Ok(token)
    }
}

/// Why a right to a channel can't be taken away.
pub(super) const NO_REVOCATION: &str = "a signature is good for as long as its connection stands";
/// Why nothing comes again.
pub(super) const NO_REPLAY: &str = "the protocol has no replay";

/// The channel of those who are there, which carries nothing else.
const PRESENCE: &str = "presence-ticks";

/// What a site signs for a user on the presence channel.
fn presence_of(socket: &str, user: &str) -> Value {
    let data = json!({ "user_id": user, "user_info": { "name": user } }).to_string();
    json!({ "auth": format!("{KEY}:{}", sign(&format!("{socket}:{PRESENCE}:{data}"))), "channel_data": data })
}

fn channel(private: bool) -> &'static str {
    if private { "private-ticks" } else { "ticks" }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sign(text: &str) -> String {
    hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes()).as_ref())
}

/// What Laravel has at `/broadcasting/auth`: signs for who shows a token that is good, and says who it is on the presence channel.
async fn authorise(
    State(tokens): State<Tokens>,
    headers: HeaderMap,
    form: String,
) -> std::result::Result<Json<Value>, StatusCode> {
    // Neither a socket's id nor these channels' names have anything in them that a form writes differently.
    let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let (Some(socket), Some(channel)) = (field("socket_id"), field("channel_name")) else {
        return Err(StatusCode::BAD_REQUEST);
    };
    if channel == PRESENCE {
        return Ok(Json(presence_of(socket, "wall")));
    }
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let end = tokens.lock().unwrap_or_else(PoisonError::into_inner).get(shown.unwrap_or_default()).copied();
    let is_good = end.is_some_and(|end| end.is_none_or(|end| Instant::now() < end));
    if !is_good {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(Json(json!({ "auth": format!("{KEY}:{}", sign(&format!("{socket}:{channel}"))) })))
}
