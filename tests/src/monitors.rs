//! An X server with several monitors that are plugged in, out and elsewhere: Xorg with its dummy driver, whose outputs are real to
//! whoever asks. Nothing of it is seen by anybody.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use x11rb::{
    connection::Connection as _,
    protocol::{
        randr::ConnectionExt as _,
        xproto::{AtomEnum, ConnectionExt as _, PropMode},
    },
};

use crate::desktop::{Process, Screen};

const START_LIMIT: Duration = Duration::from_secs(30);
const CONFIG: &str = r#"Section "Device"
 Identifier "device"
 Driver "dummy"
 VideoRam 256000
EndSection
Section "Monitor"
 Identifier "monitor"
 HorizSync 5-1000
 VertRefresh 5-200
EndSection
Section "Screen"
 Identifier "screen"
 Device "device"
 Monitor "monitor"
 DefaultDepth 24
EndSection
"#;
/// What each output can show.
const MODES: [&str; 2] = ["1280x720", "1024x768"];

/// The server; it ends when this is dropped.
pub struct Monitors {
    display: String,
    _server: Process,
}

impl Monitors {
    /// Starts one. Its outputs are called `DUMMY0`, `DUMMY1` and so on; all but the first are unplugged.
    ///
    /// # Errors
    /// If it isn't installed or doesn't start, as where a program may not start an X server with a configuration of its own.
    pub fn start(folder: &Path) -> Result<Self> {
        let config = folder.join("xorg.conf");
        std::fs::write(&config, CONFIG)?;
        let display = format!(":{}", Screen::free_number()?);
        let mut command = Command::new("Xorg");
        command.arg(&display).arg("-config").arg(&config).arg("-logfile").arg(folder.join("xorg.log"));
        command.args(["-noreset", "-nolisten", "tcp"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child =
            child.context("Xorg can't be started: are xserver-xorg-core and xserver-xorg-video-dummy installed?")?;
        let monitors = Self { display, _server: Process(child, None) };
        let begun = Instant::now();
        while x11rb::connect(Some(&monitors.display)).is_err() {
            ensure!(begun.elapsed() < START_LIMIT, "Xorg does not answer: see its log in {}", folder.display());
            std::thread::sleep(Duration::from_millis(50));
        }
        for output in ["DUMMY1", "DUMMY2"] {
            for mode in MODES {
                monitors.set(&["--addmode", output, mode])?;
            }
        }
        Ok(monitors)
    }

    /// The server's name.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Runs `xrandr` with these arguments.
    ///
    /// # Errors
    /// If it fails, with its words.
    pub fn set(&self, arguments: &[&str]) -> Result<()> {
        let output = Command::new("xrandr").args(arguments).env("DISPLAY", &self.display).output().context("xrandr")?;
        ensure!(output.status.success(), "xrandr {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Lets the monitor at `output` say this of itself: its EDID's base block.
    ///
    /// # Errors
    /// If there is no such output.
    pub fn tell(&self, output: &str, edid: &[u8; 128]) -> Result<()> {
        let (connection, screen) = x11rb::connect(Some(&self.display))?;
        let root = connection.setup().roots.get(screen).context("a screen")?.root;
        let property = connection.intern_atom(false, b"EDID")?.reply()?.atom;
        for id in connection.randr_get_screen_resources_current(root)?.reply()?.outputs {
            if connection.randr_get_output_info(id, 0)?.reply()?.name == output.as_bytes() {
                let kind = AtomEnum::INTEGER.into();
                let length = u32::try_from(edid.len())?;
                connection
                    .randr_change_output_property(id, property, kind, 8, PropMode::REPLACE, length, edid)?
                    .check()?;
                return Ok(());
            }
        }
        anyhow::bail!("there is no output {output}")
    }
}

/// The EDID of a monitor of Dell's with this name and serial number.
#[must_use]
pub fn edid(name: &str, serial: &str) -> [u8; 128] {
    let mut block = [0; 128];
    block[..12].copy_from_slice(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x10, 0xac, 0x34, 0x12]);
    for (at, tag, text) in [(54, 0xff, serial), (72, 0xfc, name)] {
        block[at + 3] = tag;
        let text = text.bytes().chain([b'\n']).chain(std::iter::repeat(b' '));
        for (place, byte) in block[at + 5..at + 18].iter_mut().zip(text) {
            *place = byte;
        }
    }
    let sum = block.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    block[127] = 0_u8.wrapping_sub(sum);
    block
}
