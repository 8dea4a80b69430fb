//! Native notifications for people who don't look at the wall: a source is lost, refused, or back.
//!
//! Best effort and never in the way: a thread of its own talks to the desktop, and what it can't say it says on the wall.

use std::{
    collections::BTreeMap,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use notify_rust::{Notification, Timeout};
use tokio::sync::mpsc::WeakSender;
use watchfloor_board::frame::{Notice, State};
use watchfloor_model::{Mono, Phase, SourceStatus};

use crate::{
    desktop::{self, Lack},
    event::Event,
};

/// A source that was lost for less than this is nobody's business.
const LOST_AFTER: Duration = Duration::from_secs(10);
/// Notifications that wait for the desktop; more than that are dropped.
const QUEUED_MAX: usize = 16;
/// How long the wall says what is wrong with the desktop. After that it has been read or nobody reads it, and the glass is for
/// the board; the log and `watchfloor doctor` go on knowing it.
const NOTICE_STANDS: Duration = Duration::from_secs(60);
/// Id of the notice about the desktop itself.
pub(crate) const NOTICE: &str = "notifications";

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Whose: a newer message of the same source takes the older one's place on the screen.
    source: String,
    /// The heading.
    summary: String,
    /// The rest.
    body: String,
}

/// What was told of each source, and what is to be.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    sources: BTreeMap<String, Told>,
}

#[derive(Debug)]
struct Told {
    phase: Phase,
    cause: String,
    /// Since when it isn't live.
    lost: Option<Mono>,
    /// What the screen says.
    said: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Lost,
    Refused,
}

impl Watch {
    /// Takes what is known of a source.
    pub(crate) fn handle_status(&mut self, source: &str, status: &SourceStatus, now: Mono) {
        let told = self.sources.entry(source.to_owned()).or_insert_with(|| Told {
            phase: Phase::Idle,
            cause: String::new(),
            lost: Some(now),
            said: None,
        });
        told.phase = status.phase;
        if let Some(cause) = &status.cause {
            told.cause.clone_from(&cause.text);
        }
        told.lost = if status.phase == Phase::Live { None } else { told.lost.or(Some(now)) };
    }

    /// The board doesn't have this source any more.
    pub(crate) fn forget(&mut self, source: &str) {
        self.sources.remove(source);
    }

    /// When [`Self::poll_message`] may have something new to say although nothing happens.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.sources
            .values()
            .filter(|told| told.said.is_none())
            .filter_map(|told| told.lost)
            .min()
            .map(|lost| lost.plus(LOST_AFTER))
    }

    /// The next thing to tell.
    pub(crate) fn poll_message(&mut self, now: Mono) -> Option<Message> {
        self.sources.iter_mut().find_map(|(source, told)| told.message(source, now))
    }
}

impl Told {
    fn message(&mut self, source: &str, now: Mono) -> Option<Message> {
        let trouble = match (self.phase, self.lost) {
            (Phase::Live, _) | (_, None) => None,
            (Phase::Refused, _) => Some(Trouble::Refused),
            // Asking again isn't news: until it is live, refused stays refused.
            (_, Some(_)) if self.said == Some(Trouble::Refused) => self.said,
            (_, Some(lost)) if now.since(lost) >= LOST_AFTER => Some(Trouble::Lost),
            // Not long enough for a first word; what was said before still holds.
            (_, Some(_)) => self.said,
        };
        if trouble == self.said {
            return None;
        }
        self.said = trouble;
        let (summary, body) = match trouble {
            None => (format!("{source} is back"), String::from("What the wall shows of it is current again.")),
            Some(Trouble::Lost) => (format!("{source} is lost"), unmarked(&self.cause)),
            Some(Trouble::Refused) => (format!("{source} is refused"), unmarked(&self.cause)),
        };
        Some(Message { source: source.to_owned(), summary, body })
    }
}

/// The way to the desktop.
#[derive(Debug)]
pub(crate) struct Desktop {
    messages: SyncSender<Message>,
}

impl Desktop {
    /// Starts the desktop's thread; none if there is no session to notify.
    pub(crate) fn start(events: WeakSender<Event>) -> Option<Self> {
        if !has_session() {
            tracing::info!("no session bus: no native notifications");
            return None;
        }
        let (messages, queued) = sync_channel(QUEUED_MAX);
        let started = thread::Builder::new().name("notify".into()).spawn(move || {
            show_all(&queued, &events, Native::default(), NOTICE_STANDS);
        });
        match started {
            Ok(_runs_until_the_queue_ends) => Some(Self { messages }),
            Err(error) => {
                tracing::warn!(reason = %error, "no native notifications");
                None
            }
        }
    }

    /// Tells, unless the desktop is stuck.
    pub(crate) fn tell(&self, message: Message) {
        if self.messages.try_send(message).is_err() {
            tracing::warn!("a native notification was dropped: the desktop does not answer");
        }
    }
}

/// The screen that messages go to.
trait Screen {
    /// What is wrong with it, as far as can be told before there is a message.
    fn lack(&self) -> Option<Lack>;
    /// Shows a message.
    fn show(&mut self, message: Message) -> Result<(), Lack>;
}

/// Shows what comes. What is wrong with the screen stands on the wall for as long as `stands`.
fn show_all(queued: &Receiver<Message>, events: &WeakSender<Event>, mut screen: impl Screen, stands: Duration) {
    let mut told = None;
    let mut until = None;
    // Asked at the start already: an outage is no time to learn that nobody will be told of it.
    let mut event = news(&mut told, screen.lack());
    loop {
        if let Some(event) = event.take() {
            until = matches!(event, Event::Notice(_)).then(|| Instant::now() + stands);
            // Held weakly, so that this thread doesn't keep a stopped engine's lane open.
            if events.upgrade().is_none_or(|events| events.blocking_send(event).is_err()) {
                return;
            }
        }
        let next = match until {
            Some(until) => queued.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => queued.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        event = match next {
            Ok(message) => news(&mut told, screen.show(message).err()),
            Err(RecvTimeoutError::Timeout) => Some(Event::NoticeOver { id: NOTICE }),
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

/// The desktop's own.
#[derive(Default)]
struct Native {
    /// By source, what a newer message takes the place of.
    shown: BTreeMap<String, u32>,
}

impl Screen for Native {
    fn lack(&self) -> Option<Lack> {
        desktop::notifier().err()
    }

    fn show(&mut self, message: Message) -> Result<(), Lack> {
        let mut notification = Notification::new();
        notification.appname("Watchfloor").summary(&message.summary).body(&message.body).timeout(Timeout::Default);
        if let Some(id) = self.shown.get(&message.source) {
            notification.id(*id);
        }
        if let Some(id) = show(&notification)? {
            self.shown.insert(message.source, id);
        }
        Ok(())
    }
}

/// What the wall and the log are told of the desktop: only what is new.
fn news(told: &mut Option<Lack>, lack: Option<Lack>) -> Option<Event> {
    if *told == lack {
        return None;
    }
    *told = lack;
    match told {
        Some(lack) => {
            tracing::warn!("{lack}");
            Some(Event::Notice(cannot_show(lack)))
        }
        None => {
            tracing::info!("the desktop shows notifications again");
            Some(Event::NoticeOver { id: NOTICE })
        }
    }
}

/// Shows a notification. The answer is what it can be replaced by, where the desktop has that.
#[cfg(all(unix, not(target_os = "macos")))]
fn show(notification: &Notification) -> Result<Option<u32>, Lack> {
    notification.show().map(|handle| Some(handle.id())).map_err(|error| lack(&error))
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn show(notification: &Notification) -> Result<Option<u32>, Lack> {
    notification.show().map(|_handle| None).map_err(|error| lack(&error))
}

/// Why a notification wasn't taken. The library keeps to itself what kind of error it met, so the desktop is asked.
fn lack(error: &notify_rust::error::Error) -> Lack {
    desktop::notifier().err().unwrap_or_else(|| Lack::Other(error.to_string()))
}

/// Some desktops read marks in a text, others don't: what came from a server has none (H8).
fn unmarked(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '<' => '‹',
            '>' => '›',
            '&' => '+',
            c => c,
        })
        .collect()
}

fn cannot_show(lack: &Lack) -> Notice {
    Notice::worded(NOTICE, State::Muted, lack.to_string(), Vec::new())
}

/// Whether there is a session to notify. Asking a bus that isn't there would start one.
#[cfg(all(unix, not(target_os = "macos")))]
fn has_session() -> bool {
    let of_runtime = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| std::path::Path::new(&folder).join("bus"));
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || of_runtime.is_some_and(|bus| bus.exists())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn has_session() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H6: a source's trouble is told once, after ten seconds or at once if it is refused, and its end is told once.
    #[test]
    fn trouble_is_told_once() {
        // at which second, the phase then, and what is told then
        let check = |story: &[(u64, Phase, Option<&str>)]| {
            let mut watch = Watch::default();
            for (second, phase, expected) in story {
                let now = Mono::from_millis(second * 1000);
                let status =
                    SourceStatus { phase: *phase, cause: Some("connection refused".into()), ..SourceStatus::default() };
                watch.handle_status("ops", &status, now);
                let told = watch.poll_message(now).map(|message| message.summary);
                assert_eq!(told.as_deref(), *expected, "second {second} of {story:?}");
                assert_eq!(watch.poll_message(now), None);
            }
        };
        use Phase::{CatchingUp, Connecting, Live, Refused, Waiting};
        check(&[
            (0, Connecting, None),
            (1, Live, None),
            (2, Waiting, None),
            (5, Live, None),
            (6, Waiting, None),
            (15, Waiting, None),
        ]);
        check(&[
            (1, Live, None),
            (2, Waiting, None),
            (11, Connecting, None),
            (12, Waiting, Some("ops is lost")),
            (30, CatchingUp, None),
            (31, Live, Some("ops is back")),
            (32, Waiting, None),
            (33, Refused, Some("ops is refused")),
            (34, Connecting, None),
            (60, Refused, None),
            (90, Live, Some("ops is back")),
        ]);
        check(&[(0, Connecting, None), (10, Waiting, Some("ops is lost"))]);
    }

    /// The wall and the log hear of a desktop that takes nothing once, in plain words, until that changes.
    #[test]
    fn a_lacking_desktop_is_told_once() {
        let mut told = None;
        let mut tell = |lack| news(&mut told, lack);
        assert!(tell(None).is_none(), "a desktop that works is no news");
        let Some(Event::Notice(notice)) = tell(Some(Lack::Service)) else { panic!("a lack was not told") };
        assert!(notice.text.starts_with("no notification service on this desktop"), "{notice:?}");
        assert!(!notice.text.contains("org.freedesktop") && notice.detail.is_empty(), "{notice:?}");
        assert!(tell(Some(Lack::Service)).is_none());
        assert!(matches!(tell(Some(Lack::Other("gone".into()))), Some(Event::Notice(_))));
        assert!(matches!(tell(None), Some(Event::NoticeOver { id: NOTICE })));
        assert!(tell(None).is_none());
    }

    /// A screen that shows nothing.
    struct Nobody;

    impl Screen for Nobody {
        fn lack(&self) -> Option<Lack> {
            Some(Lack::Service)
        }

        fn show(&mut self, _: Message) -> Result<(), Lack> {
            Err(Lack::Service)
        }
    }

    /// The board's place on the glass isn't given to the same sentence for ever, nor anew at each outage.
    #[test]
    fn a_lack_stands_on_the_wall_for_a_while() {
        let (events, mut heard) = tokio::sync::mpsc::channel(8);
        let (messages, queued) = sync_channel(8);
        let weak = events.downgrade();
        let screen = thread::spawn(move || show_all(&queued, &weak, Nobody, Duration::from_millis(20)));
        let message = Message { source: "ops".into(), summary: "ops is lost".into(), body: String::new() };
        messages.send(message.clone()).unwrap();
        assert!(matches!(heard.blocking_recv(), Some(Event::Notice(_))));
        assert!(matches!(heard.blocking_recv(), Some(Event::NoticeOver { id: NOTICE })));
        messages.send(message).unwrap();
        drop(messages);
        screen.join().unwrap();
        assert!(heard.try_recv().is_err(), "an outage is no news of the desktop");
    }
}
