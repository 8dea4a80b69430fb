//! Transcripts: what a source was told, instant by instant, and what it did about it, a JSON line each.
//!
//! A feed does nothing of its own accord: with the same settings, the same seed and the same lines it does the same again. So a
//! transcript from a site is a test, as those of real servers are: see `golden`. What servers say is written as it came; secrets of ours are stars.

#[cfg(test)]
mod damaged;
#[cfg(test)]
mod golden;

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use watchfloor_feed::{Input, Message, Output, Paths, Request, SourceConfig, TimerReason};
use watchfloor_model::{Delivery, Event, Mono, Position, SourceStatus, Timestamp};

/// The longest transcript of one life of a source, in bytes; then it ends.
const TRANSCRIPT_BYTES_MAX: u64 = 256 << 20;

/// The first line: by what a life of a source can be led again, with the board file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// The source's id in the board file.
    source: String,
    /// The strictest limit of what shows it, in milliseconds.
    limit_ms: u64,
    /// Of its jitter.
    seed: u64,
}

/// What a source was told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// Up to where an earlier life delivered.
    Restore(BTreeMap<Arc<str>, Position>),
    /// What the wall clock shows.
    Wall(Timestamp),
    /// To begin.
    Start,
    /// To end.
    Stop,
    /// Not to wait for the next try.
    TryNow,
    /// To compare.
    Reconcile,
    /// That its token may have changed.
    Renew,
    /// That something is due.
    Timeout,
    /// What happened outside.
    Input(Input),
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// The first.
    Begun(Begun),
    /// What it was told, in microseconds from the program's beginning.
    Told {
        /// When.
        at: u64,
        /// What.
        told: Step,
    },
    /// What it did.
    Did {
        /// In words.
        did: String,
    },
}

/// Where transcripts go.
#[derive(Debug)]
struct Tape {
    file: BufWriter<File>,
    bytes: u64,
    /// Why there are no more lines.
    ended: Option<String>,
}

impl Tape {
    /// A new file in `folder`, which is made if it isn't there; for its owner alone.
    fn begin(folder: &Path, config: &SourceConfig, seed: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = (1..).map(|number| folder.join(format!("{}-{number}.jsonl", config.id))).find_map(|path| {
            match options.open(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                opened => Some(opened),
            }
        });
        let file = file.unwrap_or_else(|| Err(io::ErrorKind::AlreadyExists.into()))?;
        let mut tape = Self { file: BufWriter::new(file), bytes: 0, ended: None };
        let limit_ms = u64::try_from(config.limit.as_millis()).unwrap_or(u64::MAX);
        tape.write(&Line::Begun(Begun { source: config.id.clone(), limit_ms, seed }));
        Ok(tape)
    }

    fn write(&mut self, line: &Line) {
        if self.ended.is_some() {
            return;
        }
        let mut text = match serde_json::to_vec(line) {
            Ok(text) => text,
            Err(error) => return self.end(error.to_string()),
        };
        text.push(b'\n');
        self.bytes += text.len() as u64;
        if self.bytes > TRANSCRIPT_BYTES_MAX {
            return self.end(format!("it has {TRANSCRIPT_BYTES_MAX} bytes"));
        }
        if let Err(error) = self.file.write_all(&text).and_then(|()| self.file.flush()) {
            self.end(error.to_string());
        }
    }

    fn end(&mut self, reason: String) {
        tracing::warn!(reason, "a transcript ends here");
        self.ended = Some(reason);
    }
}

/// A source's paths, driven as they are, with a transcript if one is wanted.
#[derive(Debug)]
pub(crate) struct Taped {
    paths: Paths,
    tape: Option<Tape>,
    /// The wall clock's word, until something else is told.
    wall: Option<(Timestamp, Mono)>,
}

impl Taped {
    /// Paths that do nothing yet; their transcript goes into `folder`. Without it they run just as well.
    pub(crate) fn new(config: &SourceConfig, seed: u64, folder: Option<&Path>) -> Self {
        let tape = folder.and_then(|folder| match Tape::begin(folder, config, seed) {
            Ok(tape) => Some(tape),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "no transcript can be written");
                None
            }
        });
        Self { paths: Paths::new(config, seed), tape, wall: None }
    }

    fn told(&mut self, step: impl FnOnce() -> Step, now: Mono) {
        let Some(tape) = &mut self.tape else { return };
        if let Some((wall, at)) = self.wall.take() {
            tape.write(&Line::Told { at: at.as_micros(), told: Step::Wall(wall) });
        }
        tape.write(&Line::Told { at: now.as_micros(), told: step() });
    }

    /// As [`Paths::restore`].
    pub(crate) fn restore(&mut self, positions: &BTreeMap<Arc<str>, Position>) {
        self.told(|| Step::Restore(positions.clone()), Mono::ZERO);
        self.paths.restore(positions);
    }

    /// As [`Paths::set_wall`].
    pub(crate) fn set_wall(&mut self, wall: Timestamp, now: Mono) {
        let before = self.wall.replace((wall, now)).filter(|(before, at)| before.plus(now.since(*at)) > wall);
        if let Some((tape, (before, at))) = self.tape.as_mut().zip(before) {
            // Set back: where it stood counts.
            tape.write(&Line::Told { at: at.as_micros(), told: Step::Wall(before) });
        }
        self.paths.set_wall(wall, now);
    }

    /// As [`Paths::start`].
    pub(crate) fn start(&mut self, now: Mono) {
        self.told(|| Step::Start, now);
        self.paths.start(now);
    }

    /// As [`Paths::stop`].
    pub(crate) fn stop(&mut self, now: Mono) {
        self.told(|| Step::Stop, now);
        self.paths.stop(now);
    }

    /// As [`Paths::try_now`].
    pub(crate) fn try_now(&mut self, now: Mono) {
        self.told(|| Step::TryNow, now);
        self.paths.try_now(now);
    }

    /// As [`Paths::reconcile`].
    pub(crate) fn reconcile(&mut self, now: Mono) {
        self.told(|| Step::Reconcile, now);
        self.paths.reconcile(now);
    }

    /// As [`Paths::renew`].
    pub(crate) fn renew(&mut self, now: Mono) {
        self.told(|| Step::Renew, now);
        self.paths.renew(now);
    }

    /// As [`Paths::handle_timeout`].
    pub(crate) fn handle_timeout(&mut self, now: Mono) {
        self.told(|| Step::Timeout, now);
        self.paths.handle_timeout(now);
    }

    /// As [`Paths::handle_input`].
    pub(crate) fn handle_input(&mut self, input: Input, now: Mono) {
        self.told(|| Step::Input(input.clone()), now);
        self.paths.handle_input(input, now);
    }

    /// As [`Paths::poll_output`].
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        let output = self.paths.poll_output()?;
        if let Some(tape) = &mut self.tape
            && let Some(did) = words(&output)
        {
            tape.write(&Line::Did { did });
        }
        Some(output)
    }

    /// As [`Paths::poll_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<(Mono, TimerReason)> {
        self.paths.poll_timeout()
    }

    /// As [`Paths::status`].
    pub(crate) fn status(&self) -> SourceStatus {
        self.paths.status()
    }
}

/// What an output is in a transcript: none if it is only that the status changed. No secrets.
fn words(output: &Output) -> Option<String> {
    Some(match output {
        Output::Open { link, transport, request } => {
            format!("open {link} by {}: {}", transport.word(), request_words(request))
        }
        Output::Ask { link, transport, request, timeout, .. } => {
            format!("ask {link} by {}: {} within {}", transport.word(), request_words(request), span(*timeout))
        }
        Output::Send { link, message } => format!("send {link}: {}", message_words(message)),
        Output::Post { link, request, .. } => format!("post {link}: {}", request_words(request)),
        Output::StartTls { link } => format!("begin TLS on {link}"),
        Output::Exchange { link, number, url, form, token, .. } => {
            let shown = if token.is_some() { " with the token" } else { "" };
            format!("exchange {link}, {number}: {url} {form:?}{shown}")
        }
        Output::Credential { fetch, .. } => format!("ask for a token, {fetch}"),
        Output::Ping { link } => format!("ping {link}"),
        Output::Close { link } => format!("close {link}"),
        Output::Fetch { fetch, request, .. } => format!("fetch {fetch}: {}", request_words(request)),
        Output::Deliver(delivery) => delivery_words(delivery),
        Output::Status => return None,
    })
}

fn request_words(request: &Request) -> String {
    let Request { url, query, headers, body, .. } = request;
    let query: String = query.iter().map(|(name, _)| format!(" &{name}=***")).collect();
    let headers: String = headers.iter().map(|header| format!(" [{header:?}]")).collect();
    let body = body.as_ref().map_or_else(String::new, |body| format!(" {}", message_words(body)));
    format!("{url}{query}{headers}{body}")
}

fn message_words(message: &Message) -> String {
    match (message.is_secret, message.as_text()) {
        (true, _) => "***".to_owned(),
        (false, Some(text)) => text.to_owned(),
        (false, None) => format!("{message:?}"),
    }
}

fn delivery_words(delivery: &Delivery) -> String {
    let place = |place: &Option<Position>| place.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let one = |event: &Event| {
        let id = event.id.as_ref().map_or_else(String::new, |id| format!(" id {id}"));
        let (channel, name, at, data) = (&event.channel, &event.name, event.time.as_millis(), event.data.text());
        format!("\n  {channel} {name} {}{id} at {at}: {data}", place(&event.position))
    };
    let places = |positions: &BTreeMap<Arc<str>, Position>| {
        positions.iter().map(|(channel, place)| format!(" {channel} {place}")).collect::<String>()
    };
    match delivery {
        Delivery::Events(events) => format!("events{}", events.iter().map(one).collect::<String>()),
        Delivery::Snapshot(snapshot) => format!("snapshot{}", places(&snapshot.positions)),
        Delivery::Restated(restated) => {
            let events: String = restated.events.iter().map(one).collect();
            let name = restated.name.as_deref().unwrap_or("*");
            format!("restated {} {name}{}{events}", restated.channel, places(&restated.positions))
        }
        Delivery::Check(check) => format!("check{}", places(&check.positions)),
        Delivery::Recheck(check) => {
            let events = check.restated.events.iter().chain(&check.later);
            format!("recheck{}{}", places(&check.restated.positions), events.map(one).collect::<String>())
        }
        Delivery::Gap(gap) => {
            let (from, to) = (place(&gap.from), place(&gap.to));
            format!("gap {} {from} to {to} {}: {}", gap.channel, gap.proof.word(), gap.reason)
        }
    }
}

fn span(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SourceConfig {
        let text = "[board]\ntitle = \"A\"\n[[source]]\nid = \"ops\"\nkind = \"soketi\"\nurl = \"wss://h\"\napp = \"k\"\n\
                    channels = [\"x\"]\ntoken = { env = \"T\" }\n[[widget]]\nid = \"w\"\nkind = \"counter\"\n";
        let file = watchfloor_board::config::parse(text, "a").unwrap();
        crate::sources::Settings::default().config(&file.sources[0], Duration::from_secs(5)).unwrap()
    }

    /// What was told and done is written, each life in a file of its own, for its owner alone.
    #[test]
    fn lives_are_written() {
        let folder = tempfile::tempdir().unwrap();
        for life in 1..=2 {
            let mut taped = Taped::new(&config(), 7, Some(folder.path()));
            taped.set_wall(Timestamp::from_millis(1_700_000_000_000), Mono::ZERO);
            taped.start(Mono::from_millis(1));
            while taped.poll_output().is_some() {}
            let path = folder.path().join(format!("ops-{life}.jsonl"));
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(matches!(&lines[0], Line::Begun(begun) if begun.seed == 7 && begun.limit_ms == 5000), "{text}");
            assert!(matches!(&lines[1], Line::Told { at: 0, told: Step::Wall(_) }), "{text}");
            assert!(matches!(&lines[2], Line::Told { at: 1000, told: Step::Start }), "{text}");
            assert!(matches!(&lines[3], Line::Did { did } if did.starts_with("ask for a token")), "{text}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            }
        }
    }

    /// H8: no secret of ours is in a transcript.
    #[test]
    fn secrets_are_stars() {
        let link = watchfloor_feed::LinkId(1);
        let token = watchfloor_feed::Secret::new("hunter2");
        let credential = watchfloor_feed::Credential { token: token.clone(), expiry: watchfloor_feed::Expiry::Unknown };
        let input = Input::Credential { fetch: watchfloor_feed::FetchId(1), outcome: Ok(credential) };
        let text = serde_json::to_string(&Line::Told { at: 0, told: Step::Input(input) }).unwrap();
        assert!(text.contains("***") && !text.contains("hunter2"), "{text}");
        let header = watchfloor_feed::Header {
            name: "authorization".into(),
            value: watchfloor_feed::HeaderValue::Bearer(token.clone()),
        };
        let whole = watchfloor_feed::Header {
            name: "x-api-key".into(),
            value: watchfloor_feed::HeaderValue::Whole(token.clone()),
        };
        let request = Request {
            query: vec![("key", token)],
            body: Some(Message { is_secret: true, ..Message::text("hunter2".into()) }),
            ..Request::get("https://h/".parse().unwrap()).with(vec![header, whole])
        };
        let open = Output::Open { link, transport: watchfloor_model::Transport::Sse, request };
        let text = words(&open).unwrap();
        assert!(text.matches("***").count() == 4 && !text.contains("hunter2"), "{text}");
    }

    /// H5: a disk that takes no more ends the transcript, and not the wall.
    #[test]
    fn without_a_place_it_runs_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let mut taped = Taped::new(&config(), 1, Some(&file));
        taped.start(Mono::ZERO);
        assert!(taped.poll_output().is_some());
    }
}
