//! nats-server with JetStream, installed from PyPI by `scripts/interop.sh`.

mod hall;
mod keys;
mod own;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    time::timeout,
};

use self::keys::{Key, Operator};
use super::{
    example::{Setting, Told},
    peer::{Entry, Offer, Peer},
    process::{Launch, Place, Process, listens},
    stand::{Stand, keep_secret},
    tls::Tls,
};
use crate::program::root;

/// Messages that a stream keeps: as many as a flood has, for a consumer that is behind must not be overtaken by the trimming.
const HISTORY: usize = 100_000;
/// Messages sent until they are acknowledged.
const BATCH: usize = 500;
const PASSWORD: &str = "interop";
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Nobody answers where nobody leads: then it is asked anew.
const LEADS_MAX: Duration = Duration::from_secs(3);
/// The streams, public and private: a name and the subject that is published on.
const STREAMS: [(&str, &str); 2] = [("OPEN", "open.ticks"), ("CLOSED", "closed.ticks")];
/// A subject that no stream keeps.
const PLAIN: &str = "plain.ticks";
/// What nobody is known by.
const NOBODY: &str = "none-that-anybody-gave";

/// A server that keeps its streams in files.
pub(super) struct Nats {
    /// The first is the one that is published to.
    nodes: Vec<Node>,
    version: String,
    /// By what it knows who comes.
    knows: Knows,
    /// The wall's, where it comes by an nkey.
    nkey: Key,
    /// Where the wall's part of it is kept, for what only this protocol has.
    credentials: PathBuf,
    /// Events go where no stream keeps them.
    is_plain: bool,
}

/// By what a server knows who comes: a server has one of these.
enum Knows {
    /// A user's name and password, or a user's nkey.
    Users,
    /// Nothing: whoever comes may do everything.
    Anybody,
    /// One token for all.
    Token,
    /// JWTs that an operator's account vouches for.
    Jwts(Box<Operator>),
}

impl Knows {
    /// What the publisher says of itself to a server that drew this.
    fn introduce(&self, nonce: &str) -> Result<Value> {
        Ok(match self {
            Self::Anybody => json!({}),
            Self::Users => json!({ "user": "publisher", "pass": PASSWORD }),
            Self::Token => json!({ "auth_token": PASSWORD }),
            Self::Jwts(operator) => operator.introduce(nonce).map_err(anyhow::Error::msg)?,
        })
    }
}

/// One server.
struct Node {
    process: Process,
    place: Place,
}

/// A connection of the publisher's.
struct Publisher {
    stream: BufStream<TcpStream>,
}

impl Publisher {
    async fn connect(address: SocketAddr, knows: &Knows) -> Result<Self> {
        let mut publisher = Self { stream: BufStream::new(TcpStream::connect(address).await?) };
        let info: Value = serde_json::from_str(publisher.line().await?.trim_start_matches("INFO "))?;
        let mut connect = knows.introduce(info["nonce"].as_str().unwrap_or_default())?;
        for (name, value) in [("verbose", json!(false)), ("headers", json!(true)), ("protocol", json!(1))] {
            connect[name] = value;
        }
        publisher.send(&format!("CONNECT {connect}\r\nSUB _INBOX.publisher.* 1\r\nPING\r\n")).await?;
        while publisher.line().await? != "PONG" {}
        Ok(publisher)
    }

    async fn send(&mut self, text: &str) -> Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await?;
        Ok(())
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = timeout(ANSWER_MAX, self.stream.read_line(&mut line)).await??;
        ensure!(read > 0, "the server ended the publisher's connection");
        let line = line.trim_end();
        ensure!(!line.starts_with("-ERR"), "{line}");
        Ok(line.to_owned())
    }

    /// The next message's body.
    async fn answer(&mut self) -> Result<Value> {
        loop {
            let line = self.line().await?;
            if line == "PING" {
                self.send("PONG\r\n").await?;
            }
            let is_message = line.starts_with("MSG ") || line.starts_with("HMSG ");
            let Some(size) = line.rsplit(' ').next().filter(|_| is_message) else { continue };
            let mut body = vec![0; size.parse::<usize>().context("a size")? + 2];
            timeout(ANSWER_MAX, self.stream.read_exact(&mut body)).await??;
            // A status, as there is nobody who answers, has no JSON.
            return serde_json::from_slice(&body).with_context(|| String::from_utf8_lossy(&body).into_owned());
        }
    }

    async fn request(&mut self, subject: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        self.send(&format!("PUB {subject} _INBOX.publisher.1 {}\r\n{body}\r\n", body.len())).await?;
        self.answer().await
    }

    /// Publishes to whoever is there.
    async fn tell(&mut self, subject: &str, messages: &[Value]) -> Result<()> {
        let mut text = String::new();
        for message in messages {
            let body = message.to_string();
            text.push_str(&format!("PUB {subject} {}\r\n{body}\r\n", body.len()));
        }
        self.send(&format!("{text}PING\r\n")).await?;
        while self.line().await? != "PONG" {}
        Ok(())
    }

    /// Publishes with an acknowledgement for each message.
    async fn publish(&mut self, subject: &str, messages: &[Value]) -> Result<()> {
        let mut text = String::new();
        for message in messages {
            let body = message.to_string();
            text.push_str(&format!("PUB {subject} _INBOX.publisher.1 {}\r\n{body}\r\n", body.len()));
        }
        self.send(&text).await?;
        for _ in messages {
            let answer = self.answer().await?;
            ensure!(answer["seq"].is_u64(), "{answer}");
        }
        Ok(())
    }
}

/// Makes the streams, unless they are there.
async fn prepare(address: SocketAddr, knows: &Knows, nodes: usize) -> Result<()> {
    let mut publisher = Publisher::connect(address, knows).await?;
    for (name, subject) in STREAMS {
        let config = json!({
            "name": name, "subjects": [subject], "storage": "file", "retention": "limits", "discard": "old",
            "max_msgs": HISTORY, "num_replicas": nodes,
        });
        let answer = publisher.request(&format!("$JS.API.STREAM.CREATE.{name}"), &config).await?;
        ensure!(answer.get("error").is_none(), "{answer}");
    }
    Ok(())
}

/// A probe: each stream has somebody who leads.
async fn is_led(address: SocketAddr, knows: &Knows) -> Result<()> {
    let mut publisher = Publisher::connect(address, knows).await?;
    for (name, _) in STREAMS {
        let answer = publisher.request(&format!("$JS.API.STREAM.INFO.{name}"), &json!({})).await?;
        ensure!(answer["cluster"]["leader"].is_string(), "{answer}");
    }
    Ok(())
}

/// Who may come. `knows_wall` is whether what the wall shows is good.
fn access(knows: &Knows, nkey: &Key, knows_wall: bool) -> Result<String> {
    let users = match knows {
        Knows::Anybody => return Ok(String::new()),
        Knows::Token => return Ok(format!("authorization {{ token: {PASSWORD} }}")),
        Knows::Jwts(operator) => return operator.settings(knows_wall).map_err(anyhow::Error::msg),
        Knows::Users if knows_wall => {
            format!("{{ user: wall, password: {PASSWORD} }},\n    {{ nkey: {} }},", nkey.name())
        }
        Knows::Users => String::new(),
    };
    Ok(format!(
        r#"no_auth_user: guest
authorization {{
  users: [
    {{ user: publisher, password: {PASSWORD} }},
    {users}
    {{ user: guest, password: guest, permissions: {{
      subscribe: ["_INBOX.>", "{PLAIN}"],
      publish: ["$JS.API.STREAM.INFO.OPEN", "$JS.API.CONSUMER.CREATE.OPEN.>", "$JS.API.CONSUMER.INFO.OPEN.>", "$JS.FC.OPEN.>"]
    }} }}
  ]
}}"#
    ))
}

/// What the server of a place is told, of which the further address is for the others of a cluster: `access` is who may come, `routes`
/// the addresses of a cluster's.
fn write_config(place: &Place, stand: &Path, access: &str, routes: &[SocketAddr]) -> Result<()> {
    // The publisher goes on without.
    let tls = Tls::of(stand).map(|tls| {
        let [certificate, key, trusted] = tls.of_server();
        format!(
            "tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", ca_file: \"{trusted}\", verify: true }}\n\
                 allow_non_tls: true"
        )
    });
    let routes: Vec<String> = routes.iter().map(|route| format!("\"nats://{route}\"")).collect();
    let cluster = format!(
        "server_name: node-{}\ncluster {{ name: ticks, listen: \"{}\", routes: [{}] }}",
        place.address.port(),
        place.more,
        routes.join(", ")
    );
    let text = format!(
        "host: 127.0.0.1\nport: {}\nmax_payload: 8MB\n\
         jetstream {{ store_dir: \"{}\", max_mem: 64M, max_file: 512M }}\n{access}\n{}\n{}\n",
        place.address.port(),
        place.folder.join("jetstream").display(),
        tls.unwrap_or_default(),
        if routes.is_empty() { String::new() } else { cluster }
    );
    fs::write(place.folder.join("nats.conf"), text)?;
    Ok(())
}

fn launch(place: &Place) -> Launch {
    let mut command = Command::new(program());
    command.arg("-c").arg(place.folder.join("nats.conf"));
    Launch { command, log: place.folder.join("nats.log") }
}

fn program() -> PathBuf {
    root().join("target/interop/nats/bin/nats-server")
}

impl Nats {
    async fn begin(stand: &Path, nodes: usize) -> Result<std::result::Result<Self, String>> {
        if !program().is_file() {
            return Ok(Err("target/interop/nats is missing: scripts/interop.sh installs it".to_owned()));
        }
        let said = Command::new(program()).arg("--version").output().context("nats-server --version")?;
        let said = String::from_utf8_lossy(&said.stdout);
        let version = format!("nats-server {}, JetStream", said.trim().trim_start_matches("nats-server: v"));
        let places = (0..nodes).map(|_| Place::new(stand, "nats")).collect::<Result<Vec<_>>>()?;
        let routes: Vec<SocketAddr> =
            if nodes > 1 { places.iter().map(|place| place.more).collect() } else { Vec::new() };
        // Where a private stream is wanted the wall shows a user's JWT, which may have an end; a password is among what only NATS has.
        let shows_token = stand.join("token").exists();
        let knows = if shows_token { Knows::Jwts(Box::new(Operator::new()?)) } else { Knows::Users };
        let (nkey, credentials) = (Key::of_user()?, stand.join("credentials"));
        keep_secret(&credentials, NOBODY)?;
        let access = access(&knows, &nkey, true)?;
        let mut started = Vec::with_capacity(nodes);
        for place in places {
            write_config(&place, stand, &access, &routes)?;
            let process = Process::start(launch(&place), async || listens(place.address).await).await?;
            started.push(Node { process, place });
        }
        let mut own = Self { nodes: started, version, knows, nkey, credentials, is_plain: false };
        let (address, knows) = (own.address(), &own.knows);
        own.nodes[0].process.waits(async || timeout(LEADS_MAX, prepare(address, knows, nodes)).await?).await?;
        Ok(Ok(own))
    }

    /// What it is told from now on, once it reads its settings again.
    fn configure(&self, knows_wall: bool) -> Result<()> {
        let place = &self.nodes[0].place;
        let access = access(&self.knows, &self.nkey, knows_wall)?;
        write_config(place, place.folder.parent().context("a stand")?, &access, &[])
    }

    /// Another one in its place, which knows who comes by something else, and has nothing that the other had.
    async fn know_by(&mut self, knows: Knows) -> Result<()> {
        self.knows = knows;
        self.configure(true)?;
        self.restart(false).await?.map_err(anyhow::Error::msg)
    }
}

impl Peer for Nats {
    const KIND: &'static str = "nats";
    const HISTORY: Offer<usize> = Ok(HISTORY);
    const TLS: Offer<()> = Ok(());
    const SEVERAL: Offer<()> = Ok(());
    const KEPT_BY_OTHERS: bool = true;
    const OWN: &'static [&'static str] = &own::NAMES;
    const EXAMPLES: &'static [&'static str] = hall::EXAMPLES;

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        Self::begin(folder, 1).await
    }

    async fn start_for(folder: &Path, _example: &str) -> Result<std::result::Result<Self, String>> {
        hall::start(folder).await
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        Ok(hall::setting(self.address()))
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        if step == 0 { hall::tell(self).await.map(Some) } else { Ok(None) }
    }

    async fn start_several(folder: &Path) -> Result<std::result::Result<Self, String>> {
        Self::begin(folder, 3).await
    }

    async fn fail_over(&mut self) -> Result<()> {
        ensure!(self.nodes.len() > 1, "one server");
        self.nodes.remove(0).process.kill()?;
        let (Node { process, place }, knows) = (&mut self.nodes[0], &self.knows);
        process.waits(async || timeout(LEADS_MAX, is_led(place.address, knows)).await?).await
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn address(&self) -> SocketAddr {
        self.nodes[0].place.address
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let (name, _) = STREAMS[usize::from(entry.private)];
        let channel = if entry.own == Some(own::CORE) { PLAIN.to_owned() } else { format!("stream:{name}") };
        let token = match entry.own {
            None => entry.token.as_deref(),
            Some(own::CORE) => None,
            Some(_) => Some(self.credentials.as_path()),
        };
        let token = token.map(|path| format!("token = {{ file = \"{}\" }}", path.display())).unwrap_or_default();
        let user = if entry.own == Some(own::PASSWORD_OF_USER) { "user = \"wall\"\n" } else { "" };
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"nats\"\n{}\
             channels = [\"{channel}\"]\nevent = {{ name = \"kind\" }}\n{user}{token}\n",
            entry.url(["nats", "tls"], port),
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let (_, subject) = STREAMS[usize::from(private)];
        let mut publisher = Publisher::connect(self.address(), &self.knows).await?;
        if self.is_plain {
            return publisher.tell(PLAIN, messages).await;
        }
        for batch in messages.chunks(BATCH) {
            publisher.publish(subject, batch).await?;
        }
        Ok(())
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.nodes[0].process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        let (Node { process, place }, knows) = (&mut self.nodes[0], &self.knows);
        process.kill()?;
        if !keeps {
            fs::remove_dir_all(place.folder.join("jetstream"))?;
        }
        process.start_anew(async || prepare(place.address, knows, 1).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        match &self.knows {
            Knows::Jwts(operator) => operator.credentials(STREAMS[1].0, life),
            Knows::Users | Knows::Anybody | Knows::Token => Err("a password has no end"),
        }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.configure(false)?;
        // It reads its settings again.
        self.signal(Signal::HUP)?;
        Ok(Ok(()))
    }

    async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
        own::run(stand, name).await
    }
}
