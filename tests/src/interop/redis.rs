//! Redis, Debian's own: a stream as one kind of row, a channel of Pub/Sub as the other.

use std::{
    fmt::Write as _,
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
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, free_address},
    tls::Tls,
};

/// Entries that the stream keeps: so many that a wall that is slower than a flood isn't left behind by it.
const HISTORY: usize = 100_000;
const PASSWORD: &str = "interop";

/// A server that keeps what it has in a log.
pub(super) struct Redis<const PUBSUB: bool> {
    process: Process,
    folder: PathBuf,
    address: SocketAddr,
    secure: SocketAddr,
    version: String,
}

/// With a stream.
pub(super) type Streams = Redis<false>;
/// With a channel.
pub(super) type PubSub = Redis<true>;

impl<const PUBSUB: bool> Redis<PUBSUB> {
    /// The stream's key, or the channel.
    const fn name(private: bool) -> &'static str {
        if private { "closed:ticks" } else { "open:ticks" }
    }
}

/// A probe: while it reads its log it answers with an error.
async fn is_up(address: SocketAddr) -> Result<()> {
    ask(address, &[&["PING"]]).await
}

/// Sends commands, and reads an answer of one value to each. An error is one.
async fn ask(address: SocketAddr, commands: &[&[&str]]) -> Result<()> {
    let mut bytes = String::new();
    for words in commands {
        write!(bytes, "*{}\r\n", words.len())?;
        for word in *words {
            write!(bytes, "${}\r\n{word}\r\n", word.len())?;
        }
    }
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(bytes.as_bytes()).await?;
    let mut line = String::new();
    for words in commands {
        line.clear();
        ensure!(stream.read_line(&mut line).await? > 0, "it hung up");
        ensure!(!line.starts_with('-'), "{words:?}: {}", line.trim_end());
        if line.starts_with('$') {
            stream.read_line(&mut line).await?;
        }
    }
    Ok(())
}

/// A field as a stream has it.
fn field(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl<const PUBSUB: bool> Peer for Redis<PUBSUB> {
    const KIND: &'static str = if PUBSUB { "redis-pubsub" } else { "redis" };
    const HISTORY: Offer<usize> = if PUBSUB { Err("Pub/Sub keeps nothing") } else { Ok(HISTORY) };
    const TLS: Offer<()> = Ok(());

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let Ok(version) = Command::new("redis-server").arg("--version").output() else {
            return Ok(Err("redis-server is missing: scripts/interop.sh installs it".to_owned()));
        };
        let version = String::from_utf8(version.stdout)?;
        let number = version.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("of some version");
        let address = free_address()?;
        let secure = free_address()?;
        let mut settings = format!(
            "bind 127.0.0.1\nport {}\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync everysec\ndir {}\n\
             user wall on >{PASSWORD} resetchannels ~closed:* &closed:* -@all +@read +@pubsub +@connection +@transaction\n",
            address.port(),
            folder.display()
        );
        if let Some(tls) = Tls::of(folder) {
            let path = |name| tls.file(name).display().to_string();
            write!(
                settings,
                "tls-port {}\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\ntls-auth-clients yes\n",
                secure.port(),
                path("server.pem"),
                path("server.key"),
                path("ca.pem")
            )?;
        }
        let config = folder.join("redis.conf");
        fs::write(&config, settings)?;
        let mut command = Command::new("redis-server");
        command.arg(config);
        let launch = Launch { command, log: folder.join("redis.log") };
        let process = Process::start(launch, async || is_up(address).await).await?;
        let version = format!("Redis {number}, {}", if PUBSUB { "Pub/Sub" } else { "a stream" });
        Ok(Ok(Self { process, folder: folder.to_owned(), address, secure, version }))
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn secure_address(&self) -> SocketAddr {
        self.secure
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let way = if PUBSUB { "" } else { "stream:" };
        let token =
            entry.token.as_ref().map(|path| format!("user = \"wall\"\ntoken = {{ file = \"{}\" }}", path.display()));
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"redis\"\n{}\
             channels = [\"{way}{}\"]\nevent = {{ name = \"kind\" }}\n{}\n",
            entry.url(["redis", "rediss"], port),
            Self::name(entry.private),
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let (name, room) = (Self::name(private), HISTORY.to_string());
        let mut commands: Vec<Vec<String>> = Vec::with_capacity(messages.len());
        for message in messages {
            let mut words: Vec<String> = if PUBSUB {
                vec!["PUBLISH".into(), name.into(), message.to_string()]
            } else {
                ["XADD", name, "MAXLEN", &room, "*"].map(String::from).into()
            };
            if !PUBSUB {
                let fields = message.as_object().context("an object")?;
                words.extend(fields.iter().flat_map(|(name, value)| [name.clone(), field(value)]));
            }
            commands.push(words);
        }
        let commands: Vec<Vec<&str>> =
            commands.iter().map(|words| words.iter().map(String::as_str).collect()).collect();
        let commands: Vec<&[&str]> = commands.iter().map(Vec::as_slice).collect();
        ask(self.address, &commands).await
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps && PUBSUB {
            return Ok(Err("Pub/Sub keeps nothing"));
        }
        self.process.kill()?;
        if !keeps {
            fs::remove_dir_all(self.folder.join("appendonlydir"))?;
        }
        self.process.start_anew(async || is_up(self.address).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        if life.is_some() { Err("a password has no end") } else { Ok(PASSWORD.to_owned()) }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        // That alone ends no connection.
        ask(self.address, &[&["ACL", "SETUSER", "wall", "off"], &["CLIENT", "KILL", "USER", "wall"]]).await?;
        Ok(Ok(()))
    }
}
