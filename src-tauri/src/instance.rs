//! One program a data folder: a second one asks the first to come to the front.
//!
//! The engine's lock on the folder decides who is first. The first listens on loopback and leaves the port with a secret in the
//! folder, readable by its owner alone; who can read the folder may raise the window, and nothing more. This works the same on
//! every system and without a session bus.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const FILE: &str = "instance.json";
const LINE_BYTES_MAX: u64 = 256;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// A first instance that is only just starting may not have left its address yet.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Serialize, Deserialize)]
struct Address {
    port: u16,
    secret: String,
    pid: u32,
}

/// Answers second instances until the process ends. `raise` brings the window to the front and says whether there is one.
pub(crate) fn listen(data_dir: &Path, raise: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let secret = format!("{:032x}", rand::random::<u128>());
    let address = Address { port: listener.local_addr()?.port(), secret: secret.clone(), pid: std::process::id() };
    write_private(&data_dir.join(FILE), &serde_json::to_vec(&address)?)?;
    thread::Builder::new().name("instance".to_owned()).spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            if let Err(error) = answer(stream, &secret, &raise) {
                tracing::debug!(%error, "a caller left before it was answered");
            }
        }
    })?;
    Ok(())
}

fn answer(stream: TcpStream, secret: &str, raise: &impl Fn() -> bool) -> io::Result<()> {
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    let mut line = String::new();
    BufReader::new((&stream).take(LINE_BYTES_MAX)).read_line(&mut line)?;
    let reply = match line.trim_end() == secret {
        true if raise() => "raised\n",
        true => "no window\n",
        false => "refused\n",
    };
    (&stream).write_all(reply.as_bytes())
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

fn ask(data_dir: &Path) -> io::Result<String> {
    let address: Address = serde_json::from_slice(&fs::read(data_dir.join(FILE))?)?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port));
    let mut stream = TcpStream::connect_timeout(&at, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(format!("{}\n", address.secret).as_bytes())?;
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
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn a_second_instance_raises_the_first() {
        let dir = tempfile::tempdir().expect("a folder");
        let raised = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&raised);
        listen(dir.path(), move || {
            count.fetch_add(1, Ordering::SeqCst);
            true
        })
        .expect("listening");
        raise_other(dir.path()).expect("raised");
        assert_eq!(raised.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_windowless_first_instance_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        listen(dir.path(), || false).expect("listening");
        let failure = raise_other(dir.path()).expect_err("no window").to_string();
        assert!(failure.contains("no window") && failure.contains("--data-dir"), "{failure}");
    }

    /// H8: the port alone is no way in.
    #[test]
    fn the_secret_is_needed_and_kept_private() {
        let dir = tempfile::tempdir().expect("a folder");
        listen(dir.path(), || true).expect("listening");
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
