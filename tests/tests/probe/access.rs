//! Servers that ask for a token: what is said with a good one, a wrong one and none. H8: the token itself is nowhere.

use std::{path::Path, process::Output};

use anyhow::{Context, Result};
use serde_json::json;
use watchfloor_tests::{faults::process::HubProcess, program::root};

use super::serve::{
    Publisher, Server, document, event_stream, is_in_no_file, probe, probe_in, text, wall_with_data, write_own,
};

const TOKEN: &str = "hush-4f1c9a7e";
const WRONG: &str = "hush-00000000";
/// Whom a server knows, and denies access.
const OTHER: &str = "hush-11111111";
const VARIABLE: &str = "WATCHFLOOR_PROBE_TEST_TOKEN";

/// The one line by which a probe ended that found nothing, in which these words are. No token is in what it said.
fn fails(found: &Output, out: &Path, words: &[&str]) -> String {
    let said = text(&found.stderr);
    assert_eq!((found.status.code(), out.exists(), text(&found.stdout)), (Some(1), false, String::new()), "{said}");
    let last = said.lines().find(|line| line.starts_with("watchfloor: ")).unwrap_or_default().to_owned();
    for word in words {
        assert!(last.contains(word), "{word:?} is not in {last:?}");
    }
    assert!(!said.contains("hush"), "{said}");
    last
}

/// A hub whose readers must show a token.
#[tokio::test]
async fn a_hub_asks_for_a_token() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let good = write_own(&folder.path().join("good"), TOKEN)?;
    let wrong = write_own(&folder.path().join("wrong"), WRONG)?;
    let arguments = vec!["--subscribe-token-file".to_owned(), good.clone()];
    let hub = HubProcess::start_with(&root().join("tests/boards/counter.toml"), arguments).await?;
    let _publisher = Publisher::start(hub.address());
    let (url, out) = (format!("http://{}", hub.address()), folder.path().join("board.toml"));

    let found = probe(&url, &["--channel", "orders"], &out)?;
    fails(&found, &out, &["hub is spoken there, and it denies access", "HTTP 401", "--token-file FILE"]);
    let found = probe(&url, &["--channel", "orders", "--token-file", &wrong], &out)?;
    let words = ["hub is spoken there, and it denies access", "HTTP 401", "was shown: see that it is the right one"];
    fails(&found, &out, &words);
    let found = probe(&url, &["--token-file", "/nowhere/token"], &out)?;
    fails(&found, &out, &["the token: the file /nowhere/token is not there"]);
    let found = probe(&url, &["--token-env", VARIABLE], &out)?;
    fails(&found, &out, &["the token: the environment variable", "is not set"]);

    let found = probe(&url, &["--channel", "orders", "--token-file", &good], &out)?;
    let said = text(&found.stderr);
    assert_eq!(found.status.code(), Some(0), "{said}");
    assert!(!said.contains("hush") && text(&found.stdout).is_empty(), "{said}");
    let board = std::fs::read_to_string(&out)?;
    assert!(board.contains(&format!("token = {{ file = \"{good}\" }}")) && !board.contains("hush"), "{board}");
    let data = folder.path().join("data");
    let report = wall_with_data(&out, &data, &[])?;
    assert_eq!(report["sources"]["source"]["state"], "live");
    is_in_no_file(TOKEN, &data)
}

/// An event stream that asks for a bearer, tells a bad one from one without rights, and repeats what it was shown.
#[test]
fn an_event_stream_asks_for_a_token() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(|request, stream| {
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match (&*request.path, bearer) {
            ("/events", Some(TOKEN)) => event_stream(stream, ": here\n\n", |number| {
                let data = json!({"sensor": format!("S{}", number % 3), "level": number % 9, "seen": TOKEN});
                format!("event: level\ndata: {data}\n\n")
            }),
            ("/events", Some(OTHER)) => document(stream, "403 Forbidden", "text/plain", "not for you"),
            ("/events", _) => document(stream, "401 Unauthorized", "text/plain", "who is there?"),
            _ => document(stream, "404 Not Found", "text/plain", "no"),
        }
    })?;
    let (url, out) = (format!("http://{}/events", server.0), folder.path().join("board.toml"));
    let with = |token| probe_in(&url, &["--token-env", VARIABLE], &out, &[(VARIABLE, token)]);

    fails(&probe(&url, &[], &out)?, &out, &["access is denied there", "HTTP 401", "--token-env NAME"]);
    let shown = format!("the token in the variable {VARIABLE} was shown");
    fails(&with(WRONG)?, &out, &["access is denied there", "HTTP 401", &shown]);
    fails(&with(OTHER)?, &out, &["access is denied there", "HTTP 403", &shown]);
    // Elsewhere nothing is denied, and nothing speaks.
    let found = probe(&format!("http://{}/other", server.0), &[], &out)?;
    let last = fails(&found, &out, &["nothing that is known speaks there"]);
    assert!(!last.contains("denied") && !last.contains("--token"), "{last}");

    let found = with(TOKEN)?;
    let said = text(&found.stderr);
    assert_eq!(found.status.code(), Some(0), "{said}");
    assert!(said.contains("(the token)") && !said.contains("hush"), "{said}");
    let board = std::fs::read_to_string(&out)?;
    assert!(board.contains(&format!("token = {{ env = \"{VARIABLE}\" }}")) && !board.contains("hush"), "{board}");
    let report = wall_with_data(&out, &folder.path().join("data"), &[(VARIABLE, TOKEN)])?;
    let rows = report["widgets"]["by-sensor"]["value"].as_array().context("rows")?;
    assert_eq!(rows.len(), 3, "{report}");
    Ok(())
}
