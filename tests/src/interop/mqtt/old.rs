//! A broker that speaks MQTT 3.1.1 and no other: nats-server, installed from PyPI by `scripts/interop.sh`.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    super::{
        peer::{Entry, Offer, Peer},
        process::{Launch, Process, free_address},
        stand::Stand,
    },
    Manner, NO_END, NO_HISTORY, PASSWORD, PUBLISHER, RETAINED, USER, program, publish, retained, topic,
};
use crate::{faults::process::Report, program::root};

/// What isn't acknowledged within this time it sends again, on the same connection.
const ANSWER_MAX: Duration = Duration::from_millis(300);
/// How long a wall stands still: a few times that, and no longer than a link may be silent.
const STILL: Duration = Duration::from_millis(700);
/// A busy machine may make it longer, and the link another one.
const TRIES: usize = 10;
const AGAIN: &str = "sent again";

/// A client of version 5, without a name.
const CONNECT_FIVE: &[u8] = b"\x10\x0D\0\x04MQTT\x05\x02\0\x1E\0\0\0";
/// The answer that it doesn't know this version. The old ones have two bytes.
const OTHER_VERSION: &[u8] = b"\x20\x02\0\x01";

/// A broker whose sessions and retained messages are in files.
pub(in crate::interop) struct Old {
    process: Process,
    manner: Manner,
    folder: PathBuf,
    address: SocketAddr,
    version: String,
}

/// What it is told: `password` is the wall's.
fn configure(folder: &Path, address: SocketAddr, password: &str) -> Result<()> {
    // What is sent at least once it hands on by way of subjects of its own.
    let text = format!(
        r#"server_name: old
host: 127.0.0.1
port: -1
max_payload: 8MB
jetstream {{ store_dir: "{}" }}
mqtt {{ host: 127.0.0.1, port: {}, no_auth_user: guest, ack_wait: "{}ms" }}
authorization {{
  users: [
    {{ user: {PUBLISHER}, password: {PASSWORD} }},
    {{ user: {USER}, password: {password}, permissions: {{ subscribe: ["open.>", "closed.>", "$MQTT.sub.>"], publish: {{ deny: ">" }} }} }},
    {{ user: guest, password: guest, permissions: {{ subscribe: ["open.>", "$MQTT.sub.>"], publish: {{ deny: ">" }} }} }}
  ]
}}
"#,
        folder.join("jetstream").display(),
        address.port(),
        ANSWER_MAX.as_millis(),
    );
    fs::write(folder.join("old.conf"), text)?;
    Ok(())
}

/// A probe: it says that it doesn't know MQTT 5.
async fn knows_no_five(address: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(CONNECT_FIVE).await?;
    let mut answer = [0; OTHER_VERSION.len()];
    stream.read_exact(&mut answer).await?;
    ensure!(answer == OTHER_VERSION, "it answers to MQTT 5 by {answer:02x?}");
    Ok(())
}

impl Peer for Old {
    const KIND: &'static str = "mqtt-3.1.1";
    const HISTORY: Offer<usize> = Err(NO_HISTORY);
    const TLS: Offer<()> = Err("the way there is that of `mqtt`");
    const OWN: &'static [&'static str] = &[RETAINED, AGAIN];

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let server = root().join("target/interop/nats/bin/nats-server");
        if !server.is_file() || program("mosquitto_pub").is_none() {
            return Ok(Err(
                "target/interop/nats or mosquitto_pub is missing: scripts/interop.sh installs both".to_owned()
            ));
        }
        let said = Command::new(&server).arg("--version").output().context("nats-server --version")?;
        let said = String::from_utf8_lossy(&said.stdout);
        let version = format!("nats-server {}, MQTT 3.1.1", said.trim().trim_start_matches("nats-server: v"));
        let address = free_address()?;
        configure(folder, address, PASSWORD)?;
        let mut command = Command::new(server);
        command.arg("-c").arg(folder.join("old.conf"));
        let launch = Launch { command, log: folder.join("old.log") };
        let process = Process::start(launch, async || knows_no_five(address).await).await?;
        Ok(Ok(Self { process, manner: Manner::Plain, folder: folder.to_owned(), address, version }))
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let token =
            entry.token.as_ref().map(|path| format!("user = \"{USER}\"\ntoken = {{ file = \"{}\" }}", path.display()));
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n\
             channels = [\"{}\"]\nevent = {{ name = \"kind\" }}\n{}\n",
            topic(entry.private),
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        publish(self.address, topic(private), self.manner, &["-V", "311"], messages).await
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err(NO_HISTORY));
        }
        self.process.kill()?;
        fs::remove_dir_all(self.folder.join("jetstream"))?;
        self.process.start_anew(async || knows_no_five(self.address).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        if life.is_some() { Err(NO_END) } else { Ok(PASSWORD.to_owned()) }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        configure(&self.folder, self.address, "another")?;
        // It reads its settings again, and ends who came by another password.
        self.signal(Signal::HUP)?;
        Ok(Ok(()))
    }

    async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
        match name {
            RETAINED => retained(stand, |broker| &mut broker.manner).await,
            AGAIN => again(stand).await,
            other => anyhow::bail!("no scenario `{other}`"),
        }
    }
}

/// H3: what comes again because a wall stood still for a moment is one event.
async fn again(stand: &mut Stand<Old>) -> Result<()> {
    let links = |report: &Report| report.value["sources"]["ops"]["reconnects"].clone();
    stand.is_live("the beginning").await?;
    for _ in 0..TRIES {
        stand.follows().await?;
        let (published, before) = (stand.published(), stand.equals(None).await?);
        stand.wall.signal(Signal::STOP)?;
        stand.publish(20).await?;
        tokio::time::sleep(STILL).await;
        stand.wall.signal(Signal::CONT)?;
        stand.follows().await?;
        let after = stand.equals(None).await?;
        let (most, count) = (before.count().map(|count| count + stand.published() - published), after.count());
        ensure!(count <= most, "{count:?} counted where there were {most:?}");
        if links(&before) == links(&after) {
            return Ok(());
        }
    }
    anyhow::bail!("it always went on by another link, on which nothing comes again")
}
