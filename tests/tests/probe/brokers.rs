//! Real brokers, where they are installed.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use watchfloor_tests::faults::process::free_port;

use super::serve::{Publisher, becomes_a_wall, is_in_no_file, probe, text, wall_with_data, write_own};

/// For a start on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PASSWORD: &str = "hush-90b2c3";

/// A broker's process. It is killed when this is dropped.
struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Broker {
    fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut broker = Self(child.context("the broker")?);
        let (began, (_stop, never)) = (Instant::now(), channel::<()>());
        while TcpStream::connect(address).is_err() {
            ensure!(began.elapsed() < START_MAX, "the broker doesn't listen");
            ensure!(broker.0.try_wait()?.is_none(), "the broker ended");
            let _ = never.recv_timeout(LOOK_EVERY);
        }
        Ok(broker)
    }
}

/// Where a program is, also where only an administrator looks. If it isn't installed, that is said.
#[expect(clippy::print_stderr, reason = "who reads the test's output must see that it proved nothing")]
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("not run: {name} is missing; scripts/interop.sh installs it");
    }
    found
}

fn free_address() -> Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, free_port()?).into())
}

fn reading(number: u64) -> String {
    json!({"sensor": format!("S{}", number % 3), "level": number % 9}).to_string()
}

/// Sends a command to a Redis, and takes its answer of one line.
fn say(stream: &mut TcpStream, words: &[&str]) -> io::Result<()> {
    write!(stream, "*{}\r\n", words.len())?;
    for word in words {
        write!(stream, "${}\r\n{word}\r\n", word.len())?;
    }
    let mut answer = [0; 64];
    let length = stream.read(&mut answer)?;
    assert!(matches!(answer.first(), Some(b'+' | b':')), "{}", String::from_utf8_lossy(&answer[..length]));
    Ok(())
}

/// The probe's words on standard error, where it failed.
fn refusal(url: &str, more: &[&str], folder: &Path) -> Result<String> {
    let found = probe(url, more, &folder.join("none.toml"))?;
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    Ok(text(&found.stderr))
}

/// A Redis with a password, of which every channel of Pub/Sub is listened to.
#[test]
fn a_redis_becomes_a_wall() -> Result<()> {
    let Some(server) = program("redis-server") else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let mut command = Command::new(server);
    let port = address.port().to_string();
    command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD]);
    command.current_dir(folder.path());
    let _broker = Broker::start(command, address)?;
    let mut stream = TcpStream::connect(address)?;
    say(&mut stream, &["AUTH", PASSWORD])?;
    let _publisher = Publisher::each(move |number| say(&mut stream, &["PUBLISH", "levels", &reading(number)]));

    let (url, out) = (format!("redis://{address}"), folder.path().join("board.toml"));
    let said = refusal(&url, &[], folder.path())?;
    assert!(said.contains("redis is spoken there, and it denies access") && said.contains("--token-file"), "{said}");
    let wrong = write_own(&folder.path().join("wrong"), "hush-00000000")?;
    let said = refusal(&url, &["--token-file", &wrong], folder.path())?;
    assert!(said.contains("was shown: see that it is the right one") && !said.contains("hush"), "{said}");
    let password = write_own(&folder.path().join("password"), PASSWORD)?;
    let found = probe(&url, &["--token-file", &password], &out)?;
    let said = text(&found.stderr);
    assert!(found.status.code() == Some(0) && !said.contains("hush"), "{said}");
    let data = folder.path().join("data");
    let report = wall_with_data(&out, &data, &[])?;
    assert_eq!(report["widgets"]["by-sensor"]["value"].as_array().map(Vec::len), Some(3), "{report}");
    is_in_no_file(PASSWORD, &data)
}

/// A packet of MQTT.
fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).ok().filter(|length| *length < 128).expect("a short packet");
    [&[kind, length], body].concat()
}

/// A field of a packet: a text behind its length.
fn field(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short text");
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

/// A broker of MQTT, of which every topic is listened to.
#[test]
fn an_mqtt_broker_becomes_a_wall() -> Result<()> {
    let Some(server) = program("mosquitto") else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let config = folder.path().join("mosquitto.conf");
    // Else it becomes another user, who may not read the folder.
    let user = if rustix::process::getuid().is_root() { "user root\n" } else { "" };
    fs::write(&config, format!("listener {} 127.0.0.1\nallow_anonymous true\n{user}", address.port()))?;
    let mut command = Command::new(server);
    command.arg("-c").arg(&config);
    let _broker = Broker::start(command, address)?;
    let mut stream = TcpStream::connect(address)?;
    // 3.1.1, a clean session, and no end of silence.
    let connect = [&field("MQTT")[..], &[4, 2, 0, 0], &field("publisher")].concat();
    stream.write_all(&packet(0x10, &connect))?;
    let mut taken = [0; 4];
    stream.read_exact(&mut taken)?;
    ensure!(taken == [0x20, 2, 0, 0], "{taken:?}");
    let _publisher = Publisher::each(move |number| {
        let publish = [&field("plant/levels")[..], reading(number).as_bytes()].concat();
        stream.write_all(&packet(0x30, &publish))
    });

    let (url, out) = (format!("mqtt://{address}"), folder.path().join("board.toml"));
    let found = probe(&url, &[], &out)?;
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let board = fs::read_to_string(&out)?;
    assert!(board.contains("channels = [\"#\"]") && board.contains("every topic"), "{board}");
    let report = becomes_a_wall(&out)?;
    assert_eq!(report["widgets"]["by-sensor"]["value"].as_array().map(Vec::len), Some(3), "{report}");
    Ok(())
}
