//! The contract seen from a shell: exit codes, one line that says what to do, every error of a board file at once.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchfloor_tests::{
    desktop::Desktop,
    program::{program, root, run_wall},
};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the program and wants this exit code and these words in one line of standard error.
fn check(args: &[&str], code: i32, words: &[&str]) {
    let output = run_wall(args).expect("run");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("watchfloor: ")).collect();
    assert_eq!(lines.len(), 1, "{args:?}: {said}");
    for word in words {
        assert!(lines[0].contains(word), "{args:?}: {word:?} is not in {:?}", lines[0]);
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [&[] as &[&str], &["--nonsense"], &["--demo", "--for", "20s"], &["--demo", "--speed", "0"]] {
        assert_eq!(run_wall(args).expect("run").status.code(), Some(2), "{args:?}");
    }
}

/// There is no record of alarms where there is no journal, and a stretch has a beginning before its end and times with zones.
#[test]
fn the_record_of_alarms_is_asked_in_words() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?;
    for what in ["report", "export"] {
        check(&["alarms", what, "--data-dir", data], 1, &["no journal", "--data-dir"]);
    }
    let (from, to) = ("2026-11-24T10:15:00Z", "2026-11-24T10:14:00Z");
    check(&["alarms", "report", "--data-dir", data, "--from", from, "--to", to], 2, &["--from"]);
    assert_eq!(run_wall(&["alarms", "report", "--from", "yesterday"])?.status.code(), Some(2));
    assert_eq!(run_wall(&["alarms", "export", "--csv", "--json"])?.status.code(), Some(2));
    Ok(())
}

/// Who starts the program without a word is told both ways on.
#[test]
fn nothing_to_show_names_the_demo() {
    let said = stderr(&run_wall(&[]).expect("run"));
    assert!(said.contains("--board") && said.contains("--demo"), "{said}");
}

/// A display that is named and doesn't open, and a bus that is named and isn't there, are lacks of the environment: one line
/// with what was found and what to do, no panic, and the doctor says the same.
#[test]
fn a_dead_display_or_bus_is_told_by_the_wall_and_by_the_doctor() -> Result<()> {
    let data = tempfile::tempdir()?;
    let desktop = Desktop::start(320, 320)?;
    let bus = "unix:path=/nowhere/bus";
    for (variable, value, finding, words) in [
        ("DISPLAY", ":7777", "display", ["DISPLAY=:7777", "X server", "--headless"]),
        ("DBUS_SESSION_BUS_ADDRESS", bus, "notifications", [bus, "dbus-run-session", "--notifications off"]),
    ] {
        for args in [&["--demo"] as &[&str], &["doctor"]] {
            let mut command = Command::new(program("watchfloor")?);
            desktop.enter(&mut command);
            command.args(args).arg("--data-dir").arg(data.path()).env(variable, value);
            let output = command.output()?;
            assert_eq!(output.status.code(), Some(3), "{args:?}: {}", stderr(&output));
            let said = if args == ["doctor"] { String::from_utf8(output.stdout)? } else { stderr(&output) };
            let begin = if args == ["doctor"] { format!("wrong {finding}") } else { "watchfloor: ".to_owned() };
            let lines: Vec<_> = said.lines().filter(|line| line.starts_with(&begin)).collect();
            assert_eq!(lines.len(), 1, "{args:?}: {said}");
            assert!(words.iter().all(|word| lines[0].contains(word)), "{args:?}: {said}");
            assert!(!said.contains("panicked"), "{said}");
        }
    }
    Ok(())
}

/// A healthy desktop without a notification service is no reason to refuse; the doctor says it in plain words.
#[test]
fn a_desktop_without_notifications_is_named_by_the_doctor() -> Result<()> {
    let data = tempfile::tempdir()?;
    let desktop = Desktop::start(320, 320)?;
    let mut command = Command::new(program("watchfloor")?);
    desktop.enter(&mut command);
    let output = command.args(["doctor", "--data-dir"]).arg(data.path()).output()?;
    let said = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("no notification service on this desktop"), "{said}");
    assert!(!said.contains("org.freedesktop"), "{said}");
    Ok(())
}

/// Every program reads its log level alike, and refuses what is none before it does anything else.
#[test]
fn a_mistyped_log_level_ends_with_2_and_names_the_levels() -> Result<()> {
    let data = tempfile::tempdir()?;
    let data = data.path().to_str().context("path")?;
    for (name, args) in [
        ("watchfloor", vec!["--demo", "--headless", "--for", "1s", "--data-dir", data]),
        ("watchfloor-hub", vec!["--listen", "127.0.0.1:0"]),
        ("watchfloor-replay", vec!["--hub", "http://127.0.0.1:1"]),
    ] {
        let output = Command::new(program(name)?).args(args).env("WATCHFLOOR_LOG", "loud").output()?;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        for word in ["WATCHFLOOR_LOG", "\"loud\"", "error, warn, info, debug, trace"] {
            assert!(said.contains(word), "{name}: {word:?} is not in {said}");
        }
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
    }
    Ok(())
}

/// A process that is killed when it is dropped, with the lines of its stderr.
struct Running(Child, BufReader<ChildStderr>);

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().context("stderr")?;
        Ok(Self(child, BufReader::new(stderr)))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.1.read_line(&mut line)? > 0, "it ended without a word");
        Ok(line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about a failure here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What collects stderr in a file or a journal gets no colour codes, from no program.
#[test]
fn logs_have_no_colours_where_nobody_sees_them() -> Result<()> {
    let data = tempfile::tempdir()?;
    let data = data.path().to_str().context("path")?;
    for (name, args) in [
        ("watchfloor", vec!["--demo", "--headless", "--for", "60s", "--data-dir", data]),
        ("watchfloor-hub", vec!["--listen", "127.0.0.1:0"]),
        ("watchfloor-replay", vec!["--hub", "http://127.0.0.1:1"]),
    ] {
        let line = Running::start(Command::new(program(name)?).args(args).env_remove("NO_COLOR"))?.line()?;
        assert!(line.contains("INFO") && !line.contains('\u{1b}'), "{name}: {line:?}");
    }
    Ok(())
}

/// A replay says at once what keeps it from its hub, and what it does about that.
#[test]
fn a_replay_without_its_hub_says_so() -> Result<()> {
    for hub in ["zzz", "localhost:8787", "ftp://127.0.0.1/"] {
        let output = Command::new(program("watchfloor-replay")?).args(["--hub", hub]).output()?;
        assert_eq!(output.status.code(), Some(2), "{hub}: {}", stderr(&output));
        assert!(stderr(&output).contains("http://127.0.0.1:8787"), "{}", stderr(&output));
    }
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut replay =
        Running::start(Command::new(program("watchfloor-replay")?).args(["--hub", &format!("http://{nobody}")]))?;
    let begun = Instant::now();
    loop {
        let line = replay.line()?;
        if line.contains("WARN") {
            assert!(line.contains("the hub can't be reached") && line.contains("refused"), "{line}");
            break;
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "it was silent for {:?}", begun.elapsed());
    Ok(())
}

/// Words that a first-time user reads: one widget is one, and a missing file is missing, not refused.
#[test]
fn check_counts_in_english_and_says_where_it_looked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let board = folder.path().join("board.toml");
    fs::write(&board, fs::read_to_string(root().join("README.md"))?.split("\n```toml\n").nth(1).context("a board")?)?;
    let text = fs::read_to_string(&board)?;
    let text = text.split("\n```").next().context("a board")?;
    let one = text.rsplit_once("[[widget]]").context("two widgets")?.0;
    for (text, words) in [(text, ": good, 2 widgets\n"), (one, ": good, 1 widget\n")] {
        fs::write(&board, text)?;
        let output = run_wall(&["check", board.to_str().context("path")?])?;
        assert!(String::from_utf8(output.stdout)?.ends_with(words), "{words}");
    }
    for args in [&["check", "no-such-board.toml"] as &[&str], &["--board", "no-such-board.toml", "--headless"]] {
        let mut command = Command::new(program("watchfloor")?);
        let output = command.args(args).current_dir(folder.path()).env("XDG_DATA_HOME", folder.path()).output()?;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let looked_for = fs::canonicalize(folder.path())?.join("no-such-board.toml");
        assert!(said.contains("there is no such file") && said.contains(&*looked_for.to_string_lossy()), "{said}");
    }
    Ok(())
}

/// A relative data folder is one folder, below where the program was started: for the journal as for the settings.
#[test]
fn a_relative_data_folder_is_below_the_working_folder() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(program("watchfloor")?);
    let output = command.args(["doctor", "--data-dir", "data"]).current_dir(folder.path()).output()?;
    let said = String::from_utf8(output.stdout)?;
    let absolute = fs::canonicalize(folder.path())?.join("data");
    assert!(said.contains(&*absolute.to_string_lossy()), "{said}");
    Ok(())
}

#[test]
fn a_lacking_environment_ends_with_3_and_says_what_to_do() {
    let data = tempfile::tempdir().expect("folder");
    let data = data.path().to_str().expect("path");
    check(&["--demo", "--data-dir", data], 3, &["no display", "--headless"]);

    let file = tempfile::NamedTempFile::new().expect("file");
    let below_a_file = file.path().join("data");
    let below_a_file = below_a_file.to_str().expect("path");
    check(&["--demo", "--headless", "--for", "1s", "--data-dir", below_a_file], 3, &[below_a_file, "--data-dir"]);

    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("port");
    let address = taken.local_addr().expect("address").to_string();
    let args = ["--demo", "--headless", "--for", "1s", "--data-dir", data, "--metrics", &address];
    check(&args, 3, &[&address, "--metrics"]);
}

#[test]
fn without_a_session_bus_a_window_needs_to_be_told() {
    let data = tempfile::tempdir().expect("folder");
    let output = Command::new(program("watchfloor").expect("built"))
        .args(["--demo", "--data-dir"])
        .arg(data.path())
        // Never reached: the bus is looked for first.
        .env("DISPLAY", ":9")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("XDG_RUNTIME_DIR")
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    assert!(said.contains("no session bus") && said.contains("--notifications off"), "{said}");
}

/// H1, H5: a file that may not grow is a disk that refuses, and no end of the wall.
#[test]
fn a_limit_on_file_sizes_does_not_end_it() {
    let data = tempfile::tempdir().expect("folder");
    let output = Command::new("bash")
        .args(["-c", "ulimit -f 128; exec \"$0\" --demo --headless --for 6s --data-dir \"$1\""])
        .arg(program("watchfloor").expect("built"))
        .arg(data.path())
        .output()
        .expect("run");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("going on from memory"), "{said}");
}

#[test]
fn a_missing_or_bad_board_ends_with_1() {
    let data = tempfile::tempdir().expect("folder");
    let bad = data.path().join("bad.toml");
    fs::write(&bad, "[board]\ntitel = \"x\"\n").expect("written");
    for (board, words) in [("/nowhere/board.toml", "/nowhere/board.toml"), (bad.to_str().expect("path"), "bad.toml")] {
        let args = ["--board", board, "--headless", "--for", "1s", "--data-dir", data.path().to_str().expect("path")];
        let output = run_wall(&args).expect("run");
        assert_eq!(output.status.code(), Some(1), "{board}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn check_tells_every_error_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("board.toml");
    let text = r#"[board]
titel = "Typing error"
[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:8787"
channels = ["a"]
[[widget]]
id = "one"
kind = "countr"
[[widget]]
id = "two"
kind = "gauge"
value = "a..b"
[[widget]]
id = "two"
kind = "counter"
count = 5
"#;
    fs::write(&path, text).expect("written");
    let output = run_wall(&["check", path.to_str().expect("path")]).expect("run");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let wanted = [":2:1", "title", ":10:", "counter", ":14:", "malformed path", ":16:", "\"two\"", ":18:"];
    for word in wanted {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
}

#[test]
fn examples_and_schema_are_sound() {
    let boards: Vec<_> = fs::read_dir(root().join("examples"))
        .expect("examples")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    assert!(!boards.is_empty());
    for board in boards {
        let output = run_wall(&["check", board.to_str().expect("path")]).expect("run");
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let output = run_wall(&["schema"]).expect("run");
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

/// What the documentation tells people to write is what the program takes.
#[test]
fn boards_in_the_documentation_are_sound() {
    let folder = tempfile::tempdir().expect("folder");
    let mut pages: Vec<_> =
        fs::read_dir(root().join("docs")).expect("docs").filter_map(|entry| Some(entry.ok()?.path())).collect();
    pages.push(root().join("README.md"));
    let mut checked = 0;
    for page in pages.iter().filter(|page| page.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(page).expect("page");
        let blocks = text.split("\n```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
        // A fragment shows one table only; the reference page's own test completes those.
        for block in blocks.filter(|block| block.contains("[board]") && block.contains("[[widget]]")) {
            let path = folder.path().join("board.toml");
            fs::write(&path, block).expect("written");
            let output = run_wall(&["check", path.to_str().expect("path")]).expect("run");
            assert!(output.status.success(), "{}: {}", page.display(), stderr(&output));
            checked += 1;
        }
    }
    assert!(checked > 0, "no board in the documentation");
}

#[test]
fn a_second_instance_of_a_windowless_wall_says_so() {
    let data = tempfile::tempdir().expect("folder");
    let data = data.path().to_str().expect("path");
    let args = ["--demo", "--headless", "--for", "10m", "--json", "--data-dir", data];
    let mut first = Command::new(program("watchfloor").expect("built"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("first");
    // Its first report means that it holds the folder.
    let mut line = String::new();
    // Kept: a wall whose reports nobody can read any more ends.
    let mut output = BufReader::new(first.stdout.take().expect("output"));
    output.read_line(&mut line).expect("report");
    assert!(line.starts_with('{'), "no report, but {line:?}: {:?}", first.wait_with_output());
    check(&["--demo", "--headless", "--for", "1s", "--data-dir", data], 3, &["--data-dir"]);
    first.kill().expect("killed");
    first.wait().expect("ended");
    drop(output);
}

/// The demo, as an operator checks it: `watchfloor --demo --headless --for 20s --json`.
#[test]
fn the_demo_is_live_all_over() {
    let data = tempfile::tempdir().expect("folder");
    let data = data.path().to_str().expect("path");
    let begun = Instant::now();
    let output = run_wall(&["--demo", "--headless", "--for", "20s", "--json", "--data-dir", data]).expect("run");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(begun.elapsed() < Duration::from_secs(40), "it took {:?}", begun.elapsed());

    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let reports: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!((18..=22).contains(&reports.len()), "{} reports in 20 s", reports.len());
    let last = reports.last().expect("a report");
    let sources = last["sources"].as_object().expect("sources");
    assert!(!sources.is_empty());
    for (id, source) in sources {
        assert_eq!(source["state"], "live", "{id}: {source}");
        assert_eq!(source["transport"], "websocket", "{id}: {source}");
        assert_eq!(source["gaps"], 0, "{id}: {source}");
    }
    let widgets = last["widgets"].as_object().expect("widgets");
    assert!(widgets.len() >= 12, "{} widgets", widgets.len());
    for (id, widget) in widgets {
        assert_eq!(widget["freshness"], "live", "{id}: {widget}");
        let empty = match &widget["value"] {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(items) => items.is_empty(),
            _ => false,
        };
        assert!(!empty, "{id} is empty: {widget}");
    }
    assert!(last["alarms"].as_array().is_some());
}
