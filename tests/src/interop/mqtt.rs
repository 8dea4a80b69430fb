//! Mosquitto and its command-line clients, installed by `scripts/interop.sh`.

mod old;
mod plant;

use std::{
    fmt::Write as _,
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tokio::{task::spawn_blocking, time::sleep};

use super::{
    example::{Setting, Told},
    peer::{Entry, Offer, Peer},
    process::{Launch, PROBE_PAUSE, Process, free_address, listens},
    stand::{FOUND_MAX, PATIENCE, Stand},
    tls::Tls,
};
use crate::faults::process::{Report, signal};

pub(super) use self::old::Old;

const USER: &str = "wall";
const PASSWORD: &str = "interop";
/// Who publishes.
const PUBLISHER: &str = "publisher";
const RETAINED: &str = "retained";
const WILL: &str = "will";

/// What a broker doesn't have.
const NO_HISTORY: &str = "MQTT keeps no history";
const NO_END: &str = "a password has no end that anybody tells";

/// How it is published.
#[derive(Clone, Copy)]
enum Manner {
    /// At least once, to whoever is there or has a session.
    Plain,
    /// The same, and kept as the topic's last.
    Retained,
    /// Kept as the topic's last, and for no session.
    RetainedAlone,
}

impl Manner {
    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["-q", "1"],
            Self::Retained => &["-q", "1", "-r"],
            // What is sent at most once waits for nobody who isn't there.
            Self::RetainedAlone => &["-q", "0", "-r"],
        }
    }
}

/// A broker that keeps nothing on disk.
pub(super) struct Mosquitto {
    process: Process,
    manner: Manner,
    folder: PathBuf,
    passwords: PathBuf,
    address: SocketAddr,
    secure: SocketAddr,
    version: String,
}

fn topic(private: bool) -> &'static str {
    if private { "closed/ticks" } else { "open/ticks" }
}

/// Where a program is, also where only an administrator looks.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Adds a user to the password file, or changes their password.
fn keep_password(file: &Path, user: &str, password: &str) -> Result<()> {
    let mut command = Command::new("mosquitto_passwd");
    command.arg("-b");
    if !file.exists() {
        command.arg("-c");
    }
    let output = command.arg(file).args([user, password]).output().context("mosquitto_passwd")?;
    ensure!(output.status.success(), "mosquitto_passwd: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

impl Peer for Mosquitto {
    const KIND: &'static str = "mqtt";
    const HISTORY: Offer<usize> = Err(NO_HISTORY);
    const TLS: Offer<()> = Ok(());
    const BIRTHS: Offer<()> = Ok(());
    const OWN: &'static [&'static str] = &[RETAINED, WILL];
    const EXAMPLES: &'static [&'static str] = plant::EXAMPLES;

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let publisher = program("mosquitto_pub");
        let Some(program) = program("mosquitto").filter(|_| publisher.is_some()) else {
            return Ok(Err("mosquitto or mosquitto_pub is missing: scripts/interop.sh installs both".to_owned()));
        };
        let address = free_address()?;
        let [config, passwords, rights] =
            ["conf", "passwords", "rights"].map(|name| folder.join("mosquitto").with_extension(name));
        keep_password(&passwords, USER, PASSWORD)?;
        keep_password(&passwords, PUBLISHER, PASSWORD)?;
        fs::write(
            &rights,
            format!(
                "topic read open/#\ntopic read plant/#\ntopic read status/#\ntopic read spBv1.0/#\ntopic write spBv1.0/+/NCMD/#\n\nuser {USER}\ntopic read open/#\ntopic read closed/#\n\nuser {PUBLISHER}\ntopic readwrite #\n"
            ),
        )?;
        // By default it keeps a thousand messages a client and drops what goes beyond without a word.
        let mut settings = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npassword_file {}\nacl_file {}\nmax_queued_messages 200000\npersistence false\n{}",
            address.port(),
            passwords.display(),
            rights.display(),
            // Else it becomes another user, who may not read the folder.
            if rustix::process::getuid().is_root() { "user root\n" } else { "" }
        );
        let secure = free_address()?;
        if let Some(tls) = Tls::of(folder) {
            let [certificate, key, trusted] = tls.of_server();
            write!(
                settings,
                "listener {} 127.0.0.1\ncertfile {certificate}\nkeyfile {key}\ncafile {trusted}\nrequire_certificate true\n",
                secure.port()
            )?;
        }
        fs::write(&config, settings)?;
        let help = Command::new(&program).arg("-h").output()?;
        let help = String::from_utf8_lossy(&help.stdout);
        let version = help.lines().next().unwrap_or_default().replace("mosquitto version", "Mosquitto");
        let mut command = Command::new(program);
        command.arg("-c").arg(&config);
        let launch = Launch { command, log: config.with_extension("log") };
        let process = Process::start(launch, async || listens(address).await).await?;
        let (manner, folder) = (Manner::Plain, folder.to_owned());
        Ok(Ok(Self { process, manner, folder, passwords, address, secure, version }))
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
        let token =
            entry.token.as_ref().map(|path| format!("user = \"{USER}\"\ntoken = {{ file = \"{}\" }}", path.display()));
        let channels = if entry.plant {
            "channels = [\"spBv1.0/Plant/#\"]\nsparkplug = \"rebirth\"\n".to_owned()
        } else {
            format!("channels = [\"{}\"]\nevent = {{ name = \"kind\" }}\n", topic(entry.private))
        };
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"mqtt\"\n{}{channels}{}\n",
            entry.url(["mqtt", "mqtts"], port),
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        self.publish_to(topic(private), self.manner, messages).await
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        Ok(plant::setting(self.address))
    }

    async fn start_for(folder: &Path, example: &str) -> Result<std::result::Result<Self, String>> {
        plant::start(folder, example).await
    }

    async fn tell_example(&mut self, example: &str, step: usize) -> Result<Option<Told>> {
        plant::tell(self, example, step).await
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err(NO_HISTORY));
        }
        self.process.kill()?;
        self.process.start_anew(async || listens(self.address).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        match life {
            Some(_) => Err(NO_END),
            None => Ok(PASSWORD.to_owned()),
        }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        keep_password(&self.passwords, USER, "another")?;
        // It reads its passwords again, and ends who came by another one.
        self.signal(Signal::HUP)?;
        Ok(Ok(()))
    }

    async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
        match name {
            RETAINED => retained(stand, |broker| &mut broker.manner).await,
            WILL => will(stand).await,
            other => anyhow::bail!("no scenario `{other}`"),
        }
    }
}

impl Mosquitto {
    /// Publishes these to a topic.
    async fn publish_to(&self, topic: &str, manner: Manner, messages: &[Value]) -> Result<()> {
        publish(self.address, topic, manner, &[], messages).await
    }

    /// A client of the broker's with a will. It is killed when it is dropped; what it hears stands in `log`.
    fn listener(&self, topic: &str, log: &Path, will: &[&str]) -> Result<Client> {
        let mut command = Command::new("mosquitto_sub");
        let port = self.address.port().to_string();
        command.args(["-h", "127.0.0.1", "-p", &port, "-u", PUBLISHER, "-P", PASSWORD, "-t", topic]).args(will);
        command.stdin(Stdio::null()).stdout(fs::File::create(log)?).stderr(Stdio::inherit());
        Ok(Client(command.spawn().context("mosquitto_sub")?))
    }
}

/// Publishes these to a topic by Mosquitto's own client, with more arguments for it.
async fn publish(
    broker: SocketAddr,
    topic: &str,
    manner: Manner,
    more: &'static [&'static str],
    messages: &[Value],
) -> Result<()> {
    let lines: String = messages.iter().map(|message| format!("{message}\n")).collect();
    let (port, topic) = (broker.port().to_string(), topic.to_owned());
    let output = spawn_blocking(move || {
        let mut child = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port, "-u", PUBLISHER, "-P", PASSWORD])
            .args(manner.arguments())
            .args(more)
            .args(["-l", "-t", &topic])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("mosquitto_pub")?;
        // Dropped at once, so that it ends.
        child.stdin.take().context("its input")?.write_all(lines.as_bytes())?;
        anyhow::Ok(child.wait_with_output()?)
    })
    .await??;
    ensure!(output.status.success(), "mosquitto_pub: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// H3: what a topic retains is there when a wall comes, and what replaced it meanwhile when it comes back; what nothing retained isn't,
/// which it says.
async fn retained<P: Peer>(stand: &mut Stand<P>, manner: fn(&mut P) -> &mut Manner) -> Result<()> {
    stand.is_live("the beginning").await?;
    stand.wall.kill()?;
    *manner(&mut stand.peer) = Manner::Retained;
    stand.publish(3).await?;
    *manner(&mut stand.peer) = Manner::Plain;
    stand.publish(1).await?;
    stand.start_wall()?;
    let report = stand.shows(3).await?;
    ensure!(report.count() == Some(1), "{:?} counted, and one is retained", report.count());
    stand.line.set(|line| line.cut = true);
    stand.says(&["down", "stale"], FOUND_MAX).await?;
    *manner(&mut stand.peer) = Manner::RetainedAlone;
    stand.publish(1).await?;
    stand.line.set(|line| line.cut = false);
    let report = stand.shows(5).await?;
    ensure!(report.count() == Some(2), "{:?} counted, and two were retained", report.count());
    let says_less = report.value["widgets"]["count"]["at_least"] == true;
    ensure!(report.continuity() == "unknown" && says_less, "nothing says that some may be missing");
    // The same once more says nothing new.
    stand.line.drop_all();
    *manner(&mut stand.peer) = Manner::Plain;
    stand.follows().await?;
    let (all, report) = (stand.published(), stand.equals(None).await?);
    ensure!(report.count() <= Some(all - 3), "{:?} counted of {all}, of which three never came", report.count());
    Ok(())
}

/// A client of the broker's. It is killed when it is dropped.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client that is lost has its will told, and one that leaves hasn't.
async fn will(stand: &mut Stand<Mosquitto>) -> Result<()> {
    stand.is_live("the beginning").await?;
    for (which, is_told) in [(Signal::TERM, false), (Signal::KILL, true)] {
        let (before, log) = (stand.published(), stand.peer.folder.join(format!("will-{is_told}.log")));
        // The number of what it may be told after.
        let last = before + 11;
        let said = format!("{{\"kind\":\"tick\",\"n\":{last}}}");
        let will = ["--will-topic", topic(false), "--will-payload", &said, "--will-qos", "1"];
        let mut client = stand.peer.listener(topic(false), &log, &will)?;
        // It is there when it hears something.
        let begun = Instant::now();
        while !fs::read_to_string(&log)?.contains("tick") {
            ensure!(begun.elapsed() < PATIENCE && stand.published() < before + 10, "it hears nothing");
            stand.publish(1).await?;
            sleep(PROBE_PAUSE).await;
        }
        let rest = before + 10 - stand.published();
        stand.publish(rest).await?;
        stand.equals(Some(before + 10)).await?;
        signal(&client.0, which)?;
        if is_told {
            let is_there = |report: &Report| {
                report.value["widgets"]["newest"]["value"].as_f64() == Some(last as f64) && report.count() == Some(last)
            };
            stand.wall.wait("the will", Instant::now(), FOUND_MAX, is_there).await?;
        } else {
            // The broker has seen it leave, and what it had to tell would come before what is published next.
            let begun = Instant::now();
            while client.0.try_wait()?.is_none() {
                ensure!(begun.elapsed() < PATIENCE, "it doesn't leave");
                sleep(PROBE_PAUSE).await;
            }
        }
    }
    Ok(())
}
