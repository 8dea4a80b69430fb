//! Nginx with Nchan, of the system's packages: one server for two kinds, its event streams and its long polls. Who may have the private
//! channel it asks a site of the tests' own (`nchan_authorize_request`): for each stream and each poll when it begins.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    example::{Setting, Told},
    gate::{self, Gate, LIFE},
    jwt::now,
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
    stand::{FOUND_MAX, PATIENCE, Stand},
};
use crate::faults::{process::Report, publisher::client};

const PROGRAM: &str = "/usr/sbin/nginx";
/// Where Debian puts it.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const UNPROVEN: &str = "nothing says whether it replays all that was missed";

/// Tokens that the site gives, and that don't live long.
const GIVEN: &str = "tokens from the site";
/// The same where nothing says that what was missed is replayed.
const GIVEN_UNPROVEN: &str = "tokens from the site, nothing promised";

/// Its event streams.
pub(super) struct Sse(Nchan);

/// Its long polls.
pub(super) struct LongPoll(Nchan);

/// A server.
struct Nchan {
    process: Process,
    address: SocketAddr,
    version: String,
    http: Client,
    gate: Gate,
    /// Whether a board of [`Peer::OWN`] listens to the private channel.
    is_own: OnceLock<()>,
}

impl Nchan {
    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        if !Path::new(PROGRAM).is_file() || !Path::new(MODULE).is_file() {
            return Ok(Err("the packages nginx and libnginx-mod-nchan are missing".to_owned()));
        }
        let told = Command::new(PROGRAM).arg("-v").output()?.stderr;
        // It doesn't say its version itself.
        let package = Command::new("dpkg-query").args(["-W", "-f=${Version}", "libnginx-mod-nchan"]).output();
        let package = package.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let nginx = String::from_utf8_lossy(&told);
        let version = format!("{}, Nchan {package}", nginx.trim().trim_start_matches("nginx version: "));
        let version = version.trim_end().to_owned();
        let address = free_address()?;
        let gate = Gate::start(folder).await?;
        fs::write(folder.join("nginx.conf"), settings(folder, address, &gate))?;
        let http = client()?;
        let process = Process::start(launch(folder), async || answers(&http, address, "up").await).await?;
        Ok(Ok(Self { process, address, version, http, gate, is_own: OnceLock::new() }))
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        self.publish_on(channel(private || self.is_own.get().is_some()), messages).await
    }

    async fn publish_on(&self, channel: &str, messages: &[Value]) -> Result<()> {
        let url = format!("http://{}/publish/{channel}", self.address);
        for message in messages {
            self.http.post(&url).json(message).send().await?.error_for_status()?;
        }
        Ok(())
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err("its memory keeps nothing"));
        }
        self.process.kill()?;
        self.process.start_anew(async || answers(&self.http, self.address, "up").await).await?;
        Ok(Ok(()))
    }

    /// Takes the right to the private channel away, and ends who is on it: Nchan ends all of a channel's subscribers with it.
    async fn revoke(&self) -> Result<()> {
        self.gate.revoke();
        let url = format!("http://{}/publish/{}", self.address, channel(true));
        self.http.delete(url).send().await?.error_for_status()?;
        Ok(())
    }

    fn source(&self, kind: &str, more: &str, port: u16, entry: &Entry) -> String {
        let token = match (entry.own, &entry.token) {
            (Some(_), _) => self.gate.board(),
            (None, Some(path)) => format!("token = {{ file = \"{}\" }}", path.display()),
            (None, None) => String::new(),
        };
        if entry.own.is_some() {
            self.is_own.get_or_init(|| ());
        }
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"{kind}\"\nurl = \"http://127.0.0.1:{port}/{kind}/{channel}\"\n\
             channels = [\"{channel}\"]\nevent = {{ name = \"kind\" }}\n{more}\n{token}\n",
            channel = channel(entry.private || entry.own.is_some()),
        )
    }
}

fn channel(private: bool) -> &'static str {
    if private { "closed" } else { "open" }
}

fn launch(folder: &Path) -> Launch {
    let log = folder.join("nginx.log");
    let mut command = Command::new(PROGRAM);
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(&log);
    Launch { command, log }
}

/// One process, so that its signals are the server's. A long poll is held for less than a third of the wall's limit.
fn settings(folder: &Path, address: SocketAddr, gate: &Gate) -> String {
    let (folder, judge) = (folder.display(), gate.judge());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/temporary;\n"))
        .concat();
    format!(
        r#"load_module {MODULE};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
access_log off;
keepalive_requests 1000000;
client_max_body_size 8m;
client_body_buffer_size 8m;
{temporary}
server {{
listen {address};
location = /up {{ return 204; }}
location = /judge {{ internal; proxy_pass {judge}; proxy_pass_request_body off; proxy_set_header Content-Length ""; }}
location ~ ^/publish/([\w-]+)$ {{ nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 150000; nchan_message_timeout 10m; }}
location ~ ^/sse/(open)$ {{ nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest; nchan_eventsource_ping_interval 1; }}
location ~ ^/sse/(closed)$ {{ nchan_authorize_request /judge;
nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest; nchan_eventsource_ping_interval 1; }}
location ~ ^/long-poll/(open)$ {{ nchan_subscriber longpoll; nchan_channel_id $1; nchan_subscriber_first_message oldest; nchan_subscriber_timeout 1; }}
location ~ ^/long-poll/(closed)$ {{ nchan_authorize_request /judge;
nchan_subscriber longpoll; nchan_channel_id $1; nchan_subscriber_first_message oldest; nchan_subscriber_timeout 1; }}
# What the examples say of theirs.
location = /sse/line-4 {{ nchan_subscriber eventsource; nchan_channel_id line-4; nchan_eventsource_ping_interval 2; }}
location = /long-poll/gate {{
nchan_subscriber longpoll; nchan_channel_id gate; nchan_subscriber_first_message oldest; nchan_subscriber_timeout 2; }}
}}
}}
"#
    )
}

macro_rules! peer {
    ($name:ident, $kind:literal, $own:expr, $more:expr, $channel:literal, $told:expr) => {
        impl Peer for $name {
            const KIND: &'static str = $kind;
            const HISTORY: Offer<usize> = Err(UNPROVEN);
            const OWN: &'static [&'static str] = $own;
            const EXAMPLES: &'static [&'static str] = &[concat!("example ", $kind, ".toml")];

            async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
                Ok(Nchan::start(folder).await?.map(Self))
            }

            fn version(&self) -> String {
                self.0.version.clone()
            }

            fn address(&self) -> SocketAddr {
                self.0.address
            }

            fn source(&self, port: u16, entry: &Entry) -> String {
                self.0.source($kind, $more(entry), port, entry)
            }

            async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
                self.0.publish(private, messages).await
            }

            fn signal(&self, which: Signal) -> Result<()> {
                self.0.process.signal(which)
            }

            async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
                self.0.restart(keeps).await
            }

            fn token(&self, life: Option<Duration>) -> Offer<String> {
                gate::token(life)
            }

            async fn revoke(&self) -> Result<Offer<()>> {
                Ok(Ok(self.0.revoke().await?))
            }

            async fn took(&self, token: &str) -> Result<()> {
                self.0.gate.took(token)
            }

            fn setting(&self, _example: &str) -> Result<Setting> {
                Ok(Setting::at("http://127.0.0.1:8080", format!("http://{}", self.0.address)))
            }

            async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
                if step > 0 {
                    return Ok(None);
                }
                let (messages, told) = $told()?;
                self.0.publish_on($channel, &messages).await?;
                Ok(Some(told))
            }

            async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
                match name {
                    GIVEN => given(stand, |peer| &peer.0).await,
                    GIVEN_UNPROVEN => given_unproven(stand, |peer| &peer.0).await,
                    other => bail!("no scenario `{other}`"),
                }
            }
        }
    };
}

peer!(
    Sse,
    "sse",
    &[GIVEN, GIVEN_UNPROVEN],
    |entry: &Entry| {
        // What a stream beside another brings again is proven by the promise alone. Nchan keeps what is published here.
        let promises = entry.token.is_some() || entry.own == Some(GIVEN);
        if promises { "heartbeat = \"1s\"\nreplays = true" } else { "heartbeat = \"1s\"" }
    },
    "line-4",
    line
);
peer!(LongPoll, "long-poll", &[GIVEN], |_: &Entry| "", "gate", at_gate);

/// What the event streams' example is about.
fn line() -> Result<(Vec<Value>, Told)> {
    let now = now().map_err(anyhow::Error::msg)?.as_millis();
    let at = i64::try_from(now)?;
    let messages = vec![
        json!({ "type": "piece.made", "at": at - 2 }),
        json!({ "type": "piece.made", "at": at - 1 }),
        json!({ "type": "oven", "celsius": 181.5, "at": at }),
        json!({ "type": "line.stopped", "reason": "jam", "at": at }),
    ];
    let shown = [("made", json!(2)), ("speed", json!(0.2)), ("temperature", json!(181.5)), ("stops", json!(["jam"]))];
    Ok((messages, Told::new(shown)))
}

/// The same of the long polls'.
fn at_gate() -> Result<(Vec<Value>, Told)> {
    let messages = vec![
        json!({ "type": "vehicle.passed", "plate": "AB 12" }),
        json!({ "type": "vehicle.passed", "plate": "CD 34" }),
        json!({ "type": "queue", "length": 5 }),
    ];
    let shown = [("passed", json!(2)), ("queue", json!(5)), ("last", json!(["CD 34", "AB 12"]))];
    Ok((messages, Told::new(shown)))
}

fn count(report: &Report, what: &str) -> u64 {
    report.value["sources"]["ops"][what].as_u64().unwrap_or_default()
}

/// H1, H3: each token's end is seen to ahead by another one of the site's. Nothing is missed, it is live all the while, and nobody ever
/// comes by a token that has ended: where no other one is given it isn't live any more.
async fn given<P: Peer>(stand: &mut Stand<P>, nchan: fn(&P) -> &Nchan) -> Result<()> {
    stand.is_live("a token that the site gives").await?;
    stand.publish(10).await?;
    let first = stand.equals(Some(10)).await?;
    let begun = Instant::now();
    while begun.elapsed() < LIFE * 2 + Duration::from_secs(2) {
        stand.publish(1).await?;
        stand.equals(Some(stand.published())).await?;
    }
    let gate = &nchan(&stand.peer).gate;
    ensure!(gate.shown() >= 3, "{} tokens were shown: not renewed twice", gate.shown());
    gate.none_ended()?;
    for report in stand.wall.reports().iter().filter(|report| report.at >= first.at) {
        // By polls messages prove nothing of what is behind them.
        let freshness = report.value["sources"]["ops"]["freshness"].as_str().unwrap_or_default();
        ensure!(matches!(freshness, "live" | "polling" | "catching-up"), "not kept: {}", report.value);
        let same = ["gaps", "reconnects"].iter().all(|what| count(report, what) == count(&first, what));
        ensure!(same, "begun again: {}", report.value);
    }
    gate.shut(true);
    let report = stand.says(&["down", "refused", "stale"], LIFE + FOUND_MAX).await?;
    ensure!(report.said().contains("token"), "for something else: {}", report.said());
    let gate = &nchan(&stand.peer).gate;
    gate.none_ended()?;
    gate.shut(false);
    stand.follows().await
}

/// H3: a stream that nothing is promised of ends with its token; another one by the next token follows, and what lies between may be
/// missing, which is said.
async fn given_unproven<P: Peer>(stand: &mut Stand<P>, nchan: fn(&P) -> &Nchan) -> Result<()> {
    stand.is_live("a token that the site gives").await?;
    stand.publish(10).await?;
    let first = stand.equals(None).await?;
    let begun = Instant::now();
    while nchan(&stand.peer).gate.shown() < 2 {
        ensure!(begun.elapsed() < PATIENCE, "no other token was shown");
        stand.publish(1).await?;
        stand.shown(stand.published()).await?;
    }
    ensure!(begun.elapsed() > LIFE / 2, "the stream was given up long before its token's end");
    stand.follows().await?;
    let after = stand.equals(None).await?;
    let unknown = count(&after, "gaps_unknown") - count(&first, "gaps_unknown");
    ensure!(unknown >= 1 && after.continuity() == "unknown", "{unknown} gaps more, {}", after.continuity());
    nchan(&stand.peer).gate.none_ended()
}
