//! What real servers said, damaged, left out, said twice or cut otherwise: see `docs/proof.md`, "Fuzzing". A target a dialect, each over
//! the transcripts that are kept of its server.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use watchfloor_feed::{Input, LinkId, Output, Paths, SourceConfig};
use watchfloor_fuzz::{Draws, check, mutated};
use watchfloor_model::{Delivery, Mono, Phase, Position};

use super::{
    Line, Step,
    golden::{lead, life, lives},
};

/// Timers that may be due one after another at one instant: there are fewer than twenty kinds, for a link and its trial.
const DUE_AT_ONCE_MAX: usize = 100;
/// Timers that fire between two steps at most.
const FIRINGS_MAX: usize = 200;
/// What a turn does besides what the bytes in it lead to.
const OUTPUTS_MAX: usize = 300;
/// Of so many things that are said one is damaged.
const DAMAGE_ONE_IN: usize = 12;
/// Of so many chunks that aren't one comes in two.
const CUT_ONE_IN: usize = 6;
/// Of so many other steps one is left out, and one is done twice.
const ODD_ONE_IN: usize = 32;

/// A kept life of a source.
struct Life {
    config: SourceConfig,
    seed: u64,
    steps: Vec<(Mono, Step)>,
    /// What was said in it.
    said: Vec<Vec<u8>>,
}

impl Life {
    fn read(path: &Path) -> Self {
        let (config, seed) = life(path);
        let text = fs::read_to_string(path).expect("a transcript");
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line"));
        let steps: Vec<(Mono, Step)> = lines
            .filter_map(|line| match line {
                Line::Told { at, told } => Some((Mono::from_micros(at), told)),
                Line::Begun(_) | Line::Did { .. } => None,
            })
            .collect();
        let said = steps.iter().filter_map(|(_, step)| bytes(step)).map(<[u8]>::to_vec).collect();
        Self { config, seed, steps, said }
    }
}

/// What the server said in a step.
fn bytes(step: &Step) -> Option<&[u8]> {
    match step {
        Step::Input(
            Input::Text { text: bytes, .. }
            | Input::Binary { bytes, .. }
            | Input::Chunk { bytes, .. }
            | Input::Answered { body: bytes, .. },
        ) => Some(bytes),
        _ => None,
    }
}

/// The same step about other bytes.
fn with(step: Step, said: Vec<u8>) -> Step {
    let Step::Input(input) = step else { return step };
    Step::Input(match input {
        // A WebSocket's texts are UTF-8, or they don't come this far.
        Input::Text { link, .. } => Input::Text { link, text: String::from_utf8_lossy(&said).into_owned().into() },
        Input::Binary { link, .. } => Input::Binary { link, bytes: said.into() },
        Input::Chunk { link, .. } => Input::Chunk { link, bytes: said.into() },
        Input::Answered { link, head, .. } => Input::Answered { link, head, body: said.into() },
        other => other,
    })
}

/// The same input on the link that there is now: after damage it may be another one than it was.
fn on(input: Input, link: LinkId) -> Input {
    match input {
        Input::Opened { .. } => Input::Opened { link },
        Input::Text { text, .. } => Input::Text { link, text },
        Input::Binary { bytes, .. } => Input::Binary { link, bytes },
        Input::Chunk { bytes, .. } => Input::Chunk { link, bytes },
        Input::Head { head, .. } => Input::Head { link, head },
        Input::Answered { head, body, .. } => Input::Answered { link, head, body },
        Input::Pong { .. } => Input::Pong { link },
        Input::Closed { code, reason, .. } => Input::Closed { link, code, reason },
        Input::Failed { fault, .. } => Input::Failed { link, fault },
        Input::Exchanged { number, outcome, .. } => Input::Exchanged { link, number, outcome },
        other @ (Input::Fetched { .. } | Input::Credential { .. }) => other,
    }
}

struct Run {
    paths: Paths,
    now: Mono,
    /// The links that are wanted, the newest last.
    links: Vec<LinkId>,
    /// Each channel's newest event, unless something was told since that explains whatever comes.
    told: BTreeMap<Arc<str>, Position>,
    step_bytes: usize,
}

impl Run {
    fn lead(life: &Life, draws: &mut Draws<'_>) {
        let mut run = Self {
            paths: Paths::new(&life.config, life.seed),
            now: Mono::ZERO,
            links: Vec::new(),
            told: BTreeMap::new(),
            step_bytes: 0,
        };
        let mut steps: VecDeque<(Mono, Step)> = life.steps.iter().cloned().collect();
        while let Some((at, step)) = steps.pop_front() {
            run.pass(at);
            match bytes(&step) {
                Some(said) if draws.once_in(DAMAGE_ONE_IN) => {
                    let mut seeds = vec![said.to_vec()];
                    seeds.extend(life.said.iter().cloned());
                    let said = mutated(&seeds, &mut Draws::new(draws.take(12)));
                    run.step(with(step, said));
                }
                Some(said) if matches!(step, Step::Input(Input::Chunk { .. })) && draws.once_in(CUT_ONE_IN) => {
                    let (first, rest) = said.split_at(draws.below(said.len() + 1));
                    let (first, rest) = (first.to_vec(), rest.to_vec());
                    run.step(with(step.clone(), first));
                    steps.push_front((at, with(step, rest)));
                }
                _ if draws.once_in(ODD_ONE_IN) => {}
                _ if draws.once_in(ODD_ONE_IN) => {
                    run.step(step.clone());
                    run.step(step);
                }
                _ => run.step(step),
            }
            run.check();
        }
        // Nobody speaks any more.
        run.pass(run.now.plus(Duration::from_secs(120)));
        run.check();
    }

    fn step(&mut self, step: Step) {
        self.step_bytes = bytes(&step).map_or(0, <[u8]>::len);
        let step = match (step, self.links.last()) {
            (Step::Input(input), Some(link)) => Step::Input(on(input, *link)),
            (step, _) => step,
        };
        if let Step::Input(Input::Closed { link, .. } | Input::Failed { link, .. }) = step {
            self.links.retain(|known| *known != link);
        }
        lead(&mut self.paths, step, self.now);
        self.drain();
    }

    fn pass(&mut self, until: Mono) {
        for _ in 0..FIRINGS_MAX {
            match self.paths.poll_timeout() {
                Some((due, _)) if due <= until => self.now = self.now.max(due),
                _ => break,
            }
            self.settle();
        }
        self.now = self.now.max(until);
    }

    /// Fires what is due now. H5: it comes to an end.
    fn settle(&mut self) {
        for _ in 0..DUE_AT_ONCE_MAX {
            if self.paths.poll_timeout().is_none_or(|(due, _)| due > self.now) {
                return;
            }
            self.step_bytes = 0;
            self.paths.handle_timeout(self.now);
            self.drain();
        }
        panic!("a hot loop: {:?} at {:?}", self.paths.poll_timeout(), self.now);
    }

    fn drain(&mut self) {
        let most = OUTPUTS_MAX + self.step_bytes;
        for _ in 0..most {
            match self.paths.poll_output() {
                None => return,
                Some(Output::Open { link, .. } | Output::Ask { link, .. }) => {
                    self.links.retain(|known| *known != link);
                    self.links.push(link);
                }
                Some(Output::Close { link }) => self.links.retain(|known| *known != link),
                Some(Output::Deliver(delivery)) => self.delivered(delivery),
                Some(_) => {}
            }
            assert!(self.links.len() <= 2, "H5: {:?}", self.links);
        }
        panic!("H5: more than {most} outputs");
    }

    /// H3: each event once and in order, unless a gap or a snapshot says why not.
    fn delivered(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Events(events) => {
                assert!(!events.is_empty());
                for event in events {
                    let Some(place) = event.position else { continue };
                    if let Some(last) = self.told.get(&event.channel) {
                        assert!(place.epoch == last.epoch && place.offset > last.offset, "{place} after {last}");
                    }
                    self.told.insert(event.channel, place);
                }
            }
            Delivery::Snapshot(_) | Delivery::Restated(_) => self.told.clear(),
            Delivery::Gap(gap) => {
                self.told.remove(&gap.channel);
            }
            Delivery::Check(_) | Delivery::Recheck(_) => {}
        }
    }

    fn check(&mut self) {
        self.settle();
        let status = self.paths.status();
        let cause = status.cause.map(|cause| cause.text).unwrap_or_default();
        assert!(cause.len() < 8000, "{cause}");
        if status.phase == Phase::Live {
            assert!(!self.links.is_empty(), "H1: live without a link");
            assert!(status.link_proof.is_some_and(|proof| proof <= self.now), "H1: {:?}", status.link_proof);
        }
    }
}

/// A target for each folder of transcripts.
macro_rules! targets {
    ($($name:ident: $folder:literal,)+) => {$(
        #[test]
        fn $name() {
            static LIVES: std::sync::LazyLock<Vec<Life>> =
                std::sync::LazyLock::new(|| lives($folder).iter().map(|path| Life::read(path)).collect());
            check!(|bytes: &[u8]| {
                let mut draws = Draws::new(bytes);
                Run::lead(draws.pick::<Life>(&LIVES), &mut draws);
            });
        }
    )+

        /// Whose server's words are kept has a target.
        #[test]
        fn every_transcript_has_a_target() {
            let named = [$($folder),+];
            for folder in super::golden::folders() {
                let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
                assert!(named.contains(&name), "{name}");
            }
        }
    };
}

targets! {
    ably: "ably",
    centrifugo: "centrifugo",
    centrifugo_redis: "centrifugo-redis",
    long_poll: "long-poll",
    mercure: "mercure",
    mqtt: "mqtt",
    nats: "nats",
    poll: "poll",
    pusher: "pusher",
    redis: "redis",
    redis_pubsub: "redis-pubsub",
    socketio: "socketio",
    socketio_polling: "socketio-polling",
    socketio_redis: "socketio-redis",
    socketio_streams: "socketio-streams",
    soketi: "soketi",
    sse: "sse",
    websocket: "websocket",
}
