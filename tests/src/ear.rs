//! An ear without a sound card: a sound server of its own that plays to nothing, and a recording of what it plays.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{desktop::Process, wait::until};

/// Samples a second of what is recorded.
pub const RATE: f32 = 48_000.0;
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long is looked at to know whether a tone is there: as short as a pulse.
const WINDOW: usize = 2400;

/// The sound server; it ends when this is dropped.
pub struct Ear {
    folder: PathBuf,
    // Dropped in this order: the recorder before the server.
    recorder: Option<Process>,
    _server: Process,
}

impl Ear {
    /// Starts one that keeps its files in `folder`.
    ///
    /// # Errors
    /// If one of its programs isn't installed or doesn't start.
    pub fn start(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        let alsa = "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n";
        fs::write(folder.join("asound.conf"), alsa)?;
        let socket = folder.join("socket");
        let protocol = format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display());
        let mut command = Command::new("pulseaudio");
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L", &protocol]);
        command.args(["-L", "module-null-sink sink_name=ear rate=48000 channels=1"]);
        command.env("HOME", folder).env("XDG_RUNTIME_DIR", folder).env_remove("DBUS_SESSION_BUS_ADDRESS");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Process(command.spawn().context("pulseaudio can't be started: is it installed?")?, None);
        let ear = Self { folder: folder.to_owned(), recorder: None, _server: server };
        until("the sound server", START_LIMIT, || Ok(ear.control(&["list", "short", "sinks"]).ok()))?;
        Ok(ear)
    }

    /// What a program needs to play to it.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.folder.join(name).display().to_string();
        vec![
            ("PULSE_SERVER".to_owned(), format!("unix:{}", path("socket"))),
            ("ALSA_CONFIG_PATH".to_owned(), path("asound.conf")),
        ]
    }

    /// Has `pactl` do something.
    ///
    /// # Errors
    /// If it can't.
    pub fn control(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("pactl");
        let output = command.args(arguments).envs(self.environment()).output().context("pactl: is it installed?")?;
        ensure!(output.status.success(), "pactl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Records from now on; what was recorded before is forgotten.
    ///
    /// # Errors
    /// If it can't.
    pub fn listen(&mut self) -> Result<()> {
        self.recorder = None;
        let file = fs::File::create(self.folder.join("heard"))?;
        let mut command = Command::new("parec");
        command.args(["--device=ear.monitor", "--raw", "--format=float32le", "--rate=48000", "--channels=1"]);
        command.arg("--latency-msec=50").envs(self.environment());
        command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null());
        self.recorder = Some(Process(command.spawn().context("parec: is pulseaudio-utils installed?")?, None));
        until("the recording", START_LIMIT, || Ok((!self.heard()?.is_empty()).then_some(())))
    }

    /// Everything since it listens.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn heard(&self) -> Result<Vec<f32>> {
        let bytes = fs::read(self.folder.join("heard"))?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|sample| f32::from_le_bytes(*sample)).collect())
    }

    /// When a frequency began to be heard each time, seconds since it listens. What follows within `gap` seconds is the same time.
    ///
    /// # Errors
    /// As [`Ear::heard`].
    pub fn began(&self, frequency: f32, gap: f32) -> Result<Vec<f32>> {
        let mut found: Vec<(f32, f32)> = Vec::new();
        for (index, window) in self.heard()?.chunks_exact(WINDOW).enumerate() {
            if strength(window, frequency) < 0.05 {
                continue;
            }
            let at = (index * WINDOW) as f32 / RATE;
            match found.last_mut() {
                Some((_, last)) if at - *last < gap => *last = at,
                _ => found.push((at, at)),
            }
        }
        Ok(found.into_iter().map(|(at, _)| at).collect())
    }
}

/// How strong a frequency is, by Goertzel's method.
fn strength(samples: &[f32], frequency: f32) -> f32 {
    let turn = 2.0 * (std::f32::consts::TAU * frequency / RATE).cos();
    let (one, two) = samples.iter().fold((0.0_f32, 0.0_f32), |(one, two), sample| (sample + turn * one - two, one));
    (one * one + two * two - turn * one * two).max(0.0).sqrt() * 2.0 / samples.len() as f32
}
