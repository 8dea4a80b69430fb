//! From an address to a wall: what speaks is found, a board is written, and a wall shows it unchanged.

mod access;
mod brokers;
mod dialects;
mod secure;
mod serve;

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use watchfloor_tests::{faults::process::HubProcess, program::root};

use self::serve::{Publisher, Server, becomes_a_wall, document, event_stream, probe, text};

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
    let server = Server::start(|request, stream| match &*request.path {
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
    let server = Server::start(|request, stream| {
        if !request.path.starts_with("/events") {
            return document(stream, "404 Not Found", "text/plain", "no");
        }
        let beat = if request.path == "/events/terse" { "" } else { ": here\n\n" };
        event_stream(stream, beat, |number| {
            let kind = if number % 2 == 0 { "trade" } else { "quote" };
            let data = json!({"type": kind, "symbol": "ACME", "price": 100 + number % 7});
            format!("data: {data}\n\n")
        })
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
