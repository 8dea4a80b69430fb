//! Display and machine stay awake for as long as a wall is shown: each service of a desktop that would put them to sleep is asked not to.
//!
//! What was asked for ends with this process, however it ends.

use std::time::Duration;

use x11rb::{
    connection::RequestConnection as _,
    protocol::screensaver::{self, ConnectionExt as _},
    rust_connection::RustConnection,
};
use zbus::{Connection, OwnedFd};

/// Services come later than the wall, or are started again.
const ASK_EVERY: Duration = Duration::from_secs(60);
const WHO: &str = "Watchfloor";
const WHY: &str = "a wall display is shown";
const LOGIN: &str = "org.freedesktop.login1";
const SAVER: &str = "org.freedesktop.ScreenSaver";

/// What is held, each until the process ends.
#[derive(Default)]
struct Awake {
    login: Option<(Connection, OwnedFd)>,
    saver: Option<(Connection, String)>,
    display: Option<RustConnection>,
}

/// Keeps everything awake for as long as it is polled.
pub(super) async fn keep() {
    let mut awake = Awake::default();
    let mut said = String::new();
    loop {
        awake.hold().await;
        let words = awake.words();
        if words != said {
            tracing::info!("{words}");
            said = words;
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// What keeps this machine awake, in one line, as a wall would find it now.
pub(crate) async fn tell() -> String {
    let mut awake = Awake::default();
    awake.hold().await;
    awake.words()
}

impl Awake {
    async fn hold(&mut self) {
        if self.login.is_none() {
            self.login = told("logind", login().await);
        }
        // Another one than was asked is another one's word.
        if let Some((connection, owner)) = &self.saver
            && owner_of(connection).await.is_none_or(|now| now != *owner)
        {
            self.saver = None;
        }
        if self.saver.is_none() {
            self.saver = told("the screen saver of the session", saver().await);
        }
        if self.display.is_none() && std::env::var_os("WAYLAND_DISPLAY").is_none() {
            self.display = told("the X server", display());
        }
    }

    fn words(&self) -> String {
        let held: Vec<&str> = [
            self.login.as_ref().map(|_| "logind"),
            self.saver.as_ref().map(|_| "the session's screen saver"),
            self.display.as_ref().map(|_| "the X server"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if held.is_empty() {
            "nothing was found by which display and machine could be kept awake: see to it that neither sleeps"
                .to_owned()
        } else {
            format!("display and machine are kept awake by {}", held.join(", "))
        }
    }
}

fn told<T, E: std::fmt::Display>(whom: &str, outcome: Result<T, E>) -> Option<T> {
    outcome.inspect_err(|error| tracing::debug!(%error, whom, "nothing that could be asked to stay awake")).ok()
}

/// logind: neither idle action, nor sleep, nor the lid of a notebook behind the screen.
async fn login() -> zbus::Result<(Connection, OwnedFd)> {
    let bus = Connection::system().await?;
    let ask = |what: &'static str| {
        let bus = bus.clone();
        async move {
            let arguments = (what, WHO, WHY, "block");
            let path = "/org/freedesktop/login1";
            let answer = bus
                .call_method(Some(LOGIN), path, Some("org.freedesktop.login1.Manager"), "Inhibit", &arguments)
                .await?;
            answer.body().deserialize::<OwnedFd>()
        }
    };
    // Who may not forbid sleep may still say that it isn't idle.
    let held = match ask("idle:sleep:handle-lid-switch").await {
        Ok(held) => held,
        Err(_) => ask("idle").await?,
    };
    Ok((bus, held))
}

/// The desktop's own screen saver, by its unique name.
async fn saver() -> zbus::Result<(Connection, String)> {
    let bus = Connection::session().await?;
    let path = "/org/freedesktop/ScreenSaver";
    let answer = bus.call_method(Some(SAVER), path, Some(SAVER), "Inhibit", &(WHO, WHY)).await?;
    // Its number would end it sooner than the connection does.
    answer.body().deserialize::<u32>()?;
    let owner = owner_of(&bus).await.unwrap_or_default();
    Ok((bus, owner))
}

async fn owner_of(bus: &Connection) -> Option<String> {
    let bus_itself = "org.freedesktop.DBus";
    let answer =
        bus.call_method(Some(bus_itself), "/org/freedesktop/DBus", Some(bus_itself), "GetNameOwner", &SAVER).await;
    answer.ok()?.body().deserialize().ok()
}

/// The X server: its saver and the power management of the screen, for as long as the connection stands.
fn display() -> Result<RustConnection, Box<dyn std::error::Error>> {
    let (connection, _) = RustConnection::connect(None)?;
    if connection.extension_information(screensaver::X11_EXTENSION_NAME)?.is_none() {
        return Err("it has no such extension".into());
    }
    connection.screensaver_query_version(1, 1)?.reply()?;
    connection.screensaver_suspend(1)?.check()?;
    Ok(connection)
}
