//! Tables: a row for each thing that events are of.

use std::{collections::BTreeSet, sync::Arc};

use watchfloor_model::path::Path;

use super::{
    super::{
        judge::{self, Key},
        learn::{Field, Learnt},
        text::{quoted, quoted_list, shown, title},
    },
    ON_MAX, ROW_REMOVED, ROW_WORDS, Writer, can_ask, shown_long,
};

/// A wall is read at a glance.
const TABLES_MAX: usize = 2;
const COLUMNS_MAX: usize = 8;

impl<'a> Writer<'a> {
    /// Tables by key; says how many.
    pub(super) fn tables(&mut self) -> usize {
        if let Some(key) = self.row_key() {
            return self.rows_table(&key);
        }
        let mut left: Vec<_> =
            self.learner.names().into_iter().filter(|(name, _)| can_ask(name)).take(ON_MAX).collect();
        let mut written = 0;
        while written < TABLES_MAX {
            let keys: Vec<Vec<Key>> = left.iter().map(|(name, learnt)| judge::keys(name, learnt)).collect();
            let firsts = || keys.iter().zip(&left).filter_map(|(keys, (_, learnt))| Some((keys.first()?, *learnt)));
            // The most frequent name leads that has a key which is more than a guess; others with the same key join.
            let sure = firsts().find(|(key, _)| !key.is_unsure);
            let Some((key, lead)) = sure.or_else(|| firsts().next()).map(|(key, lead)| (key.clone(), lead)) else {
                break;
            };
            let joined: Vec<bool> =
                keys.iter().zip(&left).map(|(own, (_, learnt))| judge::shares_table(&key, lead, learnt, own)).collect();
            let members: Vec<_> =
                left.iter().zip(&joined).filter(|(_, joined)| **joined).map(|(one, _)| *one).collect();
            self.table(&key, &members);
            let mut joined = joined.into_iter();
            left.retain(|_| !joined.next().unwrap_or(false));
            written += 1;
        }
        written
    }

    fn table(&mut self, key: &Key, members: &[(&'a Arc<str>, &'a Learnt)]) {
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
        let list = self.subject.data.as_ref().map(|path| shown(&path.to_string()));
        let heading = list.or_else(|| self.subject.channels.first().map(|name| shown(name))).unwrap_or_default();
        self.widget(&[because], "rows", &heading, "table");
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
        let names = self.learner.names();
        let places = names.iter().filter_map(|(_, learnt)| judge::coordinates(learnt));
        // These are on the map.
        let mapped: BTreeSet<Path> =
            places.flat_map(|place| [place.lat, place.lon].into_iter().chain(place.heading)).collect();
        let mut columns: Vec<(Path, String)> = vec![(key.clone(), String::new())];
        for field in fields.iter().flat_map(|fields| fields.iter()) {
            if columns.len() >= COLUMNS_MAX {
                break;
            }
            if !field.is_scalar() || mapped.contains(&field.path) || columns.iter().any(|(path, _)| *path == field.path)
            {
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
}
