//! A hub on loopback, the replay that publishes to it, and the line with its faults.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use jiff::civil::DateTime;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::sleep,
};
use watchfloor_board::config::spec::BoardFile;
use watchfloor_hub::{Hub, HubConfig};
use watchfloor_model::Timestamp;

use crate::{
    Fault, StoryName,
    fault::{self, Line},
    publisher::{Control, HubError, Lap, Progress, Publisher, SPEEDS},
    story::StoryError,
};

/// How long the line is away when the hub loses its history: long enough for a wall to see it, and to be told of the end.
const BLINK: Duration = Duration::from_millis(300);
/// How long the hub is away when it is restarted.
const RESTART_TAKES: Duration = Duration::from_secs(3);

/// What the demo is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DemoOptions {
    /// What is told.
    pub story: StoryName,
    /// Where the replay begins, local time, within the days of the story.
    pub from: DateTime,
    /// Replay seconds a second, within [`SPEEDS`].
    pub speed: f64,
    /// Whether it begins paused.
    pub paused: bool,
}

impl Default for DemoOptions {
    fn default() -> Self {
        let story = StoryName::default();
        Self { story, from: story.begins(), speed: 60.0, paused: false }
    }
}

/// How the replay stands.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoStatus {
    /// Its time, milliseconds since the Unix epoch.
    pub replay_ms: i64,
    /// Replay seconds a second when it isn't paused.
    pub speed: f64,
    /// Whether it stands still.
    pub paused: bool,
    /// How often the data began, from 1.
    pub lap: u32,
    /// Why the replay ended, if it did.
    pub ended: Option<String>,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The replay can't begin there.
    #[error(
        "the replay can't begin at {from}: expected a {time} from {first}T00:00 to {last}T23:59",
        time = story.time_of(),
        first = story.days()[0],
        last = story.days()[1]
    )]
    From {
        /// What is told.
        story: StoryName,
        /// What was asked for.
        from: DateTime,
    },
    /// The replay can't run like that.
    #[error("{speed} is not a speed: expected a number from {min} to {max}", min = SPEEDS[0], max = SPEEDS[1])]
    Speed {
        /// What was asked for.
        speed: f64,
    },
    /// There is nothing to tell.
    #[error(transparent)]
    Story(#[from] StoryError),
    /// A time zone can't be read.
    #[error("the demo's times can't be worked out: {0}")]
    Time(#[from] jiff::Error),
    /// No port to listen on.
    #[error("the demo can't listen on 127.0.0.1: {0}")]
    Listen(#[from] io::Error),
    /// No HTTP client.
    #[error("the demo can't make an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The hub took not what the replay published.
    #[error("the demo's replay can't publish: {0}")]
    Publish(#[from] HubError),
    /// The replay ended before it began.
    #[error("the demo's replay ended before it began")]
    Ended,
}

impl DemoError {
    /// Whether what was asked for is wrong, and not the machine.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        matches!(self, Self::From { .. } | Self::Speed { .. })
    }
}

/// Tells when the line is whole again.
#[derive(Debug)]
pub struct Mends(watch::Receiver<Line>);

impl Mends {
    /// Returns when a fault has ended and no other is left; none if the demo has ended.
    pub async fn next(&mut self) -> Option<()> {
        self.0.wait_for(|line| !line.is_whole()).await.ok()?;
        self.0.wait_for(Line::is_whole).await.ok()?;
        Some(())
    }
}

/// A running demo. Everything of it ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Demo {
    address: SocketAddr,
    hub: Hub,
    line: watch::Sender<Line>,
    control: watch::Sender<Control>,
    progress: watch::Receiver<Progress>,
    /// Whether the hub was filled, once that is decided.
    filled: watch::Receiver<Option<bool>>,
    restart: mpsc::Sender<()>,
    lose: mpsc::Sender<()>,
    restarting: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Demo {
    /// Starts a hub that folds what `board` shows, and begins to publish everything up to the time at which the replay begins.
    /// Walls may connect at once: they are let through when that is done, see [`Self::ready`].
    ///
    /// # Errors
    /// [`DemoError`].
    pub async fn start(options: DemoOptions, board: &BoardFile) -> Result<Self, DemoError> {
        if !(SPEEDS[0]..=SPEEDS[1]).contains(&options.speed) {
            return Err(DemoError::Speed { speed: options.speed });
        }
        let story = options.story.open()?;
        let from = options.story.instant(options.from)?;
        if !story.span().contains(&from) {
            return Err(DemoError::From { story: options.story, from: options.from });
        }
        let aggregates = board.folds().cloned().collect();
        let hub = Hub::new(HubConfig { aggregates, ..HubConfig::default() });
        let host = Host::new(hub.clone()).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let hub_url = format!("http://{}", host.address);
        let control = Control { speed: options.speed, paused: options.paused, pause_at: None };
        let (laps, laps_asked) = mpsc::channel(1);
        let publisher = Publisher::new(&hub_url, None, story, from, control)?.again(laps);

        let (stop, stopped) = watch::channel(false);
        let (restart, restarts) = mpsc::channel(1);
        let (lose, losses) = mpsc::channel(1);
        let (restarting, is_restarting) = watch::channel(false);
        let line = watch::Sender::new(Line { filling: true, ..Line::default() });
        let (control, progress) = (publisher.control(), publisher.progress());
        let (ready, is_ready) = oneshot::channel();
        let (filled, is_filled) = watch::channel(None);
        let filled_line = line.clone();
        let (host_address, hub_of_laps, line_of_laps) = (host.address, hub.clone(), line.clone());
        let proxied = fault::serve(listener, host_address, line.subscribe());
        let replayed = async move {
            if let Err(error) = publisher.run(ready).await {
                tracing::error!(reason = %error, "the replay ended");
            }
        };
        let opened = async move {
            // An error means that the replay has ended: the wall may see what there is.
            let is_filled = is_ready.await.is_ok();
            filled_line.send_modify(|line| line.filling = false);
            filled.send_replace(Some(is_filled));
        };
        let tasks = vec![
            tokio::spawn(host.run(restarts, restarting, line.clone(), stopped.clone())),
            until_stopped(stopped.clone(), begin_again(laps_asked, hub_of_laps, line_of_laps)),
            until_stopped(stopped.clone(), blink(losses, line.clone())),
            until_stopped(stopped.clone(), proxied),
            until_stopped(stopped.clone(), opened),
            until_stopped(stopped, replayed),
        ];
        Ok(Self {
            address,
            hub,
            line,
            control,
            progress,
            filled: is_filled,
            restart,
            lose,
            restarting: is_restarting,
            stop,
            tasks,
        })
    }

    /// Returns when everything up to the time at which the replay begins is published.
    ///
    /// # Errors
    /// If the replay ended before.
    pub async fn ready(&self) -> Result<(), DemoError> {
        match self.filled.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(true)) => Ok(()),
            _ => Err(DemoError::Ended),
        }
    }

    /// What the wall connects to: the line's end, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Pulls a fault, or mends it. [`Fault::Restart`] mends itself, [`Fault::LoseHistory`] is over at once; both can only be pulled.
    pub fn set_fault(&self, fault: Fault, on: bool) {
        match fault {
            Fault::Cut => self.line.send_modify(|line| line.cut = on),
            Fault::Freeze => self.line.send_modify(|line| line.freeze = on),
            Fault::Slow => self.line.send_modify(|line| line.slow = on),
            Fault::Restart if on => {
                // Refused only while one is waiting already.
                let _ = self.restart.try_send(());
            }
            Fault::LoseHistory if on => {
                self.hub.lose_history();
                self.line.send_modify(|line| line.drops = line.drops.wrapping_add(1));
                // Refused only while the line is away for one before it.
                let _ = self.lose.try_send(());
            }
            Fault::Restart | Fault::LoseHistory => {}
        }
    }

    /// Every fault, and whether it is pulled at the moment.
    #[must_use]
    pub fn faults(&self) -> Vec<(Fault, bool)> {
        let line = *self.line.borrow();
        let is_on = |fault| match fault {
            Fault::Cut => line.cut,
            Fault::Freeze => line.freeze,
            Fault::Slow => line.slow,
            Fault::Restart => *self.restarting.borrow(),
            Fault::LoseHistory => false,
        };
        Fault::ALL.into_iter().map(|fault| (fault, is_on(fault))).collect()
    }

    /// What tells when the line is whole again, after the present fault or the next one.
    #[must_use]
    pub fn mends(&self) -> Mends {
        Mends(self.line.subscribe())
    }

    /// Sets the speed, replay seconds a second; values outside [`SPEEDS`] become the nearest within.
    pub fn set_speed(&self, speed: f64) {
        if !speed.is_nan() {
            self.control.send_modify(|control| control.speed = speed.clamp(SPEEDS[0], SPEEDS[1]));
        }
    }

    /// Pauses the replay, or lets it go on.
    pub fn set_paused(&self, paused: bool) {
        self.control.send_modify(|control| (control.paused, control.pause_at) = (paused, None));
    }

    /// Runs up to exactly this time (milliseconds since the Unix epoch), publishes everything due up to and including it, then
    /// pauses with the hub's clock at it. A time that is past pauses at once. The replay goes on now if it was paused.
    pub fn pause_at(&self, at_ms: i64) {
        let at = Timestamp::from_millis(at_ms);
        self.control.send_modify(|control| (control.paused, control.pause_at) = (false, Some(at)));
    }

    /// How the replay stands.
    #[must_use]
    pub fn status(&self) -> DemoStatus {
        let progress = self.progress.borrow().clone();
        DemoStatus {
            replay_ms: progress.now().as_millis(),
            speed: self.control.borrow().speed,
            paused: progress.speed() == 0.0,
            lap: progress.lap,
            ended: progress.ended,
        }
    }

    /// Ends everything, and returns when it has ended.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(reason = %error, "a task of the demo did not end well");
            }
        }
    }
}

/// Runs `work` until the demo stops or is dropped.
fn until_stopped(
    mut stopped: watch::Receiver<bool>,
    work: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = work => {}
        }
    })
}

/// Empties the hub when the data has ended. Walls are kept out until the history is published again: what they meet then is a
/// server that was restarted, never one that is half full.
async fn begin_again(mut laps: mpsc::Receiver<Lap>, hub: Hub, line: watch::Sender<Line>) {
    while let Some(Lap { emptied, published }) = laps.recv().await {
        line.send_modify(|line| line.away += 1);
        hub.reset();
        tracing::info!("the replay's data has ended; it begins again");
        if emptied.send(()).is_ok() {
            // An error means that the replay has ended, and the wall may see that too.
            let _ = published.await;
        }
        line.send_modify(|line| line.away -= 1);
    }
}

/// Where the hub is served.
struct Host {
    hub: Hub,
    /// Stays open while the hub is away, so that nobody else can take its port.
    listener: std::net::TcpListener,
    address: SocketAddr,
}

/// Takes the line away for a moment, each time that the hub has lost its history: with its end, walls wait no longer.
async fn blink(mut losses: mpsc::Receiver<()>, line: watch::Sender<Line>) {
    while losses.recv().await.is_some() {
        line.send_modify(|line| line.away += 1);
        sleep(BLINK).await;
        line.send_modify(|line| line.away -= 1);
    }
}

impl Host {
    async fn new(hub: Hub) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { hub, listener: listener.into_std()?, address })
    }

    async fn run(
        self,
        mut restarts: mpsc::Receiver<()>,
        restarting: watch::Sender<bool>,
        line: watch::Sender<Line>,
        stopped: watch::Receiver<bool>,
    ) {
        loop {
            if let Err(error) = self.serve_once(&mut restarts, &restarting, &line, stopped.clone()).await {
                tracing::error!(reason = %error, "the demo's hub can't be served");
                return;
            }
            if *stopped.borrow() || stopped.has_changed().is_err() {
                return;
            }
            let mut stopped = stopped.clone();
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                () = sleep(RESTART_TAKES) => {}
            }
            line.send_modify(|line| line.away -= 1);
            restarting.send_replace(false);
        }
    }

    /// Serves until a restart is asked for, or the demo ends.
    async fn serve_once(
        &self,
        restarts: &mut mpsc::Receiver<()>,
        restarting: &watch::Sender<bool>,
        line: &watch::Sender<Line>,
        mut stopped: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener.try_clone()?)?;
        let (leave, left) = oneshot::channel::<()>();
        let served = self.hub.serve(listener, async move {
            // An error is an end too.
            let _ = left.await;
        });
        tokio::pin!(served);
        tokio::select! {
            outcome = &mut served => return outcome,
            _ = stopped.wait_for(|stopped| *stopped) => {}
            asked = restarts.recv() => if asked.is_some() {
                restarting.send_replace(true);
                tracing::info!("the demo's hub is restarted");
            },
        }
        drop(leave);
        let outcome = served.await;
        // Only now: the wall is to hear the hub's goodbye.
        line.send_modify(|line| line.away += 1);
        outcome
    }
}
