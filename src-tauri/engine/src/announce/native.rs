//! The desktop's notifications: one thread for all of them, which nobody waits for.

#[cfg(all(unix, not(target_os = "macos")))]
mod left;
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[path = "native/system.rs"]
mod screen;
#[cfg(all(unix, not(target_os = "macos")))]
#[path = "native/xdg.rs"]
mod screen;

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{Receiver, Sender, WeakSender, channel};
use watchfloor_board::frame::{Notice, State};

use super::{Show, Slot, Urgency};
use crate::{desktop::Lack, event::Event};

/// Orders that wait for the desktop; more than that are refused.
const QUEUED_MAX: usize = 64;
/// How long the wall says what is wrong with the desktop, as long as no alarm was to be shown there. After that it has been read or nobody
/// reads it, and the glass is for the board; the log and `watchfloor doctor` go on knowing it.
const NOTICE_STANDS: Duration = Duration::from_secs(60);
/// Id of the notice about the desktop itself.
pub(crate) const NOTICE: &str = "notifications";

/// Something to tell of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Whose: a newer message of the same source takes the older one's place on the screen.
    pub(crate) source: String,
    /// The heading.
    pub(crate) summary: String,
    /// The rest.
    pub(crate) body: String,
}

#[derive(Debug)]
enum Deed {
    Show(Show),
    Withdraw(Slot),
    /// What a run before this one has shown and nothing was said of is taken away.
    Settle,
}

/// The way to the desktop.
#[derive(Debug)]
pub(crate) struct Desktop {
    deeds: Sender<Deed>,
}

impl Desktop {
    /// Starts the desktop's thread. Without a session it waits for one, and says so when it is to show an alarm. What is on the screen is noted
    /// in `folder`, if there is one: a run that is killed takes nothing away, and the next one finds it there.
    pub(crate) fn start(events: WeakSender<Event>, folder: Option<PathBuf>) -> Option<Self> {
        if !screen::has_session() {
            tracing::info!("no session bus: no native notifications");
        }
        let (deeds, queued) = channel(QUEUED_MAX);
        let started = thread::Builder::new().name("notify".into()).spawn(move || screen::run(queued, events, folder));
        match started {
            Ok(_runs_until_the_queue_ends) => Some(Self { deeds }),
            Err(error) => {
                tracing::warn!(reason = %error, "no native notifications");
                None
            }
        }
    }

    /// Tells of a source, unless the desktop is stuck.
    pub(crate) fn tell(&self, message: Message) {
        let show = Show {
            slot: Slot::Source(message.source),
            number: 0,
            is_update: false,
            heading: message.summary,
            rest: message.body,
            urgency: Urgency::Normal,
            stays: false,
            occurrence: None,
            acknowledges: false,
            shows: false,
        };
        if !self.show(show) {
            tracing::warn!("a native notification was dropped: the desktop does not answer");
        }
    }

    /// Shows; what becomes of it comes as an event. False if there is no room for it.
    pub(super) fn show(&self, show: Show) -> bool {
        self.deeds.try_send(Deed::Show(show)).is_ok()
    }

    /// Takes away what a run before this one has shown, as far as nothing else was said of it. False if there is no room for that.
    pub(super) fn settle(&self) -> bool {
        self.deeds.try_send(Deed::Settle).is_ok()
    }

    /// Takes it away. False if there is no room for that.
    pub(super) fn withdraw(&self, slot: &Slot) -> bool {
        self.deeds.try_send(Deed::Withdraw(slot.clone())).is_ok()
    }
}

/// What the wall and the log are told of the desktop: only what is new.
#[derive(Debug, Default)]
struct News {
    told: Option<Lack>,
    until: Option<Instant>,
    /// An alarm was to be shown and wasn't.
    is_grave: bool,
}

impl News {
    /// What is wrong with the desktop, if anything is; `is_alarm`: while an alarm was to be shown.
    fn tell(&mut self, lack: Option<Lack>, is_alarm: bool, now: Instant) -> Option<Event> {
        let is_grave = lack.is_some() && (is_alarm || self.is_grave);
        if self.told == lack && self.is_grave == is_grave {
            return None;
        }
        let is_said = self.told == lack && self.until.is_none();
        (self.told, self.is_grave) = (lack, is_grave);
        self.until = (self.told.is_some() && !is_grave).then(|| now + NOTICE_STANDS);
        match &self.told {
            Some(lack) if is_grave => {
                tracing::warn!("alarms are not shown on the desktop: {lack}");
                Some(Event::Notice(cannot_show(lack, State::Warning)))
            }
            Some(_) if is_said => None,
            Some(lack) => {
                tracing::warn!("{lack}");
                Some(Event::Notice(cannot_show(lack, State::Muted)))
            }
            None => {
                tracing::info!("the desktop shows notifications again");
                Some(Event::NoticeOver { id: NOTICE })
            }
        }
    }

    /// It has stood for long enough.
    fn expire(&mut self, now: Instant) -> Option<Event> {
        self.until.take_if(|until| *until <= now).map(|_| Event::NoticeOver { id: NOTICE })
    }
}

fn cannot_show(lack: &Lack, state: State) -> Notice {
    Notice::worded(NOTICE, state, lack.to_string(), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wall and the log hear of a desktop that takes nothing once, in plain words, until that changes; for as long as it is so only if
    /// an alarm should have been shown.
    #[test]
    fn a_lacking_desktop_is_told_once() {
        let begun = Instant::now();
        let mut news = News::default();
        assert!(news.tell(None, false, begun).is_none(), "a desktop that works is no news");
        let Some(Event::Notice(notice)) = news.tell(Some(Lack::Service), false, begun) else {
            panic!("a lack was not told")
        };
        assert!(notice.text.starts_with("no notification service on this desktop"), "{notice:?}");
        assert!(!notice.text.contains("org.freedesktop") && notice.detail.is_empty(), "{notice:?}");
        assert!(news.tell(Some(Lack::Service), false, begun).is_none());
        assert!(news.expire(begun).is_none());
        assert!(matches!(news.expire(begun + NOTICE_STANDS), Some(Event::NoticeOver { id: NOTICE })));
        assert!(news.tell(Some(Lack::Service), false, begun).is_none(), "an outage is no news of the desktop");
        let Some(Event::Notice(notice)) = news.tell(Some(Lack::Service), true, begun) else {
            panic!("an alarm that wasn't shown was not told")
        };
        assert_eq!(notice.state, State::Warning);
        assert!(news.tell(Some(Lack::Service), true, begun).is_none());
        assert!(news.tell(Some(Lack::Service), false, begun).is_none());
        assert!(news.expire(begun + NOTICE_STANDS * 2).is_none(), "it stands");
        assert!(matches!(news.tell(Some(Lack::Other("gone".into())), false, begun), Some(Event::Notice(_))));
        assert!(matches!(news.tell(None, false, begun), Some(Event::NoticeOver { id: NOTICE })));
        assert!(news.tell(None, false, begun).is_none());
    }
}
