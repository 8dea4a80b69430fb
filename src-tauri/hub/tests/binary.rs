//! The binary `watchfloor-hub` from outside: exit codes, the words of each, and its memory under readers that don't read.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

fn hub(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor-hub"));
    command
        .args(arguments)
        .env_remove("WATCHFLOOR_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = hub(arguments).output().expect("the binary runs");
    assert!(stdout.is_empty(), "nothing is printed where programs read");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("text").to_owned()
}

/// Usage is 2, wrong input 1, a lacking environment 3 with one line that says what to do.
#[test]
fn exit_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = file(folder.path(), "bad.toml", "[board]\ntitel = \"x\"\n");
    let missing = folder.path().join("missing").to_str().expect("text").to_owned();
    let empty = file(folder.path(), "empty", "\n");
    for (arguments, code, part) in [
        (vec!["--what"], 2, "unexpected argument '--what'"),
        (vec!["--history-age", "24"], 2, "malformed duration"),
        (vec!["--history-events", "0"], 2, "a whole number above 0"),
        (vec!["--heartbeat", "2m"], 2, "expected 10ms to 60s"),
        (vec!["--durability", "lazy"], 2, "expected durable, fast or memory"),
        (vec!["--listen", "0.0.0.0:0"], 2, "0.0.0.0:0 can be reached by others: give --publish-token-file"),
        (vec!["--board", &bad], 1, "titel"),
        (vec!["--board", &missing], 1, "expected a board file"),
        (vec!["--publish-token-file", &missing], 3, "create it, readable for this user"),
        (vec!["--publish-token-file", &empty], 3, "holds no token"),
        (vec!["--subscribe-token-file", &missing], 3, "can't read the subscribe token file"),
        (vec!["--subscribe-key-file", &missing], 3, "can't read the subscribe key file"),
        (vec!["--subscribe-key-file", &empty], 3, "holds 0 bytes: write at least 32 random ones into it"),
        (vec!["--data-dir", &empty], 3, "can't keep anything in"),
    ] {
        let (found, words) = run(&arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {words}");
        assert!(words.contains(part), "{arguments:?}: {words}");
        assert!(code != 3 || words.trim_end().lines().count() == 1, "{words}");
    }
    // Both files' mistakes at once.
    let (_, words) = run(&["--board", &bad, "--board", &missing]);
    assert!(words.contains("titel") && words.contains("missing"), "{words}");
}

/// One hub has a data folder at a time; the other says so, and what to do.
#[test]
fn a_taken_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").to_str().expect("text").to_owned();
    let _running = Running::start(&["--data-dir", &data]);
    let (code, words) = run(&["--listen", "127.0.0.1:0", "--data-dir", &data]);
    assert_eq!((code, words.trim_end().lines().count()), (Some(3), 1), "{words}");
    assert!(words.contains("another hub uses") && words.contains("choose another folder"), "{words}");
}

/// A taken port is said in one line, with what to do.
#[test]
fn a_taken_port() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = holder.local_addr().expect("address").to_string();
    let (code, words) = run(&["--listen", &address]);
    assert_eq!((code, words.trim_end().lines().count()), (Some(3), 1), "{words}");
    assert!(words.contains("end what uses it, or choose another with --listen"), "{words}");
}

/// A hub that runs; killed when dropped.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = hub(&[&["--listen", "127.0.0.1:0"], arguments].concat()).spawn().expect("the binary runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let address =
            line.rsplit_once("127.0.0.1:").map(|(_, port)| format!("127.0.0.1:{}", digits(port))).expect(&line);
        // Read on, or the hub would have nowhere to log to.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, address }
    }

    fn request(&self, head: &str, body: &[u8]) -> TcpStream {
        let mut connection = TcpStream::connect(&self.address).expect("connected");
        let head = format!("{head} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
        connection.write_all(head.as_bytes()).expect("sent");
        connection.write_all(b"content-type: application/json\r\nconnection: close\r\n\r\n").expect("sent");
        connection.write_all(body).expect("sent");
        connection
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn digits(text: &str) -> String {
    text.chars().take_while(char::is_ascii_digit).collect()
}

/// The aggregates of a board file's widgets are in the snapshot.
#[test]
fn boards_are_folded() {
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/new-york-departures.toml");
    let running = Running::start(&["--board", board.to_str().expect("text")]);
    let mut answer = String::new();
    let mut stream = running.request("GET /v1/snapshot?channels=airports,flights,weather", b"");
    stream.read_to_string(&mut answer).expect("an answer");
    for fingerprint in ["\"counter-", "\"table-", "\"markers-", "\"status-"] {
        assert!(answer.contains(fingerprint), "{answer}");
    }
}

/// SIGTERM ends the hub in order: exit 0, within a second, whoever is connected.
#[cfg(unix)]
#[test]
fn stops_when_told() {
    for signal in ["TERM", "INT"] {
        let mut running = Running::start(&[]);
        let mut stream = running.request("GET /v1/sse?cursor=a~", b"");
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        let begin = Instant::now();
        let id = running.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill").success());
        assert_eq!(running.child.wait().expect("ended").code(), Some(0));
        assert!(begin.elapsed() < Duration::from_millis(1500), "{:?}", begin.elapsed());
        let mut rest = String::new();
        stream.read_to_string(&mut rest).expect("an end in order");
        assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
    }
}

/// H5: readers that don't read cost nothing but what the history holds, however much is published.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded() {
    let running = Running::start(&["--history-mib", "2"]);
    let _readers: Vec<_> = (0..8).map(|_| running.request("GET /v1/sse?cursor=a~", b"")).collect();
    let event = format!(r#"{{"channel":"a","name":"n","data":"{}"}}"#, "x".repeat(64 << 10));
    let batch = format!("[{}]", vec![event; 32].join(","));
    let publish = |times: usize| {
        for _ in 0..times {
            let mut answer = String::new();
            running.request("POST /v1/publish", batch.as_bytes()).read_to_string(&mut answer).expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    };
    // Buffers, pools and the sockets' own memory come to their size first.
    publish(16);
    let before = resident_kib(&running.child);
    publish(64);
    let grown = resident_kib(&running.child).saturating_sub(before);
    assert!(grown < 16 << 10, "128 MiB published made the hub grow by {grown} KiB, from {before}");
}

#[cfg(target_os = "linux")]
fn resident_kib(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a running process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a resident size");
    digits(line["VmRSS:".len()..].trim()).parse().expect("a number")
}

/// H3: what is published from a shell is published once and shown with its place; what came before is shown if it is asked for, and what nobody sent
/// doesn't move a terminal's cursor.
#[test]
fn publishes_and_shows() {
    let running = Running::start(&[]);
    let url = format!("http://{}", running.address);
    let said = |arguments: &[&str], input: &str| {
        let mut child =
            hub(&[arguments, &["--url", &url]].concat()).stdin(Stdio::piped()).spawn().expect("the binary runs");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("sent");
        let Output { status, stdout, stderr } = child.wait_with_output().expect("its end");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code(), text(stdout), text(stderr))
    };
    let (code, first, words) = said(&["publish", "a", "n", "{\"v\": 1}", "--id", "one", "--time", "1360335600000"], "");
    assert_eq!((code, &*words), (Some(0), ""));
    let epoch = first.trim().strip_suffix(":1").expect(&first).to_owned();
    let lines =
        "{\"channel\":\"a\",\"name\":\"n\",\"data\":\"\u{202e}\"}\n\n{\"channel\":\"a\",\"name\":\"m\",\"data\":3}";
    let (code, positions, words) = said(&["publish"], lines);
    assert_eq!((code, positions, &*words), (Some(0), format!("{epoch}:2\n{epoch}:3\n"), ""));
    let (code, shown, words) = said(&["tail", "a", "--last", "3", "--count", "3"], "");
    assert_eq!((code, &*words), (Some(0), ""));
    let shown: Vec<&str> = shown.lines().collect();
    assert_eq!(shown[0], format!("2013-02-08T15:00:00.000Z a {epoch}:1 n {{\"v\":1}}"));
    assert!(shown[1].ends_with(&format!("{epoch}:2 n \"\\u{{202e}}\"")), "{shown:?}");
    let (code, shown, _) = said(&["tail", "a", "--last", "2", "--count", "1", "--json"], "");
    let message: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((code, &message["position"]), (Some(0), &serde_json::json!(format!("{epoch}:2"))));
    // What is asked for beyond the beginning is all that there is.
    assert_eq!(said(&["tail", "a", "--last", "100", "--count", "3"], "").1.lines().count(), 3);
    // By the beginning of names: what comes to be while it looks.
    let mut watching = hub(&["tail", "b.*", "--count", "1", "--url", &url]).spawn().expect("the binary runs");
    for number in 1.. {
        let (channel, data) = (format!("b.{number}"), number.to_string());
        assert_eq!(said(&["publish", &channel, "n", &data], "").0, Some(0));
        if watching.try_wait().expect("its state").is_some() {
            break;
        }
    }
    let Output { status, stdout, stderr } = watching.wait_with_output().expect("its end");
    let shown = String::from_utf8(stdout).expect("text");
    assert!(status.success() && stderr.is_empty() && shown.contains(" b."), "{shown}");
    for (arguments, input, code, part) in [
        (&["publish", "a", "n", "text"][..], "", 1, "the data is no JSON"),
        (&["publish", "a", "n", "1e999"], "", 1, "the data is no JSON: number out of range"),
        (&["publish", "a b", "n"], "", 1, "no channel name"),
        (&["publish"], "{}", 1, "event 1: `channel` is missing"),
        (&["tail", "a b"], "", 1, "no channel name"),
        (&["tail", "a*b"], "", 1, "no channel name"),
        (&["tail"], "", 2, "required"),
        (&["publish", "a"], "", 2, "required"),
    ] {
        let (found, _, words) = said(arguments, input);
        assert!(found == Some(code) && words.contains(part), "{arguments:?}: {found:?}: {words}");
    }
    drop(running);
    let (code, _, words) = said(&["publish", "a", "n", "--patience", "1s"], "");
    assert!(code == Some(3) && words.contains("can't be reached"), "{words}");
}

/// H1: `top` tells what the hub counts now, with rates between two answers; where nobody answers it says that, and no number.
#[test]
fn shows_what_it_does() {
    let running = Running::start(&[]);
    let url = format!("http://{}", running.address);
    let top = |arguments: &[&str]| {
        let arguments = [&["top", "--once", "--every", "100ms", "--url", &url], arguments].concat();
        let Output { status, stdout, stderr } = hub(&arguments).output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code(), text(stdout), text(stderr))
    };
    let mut answer = String::new();
    running
        .request("POST /v1/publish", br#"[{"channel":"a","name":"n","data":1},{"channel":"a","name":"n","data":2}]"#)
        .read_to_string(&mut answer)
        .expect("an answer");
    let (code, shown, words) = top(&["--json"]);
    let look: serde_json::Value = serde_json::from_str(&shown).expect("one object");
    assert_eq!((code, &*words), (Some(0), ""));
    assert_eq!(
        (&look["events_in"], &look["events_in_per_s"], &look["channels"]),
        (&2.0.into(), &0.0.into(), &1.0.into())
    );
    let (code, shown, _) = top(&[]);
    assert_eq!(code, Some(0));
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["events", "in", "2", "0"])), "{shown}");
    drop(running);
    let (code, shown, words) = top(&[]);
    assert!(
        code == Some(3) && shown.starts_with("NO ANSWER: ") && words.contains("can't be reached"),
        "{shown}{words}"
    );
}
