//! One program a data folder: a second one asks the first to come to the front.
//!
//! The engine's lock on the folder decides who is first. The first listens on loopback and leaves the port with a secret in the
//! folder, readable by its owner alone; who can read the folder may raise the window or have a lamp test done, and nothing more.
//! This works the same on every system and without a session bus.
//!
//! A caller sends one line, the secret, or the secret and a command. The answer is a line, or for a command as many as it has to say.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const FILE: &str = "instance.json";
const LINE_BYTES_MAX: u64 = 256;
/// A command's answer may come as slowly as this, line by line.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);
/// The longest line of such an answer.
const ANSWER_LINE_BYTES_MAX: u64 = 1 << 20;
/// Most lines of it.
const ANSWER_LINES_MAX: usize = 1000;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// A first instance that is only just starting may not have left its address yet.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Serialize, Deserialize)]
struct Address {
    port: u16,
    secret: String,
    pid: u32,
}

/// What is done for another program.
pub(crate) trait Answers: Send + Sync + 'static {
    /// Brings the window to the front; says whether there is one.
    fn raise(&self) -> bool;
    /// Does what the command says and writes what comes of it, line by line. False if there is no such command.
    fn command(&self, command: &str, out: &mut dyn Write) -> io::Result<bool>;
}

/// Answers second instances until the process ends.
pub(crate) fn listen(data_dir: &Path, answers: impl Answers) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let secret = format!("{:032x}", rand::random::<u128>());
    let address = Address { port: listener.local_addr()?.port(), secret: secret.clone(), pid: std::process::id() };
    write_private(&data_dir.join(FILE), &serde_json::to_vec(&address)?)?;
    thread::Builder::new().name("instance".to_owned()).spawn(move || {
        let answers: Arc<dyn Answers> = Arc::new(answers);
        for stream in listener.incoming().filter_map(Result::ok) {
            if let Err(error) = answer(stream, &secret, &answers) {
                tracing::debug!(%error, "a caller left before it was answered");
            }
        }
    })?;
    Ok(())
}

fn answer(stream: TcpStream, secret: &str, answers: &Arc<dyn Answers>) -> io::Result<()> {
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    let mut line = String::new();
    BufReader::new((&stream).take(LINE_BYTES_MAX)).read_line(&mut line)?;
    let (said, command) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
    let reply = match (said == secret, command) {
        (false, _) => "refused\n",
        (true, "") if answers.raise() => "raised\n",
        (true, "") => "no window\n",
        (true, command) => return serve(stream, command.to_owned(), Arc::clone(answers)),
    };
    (&stream).write_all(reply.as_bytes())
}

/// A command may take its time: the next caller doesn't wait for it.
fn serve(mut stream: TcpStream, command: String, answers: Arc<dyn Answers>) -> io::Result<()> {
    thread::Builder::new().name("command".to_owned()).spawn(move || match answers.command(&command, &mut stream) {
        Ok(true) => {}
        Ok(false) => tracing::debug!(command, "a caller asked for what there isn't"),
        Err(error) => tracing::debug!(%error, "a caller left before it was answered"),
    })?;
    Ok(())
}

/// Asks the instance that holds `data_dir` to come to the front.
pub(crate) fn raise_other(data_dir: &Path) -> Result<(), Failure> {
    let deadline = Instant::now() + ADDRESS_TIMEOUT;
    let reply = loop {
        match ask(data_dir) {
            Ok(reply) => break reply,
            Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
            Err(error) => break error.to_string(),
        }
    };
    match reply.trim_end() {
        "raised" => Ok(()),
        other => Err(Failure::Environment(format!(
            "another watchfloor uses {} and can't be brought to the front ({other}): end it, or choose another folder with --data-dir",
            data_dir.display()
        ))),
    }
}

/// Has the instance that holds `data_dir` do something, and hands each line of its answer to `each`.
pub(crate) fn ask_other(
    data_dir: &Path,
    command: &str,
    mut each: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let lacking = |what: &str| {
        Failure::Environment(format!(
            "{what} on {}: start it, or name another folder with --data-dir (the demo's is found by --demo)",
            data_dir.display()
        ))
    };
    let stream = call(data_dir, &format!(" {command}")).map_err(|_| lacking("no wall runs"))?;
    let lost = |error: io::Error| Failure::Environment(format!("the wall does not answer any more: {error}"));
    stream.set_read_timeout(Some(COMMAND_TIMEOUT)).map_err(lost)?;
    let mut lines = BufReader::new(stream);
    for number in 0..ANSWER_LINES_MAX {
        let mut line = String::new();
        if lines.by_ref().take(ANSWER_LINE_BYTES_MAX).read_line(&mut line).map_err(lost)? == 0 {
            return if number == 0 { Err(lacking("no wall that knows this command runs")) } else { Ok(()) };
        }
        if number == 0 && line.trim_end() == "refused" {
            return Err(lacking("no wall runs that left its address"));
        }
        each(line.trim_end())?;
    }
    Err(Failure::Environment("the wall's answer has no end".to_owned()))
}

fn call(data_dir: &Path, what: &str) -> io::Result<TcpStream> {
    let address: Address = serde_json::from_slice(&fs::read(data_dir.join(FILE))?)?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port));
    let mut stream = TcpStream::connect_timeout(&at, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(format!("{}{what}\n", address.secret).as_bytes())?;
    Ok(stream)
}

fn ask(data_dir: &Path) -> io::Result<String> {
    let stream = call(data_dir, "")?;
    let mut reply = String::new();
    stream.take(LINE_BYTES_MAX).read_to_string(&mut reply)?;
    Ok(reply)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A file of its own, so that the permissions are right before the secret is in it.
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(bytes)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counts {
        raised: Arc<AtomicUsize>,
        window: bool,
    }

    impl Answers for Counts {
        fn raise(&self) -> bool {
            self.raised.fetch_add(1, Ordering::SeqCst);
            self.window
        }

        fn command(&self, command: &str, out: &mut dyn Write) -> io::Result<bool> {
            let is_known = command == "count";
            if is_known {
                out.write_all(b"one\ntwo\n")?;
            }
            Ok(is_known)
        }
    }

    fn answers(window: bool) -> Counts {
        Counts { raised: Arc::default(), window }
    }

    /// A command is answered line by line; what isn't known is not taken for done, and where nobody runs that is said.
    #[test]
    fn a_command_is_answered_line_by_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let ask = |command: &str| {
            let mut lines = Vec::new();
            let asked = ask_other(dir.path(), command, |line| {
                lines.push(line.to_owned());
                Ok(())
            });
            asked.map(|()| lines).map_err(|failure| failure.to_string())
        };
        assert!(ask("count").expect_err("nobody").contains("no wall runs"));
        listen(dir.path(), answers(false)).expect("listening");
        assert_eq!(ask("count").expect("lines"), ["one", "two"]);
        assert!(ask("dance").expect_err("no such command").contains("knows this command"));
    }

    #[test]
    fn a_second_instance_raises_the_first() {
        let dir = tempfile::tempdir().expect("a folder");
        let raised = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&raised);
        listen(dir.path(), Counts { raised: count, window: true }).expect("listening");
        raise_other(dir.path()).expect("raised");
        assert_eq!(raised.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_windowless_first_instance_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        listen(dir.path(), answers(false)).expect("listening");
        let failure = raise_other(dir.path()).expect_err("no window").to_string();
        assert!(failure.contains("no window") && failure.contains("--data-dir"), "{failure}");
    }

    /// H8: the port alone is no way in.
    #[test]
    fn the_secret_is_needed_and_kept_private() {
        let dir = tempfile::tempdir().expect("a folder");
        listen(dir.path(), answers(true)).expect("listening");
        let path = dir.path().join(FILE);
        let mut address: Address = serde_json::from_slice(&fs::read(&path).expect("file")).expect("address");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).expect("file").permissions().mode() & 0o777, 0o600);
        }
        address.secret = "guess".to_owned();
        fs::write(&path, serde_json::to_vec(&address).expect("json")).expect("written");
        assert!(raise_other(dir.path()).expect_err("refused").to_string().contains("refused"));
    }
}
