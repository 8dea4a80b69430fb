//! `tones = { critical = "siren.wav" }`: a site's own sound files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    diagnostic::{Problem, Sink},
    nearest::did_you_mean,
    shape::text_of,
    table::{Node, Shape, bad_value, cut, names, wrong_type},
};
use crate::alarm::Priority;

/// The longest name of a file, in characters.
const NAME_CHARACTERS_MAX: usize = 200;
const EXPECTED: &str =
    "the name of a WAV file, such as `siren.wav`, that lies beside the board file or in a folder there";

/// Priorities that have a tone.
const PRIORITIES: [(&str, Priority); 3] =
    [("medium", Priority::Medium), ("high", Priority::High), ("critical", Priority::Critical)];

/// Files by priority, as they are named from the board's folder.
pub(super) struct Tones;

impl Shape for Tones {
    type Value = BTreeMap<Priority, String>;

    fn expected(&self) -> String {
        "a table of priorities and WAV files, such as `{ critical = \"siren.wav\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table of `medium`, `high`, `critical` and names of WAV files".to_owned()
    }

    fn schema(&self) -> Value {
        let name = json!({
            "type": "string", "minLength": 5, "maxLength": NAME_CHARACTERS_MAX, "pattern": "^[^/\\p{Cc}\\\\][^\\p{Cc}\\\\]*\\.[wW][aA][vV]$",
        });
        let files: serde_json::Map<String, Value> =
            PRIORITIES.iter().map(|(word, _)| ((*word).to_owned(), name.clone())).collect();
        json!({"type": "object", "minProperties": 1, "additionalProperties": false, "properties": files})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        if entries.is_empty() {
            bad_value(node, "no file", &self.expected(), None, sink);
            return None;
        }
        let mut files = BTreeMap::new();
        let mut is_sound = true;
        for (key, value) in entries {
            let word: &str = key.get_ref();
            let words = PRIORITIES.iter().map(|(word, _)| *word);
            let Some((_, priority)) = PRIORITIES.iter().find(|(own, _)| *own == word) else {
                sink.report(Problem {
                    span: key.span(),
                    message: format!("no priority that has a tone in `{}`", cut(node.name)),
                    found: format!("`{}`", cut(word)),
                    expected: names(words.clone()),
                    help: did_you_mean(word, words),
                });
                is_sound = false;
                continue;
            };
            match file(Node { name: word, value }, sink) {
                Some(file) => drop(files.insert(*priority, file)),
                None => is_sound = false,
            }
        }
        is_sound.then_some(files)
    }
}

/// A file within the board's folder.
fn file(node: Node<'_>, sink: &mut Sink<'_>) -> Option<String> {
    let name = text_of(node, EXPECTED, sink)?;
    let ends_well = name.get(name.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(".wav"));
    let message = if name.chars().nth(NAME_CHARACTERS_MAX).is_some() {
        "too long a name"
    } else if !ends_well || name.len() < 5 {
        "no WAV file"
    } else if name.contains('\\') || name.chars().any(char::is_control) {
        "no name of a file"
    } else if name.starts_with('/') || name.contains(':') || name.split('/').any(|part| part == ".." || part.is_empty())
    {
        "a file that is not in the board's folder"
    } else {
        return Some(name.to_owned());
    };
    let help = (message == "no WAV file")
        .then(|| "other kinds of sound are turned into one by `ffmpeg -i FILE siren.wav`".to_owned());
    bad_value(node, message, EXPECTED, help, sink);
    None
}
