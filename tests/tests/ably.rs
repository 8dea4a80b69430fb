//! Ably's protocol by a script, before which Ably's own JavaScript client and the wall are at the same time: both hear the same, in the
//! same order; the client finds no fault with what the script says; and the wall says of it no more than can be proven.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use watchfloor_tests::{
    ably::{
        Said, Service, encoded, message,
        stage::{CIPHER, PAGE, PATIENCE, Setting, Stage, WALL, gaps, heard, is_live, ops, rights, tick},
    },
    faults::process::WallProcess,
};

/// A message, the one after it, and what is different in that, by xdelta.
const ONE: &str = r#"{"flight":"AA100","status":"boarding","gate":"B22","delay":0}"#;
const OTHER: &str = r#"{"flight":"AA100","status":"departed","gate":"B22","delay":12}"#;
const DELTA: &str = "1sPEAAABOwAYPgALBgJkZXBhcnRlZDEyfRMcCRMXBAAk";
/// A message that is encrypted, by OpenSSL.
const SEALED: &str = "EBESExQVFhcYGRobHB0eH9Ot8YFDWOIfrpblcerHh8I=";

fn named(id: &str, mut said: Said) -> Said {
    said.whole["id"] = id.into();
    said
}

/// H3: attached for the first time, both hear the same, of the script's and of the client's own; the wall wants what the client wants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_attachment() -> Result<()> {
    let mut stage = Stage::raise(Setting::default()).await?;
    stage.publish(3);
    stage.script.with(|service| {
        service.say_unknown();
        service.publish("ops", [4, 5].map(|number| message("tick", &json!({ "n": number }))).into());
    });
    stage.page.tell(r#"publish {"n":6}"#)?;
    stage.page.wait("that it has published", PATIENCE, |lines| lines.iter().any(|line| line["on"] == "done")).await?;
    stage.numbers = 6;
    let report = stage.both_heard(1).await?;
    // What was before the wall's beginning it can't know.
    ensure!(gaps(&report) == (0, 0, 1), "{}", report.value);
    ensure!(stage.attachment()?["resumed"] == false);
    for who in [PAGE, WALL] {
        let query = stage.script.with(|service| service.heard(who)[0]["query"].clone());
        ensure!(query["v"] == "6" && query["format"] == "json", "{who}: {query}");
    }
    stage.is_accepted()
}

/// H3, H4: cut off for less than the service keeps, both are sent what they missed, once; so is a wall that was killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumed() -> Result<()> {
    let mut stage = Stage::raise(Setting::default()).await?;
    stage.publish(2);
    stage.both_heard(1).await?;
    let connection = stage.connection()?;
    stage.while_cut(|stage| stage.publish(3)).await?;
    let report = stage.both_heard(1).await?;
    ensure!(gaps(&report) == (1, 0, 1), "{}", report.value);
    ensure!(stage.attachment()?["resumed"] == true && stage.connection()? == connection);
    // With a word, that it has to go elsewhere, it is the same.
    stage.script.with(|service| service.disconnect(Some((80003, 503, "this server has its end"))));
    stage.publish(2);
    let report = stage.both_heard(1).await?;
    ensure!(gaps(&report) == (2, 0, 1) && stage.connection()? == connection, "{}", report.value);
    for who in [PAGE, WALL] {
        let heard = stage.script.with(|service| service.heard(who));
        let asks: Vec<&Value> = heard.iter().filter(|said| said["action"] == 10).collect();
        ensure!(
            asks.len() == 3 && asks[0]["channelSerial"].is_null() && asks[1]["channelSerial"].is_string(),
            "{asks:?}"
        );
        let keys: Vec<&Value> = heard.iter().filter_map(|said| said["query"].get("resume")).collect();
        ensure!(keys.len() == 2 && keys[0] != keys[1], "{who} resumes by the newest key: {keys:?}");
    }
    stage.wall.kill()?;
    stage.publish(2);
    stage.wall = WallProcess::start(&stage.options)?;
    let report = stage.both_heard(1).await?;
    ensure!(ops(&report, "continuity") == "proven", "{}", report.value);
    stage.is_accepted()
}

/// H3: a connection that the service doesn't know any more says nothing of the channel, which may be gone on with; where that isn't
/// known either, the history proves it, and without it nothing does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_lost() -> Result<()> {
    let mut stage = Stage::raise(Setting::default()).await?;
    stage.publish(2);
    stage.both_heard(1).await?;
    let first = stage.connection()?;
    let forget = |stage: &mut Stage| {
        stage.publish(2);
        stage.script.with(Service::forget_connections);
    };
    stage.while_cut(forget).await?;
    let report = stage.both_heard(1).await?;
    let second = stage.connection()?;
    ensure!(second["id"] != first["id"] && second["code"] == 80018, "{second}");
    ensure!(stage.attachment()?["resumed"] == true && gaps(&report) == (1, 0, 1), "{}", report.value);

    let forget_places = move |stage: &mut Stage| {
        forget(stage);
        stage.script.with(|service| service.forget_places("ops"));
    };
    stage.while_cut(forget_places).await?;
    stage.is_anew().await?;
    ensure!(stage.history().await? == [6, 5, 4, 3, 2, 1]);
    stage.publish(1);
    let report = stage.wall_shows(&[1, 2, 3, 4, 5, 6, 7]).await?;
    ensure!(gaps(&report) == (2, 0, 1), "by the history: {}", report.value);

    let forget_all = move |stage: &mut Stage| {
        forget_places(stage);
        stage.script.with(|service| service.forget_messages("ops", 0, true));
    };
    stage.while_cut(forget_all).await?;
    stage.is_anew().await?;
    ensure!(stage.history().await?.is_empty());
    stage.publish(1);
    let report = stage.wall_shows(&[1, 2, 3, 4, 5, 6, 7, 10]).await?;
    ensure!(gaps(&report) == (2, 0, 2), "nobody knows: {}", report.value);
    ensure!(heard(&stage.page.lines()) == [1, 2, 3, 4, 7, 10], "{:?}", heard(&stage.page.lines()));
    stage.is_accepted_but(&["code=80018;"])
}

/// H3: away for longer than a connection's state is kept, and messages with it: the client begins anew, and the wall says that something
/// may be missing. What is still there of what was missed comes to both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_for_too_long() -> Result<()> {
    let setting = Setting { state: Some(Duration::from_secs(1)), ..Setting::default() };
    let mut stage = Stage::raise(setting).await?;
    stage.publish(2);
    stage.both_heard(1).await?;
    let first = stage.connection()?;
    stage.line.set(|line| line.cut = true);
    let is_over = |lines: &[Value]| lines.iter().any(|line| line["on"] == "connection" && line["state"] == "suspended");
    stage.page.wait("that the client gives the connection up", PATIENCE, is_over).await?;
    stage.publish(4);
    stage.script.with(|service| service.forget_messages("ops", 1, true));
    stage.line.set(|line| line.cut = false);
    stage.is_anew().await?;
    let second = stage.connection()?;
    ensure!(second["id"] != first["id"] && second["code"] == 80006, "{second}");
    ensure!(stage.attachment()?["code"] == 90003, "{}", stage.attachment()?);
    stage.publish(1);
    let report = stage.wall_shows(&[1, 2, 6, 7]).await?;
    ensure!(gaps(&report) == (0, 0, 2) && ops(&report, "continuity") == "unknown", "{}", report.value);
    ensure!(heard(&stage.page.lines()) == [1, 2, 6, 7], "{:?}", heard(&stage.page.lines()));
    // Since version 6.1.0 of the specification both ask to go on all the same.
    for who in [PAGE, WALL] {
        let asks = stage.script.with(|service| service.heard(who));
        ensure!(asks.iter().any(|said| said["query"]["resume"].is_string()), "{who}: {asks:?}");
    }
    stage.is_accepted_but(&["code=80006;"])
}

/// H3: what is rewound on an attachment that begins anew overlaps with what was had. The client hears that twice; the wall counts it
/// once, with a history by which nothing is missing, and without one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewound() -> Result<()> {
    for operation in ["*", "subscribe"] {
        let setting = Setting {
            asks: json!({ "params": { "rewind": "5" } }),
            channel: Some("[?rewind=5]ops"),
            may: Some(operation),
            before: 5,
            ..Setting::default()
        };
        let mut stage = Stage::raise(setting).await?;
        stage.both_heard(1).await?;
        ensure!(stage.attachment()?["hasBacklog"] == true);
        stage.while_cut(|stage| stage.publish(1)).await?;
        let report = stage.both_heard(1).await?;
        ensure!(gaps(&report) == (1, 0, 1), "not rewound where it goes on: {}", report.value);
        let forget = |stage: &mut Stage| {
            stage.publish(1);
            stage.script.with(|service| service.forget_places("ops"));
        };
        stage.while_cut(forget).await?;
        stage.is_anew().await?;
        stage.publish(1);
        let report = stage.wall_shows(&[1, 2, 3, 4, 5, 6, 7, 8]).await?;
        let expected = if operation == "*" { (2, 0, 1) } else { (1, 0, 2) };
        ensure!(gaps(&report) == expected, "{operation}: {}", report.value);
        let is_last = |lines: &[Value]| heard(lines).ends_with(&[8]);
        let lines = stage.page.wait("the last", PATIENCE, is_last).await?;
        ensure!(heard(&lines) == [1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 7, 8], "{:?}", heard(&lines));
        stage.is_accepted()?;
        // Once more; and of a wall that is started again, which remembers no message but the last, where the history tells the rest.
        if operation == "*" {
            stage.wall.kill()?;
            forget(&mut stage);
            stage.wall = WallProcess::start(&stage.options)?;
        } else {
            stage.while_cut(forget).await?;
        }
        let report = stage.wall_shows(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).await?;
        ensure!(gaps(&report).2 == if operation == "*" { 0 } else { 3 }, "{operation}: {}", report.value);
    }
    Ok(())
}

/// H3: a wall that is started again, and may not read the history, couldn't tell of what is rewound what it had: it doesn't ask for that
/// then, and what it missed lies in a gap of which nobody knows. Where the service goes on from the serial all of it comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewound_to_another_life() -> Result<()> {
    let setting = Setting { channel: Some("[?rewind=5]ops"), may: Some("subscribe"), before: 5, ..Setting::default() };
    let mut stage = Stage::raise(setting).await?;
    stage.wall_shows(&[1, 2, 3, 4, 5]).await?;
    stage.wall.kill()?;
    stage.publish(1);
    stage.wall = WallProcess::start(&stage.options)?;
    let report = stage.wall_shows(&[1, 2, 3, 4, 5, 6]).await?;
    ensure!(ops(&report, "continuity") == "proven", "{}", report.value);
    stage.wall.kill()?;
    stage.publish(1);
    stage.script.with(|service| service.forget_places("ops"));
    stage.wall = WallProcess::start(&stage.options)?;
    let is_attached = |stage: &Stage| {
        let heard = stage.script.with(|service| service.heard(WALL));
        heard.iter().filter(|said| said["action"] == 10 && said["channel"] == "ops").count() > 1
    };
    let begun = Instant::now();
    while !is_attached(&stage) {
        ensure!(begun.elapsed() < PATIENCE, "it is not attached again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage.wall_shows(&[1, 2, 3, 4, 5, 6]).await?;
    stage.publish(1);
    let report = stage.wall_shows(&[1, 2, 3, 4, 5, 6, 8]).await?;
    ensure!(gaps(&report).2 == 1 && ops(&report, "continuity") == "unknown", "{}", report.value);
    Ok(())
}

/// Tokens: another one on the connection that stands, when the service asks for it; and at the end of one, over a new connection.
/// Nothing is missed for it (H3).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens() -> Result<()> {
    let mut stage = Stage::raise(Setting { renews: true, ..Setting::default() }).await?;
    stage.publish(1);
    stage.both_heard(1).await?;
    stage.script.with(|service| service.ask_token());
    let asked = Instant::now();
    let presents = |stage: &Stage, who: &str| {
        stage.script.with(|service| service.heard(who)).iter().any(|said| said["action"] == 17)
    };
    while ![PAGE, WALL].iter().all(|who| presents(&stage, who)) {
        ensure!(asked.elapsed() < PATIENCE, "nobody presents another token");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage.publish(1);
    let report = stage.both_heard(1).await?;
    ensure!(gaps(&report) == (0, 0, 1) && ops(&report, "reconnects") == 0, "{}", report.value);
    let connection = stage.connection()?;
    stage.script.with(|service| {
        service.expire(PAGE);
        service.expire(WALL);
        service.publish("ops", tick(3));
    });
    stage.numbers = 3;
    let report = stage.both_heard(1).await?;
    ensure!(gaps(&report) == (1, 0, 1), "{}", report.value);
    ensure!(stage.connection()? == connection, "{connection} and {}", stage.connection()?);
    for who in [PAGE, WALL] {
        let heard = stage.script.with(|service| service.heard(who));
        let tokens: Vec<&Value> = heard.iter().filter_map(|said| said["query"].get("access_token")).collect();
        ensure!(tokens.len() == 2 && tokens[0] != tokens[1], "{who}: {tokens:?}");
    }
    stage.is_accepted()
}

/// Who is there, page by page; who comes, and who goes by his own word, without one, and while both are cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence() -> Result<()> {
    let mut stage = Stage::begin(Setting { people: &["ann", "bob", "cid"], ..Setting::default() }).await?;
    stage.people(&["ann", "bob", "cid"], [3, 0, 0, 0]).await?;
    stage.script.with(|service| {
        service.enter("ops", "dan");
        service.leave("ops", "ann");
        service.vanish("ops", "bob");
        // Once more, of what both know.
        service.sync("ops");
    });
    stage.people(&["cid", "dan"], [3, 1, 0, 2]).await?;
    stage.page.tell("enter")?;
    stage.people(&["cid", "dan", "page"], [3, 2, 0, 2]).await?;
    let change = |stage: &mut Stage| {
        stage.script.with(|service| {
            service.leave("ops", "cid");
            service.enter("ops", "eve");
        });
    };
    stage.while_cut(change).await?;
    stage.people(&["dan", "eve", "page"], [3, 3, 0, 3]).await?;
    stage.page.tell("leave")?;
    stage.people(&["dan", "eve"], [3, 3, 0, 4]).await?;
    stage.is_accepted()
}

/// H3: on a connection that stands a channel may be attached anew, with messages that were never sent: its history has them, page by page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attached_anew() -> Result<()> {
    let mut stage = Stage::raise(Setting::default()).await?;
    stage.publish(2);
    stage.both_heard(1).await?;
    stage.script.with(|service| {
        service.settings.page_max = 2;
        for number in 3..=7 {
            service.publish_unsent("ops", tick(number));
        }
        service.attach_anew("ops");
        service.publish("ops", tick(8));
    });
    stage.is_anew().await?;
    ensure!(stage.attachment()?["event"] == "update");
    let report = stage.wall_shows(&[1, 2, 3, 4, 5, 6, 7, 8]).await?;
    ensure!(gaps(&report) == (0, 0, 1) && ops(&report, "reconnects") == 0, "{}", report.value);
    ensure!(stage.history().await? == [7, 6, 5, 4, 3, 2, 1]);
    ensure!(heard(&stage.page.lines()) == [1, 2, 8]);
    stage.is_accepted()
}

/// H1, H3: a channel that the service detaches is attached again, and gone on with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn detached() -> Result<()> {
    let mut stage = Stage::raise(Setting::default()).await?;
    stage.publish(2);
    stage.both_heard(1).await?;
    stage.script.with(|service| {
        service.detach("ops", 50000);
        service.publish("ops", tick(3));
    });
    stage.numbers = 3;
    stage.publish(1);
    let report = stage.both_heard(1).await?;
    ensure!(stage.attachment()?["resumed"] == true && ops(&report, "reconnects") == 0, "{}", report.value);
    ensure!(gaps(&report) == (0, 0, 1), "{}", report.value);
    stage.is_accepted()
}

/// H1: without the right to the channel both are refused (40160), at once and when it is taken away in mid-session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused() -> Result<()> {
    let mut stage = Stage::begin(Setting { may: Some(""), ..Setting::default() }).await?;
    stage.are_refused().await?;
    let mut stage = Stage::raise(Setting { renews: true, ..Setting::default() }).await?;
    stage.publish(1);
    stage.both_heard(1).await?;
    stage.script.with(|service| {
        service.grant(PAGE, rights(""));
        service.grant(WALL, rights(""));
        service.ask_token();
    });
    stage.are_refused().await
}

/// Deltas, and messages that their publisher encrypted: both read the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encodings() -> Result<()> {
    let setting = Setting {
        asks: json!({ "params": { "delta": "vcdiff" } }),
        channel: Some("[?delta=vcdiff]ops"),
        ..Setting::default()
    };
    let mut stage = Stage::raise(setting).await?;
    stage.script.with(|service| {
        service.publish("ops", vec![named("one", encoded("tick", ONE, "json"))]);
        let delta = json!({ "id": "other", "name": "tick", "data": DELTA, "encoding": "json/utf-8/vcdiff/base64",
            "extras": { "delta": { "from": "one", "format": "vcdiff" } } });
        let other = Said { delta: Some(("one".to_owned(), delta)), ..named("other", encoded("tick", OTHER, "json")) };
        service.publish("ops", vec![other]);
    });
    stage.both_read(&[ONE, OTHER]).await?;

    let setting = Setting { asks: json!({ "cipher": { "key": CIPHER } }), cipher: true, ..Setting::default() };
    let mut stage = Stage::raise(setting).await?;
    stage.script.with(|service| {
        service.publish("ops", vec![encoded("tick", SEALED, "json/utf-8/cipher+aes-256-cbc/base64")]);
    });
    stage.both_read(&[r#"{"n":1}"#]).await
}

/// H1: a service that says nothing any more, on connections that stand, isn't live for longer than the limit, long before the client gives
/// it up; and nothing is missing when it speaks again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent() -> Result<()> {
    let setting = Setting { idle: Some(Duration::from_secs(1)), ..Setting::default() };
    let mut stage = Stage::raise(setting).await?;
    stage.publish(2);
    stage.both_heard(1).await?;
    let frozen = Instant::now();
    stage.script.with(|service| service.settings.frozen = true);
    stage.publish(2);
    let stale =
        stage.wall.wait("that it isn't live", frozen, Duration::from_secs(5), |report| !is_live(report)).await?;
    ensure!(stale.freshness("count") != "live", "{}", stale.value);
    let gives_up =
        |lines: &[Value]| lines.iter().any(|line| line["on"] == "connection" && line["state"] == "disconnected");
    stage.page.wait("that the client gives it up", PATIENCE, gives_up).await?;
    stage.script.with(|service| service.settings.frozen = false);
    let report = stage.both_heard(1).await?;
    ensure!(gaps(&report).2 == 1, "{}", report.value);
    // Whoever comes back while nothing is said is never told the newest key, and resumes by an old one.
    stage.is_accepted_but(&["No activity seen", "code=80018;"])
}

/// H1: a service that doesn't know the token, or is told a key in clear, takes neither client nor wall.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers() -> Result<()> {
    for (token, code) in [("app.of-nobody", 40101), ("wall.key:secret-of-wall", 40103)] {
        let mut stage = Stage::begin(Setting { token: Some(token), ..Setting::default() }).await?;
        stage.wall_is_refused(code).await?;
    }
    let mut stage = Stage::raise(Setting::default()).await?;
    stage.script.with(|service| service.fail_everybody(40101, "no such account"));
    stage.wall_is_refused(40101).await?;
    let failed = |lines: &[Value]| lines.iter().any(|line| line["state"] == "failed" && line["code"] == 40101);
    stage.page.wait("that the client has failed", PATIENCE, failed).await?;
    Ok(())
}
