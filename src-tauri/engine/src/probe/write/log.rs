//! The newest events as lines.

use std::sync::Arc;

use watchfloor_model::path::Path;

use super::{
    super::{
        judge,
        learn::{Field, Learnt},
        text::{quoted, shown},
    },
    Writer, can_ask, template,
};

/// Lines that come more often, a second, can't be read.
const READ_MAX: f64 = 1.0;

/// What is written of which events.
struct Lines<'l> {
    /// The events of this name alone.
    on: Option<&'l str>,
    paths: Vec<&'l Path>,
    because: String,
}

impl Writer<'_> {
    /// The newest events as lines.
    pub(super) fn log(&mut self) {
        let names = self.learner.names();
        let Some((first, _)) = names.first().copied() else {
            let because = "Says when something came. Once you know its fields, write them as `{field}`.".to_owned();
            self.widget(&[because], "log", "Newest events", "log");
            self.key("text", &quoted("something came"));
            return;
        };
        // Else all would look alike.
        let says_which = names.len() == 1 || self.subject.name.is_some() || self.row_key().is_some();
        let asked: Vec<_> = names.iter().copied().filter(|(name, _)| can_ask(name)).collect();
        let seconds = self.told.listened.as_secs_f64();
        let is_read = |learnt: &Learnt| learnt.rate(seconds).is_none_or(|rate| rate <= READ_MAX);
        let calm = asked.iter().find(|(_, learnt)| is_read(learnt)).or(asked.first()).copied();
        let lines = match calm {
            Some((name, learnt)) if !says_which => {
                let often = if name == first {
                    String::new()
                } else {
                    format!(" `{}` comes too often to be read.", shown(first))
                };
                let because = format!(
                    "A line can't say which event it is of, so these are `{}` alone: others want logs of their own.{often}",
                    shown(name)
                );
                Lines { on: Some(name), paths: said(learnt).collect(), because }
            }
            calm => self.of_all(&names, calm),
        };
        let text = template(lines.paths.into_iter());
        let because = match &text {
            Some(_) => lines.because,
            None => format!("{} Their bodies have no field that could be named here.", lines.because),
        };
        let heading = lines.on.map_or_else(|| "Newest events".to_owned(), shown);
        self.widget(&[because], "log", &heading, "log");
        if let Some(on) = lines.on {
            self.key("on", &quoted(on));
        }
        let text = text.unwrap_or_else(|| "something came".to_owned());
        self.key("text", &quoted(&text));
    }

    /// By the fields that are in all events; if there are none, of one name alone.
    fn of_all<'l>(&self, names: &[(&'l Arc<str>, &'l Learnt)], calm: Option<(&'l Arc<str>, &'l Learnt)>) -> Lines<'l> {
        let everywhere = |field: &&Field| {
            names.iter().all(|(_, learnt)| {
                learnt.field(&field.path).is_some_and(|own| own.is_scalar() && own.seen == learnt.count)
            })
        };
        let mut common: Vec<&Path> = Vec::new();
        if let Some((_, learnt)) = names.first() {
            let everywhere: Vec<&Path> = learnt.fields.iter().filter(everywhere).map(|field| &field.path).collect();
            common.extend(said(learnt).filter(|path| everywhere.contains(path)));
        }
        match calm {
            Some((name, learnt)) if names.len() > 1 && common.is_empty() => Lines {
                on: Some(name),
                paths: said(learnt).collect(),
                because: format!("No field is in all events, so these are `{}` alone.", shown(name)),
            },
            Some((_, learnt)) if names.len() == 1 => {
                Lines { on: None, paths: said(learnt).collect(), because: "The newest events.".to_owned() }
            }
            _ => {
                let because = "The newest events, by the fields that all of them have.".to_owned();
                Lines { on: None, paths: common, because }
            }
        }
    }
}

/// What a line could say of these events: first which thing they are of. It has its time anyway, and a place is seen on a map.
fn said(learnt: &Learnt) -> impl Iterator<Item = &Path> {
    let place = judge::coordinates(learnt);
    let is_place = |path: &Path| place.as_ref().is_some_and(|place| [&place.lat, &place.lon].contains(&path));
    let is_said = |field: &&Field| field.is_scalar() && !field.is_any_time() && !is_place(&field.path);
    let mut fields: Vec<&Field> = learnt.fields.iter().filter(is_said).collect();
    fields.sort_by_key(|field| !judge::says_which(field));
    fields.into_iter().map(|field| &field.path)
}
