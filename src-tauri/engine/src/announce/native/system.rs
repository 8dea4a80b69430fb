//! Desktops that speak no D-Bus: what was shown is told by the library, and can't be changed, taken away or acted on.

use notify_rust::{Notification, Timeout};

use super::{Deed, Event, Instant, Lack, News, PathBuf, Receiver, Show, Slot, WeakSender};
use crate::announce::Told;

pub(super) fn has_session() -> bool {
    true
}

pub(super) fn run(mut deeds: Receiver<Deed>, events: WeakSender<Event>, _: Option<PathBuf>) {
    let mut news = News::default();
    while let Some(deed) = deeds.blocking_recv() {
        let Deed::Show(show) = deed else { continue };
        let shown = display(&show);
        let is_alarm = !matches!(show.slot, Slot::Source(_));
        let (slot, number) = (show.slot, show.number);
        let told = if shown.is_ok() { Told::Shown { slot, number } } else { Told::NotShown { slot, number } };
        let told = is_alarm.then_some(Event::Told(told));
        for event in [news.tell(shown.err(), is_alarm, Instant::now()), told].into_iter().flatten() {
            if events.upgrade().is_none_or(|events| events.blocking_send(event).is_err()) {
                return;
            }
        }
    }
}

fn display(show: &Show) -> Result<(), Lack> {
    // Nothing can be replaced here: a change of what was shown would be another notification.
    if show.is_update {
        return Ok(());
    }
    let mut notification = Notification::new();
    notification.appname("Watchfloor").summary(&show.heading).body(&show.rest);
    notification.timeout(if show.stays { Timeout::Never } else { Timeout::Default });
    notification.show().map(drop).map_err(|error| Lack::Other(error.to_string()))
}
