//! A desktop without a screen: X server, session bus, window manager and a WebDriver for the program's page.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::program::program;

const START_LIMIT: Duration = Duration::from_secs(20);
const SESSION_LIMIT: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A running desktop; everything it started ends with it.
pub struct Desktop {
    display: String,
    bus: String,
    // Dropped in this order: clients before what they are clients of.
    _driver: Option<Process>,
    _window_manager: Process,
    _bus: Process,
    _screen: Process,
    driver_port: Option<u16>,
    frame_buffer: Option<PathBuf>,
}

/// A child process that is killed when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about a failure here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Desktop {
    /// Starts a desktop of `width` × `height` pixels.
    ///
    /// # Errors
    /// If one of its programs isn't installed or doesn't start.
    pub fn start(width: u32, height: u32) -> Result<Self> {
        Self::begin(width, height, None)
    }

    /// The same, with its frame buffer in a file below `folder`.
    ///
    /// # Errors
    /// As [`Desktop::start`].
    pub fn with_frame_buffer(width: u32, height: u32, folder: &Path) -> Result<Self> {
        let mut desktop = Self::begin(width, height, Some(folder))?;
        desktop.frame_buffer = Some(folder.join("Xvfb_screen0"));
        Ok(desktop)
    }

    fn begin(width: u32, height: u32, frame_buffer: Option<&Path>) -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"]).arg(format!("{width}x{height}x24"));
        if let Some(folder) = frame_buffer {
            command.arg("-fbdir").arg(folder);
        }
        let mut screen = spawn(command.stdout(Stdio::piped()))?;
        let display = format!(":{}", first_line(screen.0.stdout.take(), "Xvfb's display")?);
        let (bus, address) = session_bus()?;
        let window_manager = spawn(Command::new("openbox").env("DISPLAY", &display).stdout(Stdio::null()))?;
        Ok(Self {
            display,
            bus: address,
            _driver: None,
            _window_manager: window_manager,
            _bus: bus,
            _screen: screen,
            driver_port: None,
            frame_buffer: None,
        })
    }

    /// The same with a WebDriver.
    ///
    /// # Errors
    /// As [`Desktop::start`].
    pub async fn with_driver(width: u32, height: u32) -> Result<Self> {
        Self::with_driver_in(width, height, &[]).await
    }

    /// The same, of walls with these variables.
    ///
    /// # Errors
    /// As [`Desktop::start`].
    pub async fn with_driver_in(width: u32, height: u32, environment: &[(&str, &str)]) -> Result<Self> {
        let mut desktop = Self::start(width, height)?;
        let port = free_port()?;
        let mut command = Command::new("WebKitWebDriver");
        command.arg(format!("--port={port}")).envs(environment.iter().copied());
        desktop.enter(&mut command);
        desktop._driver = Some(spawn(&mut command)?);
        let begun = Instant::now();
        while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            ensure!(begun.elapsed() < START_LIMIT, "WebKitWebDriver does not listen");
            tokio::time::sleep(ASK_EVERY).await;
        }
        desktop.driver_port = Some(port);
        Ok(desktop)
    }

    /// The file that holds what is on the screen, if it was asked for.
    #[must_use]
    pub fn frame_buffer(&self) -> Option<&Path> {
        self.frame_buffer.as_deref()
    }

    /// Gives `command` this desktop's environment.
    pub fn enter(&self, command: &mut Command) {
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env_remove("WAYLAND_DISPLAY")
            // Without these two the program's web view takes no orders.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
    }

    /// Starts the wall by WebDriver with these arguments, and waits until its page is there.
    ///
    /// # Errors
    /// If no session comes about within a minute.
    pub async fn open_wall(&self, args: &[&str]) -> Result<Client> {
        let Some(port) = self.driver_port else { bail!("this desktop has no WebDriver") };
        let options = json!({ "binary": program("watchfloor")?, "args": args });
        let capabilities = json!({ "webkitgtk:browserOptions": options });
        let serde_json::Value::Object(capabilities) = capabilities else { bail!("capabilities are an object") };
        let address = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities).connect(&address);
        tokio::time::timeout(SESSION_LIMIT, connecting).await.context("the page takes no orders")?.context("session")
    }

    /// Takes a picture of the whole screen.
    ///
    /// # Errors
    /// If ImageMagick's `import` fails.
    pub fn screenshot(&self, to: &Path) -> Result<()> {
        let mut command = Command::new("import");
        command.args(["-window", "root"]).arg(to);
        self.enter(&mut command);
        ensure!(command.status().context("import, of imagemagick")?.success(), "no screenshot");
        Ok(())
    }
}

/// A session bus, and its address.
pub(crate) fn session_bus() -> Result<(Process, String)> {
    let mut command = Command::new("dbus-daemon");
    let mut bus = spawn(command.args(["--session", "--nofork", "--print-address"]).stdout(Stdio::piped()))?;
    let address = first_line(bus.0.stdout.take(), "the session bus's address")?;
    Ok((bus, address))
}

fn spawn(command: &mut Command) -> Result<Process> {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
    Ok(Process(child.with_context(|| format!("{name} can't be started: is it installed?"))?))
}

fn first_line(output: Option<ChildStdout>, what: &str) -> Result<String> {
    let mut line = String::new();
    BufReader::new(output.with_context(|| what.to_owned())?).read_line(&mut line).with_context(|| what.to_owned())?;
    ensure!(!line.trim().is_empty(), "{what} did not come");
    Ok(line.trim().to_owned())
}

/// A port that was free just now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
