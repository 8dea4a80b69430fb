//! Servers of the test's own, and the program before them.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchfloor_tests::program::program;

/// How often publishers here publish.
pub(crate) const PACE: Duration = Duration::from_millis(250);

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is asked for.
pub(crate) struct Request {
    pub(crate) path: String,
    head: Vec<String>,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.iter().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }
}

/// An HTTP server, a thread a connection, each of which answers requests until it is told no more.
pub(crate) struct Server(pub(crate) SocketAddr);

impl Server {
    pub(crate) fn start(
        answer: impl Fn(&Request, &mut TcpStream) -> io::Result<bool> + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, answer) = (listener.local_addr()?, Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                let answer = Arc::clone(&answer);
                // Whoever goes away ends its thread.
                thread::spawn(move || serve(stream, &*answer));
            }
        });
        Ok(Self(address))
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&Request, &mut TcpStream) -> io::Result<bool>) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_head(&mut lines)? {
        if !answer(&request, &mut stream)? {
            break;
        }
    }
    Ok(())
}

/// Reads the head of a request; none if nothing more comes.
pub(crate) fn read_head(lines: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    Ok(Some(Request { path, head }))
}

pub(crate) fn document(stream: &mut TcpStream, status: &str, kind: &str, body: &str) -> io::Result<bool> {
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    stream.flush().map(|()| true)
}

/// Sends events, and after each of them `beat`, until the other side goes away.
pub(crate) fn event_stream(stream: &mut TcpStream, beat: &str, event: impl Fn(u64) -> String) -> io::Result<bool> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")?;
    let (_stop, never) = channel::<()>();
    for number in 0_u64.. {
        write!(stream, "{}", event(number))?;
        stream.flush()?;
        // Nobody sends: this is the pace.
        let _ = never.recv_timeout(PACE);
        write!(stream, "{beat}")?;
        stream.flush()?;
        let _ = never.recv_timeout(PACE);
    }
    Ok(false)
}

/// Runs a probe of `url` for three seconds, with its board in a file.
pub(crate) fn probe(url: &str, more: &[&str], out: &Path) -> Result<Output> {
    probe_in(url, more, out, &[])
}

/// The same with further variables in its environment.
pub(crate) fn probe_in(url: &str, more: &[&str], out: &Path, environment: &[(&str, &str)]) -> Result<Output> {
    let out = out.to_str().context("path")?;
    let args = [&["probe", url, "--for", "3s", "--out", out], more].concat();
    run(&args, environment)
}

/// Runs the program without a display or a session.
fn run(args: &[&str], environment: &[(&str, &str)]) -> Result<Output> {
    let mut command = Command::new(program("watchfloor")?);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command.args(args).envs(environment.iter().copied()).output().context("starting watchfloor")
}

/// The board is good, and a wall with it says within some seconds that all of it is current, and that something came.
pub(crate) fn becomes_a_wall(board: &Path) -> Result<Value> {
    let data = tempfile::tempdir()?;
    wall_with_data(board, data.path(), &[])
}

/// The same, with the wall's data in a folder.
pub(crate) fn wall_with_data(board: &Path, data: &Path, environment: &[(&str, &str)]) -> Result<Value> {
    let path = board.to_str().context("path")?;
    let checked = run(&["check", path], &[])?;
    ensure!(checked.status.success(), "{}", text(&checked.stderr));
    let data = data.to_str().context("path")?;
    let wall = run(&["--board", path, "--headless", "--json", "--for", "8s", "--data-dir", data], environment)?;
    let last = text(&wall.stdout).lines().last().context("a report")?.to_owned();
    let report: Value = serde_json::from_str(&last)?;
    let widgets = report["widgets"].as_object().context("widgets")?;
    ensure!(!widgets.is_empty(), "{last}");
    for (id, widget) in widgets {
        let is_current = widget["freshness"] == "live" || widget["freshness"] == "polling";
        ensure!(is_current, "{id} is {}: {}: {}", widget["freshness"], widget["reason"], text(&wall.stderr));
    }
    let lines = widgets["log"]["value"].as_array().map_or(0, Vec::len);
    ensure!(lines > 0, "nothing came: {last}");
    Ok(report)
}

/// H8: a secret is in no file of the folder.
pub(crate) fn is_in_no_file(secret: &str, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            is_in_no_file(secret, &path)?;
        } else {
            let bytes = fs::read(&path)?;
            let is_in = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            ensure!(!is_in, "the secret is in {}", path.display());
        }
    }
    Ok(())
}

/// Writes a file that its owner alone can read.
pub(crate) fn write_own(path: &Path, content: &str) -> Result<String> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, content)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(path.to_str().context("path")?.to_owned())
}

/// Publishes until it is dropped.
pub(crate) struct Publisher(Option<Sender<()>>);

impl Publisher {
    /// Orders, to a hub.
    pub(crate) fn start(hub: SocketAddr) -> Self {
        Self::each(move |number| publish(hub, number))
    }

    /// Whatever is done once a while, by its number.
    pub(crate) fn each(mut publish: impl FnMut(u64) -> io::Result<()> + Send + 'static) -> Self {
        let (stop, stopped): (_, Receiver<()>) = channel();
        thread::spawn(move || -> io::Result<()> {
            for number in 1.. {
                if stopped.recv_timeout(PACE) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                publish(number)?;
            }
            Ok(())
        });
        Self(Some(stop))
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.take();
    }
}

fn publish(hub: SocketAddr, number: u64) -> io::Result<()> {
    let data = json!({"order": format!("O{}", number % 4), "total": number, "\"odd\" = [x]": "]]\n[board]"});
    let body = json!({"channel": "orders", "name": "order.placed", "data": data}).to_string();
    let mut stream = TcpStream::connect(hub)?;
    write!(
        stream,
        "POST /v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    Ok(())
}
