//! A starter board out of what was learnt. Each choice says in a comment by what it was made; what is a guess says so.

mod charts;
mod log;
mod tables;

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use watchfloor_board::config::spec::Template;
use watchfloor_model::{limits::NAME_BYTES_MAX, path::Path};

use super::{
    judge,
    learn::Learner,
    subject::Subject,
    text::{counted, quoted, quoted_list, shown, slug, title},
};

/// Widgets of each sort: a wall is read at a glance.
const NUMBERS_MAX: usize = 6;
const HOLES_MAX: usize = 5;
/// Events that make a rate rather than a count.
const RATE_EVENTS_MIN: u64 = 3;
/// The most event names that one widget asks for.
const ON_MAX: usize = 50;

/// What rows of a polled document become.
pub(crate) const ROW_WORDS: [&str; 3] = ["present", "new", "changed"];
/// A row that is there no more.
pub(crate) const ROW_REMOVED: &str = "removed";

/// What is known besides the events.
#[derive(Debug)]
pub(crate) struct Told {
    /// For how long it was listened.
    pub(crate) listened: Duration,
    /// The title of the board.
    pub(crate) title: String,
}

/// A board file.
pub(crate) fn board(subject: &Subject, learner: &Learner, told: &Told) -> String {
    let mut writer = Writer { subject, learner, told, out: String::new(), ids: BTreeSet::new() };
    writer.head();
    writer.numbers();
    let tables = writer.tables();
    writer.series();
    writer.map();
    writer.log();
    if tables == 0 && learner.events() > 0 {
        writer.comment("No table: no field looks like the key of what the events are of. If one is, see `table` in docs/board-files.md.");
    }
    writer.out
}

struct Writer<'a> {
    subject: &'a Subject,
    learner: &'a Learner,
    told: &'a Told,
    out: String,
    ids: BTreeSet<String>,
}

/// Whether a widget can ask for events of this name alone.
fn can_ask(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(|c: char| c == '*' || c.is_control())
}

impl<'a> Writer<'a> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.out, "\n# {text}");
    }

    /// What tells the rows of a polled document apart, if it has some.
    fn row_key(&self) -> Option<Path> {
        self.subject.id.clone().filter(|_| self.subject.kind == "poll")
    }

    /// Begins a widget, with the reason for it.
    fn widget(&mut self, because: &[String], id: &str, heading: &str, kind: &str) {
        self.out.push('\n');
        for line in because {
            let _ = writeln!(self.out, "# {line}");
        }
        let base = slug(id);
        let mut id = base.clone();
        let mut number = 2;
        while !self.ids.insert(id.clone()) {
            id = format!("{base}-{number}");
            number += 1;
        }
        let _ = writeln!(
            self.out,
            "[[widget]]\nid = {}\ntitle = {}\nkind = {}",
            quoted(&id),
            quoted(&title(heading)),
            quoted(kind)
        );
    }

    fn key(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.out, "{key} = {value}");
    }

    fn head(&mut self) {
        let listened = self.told.listened.as_secs();
        self.line(&format!("# A starter board, written by `watchfloor probe` after {listened} s of listening. It is yours: change what you like."));
        let heard = match self.learner.events() {
            0 => "Nothing came while it listened: what follows is no more than a frame.".to_owned(),
            events => {
                let more = if self.learner.unlisted() > 0 { "more than " } else { "" };
                let names = counted(self.learner.names().len() as u64, "name");
                format!("Heard: {}, {more}{names}. What was too rare to be heard isn't here.", counted(events, "event"))
            }
        };
        self.line(&format!("# {heard}"));
        self.line("# `watchfloor check FILE` tells what is wrong with a file; docs/board-files.md has every key.\n");
        let head = self.subject.board_toml(&title(&self.told.title));
        self.out.push_str(&head);
        self.out.push('\n');
        self.out.push_str(&self.subject.to_toml());
        self.line("# quiet = \"1m\"   # The longest silence of a healthy publisher. Only you know it; without it silence is never called a fault.");
    }

    /// A counter or rate for each event name.
    fn numbers(&mut self) {
        let is_start = |name: &str| self.subject.kind == "poll" && name == ROW_WORDS[0];
        let names: Vec<_> = self.learner.names().into_iter().filter(|(name, _)| !is_start(name)).collect();
        if self.learner.events() == 0 {
            self.widget(&["Counts whatever comes.".to_owned()], "events", "Events", "counter");
            return;
        }
        let seconds = self.told.listened.as_secs_f64();
        let (asked, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|(name, _)| can_ask(name));
        for (name, learnt) in asked.iter().take(NUMBERS_MAX) {
            let heard = format!("{} `{}` in {seconds:.0} s", counted(learnt.count, "event"), shown(name));
            let rate = learnt.rate(seconds).filter(|_| learnt.count >= RATE_EVENTS_MIN);
            match rate {
                Some(rate) => {
                    let (per, last, word) = match rate {
                        rate if rate >= 2.0 => ("1s", "1m", "a second"),
                        rate if rate >= 1.0 / 60.0 => ("1m", "5m", "a minute"),
                        _ => ("1h", "1h", "an hour"),
                    };
                    let because = format!("{heard}: often enough for a rate.");
                    self.widget(&[because], &format!("{name}-rate"), &format!("{} {word}", shown(name)), "rate");
                    self.key("on", &quoted(name));
                    self.key("last", &quoted(last));
                    self.key("per", &quoted(per));
                    self.key("decimals", "1");
                }
                None => {
                    let because = format!("{heard}: too seldom for a rate, so they are counted, from midnight on.");
                    self.widget(&[because], &format!("{name}-count"), &format!("{} today", shown(name)), "counter");
                    self.key("on", &quoted(name));
                    self.key("reset", &quoted("daily 00:00"));
                }
            }
        }
        if asked.len() > NUMBERS_MAX {
            let rest: Vec<String> =
                asked.iter().skip(NUMBERS_MAX).take(20).map(|(name, _)| format!("`{}`", shown(name))).collect();
            self.comment(&format!("Rarer, and without a number here: {}.", rest.join(", ")));
        }
        if !others.is_empty() {
            self.comment(&format!(
                "{} event names can't be asked for alone, as they have a `*` or a control character in them.",
                others.len()
            ));
        }
    }

    /// A map, where there are coordinates and something to tell markers apart by.
    fn map(&mut self) {
        let rows = self.row_key();
        let found: Vec<_> = self
            .learner
            .names()
            .into_iter()
            .filter(|(name, _)| can_ask(name) && ***name != *ROW_REMOVED)
            .filter_map(|(name, learnt)| {
                let place = judge::coordinates(learnt)?;
                let key = rows.clone().or_else(|| judge::keys(name, learnt).first().map(|key| key.path.clone()));
                Some((name, learnt, place, key))
            })
            .collect();
        let Some((name, learnt, place, Some(key))) =
            found.iter().find(|(.., key)| key.is_some()).or(found.first()).cloned()
        else {
            if !found.is_empty() {
                self.comment("There are coordinates, but nothing that tells markers apart: no map. See `markers` in docs/board-files.md.");
            }
            return;
        };
        let same = |(_, _, other, own): &&(_, _, judge::Coordinates, Option<Path>)| {
            (&other.lat, &other.lon) == (&place.lat, &place.lon) && own.as_ref() == Some(&key)
        };
        let members: Vec<_> = found.iter().filter(same).collect();
        let extents = members.iter().map(|(_, _, place, _)| place.extent);
        let extent =
            extents.fold(place.extent, |a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
        let names: Vec<&str> = members.iter().map(|(name, ..)| &***name).take(ON_MAX).collect();
        let because = format!(
            "`{}` and `{}` are called like coordinates and are in range. The map shows what was seen, with some room around it.",
            shown(&place.lat.to_string()),
            shown(&place.lon.to_string())
        );
        self.widget(&[because], "map", "Map", "markers");
        if rows.is_some() {
            self.key("on", &quoted_list(ROW_WORDS));
            self.key("remove-on", &quoted(ROW_REMOVED));
        } else {
            self.key("on", &quoted_list(names));
        }
        self.key("key", &quoted(&key.to_string()));
        self.key("lat", &quoted(&place.lat.to_string()));
        self.key("lon", &quoted(&place.lon.to_string()));
        if let Some(heading) = &place.heading {
            self.key("heading", &quoted(&heading.to_string()));
        }
        if let Some(label) = template([&judge::label(name, learnt, &key)].into_iter()) {
            self.key("label", &quoted(&label));
        }
        let [west, south, east, north] = padded(extent);
        self.key("bounds", &format!("[{west:.2}, {south:.2}, {east:.2}, {north:.2}]"));
    }
}

/// A reason, which has names in it, on one line.
fn shown_long(text: &str) -> String {
    super::text::shown_to(text, 200)
}

/// A line with the values at these paths; none if none can be written.
fn template<'p>(paths: impl Iterator<Item = &'p Path>) -> Option<String> {
    let holes: Vec<String> = paths
        .map(|path| format!("{{{path}}}"))
        .filter(|hole| hole.len() <= 80 && !hole.contains(char::is_control) && hole.parse::<Template>().is_ok())
        .take(HOLES_MAX)
        .collect();
    (!holes.is_empty()).then(|| holes.join(" · "))
}

/// Some room around what was seen, within what a map has.
fn padded([west, south, east, north]: [f64; 4]) -> [f64; 4] {
    let pad = |low: f64, high: f64| ((high - low) * 0.15).max(0.5);
    let (x, y) = (pad(west, east), pad(south, north));
    [(west - x).max(-180.0), (south - y).max(-90.0), (east + x).min(180.0), (north + y).min(90.0)]
}
