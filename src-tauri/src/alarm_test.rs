//! `watchfloor alarm test`: the whole way of an alarm to people, tried out with alarms that say they are a test.
//!
//! A wall of its own, without a window, takes events from a stream of its own, judges them by rules of its own and keeps a record of its own, in a
//! folder in the data folder that goes with it: decided, committed, announced and marked as any alarm is, by what the board's `[alarms]` say. So the
//! disk is the real one, and neither the record nor a wall that runs there is touched.

mod stream;
mod walk;

use std::{fmt, path::Path, process::ExitCode, time::Duration};

use serde_json::{Value, json};
use tokio::{runtime, sync::mpsc::unbounded_channel};
use watchfloor_board::{
    alarm::{Priority, priority_word},
    config::{BoardFile, spec::AlarmingSpec},
};
use watchfloor_engine::{
    BoardInput, Engine, EngineConfig,
    announce::{
        sound::{self, SoundLack},
        trial::Trial,
    },
    desktop,
    record::{self, Form},
};

use self::{
    stream::Stream,
    walk::{Absence, Walk},
};
use crate::{
    check,
    cli::{AlarmTestArgs, Switch},
    failure::Failure,
    headless, output, surroundings,
};

/// Of all rules of a test, what their ids begin with. An alarm that is handed on is called so.
const RULE: &str = "watchfloor-test";
/// All that a step may take before it has failed.
const STEP_MAX: Duration = Duration::from_secs(20);
/// For how long a tone is heard: a critical one is heard twice.
const TONE: Duration = Duration::from_millis(3600);
/// What was put away by then nobody has seen.
const SEEN: Duration = Duration::from_millis(1200);
const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Works,
    Failed,
    /// Neither is proven.
    Open,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Works => "ok",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }
}

/// What was found, line by line.
struct Report {
    is_json: bool,
    failed: usize,
}

impl Report {
    fn tell(&mut self, verdict: Verdict, step: &str, text: &dyn fmt::Display) -> Result<(), Failure> {
        self.failed += usize::from(verdict == Verdict::Failed);
        if self.is_json {
            return output::line(&json!({"step": step, "outcome": verdict.word(), "text": text.to_string()}));
        }
        let text: String = text.to_string().chars().map(|own| if own.is_control() { ' ' } else { own }).collect();
        output::line(&format_args!("{:<6} {step:<22} {text}", verdict.word()))
    }

    fn end(&self) -> Result<ExitCode, Failure> {
        let outcome = if self.failed == 0 { "ok" } else { "failed" };
        if self.is_json {
            output::line(&json!({"outcome": outcome, "failed": self.failed}))?;
        } else if self.failed > 0 {
            output::line(&format_args!("{} failed: alarms do not reach people as the board says", self.failed))?;
        } else {
            output::line(&"every step that a program can prove works")?;
        }
        Ok(if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Tests, and prints a line a step. Exits with 1 if one failed.
pub(crate) fn run(args: AlarmTestArgs) -> Result<ExitCode, Failure> {
    let mut report = Report { is_json: args.json, failed: 0 };
    let board = match (&args.board, args.demo) {
        (Some(path), _) => Some(check::read(path).map_err(Failure::Input)?),
        (None, Some(story)) => Some(crate::backend::demo_board(story)?),
        (None, None) => None,
    };
    let beside = args.board.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let how = match board.as_ref().map(|board| &board.alarming) {
        Some(Some(how)) => how.clone(),
        Some(None) => {
            let text =
                "it has no alarms, so none is ever told: write an `[[alarm]]`, or `[alarms]` for those of lost sources";
            report.tell(Verdict::Failed, "board", &text)?;
            return report.end();
        }
        None => default_alarming()?,
    };
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("no threads can be started: {error}")))?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = test(&args, board.as_ref(), how, beside, &mut report) => done,
            () = headless::terminated() => Err(Failure::Environment("the test was ended before its end".to_owned())),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    done?;
    report.end()
}

/// What holds where no board says otherwise.
fn default_alarming() -> Result<AlarmingSpec, Failure> {
    let text = format!("{}\n[alarms]\n", rules("", "UTC", "http://127.0.0.1:1"));
    let file = watchfloor_board::config::parse(&text, "test").map_err(|errors| Failure::Defect(errors.to_string()))?;
    file.alarming.ok_or_else(|| Failure::Defect("a board with rules has no alarms".to_owned()))
}

/// The board of the test. It has the real one's name: a receiver sends on by that.
fn rules(title: &str, timezone: &str, url: &str) -> String {
    let quoted = |text: &str| json!(text).to_string();
    let title = if title.is_empty() { "Watchfloor" } else { title };
    let mut text = format!(
        "[board]\ntitle = {}\ntimezone = {}\nstale-after = \"10s\"\n[[source]]\nid = \"test\"\nkind = \"sse\"\nurl = {}\n\
         channels = [\"test\"]\n[[widget]]\nid = \"said\"\nkind = \"counter\"\n",
        quoted(title),
        quoted(timezone),
        quoted(url)
    );
    for priority in PRIORITIES {
        let word = priority_word(priority);
        text += &format!(
            "[[alarm]]\nid = \"{RULE}-{word}\"\ntitle = \"TEST of {word} alarms, nothing is wrong\"\n\
             advice = \"Somebody tries out how alarms are told here. There is nothing to do.\"\n\
             raise = \"event.say == '{word}'\"\nclear = \"event.say == '{word} is over'\"\npriority = \"{word}\"\n\
             acknowledge = \"none\"\n"
        );
    }
    text
}

fn rule(priority: Priority) -> String {
    format!("{RULE}-{}", priority_word(priority))
}

async fn test(
    args: &AlarmTestArgs,
    board: Option<&BoardFile>,
    how: AlarmingSpec,
    beside: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    let with_notices = args.notifications == Switch::On;
    report.tell(Verdict::Works, "board", &words(board, &how, with_notices))?;
    if how.quiet.is_some() {
        let text = "quiet hours are passed over by this test: in them all but critical alarms wait";
        report.tell(Verdict::Open, "quiet hours", &text)?;
    }
    let has_notices = with_notices && how.notify.is_some();
    let has_sound = how.sound.is_some();
    let (mut no_desktop, mut no_sound) = (Absence::default(), Absence::default());
    if has_notices {
        match desktop::notifier() {
            Ok(name) => report.tell(Verdict::Works, "desktop", &name)?,
            Err(lack) => {
                report.tell(Verdict::Failed, "desktop", &format_args!("{lack}: {}", desktop_advice(&lack)))?;
                if matches!(lack, desktop::Lack::Bus | desktop::Lack::Service) {
                    no_desktop = Absence::of(&lack);
                }
            }
        }
    }
    if has_sound
        && let Some(lack) = look_over_sound(&how, beside, report)?
        && matches!(lack, SoundLack::Device | SoundLack::Missing(_))
    {
        no_sound = Absence::of(&lack);
    }
    let data_dir = surroundings::data_dir(args.data.data_dir.clone(), args.demo)?;
    let folder = std::fs::create_dir_all(&data_dir)
        .and_then(|()| tempfile::Builder::new().prefix("alarm-test-").tempdir_in(&data_dir))
        .map_err(|error| {
            Failure::Environment(format!(
                "{} can't be written: {error}: mend its permissions, or choose a folder with --data-dir",
                data_dir.display()
            ))
        })?;
    let stream =
        Stream::start().await.map_err(|error| Failure::Environment(format!("no port on 127.0.0.1: {error}")))?;
    let (observer, heard) = unbounded_channel();
    let has_webhook = how.webhook.is_some();
    let tones = how.tones.iter().map(|(priority, name)| (*priority, beside.join(name).display().to_string())).collect();
    let alarming = AlarmingSpec { quiet: None, escalate_after: None, source_lost: None, tones, ..how.clone() };
    let title = board.map_or("", |board| &*board.board.title);
    let timezone = board.map_or("UTC", |board| &*board.board.timezone);
    let input = BoardInput::Text { name: "test".to_owned(), text: rules(title, timezone, &stream.url()) };
    let engine = Engine::start(EngineConfig {
        data_dir: Some(folder.path().to_owned()),
        notifications: has_notices,
        sound: has_sound,
        trial: Some(Trial { alarming, observer }),
        ..EngineConfig::new(input)
    })
    .await?;
    let mut trial = Walk {
        stream,
        heard,
        news: Vec::new(),
        told: Vec::new(),
        is_written: true,
        desktop: no_desktop,
        sound: no_sound,
    };
    let notify = how.notify.filter(|_| has_notices);
    let begun = trial.begin().await;
    if begun {
        for priority in PRIORITIES {
            let notice = notify.is_some_and(|least| priority >= least);
            let tone = how.sound.is_some_and(|least| priority >= least) && priority != Priority::Low;
            trial.priority(priority, notice, tone, args.wait, report).await?;
        }
    } else {
        report.tell(
            Verdict::Failed,
            "events",
            &"the test's own events do not arrive: this is a defect, please report it",
        )?;
    }
    if has_webhook && begun {
        trial.webhook(PRIORITIES.len() * 2, report).await?;
    }
    engine.stop().await;
    if begun {
        tell_record(folder.path(), &trial.told, trial.is_written, report)?;
    }
    let unproven = match (has_notices, has_sound) {
        (true, true) => "that somebody saw and heard it: ask who sits there",
        (true, false) => "that somebody saw it: ask who sits there",
        (false, true) => "that somebody heard it: ask who sits there",
        (false, false) => "anything but the record: this board has alarms told by the wall alone",
    };
    report.tell(Verdict::Open, "not proven", &unproven)
}

/// How alarms are told.
fn words(board: Option<&BoardFile>, how: &AlarmingSpec, with_notices: bool) -> String {
    let title =
        board.map_or_else(|| "no board named, so what holds by default".to_owned(), |own| own.board.title.clone());
    let from = |what: &str, least: Option<Priority>| {
        least.map_or_else(|| format!("no {what}"), |least| format!("{what} from {} on", priority_word(least)))
    };
    let notices = from("notifications", how.notify.filter(|_| with_notices));
    let volume = how.sound.map(|_| format!(", at {} %", how.volume_percent)).unwrap_or_default();
    let webhook = if how.webhook.is_some() { "a webhook" } else { "no webhook" };
    format!("{title}: {notices}, {}{volume}, {webhook}", from("sound", how.sound))
}

/// Answers what is amiss with the device, if anything is.
fn look_over_sound(how: &AlarmingSpec, beside: &Path, report: &mut Report) -> Result<Option<SoundLack>, Failure> {
    let mut found = None;
    match sound::look(how.device.as_deref()) {
        Ok(way) if way.is_proven => report.tell(Verdict::Works, "sound device", &way)?,
        Ok(way) => report.tell(Verdict::Open, "sound device", &way)?,
        Err(lack) => {
            report.tell(Verdict::Failed, "sound device", &format_args!("{lack}: {}", sound_advice(&lack)))?;
            found = Some(lack);
        }
    }
    for (priority, name) in &how.tones {
        let step = format!("tone of {}", priority_word(*priority));
        match sound::file(&beside.join(name)) {
            Ok(seconds) => report.tell(Verdict::Works, &step, &format_args!("{name}, {seconds:.1} s"))?,
            Err(reason) => {
                let text = format!("{name} can't be used: {reason}: put a WAV file of 30 s at most there");
                report.tell(Verdict::Failed, &step, &text)?;
            }
        }
    }
    Ok(found)
}

const fn sound_advice(lack: &SoundLack) -> &'static str {
    match lack {
        SoundLack::Device => "plug one in; a kiosk's user must be in the group `audio`",
        SoundLack::Missing(_) => "`aplay -L` lists what there is; write one of these as `device`",
        SoundLack::Busy => "end that program, or have both play through PipeWire or PulseAudio",
        SoundLack::Muted => "unmute it",
        SoundLack::Volume => "turn it up",
        SoundLack::Stuck => "start the sound server again, or the machine",
        SoundLack::Other(_) => "look at the sound server and its log",
    }
}

const fn desktop_advice(lack: &desktop::Lack) -> &'static str {
    match lack {
        desktop::Lack::Bus => "start under `dbus-run-session`, or test with --notifications off",
        desktop::Lack::Service => "start one, such as dunst or mako, or test with --notifications off",
        desktop::Lack::Swallows => "let it show those of Watchfloor",
        desktop::Lack::Other(_) => "look at the desktop's notification service and its log",
    }
}

/// What the record has of it: each alarm raised, announced, and marked as that.
fn tell_record(folder: &Path, told: &[Priority], is_written: bool, report: &mut Report) -> Result<(), Failure> {
    const STEP: &str = "record";
    if !is_written {
        let text = "alarms are not written down: look at the disk of the data folder; they are told all the same";
        return report.tell(Verdict::Failed, STEP, &text);
    }
    let mut lines = Vec::new();
    if let Err(error) = record::export(folder, None, None, Form::JsonLines, &mut lines) {
        return report.tell(Verdict::Failed, STEP, &format_args!("it can't be read: {error}"));
    }
    let entries: Vec<Value> =
        lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let raise = |priority: &Priority| {
        let own = rule(*priority);
        entries.iter().find(|entry| entry["what"] == "raise" && entry["rule"] == *own)
    };
    let recorded = PRIORITIES.iter().filter(|priority| raise(priority).is_some()).count();
    let marked =
        told.iter().filter(|priority| raise(priority).is_some_and(|entry| entry["announced_ms"].is_i64())).count();
    let is_whole = recorded == PRIORITIES.len() && marked == told.len();
    let text = format!(
        "{recorded} of {} alarms written down, {marked} of {} that were told marked as that; in a record of the test's own in the data folder, \
         which is gone now",
        PRIORITIES.len(),
        told.len()
    );
    report.tell(if is_whole { Verdict::Works } else { Verdict::Failed }, STEP, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test's own board is one, whatever the real one is called.
    #[test]
    fn the_tests_board_is_one() {
        for title in ["", "Boiler house", "a \"b\" \\ c \u{e9} [x]"] {
            let text = rules(title, "Europe/Berlin", "http://127.0.0.1:1/");
            let file = watchfloor_board::config::parse(&text, "test").map_err(|errors| errors.to_string());
            assert_eq!(file.map(|file| file.alarms.len()), Ok(4), "{text}");
        }
        assert!(default_alarming().is_ok_and(|how| how.notify == Some(Priority::High) && how.webhook.is_none()));
    }
}
