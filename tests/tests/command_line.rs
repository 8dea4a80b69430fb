//! The contract seen from a shell: exit codes, one line that says what to do, every error of a board file at once.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use watchfloor_tests::program::{program, root, run_wall};

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
        .stderr(Stdio::null())
        .spawn()
        .expect("first");
    // Its first report means that it holds the folder.
    let mut line = String::new();
    let output = first.stdout.take().expect("output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("report");
    check(&["--demo", "--headless", "--for", "1s", "--data-dir", data], 3, &["--data-dir"]);
    first.kill().expect("killed");
    first.wait().expect("ended");
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
