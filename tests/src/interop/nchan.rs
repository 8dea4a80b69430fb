//! Nginx with Nchan, of the system's packages: one server for two kinds, its event streams and its long polls.

use std::{fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::Result;
use reqwest::Client;
use rustix::process::Signal;
use serde_json::Value;

use super::{
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
};
use crate::faults::publisher::client;

const PROGRAM: &str = "/usr/sbin/nginx";
/// Where Debian puts it.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const TOKEN: &str = "interop";
const UNPROVEN: &str = "nothing says whether it replays all that was missed";

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
        fs::write(folder.join("nginx.conf"), settings(folder, address))?;
        let http = client()?;
        let process = Process::start(launch(folder), async || answers(&http, address, "up").await).await?;
        Ok(Ok(Self { process, address, version, http }))
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let url = format!("http://{}/publish/{}", self.address, channel(private));
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

    fn source(kind: &str, more: &str, port: u16, entry: &Entry) -> String {
        let token = entry.token.as_ref().map(|path| format!("token = {{ file = \"{}\" }}", path.display()));
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"{kind}\"\nurl = \"http://127.0.0.1:{port}/{kind}/{channel}\"\n\
             channels = [\"{channel}\"]\nevent = {{ name = \"kind\" }}\n{more}\n{}\n",
            token.unwrap_or_default(),
            channel = channel(entry.private),
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
fn settings(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
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
location ~ ^/publish/(\w+)$ {{ nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 150000; nchan_message_timeout 10m; }}
location ~ ^/sse/(open)$ {{ nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest; nchan_eventsource_ping_interval 1; }}
location ~ ^/sse/(closed)$ {{
if ($http_authorization != "Bearer {TOKEN}") {{ return 403; }}
nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest; nchan_eventsource_ping_interval 1; }}
location ~ ^/long-poll/(open)$ {{ nchan_subscriber longpoll; nchan_channel_id $1; nchan_subscriber_first_message oldest; nchan_subscriber_timeout 1; }}
location ~ ^/long-poll/(closed)$ {{
if ($http_authorization != "Bearer {TOKEN}") {{ return 403; }}
nchan_subscriber longpoll; nchan_channel_id $1; nchan_subscriber_first_message oldest; nchan_subscriber_timeout 1; }}
}}
}}
"#
    )
}

macro_rules! peer {
    ($name:ident, $kind:literal, $more:literal) => {
        impl Peer for $name {
            const KIND: &'static str = $kind;
            const HISTORY: Offer<usize> = Err(UNPROVEN);

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
                Nchan::source($kind, $more, port, entry)
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
                match life {
                    None => Ok(TOKEN.to_owned()),
                    Some(_) => Err("its settings know a token without an end"),
                }
            }

            async fn revoke(&self) -> Result<Offer<()>> {
                Ok(Err("it asks for a token at the beginning only"))
            }
        }
    };
}

peer!(Sse, "sse", "heartbeat = \"1s\"");
peer!(LongPoll, "long-poll", "");
