//! A hub's numbers, read from Prometheus' text format, and what two answers say together.

use std::{collections::BTreeMap, fmt, time::Instant};

use serde_json::{Value, json};

/// What all of a hub's numbers begin with.
const PREFIX: &str = "watchfloor_hub_";

/// The numbers of one answer.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// By name without the prefix, and by the label's word, which is empty where there is none.
    values: BTreeMap<(String, String), f64>,
    at: Instant,
    /// When it came.
    pub(super) time: jiff::Timestamp,
}

/// Why a text is none of a hub's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotRead {
    #[error("line {line}: found {found:?}, expected `name value` or `name{{label=\"word\"}} value`")]
    Line { line: usize, found: String },
    #[error(
        "expected numbers named watchfloor_hub_…, found none: is it the admin listener, or a door for who may publish?"
    )]
    Nothing,
}

impl Figures {
    /// Reads an answer that came then.
    pub(super) fn read(text: &str, at: Instant, time: jiff::Timestamp) -> Result<Self, NotRead> {
        let mut values = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = || {
                let (name, value) = line.rsplit_once(' ')?;
                let (name, label) = match name.split_once('{') {
                    Some((name, label)) => (name, label.strip_suffix("\"}")?.split_once("=\"")?.1),
                    None => (name, ""),
                };
                Some((name, label, value.parse::<f64>().ok()?))
            };
            let Some((name, label, value)) = read() else {
                let found = line.chars().take(80).collect();
                return Err(NotRead::Line { line: number + 1, found });
            };
            // What stands there of others isn't ours.
            if let Some(name) = name.strip_prefix(PREFIX) {
                values.insert((name.to_owned(), label.to_owned()), value);
            }
        }
        if values.is_empty() { Err(NotRead::Nothing) } else { Ok(Self { values, at, time }) }
    }

    fn value(&self, name: &str, label: &str) -> Option<f64> {
        self.values.get(&(name.to_owned(), label.to_owned())).copied()
    }

    /// All of one name, by label.
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let own = self.values.range((name.to_owned(), String::new())..);
        own.take_while(move |((own, _), _)| own == name).map(|((_, label), value)| (label.as_str(), *value))
    }

    /// The sum of all of one name.
    fn sum(&self, name: &str) -> f64 {
        self.all(name).map(|(_, value)| value).sum()
    }
}

/// Two answers, the newer one to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) url: &'a str,
    pub(super) before: Option<&'a Figures>,
    pub(super) now: &'a Figures,
}

impl Look<'_> {
    /// The answer before, if the same run of the hub gave it: what counts never goes back.
    fn same_run(&self) -> Option<&Figures> {
        let goes_on = |before: &&Figures| {
            let back = |name: &str| self.now.sum(name) < before.sum(name);
            !["connections_opened_total", "events_in_total", "events_out_total"].iter().any(|name| back(name))
        };
        self.before.filter(goes_on)
    }

    fn seconds(&self, before: &Figures) -> f64 {
        self.now.at.duration_since(before.at).as_secs_f64()
    }

    /// How much more than before, a second.
    fn rate(&self, name: &str, label: &str) -> Option<f64> {
        let before = self.same_run()?;
        let more = self.now.value(name, label)? - before.value(name, label).unwrap_or_default();
        let seconds = self.seconds(before);
        (seconds > 0.0).then(|| more / seconds)
    }

    /// Below which age this part of the texts went out since the answer before, in seconds; none if none did.
    fn delay(&self, part: f64) -> Option<f64> {
        const NAME: &str = "delivery_seconds_bucket";
        let before = self.same_run()?;
        let end = |label: &str| if label == "+Inf" { Some(f64::INFINITY) } else { label.parse().ok() };
        let own = self
            .now
            .all(NAME)
            .filter_map(|(label, count)| Some((end(label)?, count - before.value(NAME, label).unwrap_or_default())));
        let mut ends: Vec<(f64, f64)> = own.collect();
        ends.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let all = ends.last().map(|(_, count)| *count).filter(|count| *count > 0.0)?;
        ends.iter().find(|(_, count)| *count >= part * all).map(|(end, _)| *end)
    }

    /// For programs: numbers as the hub has them, and rates a second where two answers give one.
    pub(super) fn json(&self) -> Value {
        let labels = |name: &str| self.now.all(name).map(|(label, value)| (label.to_owned(), value.into())).collect();
        let by = |name: &str| Value::Object(labels(name));
        json!({
            "time": self.now.time.to_string(),
            "connections": by("connections"),
            "readers": self.now.value("readers", ""),
            "subscriptions": self.now.value("subscriptions", ""),
            "channels": self.now.value("channels", ""),
            "history_bytes": self.now.value("history_bytes", ""),
            "events_in": self.now.value("events_in_total", ""),
            "events_in_per_s": self.rate("events_in_total", ""),
            "events_out": self.now.value("events_out_total", ""),
            "events_out_per_s": self.rate("events_out_total", ""),
            "bytes_out_per_s": self.rate("text_bytes_out_total", ""),
            "delay_p50_s": self.delay(0.5).filter(|end| end.is_finite()),
            "delay_p99_s": self.delay(0.99).filter(|end| end.is_finite()),
            "catch_ups": by("catch_ups_total"),
            "losses": by("losses_total"),
            "refusals": by("refusals_total"),
            "closes": by("closes_total"),
            "store_up": self.now.value("store_up", ""),
        })
    }
}

/// A table for people: what there is now, and how much more it gets a second.
impl fmt::Display for Look<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = super::super::Line(self.url).to_string();
        writeln!(f, "{url}  {:.0}", self.now.time)?;
        match (self.before, self.same_run()) {
            (Some(_), None) => writeln!(f, "the hub has begun anew: it counts from nothing\n")?,
            _ => writeln!(f)?,
        }
        writeln!(f, "{:<28}{:>16}{:>16}", "", "now", "a second")?;
        let mut row = |name: &str, value: Option<f64>, rate: Option<f64>, is_bytes: bool| {
            let words = |value: Option<f64>| {
                value.map_or("–".to_owned(), |value| if is_bytes { bytes(value) } else { count(value) })
            };
            writeln!(f, "{name:<28}{:>16}{:>16}", words(value), rate.map_or(String::new(), |rate| words(Some(rate))))
        };
        for (door, value) in self.now.all("connections") {
            row(&format!("connections, {door}"), Some(value), self.rate("connections_opened_total", door), false)?;
        }
        for (words, name) in [("readers", "readers"), ("subscriptions", "subscriptions"), ("channels", "channels")] {
            row(words, self.now.value(name, ""), None, false)?;
        }
        for (words, name) in [("events in", "events_in_total"), ("events out", "events_out_total")] {
            row(words, self.now.value(name, ""), self.rate(name, ""), false)?;
        }
        row("bytes out", self.now.value("text_bytes_out_total", ""), self.rate("text_bytes_out_total", ""), true)?;
        row("history", self.now.value("history_bytes", ""), None, true)?;
        for (title, name) in [
            ("catch-up", "catch_ups_total"),
            ("lost", "losses_total"),
            ("refused", "refusals_total"),
            ("closed", "closes_total"),
        ] {
            for (label, value) in self.now.all(name).filter(|(_, value)| *value > 0.0) {
                row(&format!("{title}, {label}"), Some(value), self.rate(name, label), false)?;
            }
        }
        let delay = |part: f64| match self.delay(part) {
            None => "–".to_owned(),
            Some(end) if end.is_finite() => format!("≤ {} ms", end * 1000.0),
            Some(_) => "older than all that is counted".to_owned(),
        };
        writeln!(f, "\ndelay of events, half: {}; 99 %: {}", delay(0.5), delay(0.99))?;
        let kept = self.now.value("store_up", "").map(|up| if up > 0.0 { "kept" } else { "NOT KEPT: the store fails" });
        write!(f, "events are {}", kept.unwrap_or("in memory, or in an engine"))
    }
}

fn count(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn bytes(value: f64) -> String {
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB"].into_iter();
    let (mut value, mut unit) = (value, units.next().unwrap_or_default());
    for next in units {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    format!("{} {unit}", count(value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(taken: u64, opened: u64, fast: u64, all: u64) -> String {
        format!(
            "# HELP watchfloor_hub_events_in_total Events.\nwatchfloor_hub_events_in_total {taken}\nwatchfloor_hub_connections{{door=\"websocket\"}} 3\n\
             watchfloor_hub_connections_opened_total{{door=\"websocket\"}} {opened}\nwatchfloor_hub_text_bytes_out_total 2048\n\
             watchfloor_hub_delivery_seconds_bucket{{le=\"0.01\"}} {fast}\nwatchfloor_hub_delivery_seconds_bucket{{le=\"0.1\"}} {all}\n\
             watchfloor_hub_delivery_seconds_bucket{{le=\"+Inf\"}} {all}\nother_total 7\n"
        )
    }

    fn at(text: &str, seconds: u64) -> Figures {
        let begin = *BEGIN.get_or_init(Instant::now);
        let time = jiff::Timestamp::from_second(1_795_514_400 + i64::try_from(seconds).unwrap()).unwrap();
        Figures::read(text, begin + Duration::from_secs(seconds), time).unwrap()
    }

    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();

    /// Rates and delays are those between two answers; without a second one there are none.
    #[test]
    fn two_answers_give_rates() {
        let (before, now) = (at(&text(100, 5, 10, 10), 0), at(&text(300, 7, 108, 110), 4));
        let look = Look { url: "http://hub", before: Some(&before), now: &now };
        assert_eq!(look.rate("events_in_total", ""), Some(50.0));
        assert_eq!((look.delay(0.5), look.delay(0.99)), (Some(0.01), Some(0.1)));
        let shown = look.to_string();
        assert!(shown.contains("events in") && shown.contains("50") && shown.contains("2 KiB"), "{shown}");
        assert!(shown.contains("half: ≤ 10 ms; 99 %: ≤ 100 ms"), "{shown}");
        assert!(!shown.contains("begun anew"));
        assert_eq!(look.json()["events_in_per_s"], 50.0);
        let first = Look { before: None, ..look };
        assert_eq!((first.rate("events_in_total", ""), first.delay(0.5)), (None, None));
        assert!(first.json()["events_in_per_s"].is_null());
    }

    /// H1: a hub that was started anew has no rate against one before it, and that is said.
    #[test]
    fn another_run_is_told() {
        let (before, now) = (at(&text(100, 5, 10, 10), 0), at(&text(7, 1, 1, 1), 4));
        let look = Look { url: "http://hub", before: Some(&before), now: &now };
        assert_eq!((look.rate("events_in_total", ""), look.delay(0.5)), (None, None));
        assert!(look.to_string().contains("begun anew"));
    }

    /// What isn't a hub's is told with its place.
    #[test]
    fn other_texts_are_refused() {
        let read = |text: &str| Figures::read(text, Instant::now(), jiff::Timestamp::now()).map(drop);
        assert_eq!(read("# nothing\nother 7\n"), Err(NotRead::Nothing));
        assert_eq!(read("other 7\n<html>\n"), Err(NotRead::Line { line: 2, found: "<html>".into() }));
        assert_eq!(
            read("watchfloor_hub_a{b=\"c\" 7"),
            Err(NotRead::Line { line: 1, found: "watchfloor_hub_a{b=\"c\" 7".into() })
        );
    }
}
