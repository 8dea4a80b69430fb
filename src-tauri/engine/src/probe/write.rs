//! A starter board out of what was learnt. Each choice says in a comment by what it was made; what is a guess says so.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use watchfloor_board::config::spec::Template;
use watchfloor_model::{limits::NAME_BYTES_MAX, path::Path};

use super::{
    judge::{self, Key},
    learn::{Field, Learner, Learnt},
    subject::Subject,
    text::{counted, quoted, quoted_list, shown, slug, title},
};

/// Widgets of each sort: a wall is read at a glance.
const NUMBERS_MAX: usize = 6;
const TABLES_MAX: usize = 2;
const SERIES_MAX: usize = 4;
const COLUMNS_MAX: usize = 8;
const HOLES_MAX: usize = 5;
/// Lines of a chart by key: what a board takes.
const LINES_MAX: usize = 12;
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

    /// Tables by key; says how many.
    fn tables(&mut self) -> usize {
        if let Some(key) = self.subject.id.clone().filter(|_| self.subject.kind == "poll") {
            return self.rows_table(&key);
        }
        let mut left: Vec<_> =
            self.learner.names().into_iter().filter(|(name, _)| can_ask(name)).take(ON_MAX).collect();
        let mut written = 0;
        while written < TABLES_MAX {
            let keys: Vec<Vec<Key>> = left.iter().map(|(_, learnt)| judge::keys(learnt)).collect();
            // The most frequent name that has a key leads; others with the same key join.
            let Some(key) = keys.iter().find_map(|keys| keys.first()).cloned() else { break };
            let joined: Vec<bool> =
                keys.iter().map(|keys| keys.first().is_some_and(|own| own.path == key.path)).collect();
            let members: Vec<_> =
                left.iter().zip(&joined).filter(|(_, joined)| **joined).map(|(one, _)| *one).collect();
            self.table(&key, &members);
            let mut joined = joined.into_iter();
            left.retain(|_| !joined.next().unwrap_or(false));
            written += 1;
        }
        written
    }

    fn table(&mut self, key: &Key, members: &[(&'a std::sync::Arc<str>, &'a Learnt)]) {
        let mut because =
            vec![format!("A row for each `{}`: {}.", shown(&key.path.to_string()), shown_long(&key.because))];
        if key.is_unsure {
            because.push(
                "That is a guess: if it isn't what tells things apart, name another field in `key`, or drop the table."
                    .to_owned(),
            );
        }
        because.push("Nothing leaves it: say `remove-on` or `expire` if rows end.".to_owned());
        let heading = format!("By {}", key.path);
        self.widget(&because, &format!("by-{}", key.path), &shown(&heading), "table");
        let names: Vec<&str> = members.iter().map(|(name, _)| &***name).collect();
        if names.len() < self.learner.names().len() || self.learner.unlisted() > 0 {
            self.key("on", &quoted_list(names.iter().copied()));
        }
        self.key("key", &quoted(&key.path.to_string()));
        let fields: Vec<&[Field]> = members.iter().map(|(_, learnt)| &learnt.fields[..]).collect();
        self.columns(&key.path, &fields);
    }

    /// A polled document's rows.
    fn rows_table(&mut self, key: &Path) -> usize {
        let because = format!(
            "A row for each row of the document, told apart by `{}`; it goes when it is in the document no more.",
            shown(&key.to_string())
        );
        self.widget(&[because], "rows", &self.told.title.clone(), "table");
        self.key("on", &quoted_list(ROW_WORDS));
        self.key("remove-on", &quoted(ROW_REMOVED));
        self.key("key", &quoted(&key.to_string()));
        let names = self.learner.names();
        let fields: Vec<&[Field]> = names.iter().map(|(_, learnt)| &learnt.fields[..]).collect();
        self.columns(key, &fields);
        1
    }

    /// The key, and the fields of the most frequent name first.
    fn columns(&mut self, key: &Path, fields: &[&[Field]]) {
        let mut columns: Vec<(Path, String)> = vec![(key.clone(), String::new())];
        for field in fields.iter().flat_map(|fields| fields.iter()) {
            if columns.len() >= COLUMNS_MAX {
                break;
            }
            if !field.is_scalar() || columns.iter().any(|(path, _)| *path == field.path) {
                continue;
            }
            // What is a number or a time in one name's events may be a text in another's.
            let alike = fields.iter().flat_map(|fields| fields.iter()).filter(|other| other.path == field.path);
            let alike: Vec<&Field> = alike.collect();
            let format = if alike.iter().all(|one| one.is_time()) {
                ", format = \"time\"".to_owned()
            } else if alike.iter().all(|one| one.is_number()) {
                format!(", format = \"number\", decimals = {}", alike.iter().map(|one| one.decimals).max().unwrap_or(0))
            } else {
                String::new()
            };
            columns.push((field.path.clone(), format));
        }
        self.line("columns = [");
        for (path, format) in columns {
            let path = path.to_string();
            self.line(&format!("  {{ path = {}, title = {}{format} }},", quoted(&path), quoted(&title(&path))));
        }
        self.line("]");
    }

    /// A chart for each number that varies.
    fn series(&mut self) {
        let seconds = self.told.listened.as_secs_f64();
        let mut left = SERIES_MAX;
        let mut unwritten = 0;
        let mut drawn: BTreeSet<Path> = BTreeSet::new();
        for (name, learnt) in self.learner.names() {
            if !can_ask(name) || (self.subject.kind == "poll" && **name == *ROW_REMOVED) {
                continue;
            }
            let rows = self.subject.kind == "poll" && self.subject.id.is_some();
            let by = if rows {
                self.subject
                    .id
                    .as_ref()
                    .and_then(|path| learnt.field(path))
                    .map(|field| (field.path.clone(), field.distinct()))
            } else {
                let key = judge::keys(learnt).into_iter().next();
                key.and_then(|key| learnt.field(&key.path).map(|field| (field.path.clone(), field.distinct())))
            };
            for field in learnt.fields.iter().filter(|field| judge::is_measure(field)) {
                if rows && !drawn.insert(field.path.clone()) {
                    continue;
                }
                if left == 0 {
                    unwritten += 1;
                    continue;
                }
                left -= 1;
                let by = by.clone().filter(|(_, distinct)| (2..=LINES_MAX).contains(distinct));
                let on = if rows { quoted_list(ROW_WORDS) } else { quoted(name) };
                self.chart(name, learnt.rate(seconds).unwrap_or(0.0), field, by.map(|(path, _)| path), &on);
            }
        }
        if unwritten > 0 {
            self.comment(&format!("{unwritten} more numbers vary and have no chart here."));
        }
    }

    fn chart(&mut self, name: &str, rate: f64, field: &Field, by: Option<Path>, on: &str) {
        let path = field.path.to_string();
        let (low, high) = field.range.unwrap_or_default();
        let digits = field.decimals as usize;
        let mut because = vec![format!(
            "`{}` of `{}` varies: {low:.digits$} to {high:.digits$} in {} events.",
            shown(&path),
            shown(name),
            field.numbers
        )];
        if let Some(by) = &by {
            because.push(format!("A line for each `{}`.", shown(&by.to_string())));
        }
        self.widget(&because, &format!("{name}-{path}"), &format!("{}: {}", shown(name), shown(&path)), "series");
        // About a point or more a bucket, and some hundred buckets.
        let (bucket, keep) = match rate {
            rate if rate >= 1.0 => ("5s", "15m"),
            rate if rate >= 0.1 => ("10s", "30m"),
            rate if rate >= 1.0 / 60.0 => ("1m", "2h"),
            _ => ("10m", "1d"),
        };
        self.key("on", on);
        self.key("bucket", &quoted(bucket));
        self.key("keep", &quoted(keep));
        self.key("stat", &quoted("mean"));
        self.key("value", &quoted(&path));
        if let Some(by) = by {
            self.key("by", &quoted(&by.to_string()));
        }
        self.key("decimals", &field.decimals.to_string());
    }

    /// A map, where there are coordinates and something to tell markers apart by.
    fn map(&mut self) {
        let rows = self.subject.id.clone().filter(|_| self.subject.kind == "poll");
        let found: Vec<_> = self
            .learner
            .names()
            .into_iter()
            .filter(|(name, _)| can_ask(name) && ***name != *ROW_REMOVED)
            .filter_map(|(name, learnt)| {
                let place = judge::coordinates(learnt)?;
                let key = rows.clone().or_else(|| judge::keys(learnt).first().map(|key| key.path.clone()));
                Some((name, place, key))
            })
            .collect();
        let Some((_, place, Some(key))) = found.iter().find(|(.., key)| key.is_some()).or(found.first()).cloned()
        else {
            if !found.is_empty() {
                self.comment("There are coordinates, but nothing that tells markers apart: no map. See `markers` in docs/board-files.md.");
            }
            return;
        };
        let same = |(_, other, own): &&(_, judge::Coordinates, Option<Path>)| {
            (&other.lat, &other.lon) == (&place.lat, &place.lon) && own.as_ref() == Some(&key)
        };
        let members: Vec<_> = found.iter().filter(same).collect();
        let extents = members.iter().map(|(_, place, _)| place.extent);
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
        if let Some(label) = template([&key].into_iter()) {
            self.key("label", &quoted(&label));
        }
        let [west, south, east, north] = padded(extent);
        self.key("bounds", &format!("[{west:.2}, {south:.2}, {east:.2}, {north:.2}]"));
    }

    /// The newest events as lines.
    fn log(&mut self) {
        if self.learner.events() == 0 {
            let because = "Says when something came. Once you know its fields, write them as `{field}`.".to_owned();
            self.widget(&[because], "log", "Newest events", "log");
            self.key("text", &quoted("something came"));
            return;
        }
        let names = self.learner.names();
        let everywhere = |field: &&Field| {
            names.iter().all(|(_, learnt)| {
                learnt.field(&field.path).is_some_and(|own| own.is_scalar() && own.seen == learnt.count)
            })
        };
        // A line has its time anyway.
        let is_said = |field: &&Field| !field.is_any_time();
        let Some((first, learnt)) = names.first().copied() else { return };
        let common: Vec<&Path> =
            learnt.fields.iter().filter(everywhere).filter(is_said).map(|field| &field.path).collect();
        let own: Vec<&Path> =
            learnt.fields.iter().filter(|field| field.is_scalar()).filter(is_said).map(|field| &field.path).collect();
        let (paths, on, because) = if !common.is_empty() || !can_ask(first) {
            (common, None, "The newest events, by the fields that all of them have.".to_owned())
        } else if names.len() == 1 || own.is_empty() {
            (own, None, "The newest events.".to_owned())
        } else {
            (
                own,
                Some(first),
                format!("No field is in all events, so these are `{}` alone, the most frequent.", shown(first)),
            )
        };
        let text = template(paths.into_iter());
        let because = match &text {
            Some(_) => because,
            None => format!("{because} Their bodies have no field that could be named here."),
        };
        self.widget(&[because], "log", "Newest events", "log");
        if let Some(on) = on {
            self.key("on", &quoted(on));
        }
        let text = text.unwrap_or_else(|| "something came".to_owned());
        self.key("text", &quoted(&text));
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
