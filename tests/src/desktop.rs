//! A desktop without a screen: X server, session bus, window manager and a WebDriver for the program's page.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{Client, ClientBuilder, error::NewSessionError};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::program::program;

const START_LIMIT: Duration = Duration::from_secs(20);
const SESSION_LIMIT: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Settings of openbox: a window has no frame and all of the screen.
const FULL_WINDOWS: &str = r#"<openbox_config xmlns="http://openbox.org/3.4/rc"><applications>
<application class="*" type="normal"><decor>no</decor><fullscreen>yes</fullscreen></application>
</applications></openbox_config>"#;

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
pub(crate) struct Process(pub(crate) Child, pub(crate) Option<tempfile::TempDir>);

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
        Self::begin(width, height, None, None)
    }

    /// The same, with its frame buffer in a file below `folder`.
    ///
    /// # Errors
    /// As [`Desktop::start`].
    pub fn with_frame_buffer(width: u32, height: u32, folder: &Path) -> Result<Self> {
        Self::begin(width, height, Some(folder), None)
    }

    /// The same, with a window manager that gives each window the whole screen: a wall that is no kiosk fills it, and may be minimised.
    ///
    /// # Errors
    /// As [`Desktop::start`].
    pub fn with_full_windows(width: u32, height: u32, folder: &Path) -> Result<Self> {
        let settings = folder.join("openbox.xml");
        fs::write(&settings, FULL_WINDOWS)?;
        Self::begin(width, height, Some(folder), Some(&settings))
    }

    fn begin(width: u32, height: u32, frame_buffer: Option<&Path>, settings: Option<&Path>) -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"]).arg(format!("{width}x{height}x24"));
        if let Some(folder) = frame_buffer {
            command.arg("-fbdir").arg(folder);
        }
        let mut screen = spawn(command.stdout(Stdio::piped()))?;
        let display = format!(":{}", first_line(screen.0.stdout.take(), "Xvfb's display")?);
        let (bus, address) = session_bus()?;
        let mut manager = Command::new("openbox");
        if let Some(settings) = settings {
            manager.arg("--config-file").arg(settings);
        }
        let window_manager = spawn(manager.env("DISPLAY", &display).stdout(Stdio::null()))?;
        Ok(Self {
            display,
            bus: address,
            _driver: None,
            _window_manager: window_manager,
            _bus: bus,
            _screen: screen,
            driver_port: None,
            frame_buffer: frame_buffer.map(|folder| folder.join("Xvfb_screen0")),
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

    /// The X server's name.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The session bus's address.
    #[must_use]
    pub fn bus(&self) -> &str {
        &self.bus
    }

    /// The windows named `Watchfloor` that are to be seen, by their numbers.
    ///
    /// # Errors
    /// If `xdotool` isn't installed.
    pub fn windows(&self) -> Result<Vec<String>> {
        Ok(windows(&self.display)?.into_iter().map(|(id, _)| id.to_string()).collect())
    }

    /// What `xdotool` prints. It may find nothing.
    ///
    /// # Errors
    /// If it isn't installed.
    pub fn xdotool(&self, arguments: &[&str]) -> Result<String> {
        let output = tool(&self.display, arguments)?;
        Ok(String::from_utf8(output.stdout)?)
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
        // Started again where its display has gone, a wall would outlive the test.
        let args: Vec<&str> = args.iter().copied().chain(["--supervisor", "off"]).collect();
        let options = json!({ "binary": program("watchfloor")?, "args": args });
        let capabilities = json!({ "webkitgtk:browserOptions": options });
        let serde_json::Value::Object(capabilities) = capabilities else { bail!("capabilities are an object") };
        let address = format!("http://127.0.0.1:{port}");
        let begun = Instant::now();
        loop {
            let left = SESSION_LIMIT.saturating_sub(begun.elapsed());
            let mut builder = ClientBuilder::new(HttpConnector::new());
            let connecting = builder.capabilities(capabilities.clone()).connect(&address);
            match tokio::time::timeout(left, connecting).await.context("the page takes no orders")? {
                // The driver has one session, and that of a wall which has just ended until it heard of its end.
                Err(NewSessionError::SessionNotCreated(refused)) if refused.message.contains("active sessions") => {}
                answer => return answer.context("session"),
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
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

fn tool(display: &str, arguments: &[&str]) -> Result<Output> {
    Command::new("xdotool").args(arguments).env("DISPLAY", display).output().context("xdotool: is it installed?")
}

/// Width, height, and where from the left and the top, in pixels.
pub type Place = (i32, i32, i32, i32);

/// The windows named `Watchfloor` that are to be seen on a display, from the left: their numbers and places.
///
/// # Errors
/// If `xdotool` isn't installed.
pub fn windows(display: &str) -> Result<Vec<(u64, Place)>> {
    let said = |arguments: &[&str]| Ok::<_, anyhow::Error>(String::from_utf8(tool(display, arguments)?.stdout)?);
    let mut all = Vec::new();
    for id in said(&["search", "--onlyvisible", "--name", "^Watchfloor$"])?.split_whitespace() {
        let shape = said(&["getwindowgeometry", "--shell", id])?;
        let value = |name: &str| {
            let line = shape.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.and_then(|value| value.parse::<i32>().ok()).unwrap_or_default()
        };
        let place = (value("WIDTH"), value("HEIGHT"), value("X"), value("Y"));
        // What isn't a window of its own is as large as nothing.
        if place.0 > 1 {
            all.push((id.parse()?, place));
        }
    }
    all.sort_by_key(|(_, place)| place.2);
    Ok(all)
}

/// Has `xdotool` do something on a display.
///
/// # Errors
/// If it can't.
pub fn hand(display: &str, arguments: &[&str]) -> Result<()> {
    ensure!(tool(display, arguments)?.status.success(), "xdotool {arguments:?}");
    Ok(())
}

/// An X server alone, without a window manager; it ends when this is dropped.
pub struct Screen {
    frame_buffer: PathBuf,
    _server: Process,
}

impl Screen {
    /// A number that no server has, nor one that looks for the lowest free number takes meanwhile.
    ///
    /// # Errors
    /// If there is none.
    pub fn free_number() -> Result<u32> {
        /// Beyond what servers begin to look at.
        const FIRST: u32 = 1000;
        // Tests that run side by side are processes of their own.
        let own = FIRST + std::process::id() % FIRST;
        let is_free = |number: &u32| {
            let at = |name: String| !Path::new("/tmp").join(name).exists();
            at(format!(".X{number}-lock")) && at(format!(".X11-unix/X{number}"))
        };
        (own..own + FIRST).find(is_free).context("a free display")
    }

    /// Starts one of this number and so many pixels, with its frame buffer in a file below `folder`.
    ///
    /// # Errors
    /// If it isn't installed or doesn't start.
    pub fn start(number: u32, (width, height): (u32, u32), folder: &Path) -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.arg(format!(":{number}")).args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"]);
        command.arg(format!("{width}x{height}x24")).arg("-fbdir").arg(folder);
        let mut server = spawn(command.stdout(Stdio::piped()))?;
        first_line(server.0.stdout.take(), "Xvfb's display")?;
        Ok(Self { frame_buffer: folder.join("Xvfb_screen0"), _server: server })
    }

    /// The file that holds what is on it.
    #[must_use]
    pub fn frame_buffer(&self) -> &Path {
        &self.frame_buffer
    }
}

/// A session bus, and its address. It starts what the machine's own would, but no notifier: a desktop has the one that a test gives it.
pub(crate) fn session_bus() -> Result<(Process, String)> {
    const SERVICES: &str = "/usr/share/dbus-1/services";
    let folder = tempfile::tempdir()?;
    let services = folder.path().join("services");
    fs::create_dir(&services)?;
    for entry in fs::read_dir(SERVICES).into_iter().flatten() {
        let entry = entry?;
        let text = fs::read_to_string(entry.path())?;
        if !text.lines().any(|line| line.trim() == "Name=org.freedesktop.Notifications") {
            fs::write(services.join(entry.file_name()), text)?;
        }
    }
    let file = folder.path().join("bus.conf");
    fs::write(
        &file,
        format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>session</type><keep_umask/>\
             <listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth><servicedir>{}</servicedir>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
             <allow own=\"*\"/></policy></busconfig>\n",
            services.display()
        ),
    )?;
    let mut command = Command::new("dbus-daemon");
    command.arg("--config-file").arg(&file).args(["--nofork", "--print-address"]);
    let mut bus = spawn(command.stdout(Stdio::piped()))?;
    let address = first_line(bus.0.stdout.take(), "the session bus's address")?;
    bus.1 = Some(folder);
    Ok((bus, address))
}

fn spawn(command: &mut Command) -> Result<Process> {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
    Ok(Process(child.with_context(|| format!("{name} can't be started: is it installed?"))?, None))
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
