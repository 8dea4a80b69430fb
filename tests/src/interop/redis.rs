//! Redis, Debian's own: a stream as one kind of row, a channel of Pub/Sub as the other.

use std::{fmt::Write as _, fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{
    example::{Setting, Told},
    peer::{Entry, Offer, Peer},
    process::{Launch, Place, Process},
    sentinel::Watch,
    tls::Tls,
};

/// Entries that the stream keeps: so many that a wall that is slower than a flood isn't left behind by it.
const HISTORY: usize = 100_000;
const PASSWORD: &str = "interop";
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A server that keeps what it has in a log.
pub(super) struct Redis<const PUBSUB: bool> {
    process: Process,
    /// Who takes over from it, and who says so.
    watch: Option<Watch>,
    place: Place,
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

/// How a server is started at a place, of which the further address is for TLS.
pub(super) fn launch(place: &Place, stand: &Path, more: &str) -> Result<Launch> {
    let mut settings = format!(
        "bind 127.0.0.1\nport {}\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync everysec\ndir {}\n\
             user wall on >{PASSWORD} resetchannels ~closed:* &closed:* -@all +@read +@pubsub +@connection +@transaction\n{more}",
        place.address.port(),
        place.folder.display()
    );
    if let Some(tls) = Tls::of(stand) {
        let [certificate, key, trusted] = tls.of_server();
        write!(
            settings,
            "tls-port {}\ntls-cert-file {certificate}\ntls-key-file {key}\ntls-ca-cert-file {trusted}\ntls-auth-clients yes\n",
            place.more.port()
        )?;
    }
    let config = place.folder.join("redis.conf");
    fs::write(&config, settings)?;
    let mut command = Command::new("redis-server");
    command.arg(config);
    Ok(Launch { command, log: place.folder.join("redis.log") })
}

/// The program's version, or why there is none.
fn installed() -> Result<std::result::Result<String, String>> {
    let Ok(version) = Command::new("redis-server").arg("--version").output() else {
        return Ok(Err("redis-server is missing: scripts/interop.sh installs it".to_owned()));
    };
    let version = String::from_utf8(version.stdout)?;
    let number = version.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("of some version");
    Ok(Ok(number.to_owned()))
}

/// A probe: while it reads its log it answers with an error.
pub(super) async fn is_up(address: SocketAddr) -> Result<()> {
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
    for words in commands {
        let line = line(&mut stream).await.with_context(|| format!("{words:?}"))?;
        if line.starts_with('$') {
            self::line(&mut stream).await?;
        }
    }
    Ok(())
}

/// Sends one command that is a line, and reads the lines of its answer: as many as `lines`.
pub(super) async fn say(address: SocketAddr, command: &str, lines: usize) -> Result<Vec<String>> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(format!("{command}\r\n").as_bytes()).await?;
    let mut answer = Vec::with_capacity(lines);
    for _ in 0..lines {
        answer.push(line(&mut stream).await.with_context(|| command.to_owned())?);
    }
    Ok(answer)
}

async fn line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    ensure!(timeout(ANSWER_MAX, stream.read_line(&mut line)).await?? > 0, "it hung up");
    let line = line.trim_end();
    ensure!(!line.starts_with('-'), "{line}");
    Ok(line.to_owned())
}

/// A field as a stream has it.
fn field(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl<const PUBSUB: bool> Peer for Redis<PUBSUB> {
    const KIND: &'static str = if PUBSUB { "redis-pubsub" } else { "redis" };
    const HISTORY: Offer<usize> = if PUBSUB { Err("Pub/Sub keeps nothing") } else { Ok(HISTORY) };
    const EXAMPLES: &'static [&'static str] = if PUBSUB { &[] } else { &["example redis.toml"] };
    const TLS: Offer<()> = Ok(());
    const SEVERAL: Offer<()> = if PUBSUB { Err("Sentinel is the same for both: see `redis`") } else { Ok(()) };

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let number = match installed()? {
            Ok(number) => number,
            Err(why) => return Ok(Err(why)),
        };
        let place = Place::new(folder, "redis")?;
        let process = Process::start(launch(&place, folder, "")?, async || is_up(place.address).await).await?;
        let version = format!("Redis {number}, {}", if PUBSUB { "Pub/Sub" } else { "a stream" });
        Ok(Ok(Self { process, watch: None, place, version }))
    }

    async fn start_several(folder: &Path) -> Result<std::result::Result<Self, String>> {
        Ok(match Self::start(folder).await? {
            Ok(master) => Ok(Self { watch: Some(Watch::start(folder, master.place.address).await?), ..master }),
            Err(why) => Err(why),
        })
    }

    async fn fail_over(&mut self) -> Result<()> {
        let watch = self.watch.as_mut().context("one server")?;
        watch.has_all(self.place.address).await?;
        self.process.kill()?;
        self.place = watch.takes_over(self.place.address).await?;
        Ok(())
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn address(&self) -> SocketAddr {
        self.watch.as_ref().map_or(self.place.address, Watch::address)
    }

    fn secure_address(&self) -> SocketAddr {
        self.place.more
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let way = if PUBSUB { "" } else { "stream:" };
        let token =
            entry.token.as_ref().map(|path| format!("user = \"wall\"\ntoken = {{ file = \"{}\" }}", path.display()));
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"redis\"\n{}\
             channels = [\"{way}{}\"]\nevent = {{ name = \"kind\" }}\n{}\n",
            if self.watch.is_some() { Watch::url(port) } else { entry.url(["redis", "rediss"], port) },
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
        ask(self.place.address, &commands).await
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
            fs::remove_dir_all(self.place.folder.join("appendonlydir"))?;
        }
        self.process.start_anew(async || is_up(self.place.address).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        if life.is_some() { Err("a password has no end") } else { Ok(PASSWORD.to_owned()) }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        // That alone ends no connection.
        ask(self.place.address, &[&["ACL", "SETUSER", "wall", "off"], &["CLIENT", "KILL", "USER", "wall"]]).await?;
        Ok(Ok(()))
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        Ok(Setting::at("redis://127.0.0.1:6379", format!("redis://{}", self.place.address)))
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        if step > 0 {
            return Ok(None);
        }
        let add = |order, total| {
            ["XADD", "orders", "MAXLEN", "~", "10000", "*", "type", "paid", "order", order, "total", total]
        };
        let alert = json!({ "text": "Card terminal 3 does not answer" }).to_string();
        ask(self.place.address, &[&add("A-1001", "49.90"), &add("A-1002", "20.20"), &["PUBLISH", "alerts", &alert]])
            .await?;
        Ok(Some(Told::new([
            ("paid-today", json!(2)),
            ("turnover-today", json!(70.1)),
            ("orders-per-minute", json!(0.2)),
            ("last-orders", json!(["A-1002: 20.2 €", "A-1001: 49.9 €"])),
            ("alerts", json!(["Card terminal 3 does not answer"])),
        ])))
    }
}
