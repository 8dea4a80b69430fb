//! Whether what is played can be heard: a device that opens, nothing muted, a volume above zero.

use cpal::traits::DeviceTrait;

use super::{Checked, SoundLack, play};

/// Looks over the way to the ear. `opens`: the device is opened as well, which it isn't while it plays.
///
/// # Errors
/// [`SoundLack`].
pub(super) fn check(name: Option<&str>, opens: bool) -> Result<Checked, SoundLack> {
    hush();
    let device = play::device(name)?;
    if opens {
        device.default_output_config().map_err(|error| play::lack(&error))?;
    }
    let called = device.description().map_or_else(|_| "the system's sound".to_owned(), |own| own.name().to_owned());
    system::muted(name, &device, called)
}

#[cfg(target_os = "linux")]
pub(super) use system::hush;

#[cfg(not(target_os = "linux"))]
pub(super) fn hush() {}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Checked, SoundLack};

    pub(super) fn muted(_: Option<&str>, _: &cpal::Device, called: String) -> Result<Checked, SoundLack> {
        Ok(Checked::Unknown(called))
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::{cell::RefCell, ffi::CString, io::BufReader, os::unix::net::UnixStream, path::Path, time::Duration};

    use alsa::mixer::{Mixer, Selem, SelemChannelId, SelemId};
    use cpal::traits::DeviceTrait;
    use pulseaudio::protocol::{
        AuthParams, AuthReply, Command, CommandReply, GetSinkInfo, MAX_VERSION, Prop, Props, ProtocolError, ServerInfo,
        SetClientNameReply, SinkInfo, read_reply_message, write_command_message,
    };

    use super::{Checked, SoundLack};

    /// PulseAudio, and PipeWire that speaks as it does.
    const ANSWER_MAX: Duration = Duration::from_secs(2);
    /// What a sound server has where there is no device: it swallows all.
    const NOTHING: &[&str] = &["auto_null"];

    thread_local! {
        static SAID: RefCell<Option<std::rc::Rc<RefCell<alsa::Output>>>> = const { RefCell::new(None) };
    }

    /// ALSA's library writes to standard error whatever it dislikes: on this thread it doesn't.
    pub(in super::super) fn hush() {
        SAID.with(|said| {
            let mut said = said.borrow_mut();
            if said.is_none() {
                *said = alsa::Output::local_error_handler().ok();
            }
        });
    }

    pub(super) fn muted(name: Option<&str>, device: &cpal::Device, called: String) -> Result<Checked, SoundLack> {
        if name.is_none()
            && let Some(socket) = pulseaudio::socket_path_from_env()
        {
            // One that is there and doesn't answer isn't asked what it plays.
            return match ask(&socket) {
                Ok(sink) => judge_sink(&sink),
                Err(ProtocolError::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                    judge_card("default", called)
                }
                Err(_) => Ok(Checked::Unknown(called)),
            };
        }
        let id = device.id().map(|id| id.id().to_owned()).unwrap_or_default();
        let card = match id.split_once("CARD=") {
            Some((_, rest)) => format!("hw:{}", rest.split(',').next().unwrap_or_default()),
            None => "default".to_owned(),
        };
        judge_card(&card, called)
    }

    /// What the sound server plays to.
    fn ask(socket: &Path) -> Result<SinkInfo, ProtocolError> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_write_timeout(Some(ANSWER_MAX))?;
        let mut stream = BufReader::new(stream);
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        let auth = AuthParams { version: MAX_VERSION, supports_shm: false, supports_memfd: false, cookie };
        let answer: AuthReply = call(&mut stream, 0, &Command::Auth(auth), MAX_VERSION)?;
        let version = MAX_VERSION.min(answer.version);
        let mut props = Props::new();
        props.set(Prop::ApplicationName, c"Watchfloor");
        let _named: SetClientNameReply = call(&mut stream, 1, &Command::SetClientName(props), version)?;
        let server: ServerInfo = call(&mut stream, 2, &Command::GetServerInfo, version)?;
        let name = server.default_sink_name.unwrap_or_else(|| CString::from(c"@DEFAULT_SINK@"));
        let of = GetSinkInfo { index: None, name: Some(name) };
        call(&mut stream, 3, &Command::GetSinkInfo(of), version)
    }

    fn call<R: CommandReply>(
        stream: &mut BufReader<UnixStream>,
        number: u32,
        command: &Command,
        version: u16,
    ) -> Result<R, ProtocolError> {
        write_command_message(stream.get_mut(), number, command, version)?;
        read_reply_message(stream, version).map(|(_, reply)| reply)
    }

    fn judge_sink(sink: &SinkInfo) -> Result<Checked, SoundLack> {
        let name = sink.name.to_string_lossy();
        if NOTHING.contains(&&*name) {
            return Err(SoundLack::Device);
        }
        if sink.muted {
            return Err(SoundLack::Muted);
        }
        if sink.cvolume.channels().iter().all(|volume| volume.as_u32() == 0) {
            return Err(SoundLack::Volume);
        }
        let called = sink.description.as_ref().map_or(name, |words| words.to_string_lossy());
        Ok(Checked::Open(called.into_owned()))
    }

    /// A card's own mixer, where it has one.
    fn judge_card(card: &str, called: String) -> Result<Checked, SoundLack> {
        let Ok(mixer) = Mixer::new(card, false) else { return Ok(Checked::Unknown(called)) };
        let controls = ["Master", "PCM", "Speaker"];
        let controls: Vec<Selem<'_>> =
            controls.iter().filter_map(|name| mixer.find_selem(&SelemId::new(name, 0))).collect();
        let Some(first) = controls.first() else { return Ok(Checked::Unknown(called)) };
        let channels = || SelemChannelId::all().iter().copied();
        let is_off = |control: &Selem<'_>| {
            control.has_playback_switch()
                && channels()
                    .filter(|channel| control.has_playback_channel(*channel))
                    .all(|channel| control.get_playback_switch(channel).is_ok_and(|on| on == 0))
        };
        let is_zero = |control: &Selem<'_>| {
            let (least, _) = control.get_playback_volume_range();
            control.has_playback_volume()
                && channels()
                    .filter(|channel| control.has_playback_channel(*channel))
                    .all(|channel| control.get_playback_volume(channel).is_ok_and(|volume| volume <= least))
        };
        if is_off(first) {
            return Err(SoundLack::Muted);
        }
        if controls.iter().any(is_zero) {
            return Err(SoundLack::Volume);
        }
        Ok(Checked::Open(called))
    }
}
