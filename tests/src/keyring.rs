//! GNOME's keyring on a session bus of its own, with a home that nobody lives in.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::desktop::{Process, session_bus};

const START_LIMIT: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A keyring that is unlocked. It ends when this is dropped.
pub struct Keyring {
    environment: Vec<(String, String)>,
    // Dropped in this order: the client before the bus.
    _daemon: Process,
    _bus: Process,
}

impl Keyring {
    /// Starts one that keeps its files in `home`.
    ///
    /// # Errors
    /// If one of its programs isn't installed or doesn't start.
    pub async fn start(home: &Path) -> Result<Self> {
        let (bus, address) = session_bus()?;
        let runtime = home.join("run");
        fs::create_dir(&runtime)?;
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700))?;
        let path = |path: &Path| path.display().to_string();
        let environment = vec![
            ("HOME".to_owned(), path(home)),
            ("XDG_DATA_HOME".to_owned(), path(&home.join("share"))),
            ("XDG_RUNTIME_DIR".to_owned(), path(&runtime)),
            ("DBUS_SESSION_BUS_ADDRESS".to_owned(), address),
        ];
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets", "--unlock"]).envs(environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon =
            Process(command.spawn().context("gnome-keyring-daemon can't be started: is it installed?")?, None);
        // The pass phrase of a keyring that is made by that. Dropped at once, so that it ends.
        daemon.0.stdin.take().context("its input")?.write_all(b"phrase")?;
        let keyring = Self { environment, _daemon: daemon, _bus: bus };
        let begun = Instant::now();
        // Asked for sooner, the bus would start another one.
        while !keyring.is_there()? {
            ensure!(begun.elapsed() < START_LIMIT, "no keyring on the bus");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(keyring)
    }

    /// What a program needs to find it.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Keeps a secret as `service/account`.
    ///
    /// # Errors
    /// If it doesn't.
    pub fn store(&self, service: &str, account: &str, secret: &str) -> Result<()> {
        let label = format!("--label={service}/{account}");
        let mut command = self.command("secret-tool", &["store", &label, "service", service, "username", account]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("its input")?.write_all(secret.as_bytes())?;
        succeeded(&child.wait_with_output()?)
    }

    /// Locks it.
    ///
    /// # Errors
    /// If it can't be.
    pub fn lock(&self) -> Result<()> {
        let lock = ["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"];
        let ask = ["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"];
        succeeded(&self.command("dbus-send", &[&ask[..], &lock[..]].concat()).output()?)
    }

    fn is_there(&self) -> Result<bool> {
        let ask = ["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"];
        let has_owner = ["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"];
        let output = self.command("dbus-send", &[&ask[..], &has_owner[..]].concat()).output().context("dbus-send")?;
        Ok(String::from_utf8_lossy(&output.stdout).contains("true"))
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).envs(self.environment.iter().cloned());
        command
    }
}

fn succeeded(output: &Output) -> Result<()> {
    ensure!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(())
}
