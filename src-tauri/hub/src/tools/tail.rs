//! `watchfloor-hub tail`: what comes by channels, and what is missing of it.

use std::{borrow::Cow, collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;
use watchfloor_model::{Position, Timestamp};

use super::{Backoff, Call, Hub, Line, Target, print, say};
use crate::Failure;

/// How long the hub may hold a call that has nothing to say, milliseconds, and how much longer it may take to answer.
const WAIT_MS: u64 = 25_000;
const ANSWER_MAX: Duration = Duration::from_millis(WAIT_MS + 10_000);

/// Shows what comes by channels.
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The channels: their names, or the beginning of names with `*` at its end, for all that there are and that come to be.
    #[arg(required = true)]
    channels: Vec<String>,
    /// As many of what came before as this, of each channel that is named whole.
    #[arg(long, value_name = "N", default_value_t = 0)]
    last: u64,
    /// Ends after so many events.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Writes the hub's messages as they are, one a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Snapshot {
    positions: BTreeMap<String, Position>,
}

#[derive(Deserialize)]
struct Answer {
    cursor: String,
    messages: Vec<Box<RawValue>>,
}

/// What of a message is shown.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    channel: Option<Cow<'a, str>>,
    position: Option<Position>,
    name: Option<Cow<'a, str>>,
    time: Option<Timestamp>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    from: Option<Position>,
    head: Option<Position>,
    recovered: Option<bool>,
    reason: Option<Cow<'a, str>>,
}

impl Tail {
    /// Does it, until it is told to stop or nobody reads.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let hub = self.target.open()?;
        let mut cursor = self.begin(&hub).await?;
        let mut left = self.count.unwrap_or(u64::MAX);
        let (mut backoff, mut is_away) = (Backoff::new(), false);
        while left > 0 {
            let wait = WAIT_MS.to_string();
            let request = hub.get("/v1/poll", &[("cursor", &cursor), ("wait_ms", &wait)])?.timeout(ANSWER_MAX);
            let why = match hub.call(request).await? {
                Call::Answered(response) => match response.json::<Answer>().await {
                    Ok(answer) => {
                        if std::mem::take(&mut is_away) {
                            say(&"the hub is back");
                        }
                        backoff = Backoff::new();
                        for message in &answer.messages {
                            if left == 0 || !self.show(message, &mut left)? {
                                return Ok(());
                            }
                        }
                        cursor = answer.cursor;
                        continue;
                    }
                    Err(error) => format!("the hub's answer broke off: {error}"),
                },
                Call::Later(why) => why,
            };
            if !std::mem::replace(&mut is_away, true) {
                say(&format_args!("{why}: trying again; what comes meanwhile is shown later"));
            }
            backoff.wait().await;
        }
        Ok(())
    }

    /// The cursor to begin with: behind what is there, but for what is asked for of it.
    async fn begin(&self, hub: &Hub) -> Result<String, Failure> {
        let (patterns, names): (Vec<_>, Vec<_>) =
            self.channels.iter().map(String::as_str).partition(|channel| channel.ends_with('*'));
        let from_now = patterns.into_iter().map(|pattern| format!("{pattern}~"));
        if names.is_empty() {
            return Ok(from_now.collect::<Vec<_>>().join("|"));
        }
        let channels = names.join(",");
        let request = hub.get("/v1/snapshot", &[("channels", &channels)])?.timeout(ANSWER_MAX);
        let snapshot: Snapshot = match hub.call(request).await? {
            Call::Answered(response) => {
                response.json().await.context("the hub's answer can't be read").map_err(Failure::Environment)?
            }
            Call::Later(why) => return Err(Failure::Environment(anyhow!(why))),
        };
        let place = |(channel, head): (&String, &Position)| {
            let from = Position::new(head.epoch.clone(), head.offset.saturating_sub(self.last));
            format!("{channel}~{from}")
        };
        Ok(snapshot.positions.iter().map(place).chain(from_now).collect::<Vec<_>>().join("|"))
    }

    /// False if nobody reads any more.
    fn show(&self, message: &RawValue, left: &mut u64) -> Result<bool, Failure> {
        let read: Message<'_> = serde_json::from_str(message.get())
            .context("the hub says what this program doesn't know")
            .map_err(Failure::Environment)?;
        *left -= u64::from(read.kind == "event");
        if self.json {
            return print(&message.get());
        }
        let channel = read.channel.unwrap_or_default();
        let reason = read.reason.unwrap_or_default();
        match (read.kind, read.position, read.from, read.head) {
            ("event", Some(position), ..) => {
                let data = read.data.map_or("null", RawValue::get);
                let line = format!("{} {channel} {position} {} {data}", At(read.time), read.name.unwrap_or_default());
                return print(&Line(&line));
            }
            ("lost", _, Some(from), Some(head)) => {
                say(&format_args!(
                    "{}: events are missing between {from} and {head}: {}",
                    Line(&channel),
                    Line(&reason)
                ));
            }
            // Of a channel that is there by a pattern, what came before wasn't asked for.
            ("subscribed", _, Some(from), _) if read.recovered == Some(false) && reason != "fresh" => {
                say(&format_args!("{}: events may be missing before {from}: {}", Line(&channel), Line(&reason)));
            }
            _ => {}
        }
        Ok(true)
    }
}

/// An event's time.
struct At(Option<Timestamp>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(time) = self.0 else { return f.write_str("-") };
        // Within what a hub takes, every time has a date.
        match jiff::Timestamp::from_millisecond(time.as_millis()) {
            Ok(date) => write!(f, "{date:.3}"),
            Err(_) => time.fmt(f),
        }
    }
}
