//! What a tray asks for: `org.kde.StatusNotifierItem`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use zbus::{ObjectPath, interface, object_server::SignalEmitter};

use super::{Choice, MENU_PATH, mark::Told, picture};

/// What was told is shown for this long, and is unknown then: it is told every second.
const STANDS_FOR: Duration = Duration::from_secs(5);

/// What is done when something is chosen.
pub(super) type Choose = Arc<dyn Fn(Choice) + Send + Sync>;
/// Width, height, and the pixels in network order.
type Picture = (i32, i32, Vec<u8>);

/// What is shown, and since when it is known.
pub(super) struct Shown(Mutex<(Told, Instant)>);

impl Shown {
    pub(super) fn new(told: Told) -> Self {
        Self(Mutex::new((told, Instant::now())))
    }

    /// Takes what is known now. Whether it is another than was shown until now.
    pub(super) fn tell(&self, told: Told) -> bool {
        let now = Instant::now();
        let is_new = self.at(now) != told;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (told, now);
        is_new
    }

    /// What may be shown now: nothing that is older than it may be (H1).
    pub(super) fn now(&self) -> Told {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> Told {
        let (told, since) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(*since) > STANDS_FOR { Told::silent() } else { told.clone() }
    }
}

/// The mark of this wall.
pub(super) struct Item {
    shown: Arc<Shown>,
    choose: Choose,
}

impl Item {
    pub(super) fn new(shown: Arc<Shown>, choose: Choose) -> Self {
        Self { shown, choose }
    }
}

#[interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    #[zbus(property(emits_changed_signal = "const"))]
    fn category(&self) -> &str {
        "ApplicationStatus"
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> &str {
        "watchfloor"
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn title(&self) -> String {
        self.shown.now().title
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn status(&self) -> &str {
        self.shown.now().status()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn icon_name(&self) -> &str {
        ""
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn icon_pixmap(&self) -> Vec<Picture> {
        let told = self.shown.now();
        picture::SIZES
            .into_iter()
            .map(|size| (size.into(), size.into(), picture::of(told.link, told.badge, size)))
            .collect()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn attention_icon_name(&self) -> &str {
        ""
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn attention_icon_pixmap(&self) -> Vec<Picture> {
        self.icon_pixmap()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn overlay_icon_name(&self) -> &str {
        ""
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn tool_tip(&self) -> (String, Vec<Picture>, String, String) {
        let told = self.shown.now();
        (String::new(), Vec::new(), told.title, told.words)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn item_is_menu(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn menu(&self) -> ObjectPath<'_> {
        ObjectPath::from_static_str_unchecked(MENU_PATH)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn window_id(&self) -> i32 {
        0
    }

    fn activate(&self, _x: i32, _y: i32) {
        (self.choose)(Choice::Show);
    }

    fn secondary_activate(&self, _x: i32, _y: i32) {
        (self.choose)(Choice::Show);
    }

    fn context_menu(&self, _x: i32, _y: i32) {}

    fn scroll(&self, _delta: i32, _orientation: &str) {}

    #[zbus(signal)]
    pub(super) async fn new_icon(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn new_attention_icon(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn new_title(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn new_tool_tip(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    pub(super) async fn new_status(emitter: &SignalEmitter<'_>, status: &str) -> zbus::Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tray::mark::{Badge, Link};

    /// H1: a mark that nobody renews ends by itself, though who should say so stands still.
    #[test]
    fn what_is_told_has_an_end() {
        let live = Told { link: Link::Live, badge: Badge::None, title: "Orders".into(), words: "all live".into() };
        let shown = Shown::new(live.clone());
        let begun = Instant::now();
        assert_eq!(shown.at(begun + STANDS_FOR - Duration::from_secs(1)), live);
        assert_eq!(shown.at(begun + STANDS_FOR + Duration::from_secs(1)), Told::silent());
        assert!(!shown.tell(live.clone()), "it is no other one");
        assert_eq!(shown.now(), live);
    }
}
