//! Whether the page still paints, and what becomes of it if not (H7).
//!
//! The page's pulls are its receipts: each says what was painted. Their absence is shown beside the page, by the window
//! itself, for a page that hangs can't say so; then the page is started again, then another one beside it, and at last this program.

mod all;
#[cfg(target_os = "linux")]
pub(crate) mod line;
mod memory;
mod picture;
mod strip;
mod view;
mod watch;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tauri::AppHandle;
use tokio::sync::watch::Receiver;

pub(crate) use all::Glasses;
use picture::Picture;
pub(crate) use strip::Strip;
pub(crate) use view::Views;
use watch::{Act, Found, Say, Watch};
use watchfloor_board::frame::SpanView;
use watchfloor_engine::Engine;

use crate::{life::Condition, page::Backend};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The exit code by which [`crate::wall::run`] knows that the program must be started again.
pub(crate) const START_AGAIN: i32 = 4;
/// A program that can't even end is ended after this: the engine's own end takes ten seconds at most.
const END_LIMIT: Duration = Duration::from_secs(15);
/// A page that is opened beneath another one is given this long to paint.
const BENEATH_LIMIT: Duration = Duration::from_secs(15);
/// It is raised when it has said so often that it painted: the first time its picture may still be on its way to the window.
const RECEIPTS_MIN: u32 = 3;

/// What is known of the pages of one window, from all who hear of them.
pub(crate) struct Glass {
    /// The window's label, and its first page's.
    window: String,
    /// What the engine calls it; empty where there is one.
    name: Arc<str>,
    zero: Instant,
    state: Mutex<State>,
    /// Whether the window says something beside its page.
    strip: AtomicBool,
    /// Whether the window is closed.
    closed: AtomicBool,
    /// Its part of a picture that it shows with other windows.
    part: Mutex<Option<SpanView>>,
}

struct State {
    watch: Watch,
    picture: Picture,
    /// The page that is seen.
    shown: String,
    /// How wide each page is, in its own pixels.
    widths: BTreeMap<String, f64>,
    /// How many pages there were.
    pages: u32,
    beneath: Option<Beneath>,
    restart_at: Option<Duration>,
}

/// A page that is to take the other's place.
struct Beneath {
    label: String,
    why: Why,
    since: Duration,
    receipts: u32,
    ended: bool,
}

/// Why there is another page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Silent,
    Memory { mib: u64 },
}

/// What has become of the page beneath.
enum Fate {
    Raise { old: String, new: String, why: Why, took: Duration },
    Drop { label: String, why: Why },
}

impl Glass {
    /// Of the window `label`, whose first page is just being opened.
    pub(crate) fn new(label: &str, name: &str) -> Self {
        let state = State {
            watch: Watch::new(Duration::ZERO),
            picture: Picture::default(),
            shown: label.to_owned(),
            widths: BTreeMap::new(),
            pages: 1,
            beneath: None,
            restart_at: None,
        };
        Self {
            window: label.to_owned(),
            name: name.into(),
            zero: Instant::now(),
            state: Mutex::new(state),
            strip: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            part: Mutex::new(None),
        }
    }

    /// Its part of a picture that it shows with other windows; none if it shows all of a page.
    pub(crate) fn part(&self) -> Option<SpanView> {
        *self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the next frame on it shows this part.
    #[cfg(target_os = "linux")]
    pub(crate) fn set_part(&self, part: Option<SpanView>) {
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    /// The label of its window.
    pub(crate) fn window(&self) -> &str {
        &self.window
    }

    /// What the engine calls this glass.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Whether this is the first window: looking back and the lamp test are its matter.
    pub(crate) fn is_first(&self) -> bool {
        self.window == crate::wall::LABEL
    }

    /// A page says that it painted this version.
    pub(crate) fn receipt(&self, label: &str, version: u64) {
        self.with(|state, now| match &mut state.beneath {
            Some(beneath) if beneath.label == label => beneath.receipts += 1,
            _ if state.shown == label => {
                state.picture.receipt(version, now);
                state.watch.receipt(now);
            }
            _ => {}
        });
    }

    /// A page that has painted nothing yet gets something to paint.
    pub(crate) fn given(&self, label: &str) {
        self.with(|state, now| {
            if state.shown == label {
                state.watch.given(now);
            }
        });
    }

    /// What was read off the screen of a page, if it could be.
    fn read(&self, label: &str, code: Option<u32>) {
        self.with(|state, now| {
            if state.shown == label && state.beneath.is_none() {
                let old = state.picture.read(code, now);
                if let Some(since) = old {
                    let span = now.saturating_sub(since);
                    tracing::warn!(
                        ?code,
                        ?span,
                        "the page says that it paints, and an old picture stands on the screen"
                    );
                }
                state.watch.paints_old(old);
                if state.picture.is_unwatched() {
                    tracing::info!(
                        "no code can be read off the screen for a minute: an old picture would not be found"
                    );
                }
            }
        });
    }

    /// A page went out of sight, or came back.
    pub(crate) fn visible(&self, label: &str, visible: bool) {
        self.with(|state, now| {
            if state.shown == label {
                state.watch.visible(visible, now);
            }
        });
    }

    /// The window went out of sight, or came back.
    fn window_visible(&self, visible: bool) {
        self.with(|state, now| state.watch.visible(visible, now));
    }

    /// How wide a page is, in its own pixels: by the screen's scale, and that of its texts, these are more of the window's, or fewer.
    pub(crate) fn laid_out(&self, label: &str, width: f64) {
        self.with(|state, _| state.widths.insert(label.to_owned(), width));
    }

    /// A page's process has ended.
    pub(crate) fn ended(&self, label: &str) {
        self.with(|state, now| match &mut state.beneath {
            Some(beneath) if beneath.label == label => beneath.ended = true,
            _ if state.shown == label => state.watch.ended(now),
            _ => {}
        });
    }

    /// The engine behind the page has ended by itself after it ran for `ran`.
    pub(crate) fn engine_ended(&self, ran: Duration) {
        self.with(|state, now| state.watch.engine_ended(ran, now));
    }

    /// Whether this is the page that is seen.
    pub(crate) fn is_shown(&self, label: &str) -> bool {
        self.with(|state, _| state.shown == label)
    }

    /// Whether the window says something beside its page.
    pub(crate) fn strip(&self) -> bool {
        self.strip.load(Ordering::Relaxed)
    }

    /// For whoever starts this program again.
    pub(crate) fn condition(&self) -> Condition {
        self.with(|state, now| {
            let overdue = state.restart_at.is_some_and(|at| now.saturating_sub(at) > END_LIMIT);
            let (begun, paints) = (state.watch.has_painted(), state.watch.is_well(now));
            let words = match (begun, paints) {
                (false, _) => "starting",
                (true, true) => "painting",
                (true, false) => "the page is hidden, or is being brought back",
            };
            Condition { begun, well: !overdue, words: words.to_owned() }
        })
    }

    fn with<T>(&self, tell: impl FnOnce(&mut State, Duration) -> T) -> T {
        let now = self.zero.elapsed();
        // Plain data, whole after each call.
        tell(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// Looks, and notes what is going to be done.
    fn look(&self) -> (Found, String) {
        self.with(|state, now| {
            let found = state.watch.look(now);
            if found.act == Some(Act::Restart) {
                state.restart_at.get_or_insert(now);
            }
            if found.act.is_some() {
                state.picture.begin();
            }
            (found, state.shown.clone())
        })
    }

    /// Names a page that is to be opened beneath the one that is seen. None if there is one already.
    fn begin(&self, why: Why) -> Option<String> {
        self.with(|state, now| {
            if state.beneath.is_some() {
                return None;
            }
            state.pages += 1;
            let label = all::page_label(&self.window, state.pages);
            let beneath = Beneath { label: label.clone(), why, since: now, receipts: 0, ended: false };
            state.beneath = Some(beneath);
            Some(label)
        })
    }

    /// What is due with the page beneath.
    fn fate(&self) -> Option<Fate> {
        self.with(|state, now| {
            let beneath = state.beneath.as_ref()?;
            let took = now.saturating_sub(beneath.since);
            let (painted, failed) = (beneath.receipts >= RECEIPTS_MIN, beneath.ended || took > BENEATH_LIMIT);
            if !painted && !failed {
                return None;
            }
            let Beneath { label, why, .. } = state.beneath.take()?;
            let stays = if failed { &state.shown } else { &label };
            state.widths.retain(|page, _| page == stays);
            if failed {
                state.watch.swap_failed(now);
                return Some(Fate::Drop { label, why });
            }
            let old = std::mem::replace(&mut state.shown, label.clone());
            state.picture.begin();
            state.watch.receipt(now);
            Some(Fate::Raise { old, new: label, why, took })
        })
    }

    /// The page that is seen and says that it paints, and how wide it is.
    fn readable(&self) -> Option<(String, f64)> {
        self.with(|state, now| {
            let width = *state.widths.get(&state.shown).filter(|width| width.is_normal() && **width > 0.0)?;
            state.watch.says_it_paints(now).then(|| (state.shown.clone(), width))
        })
    }

    fn is_well(&self) -> bool {
        self.with(|state, now| state.watch.is_well(now))
    }
}

/// Watches the pages of one window for as long as it is open.
pub(crate) struct Keeper {
    pub(crate) app: AppHandle,
    pub(crate) glass: Arc<Glass>,
    /// All of them, among which the memory of the pages is divided.
    pub(crate) glasses: Arc<Glasses>,
    pub(crate) views: Views,
    pub(crate) strip: Strip,
    /// What a page may hold before another one takes its place; zero is no bound.
    pub(crate) budget_mib: u64,
    pub(crate) running: Receiver<Option<Backend>>,
}

impl Keeper {
    /// Looks four times a second.
    pub(crate) async fn keep(self) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut memory = tokio::time::interval_at(tokio::time::Instant::now() + memory::LOOK_FIRST, memory::LOOK_EVERY);
        memory.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut read = tokio::time::interval(picture::READ_EVERY);
        read.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shown = String::new();
        let mut recycled: Option<Instant> = None;
        while !self.glass.closed.load(Ordering::Relaxed) {
            tokio::select! {
                _ = look.tick() => self.look(&mut shown),
                _ = read.tick() => {
                    if let Some((page, width)) = self.glass().readable() {
                        told(self.views.read(&self.app, page, width));
                    }
                }
                _ = memory.tick(), if self.budget_mib > 0 => {
                    let rested = recycled.is_none_or(|at| at.elapsed() >= memory::RECYCLE_PAUSE);
                    if rested && self.glass().is_well() && self.is_over_budget().await {
                        recycled = Some(Instant::now());
                    }
                }
            }
        }
    }

    fn glass(&self) -> &Glass {
        &self.glass
    }

    fn look(&self, shown: &mut String) {
        let (found, page) = self.glass().look();
        let text = found.say.map(words).unwrap_or_default();
        if text != *shown {
            shown.clone_from(&text);
            self.strip.show(&self.app, &self.glass, text);
        }
        match found.act {
            None => {}
            Some(Act::Reload) => {
                tracing::warn!(why = ?found.say, "the page does not paint any more: it is started again");
                told(self.views.reload(&self.app, &page));
            }
            Some(Act::Swap) => {
                tracing::warn!(why = ?found.say, "the page does not paint any more: another one is opened");
                self.open(Why::Silent);
            }
            Some(Act::Restart) => {
                tracing::error!(why = ?found.say, "this program ends, to be started again");
                self.app.exit(START_AGAIN);
                tokio::spawn(end_at_last());
            }
        }
        match self.glass().fate() {
            None => {}
            Some(Fate::Raise { old, new, why, took }) => {
                tracing::info!(?why, took_ms = took.as_millis(), "another page has taken this one's place");
                if matches!(why, Why::Memory { .. })
                    && let Some(backend) = self.running.borrow().as_ref()
                {
                    backend.engine.page_recycled();
                }
                told(self.views.swap(&self.app, old, new));
            }
            Some(Fate::Drop { label, why }) => {
                tracing::warn!(?why, "the page that was to take this one's place does not paint either");
                told(self.views.close(&self.app, label));
            }
        }
    }

    fn open(&self, why: Why) {
        if let Some(label) = self.glass().begin(why) {
            told(self.views.open_beneath(&self.app, label));
        }
    }

    /// Looks at what the page holds, and opens another one if that is too much.
    async fn is_over_budget(&self) -> bool {
        // Which process is whose isn't known.
        let windows = self.glasses.count();
        let held = tokio::task::spawn_blocking(memory::page_mib).await.unwrap_or_default().map(|mib| mib / windows);
        let Some(mib) = held.filter(|mib| *mib > self.budget_mib) else { return false };
        tracing::info!(
            mib,
            budget_mib = self.budget_mib,
            "the page holds too much memory: another one takes its place"
        );
        self.open(Why::Memory { mib });
        true
    }
}

fn told(asked: tauri::Result<()>) {
    if let Err(error) = asked {
        tracing::error!(%error, "the page can't be reached");
    }
}

/// Ends a program whose window system doesn't even let it end.
async fn end_at_last() {
    tokio::time::sleep(END_LIMIT).await;
    tracing::error!("this program does not end by itself");
    std::process::exit(START_AGAIN);
}

fn words(say: Say) -> String {
    match say {
        Say::Silent(span) => {
            format!("This page has painted nothing for {} s: what stands on it may be old", span.as_secs())
        }
        Say::Ended(left) => {
            format!(
                "Nothing here is current: a defect stopped this program's engine. It starts again in {} s",
                left.as_secs()
            )
        }
    }
}

/// Waits for the engine's end, which nobody asked for while the window is open.
pub(crate) async fn keep_engine(glasses: Arc<Glasses>, engine: Engine) {
    let begun = Instant::now();
    engine.ended().await;
    for glass in glasses.all() {
        glass.engine_ended(begun.elapsed());
    }
}
