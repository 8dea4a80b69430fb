//! The monitors that an X server has now (RandR 1.5).

use std::error::Error;

use x11rb::{
    connection::Connection as _,
    protocol::{
        randr::{ConnectionExt as _, MonitorInfo},
        xproto::{Atom, AtomEnum, ConnectionExt as _, Window},
    },
    rust_connection::RustConnection,
};

use super::{Monitor, Rect, edid::Identity};

/// Longer ones are cut off: only the first block is read. In units of four bytes.
const EDID_MAX: u32 = 128 / 4;

/// A connection of its own to the X server.
pub(crate) struct Server {
    connection: RustConnection,
    root: Window,
    edid: Atom,
}

type Found<T> = Result<T, Box<dyn Error + Send + Sync>>;

impl Server {
    /// The one that the environment names.
    ///
    /// # Errors
    /// If it can't be reached, or the windows aren't on it.
    pub(crate) fn open() -> Found<Self> {
        if std::env::var_os("WAYLAND_DISPLAY").is_some_and(|value| !value.is_empty()) {
            return Err("the windows are Wayland's, which lets no program place them".into());
        }
        let (connection, screen) = RustConnection::connect(None)?;
        let root = connection.setup().roots.get(screen).ok_or("it has no screen")?.root;
        let edid = connection.intern_atom(false, b"EDID")?.reply()?.atom;
        connection.randr_query_version(1, 5)?.reply()?;
        Ok(Self { connection, root, edid })
    }

    /// Those that show something, in the server's order.
    ///
    /// # Errors
    /// If the server is gone.
    pub(crate) fn monitors(&self) -> Found<Vec<Monitor>> {
        let found = self.connection.randr_get_monitors(self.root, true)?.reply()?;
        found.monitors.iter().map(|monitor| self.monitor(monitor)).collect()
    }

    fn monitor(&self, info: &MonitorInfo) -> Found<Monitor> {
        let name = self.connection.get_atom_name(info.name)?.reply()?.name;
        let mut identity = None;
        if let Some(output) = info.outputs.first() {
            let any = u32::from(AtomEnum::ANY);
            let asked =
                self.connection.randr_get_output_property(*output, self.edid, any, 0, EDID_MAX, false, false)?;
            // One that was unplugged meanwhile has no answer.
            identity = asked.reply().ok().and_then(|property| Identity::read(&property.data));
        }
        Ok(Monitor {
            name: String::from_utf8_lossy(&name).into_owned(),
            identity,
            place: Rect { x: info.x.into(), y: info.y.into(), width: info.width.into(), height: info.height.into() },
            size_mm: (info.width_in_millimeters, info.height_in_millimeters),
        })
    }
}
