//! From an address to a wall: what speaks is found, a board is written, and a wall shows it unchanged.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Output,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchfloor_tests::{
    faults::process::HubProcess,
    program::{root, run_wall},
};

/// How often publishers here publish.
const PACE: Duration = Duration::from_millis(250);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An HTTP server, a thread a connection, each of which answers requests by their path until it is told no more.
struct Server(SocketAddr);

impl Server {
    fn start(answer: fn(&str, &mut TcpStream) -> io::Result<bool>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                // Whoever goes away ends its thread.
                thread::spawn(move || serve(stream, answer));
            }
        });
        Ok(Self(address))
    }
}

fn serve(mut stream: TcpStream, answer: fn(&str, &mut TcpStream) -> io::Result<bool>) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while lines.read_line(&mut line)? > 2 {
            line.clear();
        }
        if !answer(&path, &mut stream)? {
            return Ok(());
        }
    }
}

fn document(stream: &mut TcpStream, status: &str, kind: &str, body: &str) -> io::Result<bool> {
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    stream.flush().map(|()| true)
}

/// Runs a probe of `url` for three seconds, with its board in a file.
fn probe(url: &str, more: &[&str], out: &Path) -> Result<Output> {
    let mut args = vec!["probe", url, "--for", "3s", "--out", out.to_str().context("path")?];
    args.extend(more);
    run_wall(&args)
}

/// The board is good, and a wall with says within some seconds that all of it is current.
fn becomes_a_wall(board: &Path) -> Result<Value> {
    let path = board.to_str().context("path")?;
    let checked = run_wall(&["check", path])?;
    ensure!(checked.status.success(), "{}", text(&checked.stderr));
    let data = tempfile::tempdir()?;
    let data = data.path().to_str().context("path")?;
    let wall = run_wall(&["--board", path, "--headless", "--json", "--for", "8s", "--data-dir", data])?;
    let last = text(&wall.stdout).lines().last().context("a report")?.to_owned();
    let report: Value = serde_json::from_str(&last)?;
    let widgets = report["widgets"].as_object().context("widgets")?;
    ensure!(!widgets.is_empty(), "{last}");
    for (id, widget) in widgets {
        let is_current = widget["freshness"] == "live" || widget["freshness"] == "polling";
        ensure!(is_current, "{id} is {}: {}", widget["freshness"], widget["reason"]);
    }
    Ok(report)
}

/// Publishes orders to a hub until it is dropped.
struct Publisher(Option<Sender<()>>);

impl Publisher {
    fn start(hub: SocketAddr) -> Self {
        let (stop, stopped) = channel::<()>();
        thread::spawn(move || publish(hub, &stopped));
        Self(Some(stop))
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.take();
    }
}

fn publish(hub: SocketAddr, stopped: &Receiver<()>) -> io::Result<()> {
    let mut number = 0;
    while stopped.recv_timeout(PACE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        number += 1;
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
    }
    Ok(())
}

/// A hub is found, its events are shown, and what repeats is a table's key. Names that could be taken for a part of the file
/// aren't.
#[tokio::test]
async fn a_hub_becomes_a_wall() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let hub = HubProcess::start(&root().join("tests/boards/counter.toml")).await?;
    let _publisher = Publisher::start(hub.address());
    let (url, out) = (format!("http://{}", hub.address()), folder.path().join("board.toml"));
    let found = probe(&url, &["--channel", "orders"], &out)?;
    let said = text(&found.stderr);
    assert_eq!((found.status.code(), text(&found.stdout)), (Some(0), String::new()), "{said}");
    for words in ["hub: yes, live by websocket", "orders  order.placed  {", "wrote "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let report = becomes_a_wall(&out)?;
    let ids: Vec<_> = report["widgets"].as_object().context("widgets")?.keys().collect();
    assert_eq!(ids, ["by-order", "log", "order-placed-rate", "order-placed-total"]);
    assert_eq!(report["widgets"]["by-order"]["value"].as_array().map(Vec::len), Some(4), "{report}");
    assert_eq!(report["sources"]["source"]["state"], "live");
    // What is there already is left alone, and found before time is spent on it.
    let (again, began) = (probe(&url, &["--channel", "orders"], &out)?, Instant::now());
    assert!(again.status.code() == Some(1) && text(&again.stderr).contains("is there already"));
    assert!(began.elapsed() < Duration::from_secs(3));
    // Which channels it has it tells nobody: that is said, and no board is written.
    let unnamed = probe(&url, &[], &folder.path().join("none.toml"))?;
    assert_eq!(unnamed.status.code(), Some(1));
    assert!(text(&unnamed.stderr).contains("--channel NAME"), "{}", text(&unnamed.stderr));
    assert!(!folder.path().join("none.toml").exists());
    Ok(())
}

/// A list of an application, asked for at an interval.
#[test]
fn a_document_becomes_a_wall() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|path, stream| match path {
        "/api/stock" => {
            let rows: Vec<Value> =
                (0..3).map(|at| json!({"sku": format!("S{at}"), "name": "Bolt", "count": at})).collect();
            let body = json!({"items": rows}).to_string();
            document(stream, "200 OK", "application/json", &body)
        }
        _ => document(stream, "404 Not Found", "text/plain", "no"),
    })?;
    let out = folder.path().join("board.toml");
    let found = probe(&format!("http://{}/api/stock", server.0), &[], &out)?;
    let said = text(&found.stderr);
    assert_eq!(found.status.code(), Some(0), "{said}");
    for words in ["hub: no: ", "sse: no: ", "poll: yes", "`items` is a list of 3 rows, told apart by `sku`"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let report = becomes_a_wall(&out)?;
    assert_eq!(report["widgets"]["rows"]["value"].as_array().map(Vec::len), Some(3), "{report}");
    Ok(())
}

/// Server-sent events of any server, whose events have their names within.
#[test]
fn an_event_stream_becomes_a_wall() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|path, stream| {
        if !path.starts_with("/events") {
            return document(stream, "404 Not Found", "text/plain", "no");
        }
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")?;
        let (_stop, never) = channel::<()>();
        for number in 0_u64.. {
            let kind = if number % 2 == 0 { "trade" } else { "quote" };
            let data = json!({"type": kind, "symbol": "ACME", "price": 100 + number % 7});
            write!(stream, "data: {data}\n\n")?;
            stream.flush()?;
            let _ = never.recv_timeout(PACE);
            if path != "/events/terse" {
                write!(stream, ": here\n\n")?;
            }
            stream.flush()?;
            let _ = never.recv_timeout(PACE);
        }
        Ok(false)
    })?;
    let out = folder.path().join("board.toml");
    let found = probe(&format!("http://{}/events?site=7", server.0), &[], &out)?;
    let said = text(&found.stderr);
    assert_eq!(found.status.code(), Some(0), "{said}");
    assert!(said.contains("sse: yes"), "{said}");
    let report = becomes_a_wall(&out)?;
    for widget in ["trade-rate", "quote-rate", "by-symbol", "trade-price"] {
        assert!(report["widgets"][widget].is_object(), "{widget}: {report}");
    }
    let board = fs::read_to_string(&out)?;
    assert!(board.contains("stale-after = \"5s\"") && board.contains("heartbeat = \"1s\""), "{board}");
    // H2: that events come often promises nothing of how often something comes.
    let out = folder.path().join("terse.toml");
    assert_eq!(probe(&format!("http://{}/events/terse", server.0), &[], &out)?.status.code(), Some(0));
    let board = fs::read_to_string(&out)?;
    assert!(board.contains("stale-after = \"2m\"") && board.contains("# Unsure: "), "{board}");
    Ok(())
}

/// Nothing is guessed: where nothing speaks, what was tried and found is said, in one line too, and the exit code is 1. H8: a
/// secret in an address is not repeated.
#[test]
fn what_does_not_speak_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|_, stream| document(stream, "200 OK", "text/html", "<html></html>"))?;
    let site = format!("http://{}", server.0);
    let secret = format!("{site}/events?token=hush");
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let closed = format!("http://{closed}");
    let kinds = ["hub", "sse", "poll", "mercure", "socketio", "centrifugo", "websocket"];
    for (url, words) in [
        (&*site, &kinds[..]),
        (&closed, &["nobody takes connections at port"]),
        (&secret, &["`token` in the query", "secrets do not belong in board files"]),
        ("http://wall:hush@127.0.0.1", &["--token-file"]),
        ("ftp://127.0.0.1", &["scheme is `ftp`"]),
        ("127.0.0.1", &["no address"]),
    ] {
        let out = folder.path().join("board.toml");
        let found = probe(url, &[], &out)?;
        let said = text(&found.stderr);
        assert_eq!((found.status.code(), out.exists()), (Some(1), false), "{url}: {said}");
        let lines: Vec<_> = said.lines().filter(|line| line.starts_with("watchfloor: ")).collect();
        assert_eq!(lines.len(), 1, "{url}: {said}");
        for word in words {
            assert!(lines[0].contains(word), "{url}: {word:?} is not in {:?}", lines[0]);
        }
        assert!(!said.contains("hush"), "{said}");
    }
    Ok(())
}
