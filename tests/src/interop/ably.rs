//! Ably, as Sockudo speaks it: an independent rebuild that Ably's own client takes for the service. Ably itself can't be run here.

use std::{
    any::Any,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{
    example::{Setting, Told},
    jwt::{jwt_of_key, now},
    peer::{Entry, Offer, Peer},
    process::{Process, free_address},
    pusher::{ID, KEY, SECRET, is_ready},
    sockudo::{VERSION, launch, settings},
    stand::keep_secret,
};
use crate::faults::publisher::client;

/// Events of a channel that the server keeps.
const HISTORY: usize = 40;
/// Messages in one request.
const BATCH_MAX: usize = 100;
/// The key that may do nothing but what is public.
const GUEST: &str = "interop.guest:guest-secret";
/// The channel of the example.
const DEPARTURES: &str = "departures";
/// Somebody besides the wall.
const MEMBER: &str = "ann";

/// A server.
pub(super) struct Ably {
    process: Process,
    /// Where the guest's key is kept.
    guest: PathBuf,
    address: SocketAddr,
    http: Client,
}

fn channel(private: bool) -> &'static str {
    if private { "closed" } else { "ticks" }
}

impl Ably {
    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("http://{}{path}", self.address);
        let answer = self.http.post(url).basic_auth(KEY, Some(SECRET)).json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

/// Waits for an answer of this action.
async fn hears(action: u64, socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<()> {
    loop {
        let message = socket.next().await.context("it ended")??;
        let said: Value = serde_json::from_str(message.to_text()?).unwrap_or_default();
        ensure!(said["action"] != 9, "{said}");
        if said["action"] == action {
            return Ok(());
        }
    }
}

impl Peer for Ably {
    const KIND: &'static str = "ably";
    const HISTORY: Offer<usize> = Ok(HISTORY);
    const EXAMPLES: &'static [&'static str] = &["example ably.toml"];
    const TOO_BIG: Offer<()> = Err("Sockudo takes no message of more than 64 KiB by Ably's interface");

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let address = free_address()?;
        let mut settings = settings(address.port());
        settings["history"] = json!({
            "enabled": true, "backend": "memory", "max_messages_per_channel": HISTORY, "max_page_size": 15,
        });
        let (name, secret) = GUEST.split_once(':').context("a key")?;
        settings["ably_compat"] = json!({ "enabled": true, "keys": [{
            "app_id": ID, "key_name": name, "secret": secret,
            "capability": json!({ 
                channel(false): ["subscribe", "history", "presence"], DEPARTURES: ["subscribe", "history"],
            }).to_string(),
        }, {
            "app_id": ID, "key_name": KEY, "secret": SECRET, "capability": r#"{"*":["*"]}"#, "revocable_tokens": true,
        }] });
        let launch = match launch(folder, &settings)? {
            Ok(launch) => launch,
            Err(missing) => return Ok(Err(missing)),
        };
        let (guest, http) = (folder.join("guest"), client()?);
        keep_secret(&guest, GUEST)?;
        let process = Process::start(launch, async || is_ready(&http, address).await).await?;
        Ok(Ok(Self { process, guest, address, http }))
    }

    fn version(&self) -> String {
        format!("Sockudo {VERSION}, `ably-compat`")
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let token = entry.token.as_ref().unwrap_or(&self.guest);
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"ably\"\nurl = \"ws://127.0.0.1:{port}\"\n\
             channels = [\"{}\"]\ntoken = {{ file = \"{}\" }}\n",
            channel(entry.private),
            token.display(),
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let path = format!("/channels/{}/messages", channel(private));
        let message = |data: &Value| json!({ "name": data["kind"], "data": data.to_string(), "encoding": "json" });
        for batch in messages.chunks(BATCH_MAX) {
            self.post(&path, &batch.iter().map(message).collect()).await?;
        }
        Ok(())
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err("it keeps nothing, with its history in memory"));
        }
        self.process.kill()?;
        self.process.start_anew(async || is_ready(&self.http, self.address).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        let now = now()?;
        let claims = json!({
            "iat": now.as_secs(), "exp": (now + life.unwrap_or(Duration::from_secs(3600))).as_secs(),
            "x-ably-capability": r#"{"*":["*"]}"#, "x-ably-clientId": "wall",
        });
        Ok(jwt_of_key(KEY, &claims, SECRET))
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.post(&format!("/keys/{KEY}/revokeTokens"), &json!({ "targets": ["clientId:wall"] })).await?;
        Ok(Ok(()))
    }

    async fn join(&self) -> Result<Offer<Box<dyn Any>>> {
        let url = format!("ws://{}/?v=6&format=json&key={KEY}:{SECRET}&clientId={MEMBER}", self.address);
        let (mut socket, _answer) = connect_async(url).await?;
        hears(4, &mut socket).await?;
        let attach = json!({ "action": 10, "channel": channel(false) });
        socket.send(Message::text(attach.to_string())).await?;
        hears(11, &mut socket).await?;
        let enter = json!({ "action": 14, "channel": channel(false), "msgSerial": 0,
            "presence": [{ "action": 2, "data": "here" }] });
        socket.send(Message::text(enter.to_string())).await?;
        hears(1, &mut socket).await?;
        Ok(Ok(Box::new(socket)))
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        let mut setting = Setting::at("ws://127.0.0.1:8081", format!("ws://{}", self.address));
        setting.environment.push(("ABLY_WALL_KEY", GUEST.to_owned()));
        Ok(setting)
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        if step > 0 {
            return Ok(None);
        }
        let said = [
            ("flight.departed", json!({ "flight": "BA117", "gate": "B22", "delay": 12 })),
            ("flight.departed", json!({ "flight": "KL644", "gate": "A4", "delay": -5 })),
            ("heartbeat", json!({})),
            ("flight.cancelled", json!({ "flight": "LH405", "reason": "crew" })),
        ];
        let messages: Vec<Value> =
            said.map(|(name, data)| json!({ "name": name, "data": data.to_string(), "encoding": "json" })).into();
        self.post(&format!("/channels/{DEPARTURES}/messages"), &messages.into()).await?;
        Ok(Some(Told::new([
            ("departed-today", json!(2)),
            ("delay-last-hour", json!(3.5)),
            ("cancelled-last-hour", json!(1)),
            ("newest", json!(["LH405 ---- crew", "KL644 A4 ----", "BA117 B22 ----"])),
        ])))
    }
}
