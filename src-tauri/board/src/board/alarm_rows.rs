//! Any of the alarms for a hand in their list: a frame has the most urgent ones alone.
//!
//! What passes and what comes first is as the page has it, which does the same with what a frame has (`ui/src/core/alarms.ts`).

use std::{cmp::Reverse, collections::BTreeSet};

use watchfloor_model::Timestamp;

use super::{
    Board,
    alarm_view::{Urgency, urgency},
};
use crate::{
    alarm::{AlarmKey, Priority, Standing, state_of},
    frame::{AlarmName, AlarmOrder, AlarmRowsFound, AlarmRowsQuery, AlarmState, AlarmWhich},
};

/// Alarms that come at once at most.
const ROWS_AT_ONCE_MAX: usize = 200;
/// Words and spellings of each that are looked for; of a page's, which has a hundred characters for them, there are fewer.
const WORDS_MAX: usize = 50;
const SPELLINGS_MAX: usize = 4;
/// Of what was seen, so many count.
const SEEN_MAX: usize = 1000;
/// Digits of a value that people read.
const VALUE_DIGITS: usize = 4;

/// One that stands, with what tells its place.
struct Stands<'a> {
    key: &'a AlarmKey,
    own: &'a Standing,
    urgency: Urgency<'a>,
    which: AlarmWhich,
}

impl Board {
    /// Alarms as they are now; none if the board has no rules.
    #[must_use]
    pub fn alarm_rows(&self, query: &AlarmRowsQuery) -> Option<AlarmRowsFound> {
        self.file.alarming.as_ref()?;
        let standing = self.alarms().standing();
        let words: Vec<Vec<String>> = query.words.iter().take(WORDS_MAX).map(|word| spellings(word)).collect();
        let view = |key: &AlarmKey, own: &Standing| self.alarm_view(key, own);
        let mut found =
            AlarmRowsFound { revision: self.revision, total: number(standing.len()), ..AlarmRowsFound::default() };
        let (mut newest, mut calls_hidden): (Option<(Option<Timestamp>, Urgency<'_>)>, usize) = (None, 0);
        let mut passing: Vec<Stands<'_>> = Vec::new();
        for (key, own) in standing {
            let one = Stands { key, own, urgency: urgency(key, own), which: which_of(own) };
            let calls = one.which == AlarmWhich::Unacknowledged;
            if calls {
                // Of those of one instant it is the most urgent one, as the page takes the first of its list.
                let is_newer = newest
                    .as_ref()
                    .is_none_or(|(since, urgency)| (Reverse(since_of(own)), &one.urgency) < (Reverse(*since), urgency));
                if is_newer {
                    newest = Some((since_of(own), one.urgency));
                }
            }
            let passes = query.priority.is_none_or(|priority| own.priority == priority)
                && query.which.is_none_or(|which| one.which == which)
                && (words.is_empty() || self.has_words(&one, &words, &query.lost));
            if passes {
                passing.push(one);
            } else if calls {
                calls_hidden += 1;
            }
        }
        self.sort(&mut passing, query);
        found.matched = number(passing.len());
        found.calls_hidden = number(calls_hidden);
        found.newest = newest.and_then(|(_, (_, _, _, key))| Some(view(key, standing.get(key)?)));
        let asked = query.key.as_deref().map(AlarmKey::read);
        if let Some(asked) = &asked {
            found.own = standing.get(asked).map(|own| view(asked, own));
            found.at = passing.iter().position(|one| one.key == asked).map(number);
        }
        let seen: BTreeSet<(AlarmKey, u64)> =
            query.seen.iter().take(SEEN_MAX).map(|(key, occurrence)| (AlarmKey::read(key), *occurrence)).collect();
        for one in passing.iter().filter(|one| one.which == AlarmWhich::Unacknowledged && !seen.is_empty()) {
            if !seen.contains(&(one.key.clone(), one.own.alarm.occurrence)) {
                continue;
            }
            if one.own.priority == Priority::Critical {
                found.seen_critical = found.seen_critical.saturating_add(1);
            } else {
                found.seen.push((one.key.to_string(), one.own.alarm.occurrence));
            }
        }
        let count = (query.count as usize).min(ROWS_AT_ONCE_MAX);
        let offset = (query.offset as usize).min(passing.len().saturating_sub(count));
        found.offset = number(offset);
        found.rows = passing.iter().skip(offset).take(count).map(|one| view(one.key, one.own)).collect();
        Some(found)
    }

    fn sort(&self, passing: &mut [Stands<'_>], query: &AlarmRowsQuery) {
        match query.order {
            AlarmOrder::Urgency => passing.sort_unstable_by(|one, two| one.urgency.cmp(&two.urgency)),
            AlarmOrder::Newest => passing.sort_unstable_by(|one, two| {
                (Reverse(since_of(one.own)), &one.urgency).cmp(&(Reverse(since_of(two.own)), &two.urgency))
            }),
            AlarmOrder::Priority => passing.sort_unstable_by(|one, two| {
                (Reverse(one.own.priority), &one.urgency).cmp(&(Reverse(two.own.priority), &two.urgency))
            }),
            AlarmOrder::State => {
                passing.sort_unstable_by(|one, two| (one.which, &one.urgency).cmp(&(two.which, &two.urgency)));
            }
            AlarmOrder::Title => {
                passing.sort_unstable_by(|one, two| one.urgency.cmp(&two.urgency));
                passing.sort_by_cached_key(|one| self.title(one.key, &query.lost).to_lowercase());
            }
        }
    }

    /// As the page calls it.
    fn title(&self, key: &AlarmKey, lost: &str) -> String {
        titled(self.alarm_name(key), lost)
    }

    /// Whether all words are in what the page says of it: its title, key, group, place and cause.
    fn has_words(&self, one: &Stands<'_>, words: &[Vec<String>], lost: &str) -> bool {
        let spec = self.alarming.spec(&self.file, &one.key.rule);
        let mut text = self.title(one.key, lost);
        let mut add = |part: &str| {
            text.push(' ');
            text.push_str(part);
        };
        add(&one.key.to_string());
        let foreign = one.own.foreign.as_deref().and_then(|own| own.group.as_deref());
        add(foreign.or_else(|| spec?.group.as_deref()).unwrap_or_default());
        add(spec.and_then(|spec| self.place_of(spec)).unwrap_or_default());
        for (name, value) in &one.own.cause {
            add(name);
            add(value);
            told(value, &mut add);
        }
        let text = text.to_lowercase();
        words.iter().all(|spellings| spellings.iter().any(|word| text.contains(word.as_str())))
    }
}

fn titled(AlarmName { title, source, .. }: AlarmName, lost: &str) -> String {
    if source.is_none() || lost.is_empty() { title } else { lost.replace("{source}", &title) }
}

/// One word, in lower case in each of its spellings.
fn spellings(word: &[String]) -> Vec<String> {
    word.iter().take(SPELLINGS_MAX).map(|spelling| spelling.to_lowercase()).collect()
}

/// A number as the page writes it, rounded to what people read of it. One in the middle between two is written in both ways.
fn told(value: &str, add: &mut impl FnMut(&str)) {
    let Some((whole, rest)) = value.trim_start_matches(['-', '+']).split_once('.') else { return };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = value.parse::<f64>().ok().filter(|_| is_digits(whole) && is_digits(rest)) else { return };
    // Leading zeros are none of those that count.
    let zeros = rest.len() - rest.trim_start_matches('0').len();
    let counting = if whole == "0" { VALUE_DIGITS + zeros } else { VALUE_DIGITS.saturating_sub(whole.len()) };
    let decimals = rest.len().min(counting);
    for near in [number.next_down(), number.next_up()] {
        add(&format!("{near:.decimals$}"));
    }
}

/// What it asks for, as the page tells it.
fn which_of(own: &Standing) -> AlarmWhich {
    match state_of(own.alarm.shown()) {
        AlarmState::Shelved | AlarmState::Suppressed | AlarmState::OutOfService => AlarmWhich::Aside,
        AlarmState::Unsupervised => AlarmWhich::Unsupervised,
        _ if own.alarm.base.wants_acknowledgement() => AlarmWhich::Unacknowledged,
        _ => AlarmWhich::Acknowledged,
    }
}

/// Since when it stands, by the source's clock; of what was never raised by it, by this machine's.
fn since_of(own: &Standing) -> Option<Timestamp> {
    own.raised.or(own.decided)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
