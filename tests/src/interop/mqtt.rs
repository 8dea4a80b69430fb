//! Mosquitto and its command-line clients, installed by `scripts/interop.sh`.

use std::{
    fmt::Write as _,
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, free_address, listens},
    tls::Tls,
};

const USER: &str = "wall";
const PASSWORD: &str = "interop";
/// Who publishes.
const PUBLISHER: &str = "publisher";

/// A broker that keeps nothing on disk.
pub(super) struct Mosquitto {
    process: Process,
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
    const HISTORY: Offer<usize> = Err("MQTT keeps no history");
    const TLS: Offer<()> = Ok(());
    const BIRTHS: Offer<()> = Ok(());

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
                "topic read open/#\ntopic read spBv1.0/#\ntopic write spBv1.0/+/NCMD/#\n\nuser {USER}\ntopic read open/#\ntopic read closed/#\n\nuser {PUBLISHER}\ntopic readwrite #\n"
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
        Ok(Ok(Self { process, passwords, address, secure, version }))
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
        self.process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err("MQTT keeps no history"));
        }
        self.process.kill()?;
        self.process.start_anew(async || listens(self.address).await).await?;
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
