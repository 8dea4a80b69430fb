//! What this desktop has to tell people by: a session bus, and a service on it that shows notifications.

use std::fmt;

/// Why nothing can be shown on this desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// There is no session bus.
    Bus,
    /// The bus is there, and nobody on it shows notifications.
    Service,
    /// Who shows notifications takes them, and puts them away at once.
    Swallows,
    /// Something else, in the desktop's words.
    Other(String),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus => f.write_str("no session bus: alarms and lost sources are told on the wall only"),
            Self::Service => f.write_str(
                "no notification service on this desktop: alarms and lost sources are told on the wall only",
            ),
            Self::Swallows => f.write_str(
                "the desktop puts notifications away unseen: alarms and lost sources are told on the wall only",
            ),
            Self::Other(reason) => write!(
                f,
                "the desktop takes no notifications: alarms and lost sources are told on the wall only: {reason}"
            ),
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use std::{
        sync::mpsc::{RecvTimeoutError, channel},
        thread,
        time::Duration,
    };

    use super::Lack;

    /// A service may have to be started first.
    const ANSWER_MAX: Duration = Duration::from_secs(5);

    /// Connects to the session bus, and lets go again.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn reach_bus() -> Result<(), String> {
        let asked = in_time(|| zbus::block_on(zbus::Connection::session()));
        asked.ok_or_else(|| "it does not answer".to_owned())?.map(drop).map_err(|error| words(&error))
    }

    /// What shows notifications on this desktop, by its name.
    ///
    /// # Errors
    /// [`Lack`].
    pub fn notifier() -> Result<String, Lack> {
        match in_time(|| zbus::block_on(ask())) {
            Some(Ok(name)) => Ok(format!("shown by {name}")),
            Some(Err(error)) => Err(lack(&error)),
            None => Err(Lack::Other("it does not answer".to_owned())),
        }
    }

    /// The service's name; a desktop may start it to be asked.
    async fn ask() -> zbus::Result<String> {
        const NAME: &str = "org.freedesktop.Notifications";
        let bus = zbus::Connection::session().await?;
        let path = "/org/freedesktop/Notifications";
        let answer = bus.call_method(Some(NAME), path, Some(NAME), "GetServerInformation", &()).await?;
        let (name, _vendor, _version, _specification): (String, String, String, String) =
            answer.body().deserialize()?;
        Ok(name)
    }

    /// What a bus calls it when a service that it would start doesn't come up.
    const NOT_STARTED: &str = "org.freedesktop.DBus.Error.Spawn.";

    pub(crate) fn lack(error: &zbus::Error) -> Lack {
        use zbus::DBusError as _;
        use zbus::fdo::Error as Bus;

        match error {
            zbus::Error::FDO(error) if matches!(**error, Bus::ServiceUnknown(_) | Bus::NameHasNoOwner(_)) => {
                Lack::Service
            }
            zbus::Error::FDO(error) if error.name().as_str().starts_with(NOT_STARTED) => {
                Lack::Other("its notification service can't be started".to_owned())
            }
            zbus::Error::MethodError(name, ..) if name.as_str().starts_with(NOT_STARTED) => {
                Lack::Other("its notification service can't be started".to_owned())
            }
            other => Lack::Other(words(other)),
        }
    }

    /// The library tells an error's cause by its source alone.
    fn words(error: &zbus::Error) -> String {
        match error {
            zbus::Error::InputOutput(error) | zbus::Error::Connection(error, _) => error.to_string(),
            other => other.to_string(),
        }
    }

    /// A bus that takes a connection and says nothing holds up a thread, not the program.
    fn in_time<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = channel();
        let asking = thread::Builder::new().name("desktop".into()).spawn(move || answer.send(ask()));
        match asking.is_ok().then(|| answered.recv_timeout(ANSWER_MAX)) {
            Some(Ok(answer)) => Some(answer),
            None | Some(Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => None,
        }
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod system {
    use super::Lack;

    /// There is no bus to reach.
    ///
    /// # Errors
    /// None.
    pub fn reach_bus() -> Result<(), String> {
        Ok(())
    }

    /// What shows notifications on this desktop.
    ///
    /// # Errors
    /// None.
    pub fn notifier() -> Result<String, Lack> {
        Ok("shown by the system".to_owned())
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) use system::lack;
pub use system::{notifier, reach_bus};
