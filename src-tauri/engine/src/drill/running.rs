//! A lamp test that runs: the course with a clock, a page, and who wants to know how it goes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use watchfloor_board::frame::{Frame, GlassSeen};
use watchfloor_model::{Mono, Timestamp};

use super::{
    course::{Course, Live, PATIENCE},
    report::Progress,
};
use crate::{clock::Clock, engine::Engine, past};

/// How often is looked whether something is due.
const TICK: Duration = Duration::from_millis(25);
/// The same without a page, where each look asks for everything.
const TICK_BLIND: Duration = Duration::from_millis(100);
/// How often the present is asked how it is.
const LIVE_PERIOD: Duration = Duration::from_millis(500);
/// Nothing of a lamp test takes longer than this, whatever happens.
const LENGTH_MAX: Duration = Duration::from_secs(300);

/// What there is to be seen of a wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glass {
    /// Nothing: only what a page would be told is tested.
    None,
    /// A page.
    Page,
    /// A page in a window that can speak beside it.
    PageAndStrip,
}

/// A lamp test. Clones are the same.
#[derive(Clone)]
pub struct Drill {
    inner: Arc<Inner>,
}

struct Inner {
    course: Mutex<Course>,
    clock: Clock,
    news: Notify,
    progress: watch::Sender<Progress>,
}

impl Drill {
    /// Begins one on a copy of what `engine` has now.
    ///
    /// # Errors
    /// In words, if there is nothing that could be tested.
    pub async fn start(engine: &Engine, glass: Glass) -> Result<Self, String> {
        let copied = engine.copied().await.ok_or_else(|| "the engine has stopped".to_owned())?;
        let clock = engine.clock();
        let has = (glass != Glass::None, glass == Glass::PageAndStrip);
        let course = Course::new(copied, has, rand::random(), clock.now(), clock.wall())?;
        let progress = watch::Sender::new(course.progress());
        let drill =
            Self { inner: Arc::new(Inner { course: Mutex::new(course), clock, news: Notify::new(), progress }) };
        tokio::spawn(drill.clone().run(engine.clone(), if has.0 { TICK } else { TICK_BLIND }));
        Ok(drill)
    }

    async fn run(self, engine: Engine, tick: Duration) {
        engine.drills(true).await;
        let begun = Instant::now();
        let mut asked: Option<Instant> = None;
        let mut counted = 0;
        let mut ticks = interval(tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if asked.is_none_or(|at| at.elapsed() >= LIVE_PERIOD) {
                asked = Some(Instant::now());
                let standing = engine.standing().await;
                let present = past::present(&standing);
                let live = Live { said: present.said, is_well: present.is_well, notices: standing.notices };
                self.with(|course, _, _| course.set_live(live));
            }
            ticks.tick().await;
            self.with(Course::handle_time);
            if begun.elapsed() > LENGTH_MAX {
                self.end("it took too long");
            }
            let progress = self.inner.progress.borrow().clone();
            for step in progress.steps.iter().skip(counted) {
                counted += 1;
                engine.count_drill_step(step.verdict);
                tracing::info!(step = step.name, verdict = step.verdict.word(), shown_ms = step.shown_ms, "lamp test");
            }
            if progress.outcome.is_some() {
                break;
            }
        }
        engine.drills(false).await;
    }

    /// Does something to the course, and tells whoever waits what came of it.
    fn with<T>(&self, act: impl FnOnce(&mut Course, Mono, Timestamp) -> T) -> T {
        let (clock, inner) = (self.inner.clock, &self.inner);
        let mut course = inner.course.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut course, clock.now(), clock.wall());
        inner.progress.send_if_modified(|told| {
            let now = course.progress();
            let is_news = told.steps.len() != now.steps.len() || told.outcome != now.outcome;
            if is_news {
                *told = now;
            }
            is_news
        });
        drop(course);
        inner.news.notify_waiters();
        done
    }

    /// How it goes: changes with every step, and at the end.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.inner.progress.subscribe()
    }

    /// What the page gets that has painted version `after` of `revision`: at once if there is something new, after a heartbeat in any
    /// case, and not at all while it is to be left without an answer. None once it is over.
    pub async fn next_frame(&self, after: u64, revision: u32, rest: Duration) -> Option<Frame> {
        sleep(rest).await;
        let due = Instant::now() + PATIENCE;
        loop {
            let news = self.inner.news.notified();
            let patience = due.saturating_duration_since(Instant::now());
            {
                let mut course = self.inner.course.lock().unwrap_or_else(PoisonError::into_inner);
                if course.is_over() {
                    return None;
                }
                if !course.holds_back() && (course.is_behind(after, revision) || patience.is_zero()) {
                    return Some(course.frame(after, revision, self.inner.clock.now(), self.inner.clock.wall()));
                }
            }
            // Whoever isn't answered now is looked at again at the next tick at the latest.
            let _late = timeout(patience.max(TICK), news).await;
        }
    }

    /// Takes what a page finds on its own glass.
    pub fn seen(&self, seen: &GlassSeen) {
        self.with(|course, now, wall| course.handle_seen(seen, now, wall));
    }

    /// Takes whether the window says something beside its page.
    pub fn strip(&self, shown: bool) {
        self.with(|course, now, _| course.handle_strip(shown, now));
    }

    /// Ends it at once.
    pub fn end(&self, why: &str) {
        self.with(|course, _, _| course.end(why));
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.inner.course.lock().unwrap_or_else(PoisonError::into_inner).is_over()
    }
}
