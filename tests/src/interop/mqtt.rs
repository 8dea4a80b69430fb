//! Mosquitto and its command-line clients, installed by `scripts/interop.sh`.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tokio::{net::TcpStream, task::spawn_blocking, time::sleep};

use super::{
    peer::{Entry, Offer, Peer},
    tls::Tls,
};
use crate::faults::process::{free_port, signal};

const USER: &str = "wall";
const PASSWORD: &str = "interop";
/// Who publishes.
const PUBLISHER: &str = "publisher";
const START_MAX: Duration = Duration::from_secs(30);

/// A broker that keeps nothing on disk.
pub(super) struct Mosquitto {
    child: Child,
    program: PathBuf,
    config: PathBuf,
    passwords: PathBuf,
    address: SocketAddr,
    secure: SocketAddr,
    version: String,
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Mosquitto {
    async fn is_up(&mut self) -> Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.config.with_extension("log"))?;
                anyhow::bail!("it ended: {status}: {}", log.lines().last().unwrap_or_default());
            }
            ensure!(begun.elapsed() < START_MAX, "it doesn't answer");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn topic(private: bool) -> &'static str {
    if private { "closed/ticks" } else { "open/ticks" }
}

fn spawn(program: &Path, config: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(config.with_extension("log"))?;
    let mut command = Command::new(program);
    command.arg("-c").arg(config).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("mosquitto")
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
    const HISTORY: Offer<usize> = Err("MQTT keeps no history");
    const TLS: Offer<()> = Ok(());

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let publisher = program("mosquitto_pub");
        let Some(program) = program("mosquitto").filter(|_| publisher.is_some()) else {
            return Ok(Err("mosquitto or mosquitto_pub is missing: scripts/interop.sh installs both".to_owned()));
        };
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let [config, passwords, rights] =
            ["conf", "passwords", "rights"].map(|name| folder.join("mosquitto").with_extension(name));
        keep_password(&passwords, USER, PASSWORD)?;
        keep_password(&passwords, PUBLISHER, PASSWORD)?;
        fs::write(
            &rights,
            format!(
                "topic read open/#\n\nuser {USER}\ntopic read open/#\ntopic read closed/#\n\nuser {PUBLISHER}\ntopic readwrite #\n"
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
        let secure: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        if let Some(tls) = Tls::of(folder) {
            let path = |name| tls.file(name).display().to_string();
            write!(
                settings,
                "listener {} 127.0.0.1\ncertfile {}\nkeyfile {}\ncafile {}\nrequire_certificate true\n",
                secure.port(),
                path("server.pem"),
                path("server.key"),
                path("ca.pem")
            )?;
        }
        fs::write(&config, settings)?;
        let help = Command::new(&program).arg("-h").output()?;
        let help = String::from_utf8_lossy(&help.stdout);
        let version = help.lines().next().unwrap_or_default().replace("mosquitto version", "Mosquitto");
        let child = spawn(&program, &config)?;
        let mut server = Self { child, program, config, passwords, address, secure, version };
        server.is_up().await?;
        Ok(Ok(server))
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
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"mqtt\"\n{}channels = [\"{}\"]\n\
             event = {{ name = \"kind\" }}\n{}\n",
            entry.url(["mqtt", "mqtts"], port),
            topic(entry.private),
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let lines: String = messages.iter().map(|message| format!("{message}\n")).collect();
        let port = self.address.port().to_string();
        let output = spawn_blocking(move || {
            let mut child = Command::new("mosquitto_pub")
                .args(["-h", "127.0.0.1", "-p", &port, "-u", PUBLISHER, "-P", PASSWORD])
                .args(["-q", "1", "-l", "-t", topic(private)])
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

    fn signal(&self, which: Signal) -> Result<()> {
        signal(&self.child, which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err("MQTT keeps no history"));
        }
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.program, &self.config)?;
        self.is_up().await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        match life {
            Some(_) => Err("a password has no end that anybody tells"),
            None => Ok(PASSWORD.to_owned()),
        }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        keep_password(&self.passwords, USER, "another")?;
        // It reads its passwords again, and ends who came by another one.
        self.signal(Signal::HUP)?;
        Ok(Ok(()))
    }
}
