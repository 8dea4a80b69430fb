//! H6, from one end to the other: the whole way to people as `watchfloor alarm test` tries it out, a notification that leads to the widget, sound files of
//! one's own, and a webhook that is told of everything, whatever breaks in between.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use fantoccini::Client;
use serde_json::{Value, json};
use watchfloor_tests::{
    desktop::Desktop,
    ear::{Ear, RATE},
    faults::process::{HubProcess, WallOptions, WallProcess},
    notifier::Notifier,
    program::program,
    receiver::Receiver,
    wait::until_told,
};

/// For a start of an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// Of what is medium, high and critical, Hz.
const BELL: f32 = 440.0;
const PULSES: f32 = 523.25;
const CONTINUOUS: f32 = 659.25;

fn board(port: u16, alarms: &str) -> String {
    format!(
        r#"
[board]
title = "Boiler house"
stale-after = "2s"

[alarms]
{alarms}

[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:{port}"
channels = ["ops"]

[[widget]]
id = "heat"
kind = "gauge"
value = "heat"

[[widget]]
id = "level"
kind = "gauge"
value = "level"

[[alarm]]
id = "full"
title = "Tank full"
advice = "Close valve 7."
when = "level > 50"
priority = "high"
"#
    )
}

async fn hub(file: &Path) -> Result<HubProcess> {
    fs::write(file, board(1, ""))?;
    HubProcess::start(file).await
}

async fn publish(hub: &HubProcess, level: i32) -> Result<()> {
    hub.publish(&json!({"channel": "ops", "name": "e", "data": {"level": level, "heat": 20}})).await
}

/// What `watchfloor alarm test` said, a line a step, and with which code it ended.
fn tried_out(folder: &Path, desktop: &Desktop, ear: &Ear, wait: &str) -> Result<std::process::Child> {
    let mut command = Command::new(program("watchfloor")?);
    command.args(["alarm", "test"]).arg(folder.join("board.toml")).args(["--json", "--wait", wait]);
    command.arg("--data-dir").arg(folder.join("data"));
    desktop.enter(&mut command);
    command.envs(ear.environment()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    Ok(command.spawn()?)
}

fn steps(said: &[u8]) -> Result<Vec<Value>> {
    let said = std::str::from_utf8(said)?;
    said.lines().map(|line| serde_json::from_str(line).with_context(|| said.to_owned())).collect()
}

/// How a step ended.
fn outcome<'a>(steps: &'a [Value], step: &str) -> (&'a str, &'a str) {
    let found = steps.iter().find(|own| own["step"] == step);
    let word = |name: &str| found.and_then(|own| own[name].as_str()).unwrap_or_default();
    (word("outcome"), word("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_is_tried_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let receiver = Receiver::start().await?;
    let alarms = format!("notify = \"low\"\nsound = \"medium\"\nwebhook = \"{}\"", receiver.url());
    fs::write(folder.path().join("board.toml"), board(1, &alarms))?;
    let desktop = Desktop::start(1280, 720)?;
    let mut ear = Ear::start(&folder.path().join("ear"))?;
    let mut notifier = Notifier::start(&desktop, folder.path())?;
    notifier.shows(0).await?;
    ear.listen()?;

    // Somebody presses the button of the one that asks for it.
    let trying = tried_out(folder.path(), &desktop, &ear, "30s")?;
    until_told("a notification of a high alarm", LIMIT, async || {
        Ok((notifier.count("High: TEST of high alarms, nothing is wrong") > 0).then_some(()))
    })
    .await?;
    until_told("the answer of its button", LIMIT, async || {
        notifier.press("Acknowledge")?;
        Ok((notifier.control(&["count", "displayed"])? == "0").then_some(()))
    })
    .await?;
    let output = tokio::task::spawn_blocking(|| trying.wait_with_output()).await??;
    let steps_ = steps(&output.stdout)?;
    ensure!(output.status.success(), "{steps_:#?}");
    for priority in ["low", "medium", "high", "critical"] {
        ensure!(outcome(&steps_, &format!("{priority}: notification")).0 == "ok", "{priority}: {steps_:#?}");
        ensure!(outcome(&steps_, &format!("{priority}: taken away")).0 == "ok", "{priority}: {steps_:#?}");
        let sound = outcome(&steps_, &format!("{priority}: sound")).0;
        ensure!(sound == if priority == "low" { "" } else { "ok" }, "{priority}: {steps_:#?}");
    }
    for step in ["board", "desktop", "sound device", "high: acknowledge", "webhook", "record"] {
        ensure!(outcome(&steps_, step).0 == "ok", "{step}: {steps_:#?}");
    }
    let (unproven, text) = outcome(&steps_, "not proven");
    ensure!(unproven == "open" && text.contains("saw and heard it"), "{text}");

    // What it said is what others received.
    notifier.shows(0).await?;
    for (tone, frequency) in [("bell", BELL), ("pulses", PULSES), ("critical", CONTINUOUS)] {
        ensure!(!ear.began(frequency, 0.1)?.is_empty(), "the {tone} was heard");
    }
    let alerts = receiver.alerts();
    for priority in ["low", "medium", "high", "critical"] {
        let of = |status: &str| {
            let is_it = |own: &&Value| own["labels"]["alertname"] == *format!("watchfloor-test-{priority}");
            alerts.iter().filter(is_it).filter(|own| own["status"] == status).count()
        };
        ensure!(of("firing") >= 1 && of("resolved") == 1, "{priority}: {alerts:#?}");
    }
    ensure!(alerts.iter().all(|own| own["labels"]["board"] == "Boiler house"), "{alerts:#?}");
    let left: Vec<_> = fs::read_dir(folder.path().join("data"))?.collect::<Result<_, _>>()?;
    ensure!(left.is_empty(), "the record is none of the test's: {left:?}");

    // Nobody shows notifications, the sound is muted, and the receiver refuses: each is said, with what to do.
    notifier.kill()?;
    ear.control(&["set-sink-mute", "ear", "1"])?;
    receiver.answer(503);
    let trying = tried_out(folder.path(), &desktop, &ear, "0s")?;
    let output = tokio::task::spawn_blocking(|| trying.wait_with_output()).await??;
    let steps_ = steps(&output.stdout)?;
    ensure!(output.status.code() == Some(1), "{steps_:#?}");
    let expected =
        [("desktop", "start one"), ("sound device", "unmute it"), ("webhook", "503"), ("high: notification", "")];
    for (step, part) in expected {
        let (outcome, text) = outcome(&steps_, step);
        ensure!(outcome == "failed" && text.contains(part), "{step}: {steps_:#?}");
    }
    ensure!(outcome(&steps_, "record").0 == "ok", "{steps_:#?}");
    ensure!(steps_.last().is_some_and(|last| last["outcome"] == "failed"), "{steps_:#?}");
    Ok(())
}

/// Who presses *Show* finds the wall before him, at the alarm's widget.
#[tokio::test(flavor = "multi_thread")]
async fn a_notification_leads_to_the_widget() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    let hub = hub(&file).await?;
    fs::write(&file, board(hub.address().port(), "notify = \"high\"\nsound = \"none\""))?;
    let desktop = Desktop::with_driver(1280, 720).await?;
    let notifier = Notifier::start(&desktop, folder.path())?;
    notifier.shows(0).await?;
    let text = |path: &Path| path.display().to_string();
    let page = desktop.open_wall(&["--board", &text(&file), "--data-dir", &text(&folder.path().join("data"))]).await?;
    until_told("the notification", LIMIT, async || {
        publish(&hub, 100).await?;
        Ok((notifier.control(&["count", "displayed"])? == "1").then_some(()))
    })
    .await?;
    let window = desktop.windows()?.into_iter().next().context("a window")?;
    desktop.xdotool(&["windowminimize", "--sync", &window])?;
    until_told("the window's going", LIMIT, async || Ok(desktop.windows()?.is_empty().then_some(()))).await?;
    notifier.press("Show")?;
    until_told("the window's coming", LIMIT, async || Ok((!desktop.windows()?.is_empty()).then_some(()))).await?;
    let led = async || until_told("the widget", LIMIT, async || Ok(is_at_level(&page).await?.then_some(()))).await;
    led().await?;
    // It still calls: nobody has acknowledged it. A service that closes what was pressed is told of it once more.
    let still_calls = async || {
        let shown = async || Ok((notifier.control(&["count", "displayed"])? == "1").then_some(()));
        until_told("the notification that stays", LIMIT, shown).await
    };
    still_calls().await?;

    // Who presses it while the page is being loaded is led there too, as soon as it can. A page that was led already, and is loaded anew then,
    // isn't led again: each says at its end what had the focus.
    let mut tries = 1..=10;
    loop {
        ensure!(
            tries.next().is_some(),
            "each page was quicker than its end: nobody could press while one was being loaded"
        );
        page.refresh().await?;
        ensure!(!is_at_level(&page).await?);
        let at_end = "addEventListener('pagehide', () => { window.name = document.activeElement?.closest('[data-widget]')?.dataset.widget ?? 'none' })";
        page.execute(at_end, Vec::new()).await?;
        notifier.press("Show")?;
        page.refresh().await?;
        if page.execute("return window.name", Vec::new()).await? == "none" {
            break;
        }
        still_calls().await?;
    }
    led().await?;
    still_calls().await?;
    page.close().await?;
    Ok(())
}

/// Whether the widget of the alarm has the focus.
async fn is_at_level(page: &Client) -> Result<bool> {
    let focused = "return document.activeElement?.closest('[data-widget]')?.dataset.widget ?? null";
    Ok(page.execute(focused, Vec::new()).await? == "level")
}

/// A tone of one's own is heard in place of the one that is made; where its file is damaged the made one is, and the wall says so.
#[tokio::test(flavor = "multi_thread")]
async fn sound_files_of_ones_own() -> Result<()> {
    const OWN: f32 = 1000.0;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    let hub = hub(&file).await?;
    let alarms = "notify = \"none\"\nsound = \"high\"\ntones = { high = \"own.wav\" }";
    fs::write(&file, board(hub.address().port(), alarms))?;
    let check = || -> Result<(bool, String)> {
        let output = Command::new(program("watchfloor")?).arg("check").arg(&file).output()?;
        Ok((output.status.success(), String::from_utf8(output.stderr)?))
    };
    let (is_good, said) = check()?;
    ensure!(!is_good && said.contains("own.wav") && said.contains("there is no such file"), "{said}");
    fs::write(folder.path().join("own.wav"), wav(OWN, 0.5))?;
    ensure!(check()?.0, "{}", check()?.1);

    let desktop = Desktop::start(1280, 720)?;
    let mut ear = Ear::start(&folder.path().join("ear"))?;
    let mut command = Command::new(program("watchfloor-wall")?);
    command.arg("--board").arg(&file).args(["--supervisor", "off"]);
    desktop.enter(&mut command);
    command.envs(ear.environment());
    let wall = watchfloor_tests::window::WindowProcess::start(&mut command, &folder.path().join("data"))?;
    until_told("the page", LIMIT, async || Ok((!desktop.windows()?.is_empty()).then_some(()))).await?;
    ear.listen()?;
    until_told("the tone of one's own", LIMIT, async || {
        publish(&hub, 100).await?;
        Ok((!ear.began(OWN, 0.1)?.is_empty()).then_some(()))
    })
    .await?;
    ensure!(ear.began(PULSES, 0.1)?.is_empty(), "in place of the one that is made");
    publish(&hub, 3).await?;

    // The file is damaged meanwhile.
    fs::write(folder.path().join("own.wav"), "nothing")?;
    ear.listen()?;
    until_told("the tone that is made", LIMIT, async || {
        publish(&hub, 100).await?;
        Ok((!ear.began(PULSES, 0.1)?.is_empty()).then_some(()))
    })
    .await?;
    drop(wall);
    Ok(())
}

/// A WAV file of one channel and 16 bits.
fn wav(frequency: f32, seconds: f32) -> Vec<u8> {
    let count = (RATE * seconds) as u32;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + count * 2).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1, 0, 1, 0]);
    bytes.extend((RATE as u32).to_le_bytes());
    bytes.extend((RATE as u32 * 2).to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend((count * 2).to_le_bytes());
    for index in 0..count {
        let wave = (std::f32::consts::TAU * frequency * index as f32 / RATE).sin() * 0.8;
        bytes.extend(((wave * f32::from(i16::MAX)) as i16).to_le_bytes());
    }
    bytes
}

fn wall(file: &Path, data: &Path) -> Result<WallProcess> {
    WallProcess::start(&WallOptions {
        board: file.to_owned(),
        data: data.to_owned(),
        environment: Vec::new(),
        before: Vec::new(),
        arguments: Vec::new(),
    })
}

/// H6: what is raised, acknowledged and cleared is told to the webhook that the board names, through a receiver that is down, a kill, and a change of
/// the address and the token in the board file: nothing is lost, and nothing comes out of order.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_of_everything() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, data) = (folder.path().join("board.toml"), folder.path().join("data"));
    let hub = hub(&file).await?;
    let (first, second) = (Receiver::start().await?, Receiver::start().await?);
    let token = folder.path().join("token");
    fs::write(&token, "one")?;
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600))?;
    let write = |receiver: &Receiver, with_token: bool| -> Result<()> {
        let mut alarms = format!("webhook = \"{}\"", receiver.url());
        if with_token {
            alarms += &format!("\nwebhook-token = {{ file = \"{}\" }}", token.display());
        }
        Ok(fs::write(&file, board(hub.address().port(), &alarms))?)
    };
    write(&first, false)?;
    let mut running = wall(&file, &data)?;
    let statuses = |receiver: &Receiver| -> Vec<(String, String)> {
        let of = |own: &Value, name: &str| own[name].as_str().unwrap_or_default().to_owned();
        let full = |own: &&Value| own["labels"]["alertname"] == "full";
        receiver.alerts().iter().filter(full).map(|own| (of(own, "status"), of(own, "fingerprint"))).collect()
    };
    let is_told = async |receiver: &Receiver, level: i32, count: usize| -> Result<()> {
        until_told(&format!("{count} words of the alarm"), LIMIT, async || {
            publish(&hub, level).await?;
            Ok((statuses(receiver).len() >= count).then_some(()))
        })
        .await
    };

    is_told(&first, 100, 1).await?;
    is_told(&first, 3, 2).await?;
    let told = first.told();
    let body = &told[0].body;
    ensure!(body["version"] == "4" && body["status"] == "firing" && body["receiver"] == "webhook", "{body:#}");
    ensure!(
        body["groupKey"].is_string() && body["truncatedAlerts"] == 0 && body["externalURL"].is_string(),
        "{body:#}"
    );
    ensure!(body["groupLabels"] == json!({"alertname": "full", "board": "Boiler house"}), "{body:#}");
    ensure!(body["commonLabels"]["severity"] == "high", "{body:#}");
    ensure!(body["commonAnnotations"]["summary"] == "Tank full", "{body:#}");
    let alert = &body["alerts"][0];
    ensure!(alert["endsAt"] == "0001-01-01T00:00:00Z" && alert["generatorURL"].is_string(), "{body:#}");
    ensure!(alert["annotations"]["description"] == "Close valve 7.", "{body:#}");
    let ends = told.last().map(|own| own.body["alerts"][0].clone()).context("an end")?;
    ensure!(ends["status"] == "resolved" && ends["startsAt"] == alert["startsAt"], "{ends:#}");
    ensure!(ends["endsAt"] != "0001-01-01T00:00:00Z" && ends["fingerprint"] == alert["fingerprint"], "{ends:#}");

    // The receiver is down, and the wall is killed: what happened meanwhile is told when both are back.
    first.answer(503);
    publish(&hub, 100).await?;
    until_told("the alarm on record", LIMIT, async || Ok((raises(&data)? >= 2).then_some(()))).await?;
    running.kill()?;
    running = wall(&file, &data)?;
    first.answer(200);
    until_told("what the receiver missed", LIMIT, async || Ok((statuses(&first).len() >= 3).then_some(()))).await?;
    is_told(&first, 3, 4).await?;

    // Down again: what it has not got goes to the address that the board file has from now on, by the token that it names.
    first.answer(503);
    publish(&hub, 100).await?;
    until_told("the alarm on record", LIMIT, async || Ok((raises(&data)? >= 3).then_some(()))).await?;
    write(&second, true)?;
    until_told("what the new one is told", LIMIT, async || Ok((!statuses(&second).is_empty()).then_some(()))).await?;
    is_told(&second, 3, 2).await?;
    ensure!(second.told().iter().all(|own| own.authorization.as_deref() == Some("Bearer one")), "{:#?}", second.told());

    // None any more, and one again: what is told begins where it left off.
    fs::write(&file, board(hub.address().port(), ""))?;
    publish(&hub, 100).await?;
    until_told("the alarm on record", LIMIT, async || Ok((raises(&data)? >= 4).then_some(()))).await?;
    write(&second, true)?;
    until_told("what it missed", LIMIT, async || Ok((statuses(&second).len() >= 3).then_some(()))).await?;

    // Raised and over in turn, each occurrence by one fingerprint; what came twice came twice in a row.
    let mut all = statuses(&first);
    all.extend(statuses(&second));
    all.dedup();
    for (at, (status, fingerprint)) in all.iter().enumerate() {
        ensure!(*status == if at % 2 == 0 { "firing" } else { "resolved" }, "{all:#?}");
        ensure!(at % 2 == 0 || *fingerprint == all[at - 1].1, "{all:#?}");
    }
    ensure!(all.len() == 7, "{all:#?}");
    drop(running);
    Ok(())
}

/// How often the alarm is on record as raised.
fn raises(data: &Path) -> Result<usize> {
    let mut command = Command::new(program("watchfloor")?);
    command.args(["alarms", "export", "--json", "--data-dir"]).arg(data);
    let said = String::from_utf8(command.output()?.stdout)?;
    let entries = said.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    Ok(entries.iter().filter(|entry| entry["what"] == "raise" && entry["rule"] == "full").count())
}
