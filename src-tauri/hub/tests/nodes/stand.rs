//! The programs: Redis, nodes, and what is between them and their clients.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::sleep,
};

use crate::publisher::http;

/// For a start of an unoptimised build on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// What readers' tokens are signed with.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
/// What publishers present.
pub(crate) const TOKEN: &str = "publishers-only";

/// A port that was free just now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// A program that can be killed and started anew. It is killed when it is dropped.
pub(crate) struct Program {
    name: &'static str,
    child: Option<Child>,
    command: Box<dyn Fn() -> Command + Send + Sync>,
    log: PathBuf,
    pub(crate) address: SocketAddr,
    /// Where a node's admin listener is.
    pub(crate) admin: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    pub(crate) async fn start(
        name: &'static str,
        address: SocketAddr,
        log: PathBuf,
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Self {
        let mut program = Self { name, child: None, command: Box::new(command), log, address, admin: address };
        program.start_anew().await;
        program
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill");
        assert!(sent.success(), "{name}");
    }

    /// Starts it and waits until it takes connections.
    pub(crate) async fn start_anew(&mut self) {
        self.kill();
        let log = fs::File::options().create(true).append(true).open(&self.log).expect("a log");
        let mut command = (self.command)();
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        let child = command.spawn();
        self.child = Some(
            child.unwrap_or_else(|error| panic!("{} is missing, scripts/test.sh installs it: {error}", self.name)),
        );
        let begun = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || begun.elapsed() > START_MAX {
                panic!("{} doesn't start: {ended:?}\n{}", self.name, fs::read_to_string(&self.log).unwrap_or_default());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Redis with some nodes.
pub(crate) struct Stand {
    pub(crate) folder: TempDir,
    pub(crate) redis: Program,
    pub(crate) nodes: Vec<Program>,
}

impl Stand {
    /// Redis that writes what it is told to its disk before it answers, and nodes whose files have `more` in them.
    pub(crate) async fn new(nodes: usize, more: &str) -> Self {
        Self::with("appendonly yes\nappendfsync always\n", nodes, more).await
    }

    /// Redis by other settings.
    pub(crate) async fn with(settings: &str, nodes: usize, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let redis = redis(folder.path(), "redis", settings).await;
        let engine = format!("redis = \"redis://{}\"\n", redis.address);
        let mut stand = Self { folder, redis, nodes: Vec::new() };
        for number in 0..nodes {
            let node = node(stand.folder.path(), number, &engine, more).await;
            knows(node.address).await;
            stand.nodes.push(node);
        }
        stand
    }

    /// Where the nodes are.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }
}

/// Until a node has found its engine: before that it says of everything that it can't know.
async fn knows(node: SocketAddr) {
    let (http, begun) = (http(), Instant::now());
    while !http
        .get(format!("http://{node}/v1/snapshot?channels=begins"))
        .bearer_auth(crate::revoke::token("begins"))
        .send()
        .await
        .is_ok_and(|answer| answer.status().is_success())
    {
        assert!(begun.elapsed() < START_MAX, "the node at {node} doesn't find its engine");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A Redis of its own.
pub(crate) async fn redis(folder: &Path, name: &str, settings: &str) -> Program {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let own = folder.join(name);
    fs::create_dir(&own).expect("a folder");
    let config = own.join("redis.conf");
    let text = format!(
        "bind 127.0.0.1\nport {}\ndaemonize no\nsave \"\"\nrepl-diskless-sync-delay 0\ndir {}\n{settings}",
        address.port(),
        own.display()
    );
    fs::write(&config, text).expect("its settings");
    let log = own.join("log");
    let program = Program::start("redis-server", address, log, move || {
        let mut command = Command::new("redis-server");
        command.arg(&config);
        command
    })
    .await;
    // It takes connections while it reads its file.
    while !ask(address, "PING").await.starts_with("+PONG") {
        sleep(Duration::from_millis(10)).await;
    }
    program
}

/// A node.
pub(crate) async fn node(folder: &Path, number: usize, engine: &str, more: &str) -> Program {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let own = folder.join(format!("node-{number}"));
    fs::create_dir(&own).expect("a folder");
    for (name, secret) in [("publish.token", TOKEN), ("reader.key", KEY)] {
        fs::write(own.join(name), secret).expect("a secret");
        fs::set_permissions(own.join(name), fs::Permissions::from_mode(0o600)).expect("its mode");
    }
    let config = own.join("hub.toml");
    let text = format!(
        "[hub]\nlisten = \"{address}\"\nadmin = \"{admin}\"\nheartbeat = \"500ms\"\npublish-token = {{ file = \"publish.token\" }}\n\n[engine]\n{engine}\n{more}"
    );
    fs::write(&config, text).expect("its file");
    let log = own.join("log");
    let mut program = Program::start("watchfloor-hub", address, log, move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor-hub"));
        command.arg("--config").arg(&config);
        command
    })
    .await;
    program.admin = admin;
    program
}

/// What is between a node and Redis, and may stop passing anything on without hanging up.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    holds: watch::Sender<bool>,
}

impl Wire {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (holds, held) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let held = held.clone();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(server).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::join!(pass(near_in, far_out, held.clone()), pass(far_in, near_out, held));
                });
            }
        });
        Self { address, holds }
    }

    /// Nothing passes from now on, or everything does again.
    pub(crate) fn hold(&self, holds: bool) {
        self.holds.send_replace(holds);
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut held: watch::Receiver<bool>,
) {
    let mut some = vec![0; 16 << 10];
    while let Ok(size) = from.read(&mut some).await {
        if size == 0 || held.wait_for(|held| !held).await.is_err() || to.write_all(&some[..size]).await.is_err() {
            return;
        }
    }
}

/// Sends Redis a command that is a line, and reads the first line or more of its answer.
pub(crate) async fn ask(address: SocketAddr, command: &str) -> String {
    let answered = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        let mut answer = vec![0; 4096];
        let size = stream.read(&mut answer).await?;
        answer.truncate(size);
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    answered.await.unwrap_or_default()
}
