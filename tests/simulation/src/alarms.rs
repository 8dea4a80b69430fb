//! H6: what a person should have heard, in plain slow code, and the record that outlives a life of the program.
//!
//! Deciding, writing down, announcing and noting that it was announced are four steps; a kill may come between any two.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use watchfloor_board::{
    Board,
    alarm::{
        Act, AlarmKey, Change,
        machine::{Input, Sound},
    },
    frame::AlarmAct,
};
use watchfloor_model::{Delivery, Json, Mono, Shape};

use crate::board_file::SOURCE;

/// The rule over events.
pub const BY_EVENTS: &str = "bad";
/// The rule over a widget.
pub const BY_VALUE: &str = "high";
/// What that holds above.
pub const HIGH: f64 = 500.0;
/// Every so-manieth announcement is acknowledged at once.
const ACKNOWLEDGED_EACH: usize = 3;

/// What an announcement is told by.
type Call = (String, u64, u32);

/// Alarms of all lives.
#[derive(Debug, Default)]
pub struct Alarms {
    /// Decided, and not written down yet.
    decided: VecDeque<Change>,
    /// Written down.
    record: Vec<Change>,
    /// Announced, and not noted yet.
    unnoted: Vec<Call>,
    noted: BTreeSet<Call>,
    /// What was heard, and whether it was said to be a repetition.
    heard: Vec<(Call, bool)>,
    /// By key, whether the last event that was delivered says that it is bad, and how often one was the first to say so.
    told: BTreeMap<String, (bool, usize)>,
    acknowledged: BTreeSet<Call>,
}

impl Alarms {
    /// Something was delivered and written down.
    pub fn deliver(&mut self, delivery: &Delivery) {
        let Delivery::Events(events) = delivery else { return };
        for event in events.iter().filter(|event| &*event.name == "set") {
            let text = |name: &str| match event.data.value().get(name).map(Json::shape) {
                Some(Shape::Text(text)) => Some(text),
                _ => None,
            };
            let (Some(key), Some(state)) = (text("k"), text("s")) else { continue };
            let (is_bad, raised) = self.told.entry(format!("{BY_EVENTS}/{key}")).or_default();
            *raised += usize::from(!*is_bad && state == "bad");
            *is_bad = state == "bad";
        }
    }

    /// The program has a moment: what was announced is noted, what was decided before is written down and announced, and what the board
    /// has decided since waits.
    ///
    /// # Errors
    /// If something is heard twice.
    pub fn turn(&mut self, board: &mut Board, now: Mono) -> Result<(), String> {
        self.noted.extend(std::mem::take(&mut self.unnoted));
        self.write(board, now)?;
        self.decided.extend(board.take_alarm_changes());
        Ok(())
    }

    /// Whether anything is decided and not written down.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.decided.is_empty()
    }

    /// Writes down what was decided, and announces it.
    ///
    /// # Errors
    /// If something is heard twice.
    pub fn write(&mut self, board: &mut Board, now: Mono) -> Result<(), String> {
        for change in std::mem::take(&mut self.decided) {
            if change.sound == Sound::Start {
                let call = call(&change.key, &change);
                self.hear(call.clone(), false)?;
                self.unnoted.push(call.clone());
                if self.heard.len().is_multiple_of(ACKNOWLEDGED_EACH) {
                    let act = Act::Acknowledge { occurrence: call.1 };
                    // What has been raised anew since can't be acknowledged by the old one.
                    let done = board.handle_act(&AlarmAct { key: call.0.clone(), act, name: None }, "wall", now);
                    self.acknowledged.extend(done.is_ok().then_some(call));
                }
            }
            self.record.push(change);
        }
        Ok(())
    }

    fn hear(&mut self, call: Call, is_repeated: bool) -> Result<(), String> {
        let before = self.heard.iter().filter(|(heard, _)| *heard == call).count();
        if before > 0 && !is_repeated {
            return Err(format!("H6: {call:?} is heard again, and isn't said to be a repetition"));
        }
        self.heard.push((call, is_repeated));
        Ok(())
    }

    /// What a start takes of the record, by the number of the last entry that the board's own state has.
    #[must_use]
    pub fn after(&self, number: u64) -> Vec<Change> {
        self.record.iter().filter(|change| change.number > number).cloned().collect()
    }

    /// Killed: what wasn't written down is gone, and what was announced and not noted isn't known to be.
    pub fn kill(&mut self) {
        self.decided.clear();
        self.unnoted.clear();
    }

    /// A start has the board where it was: what calls and isn't known to be announced is announced, as what may be a repetition.
    ///
    /// # Errors
    /// If what was acknowledged calls again.
    pub fn start(&mut self, board: &mut Board) -> Result<(), String> {
        let decided = board.take_alarm_changes();
        let new: BTreeSet<Call> = decided
            .iter()
            .filter(|change| change.sound == Sound::Start)
            .map(|change| call(&change.key, change))
            .collect();
        self.decided.extend(decided);
        let recorded: BTreeSet<Call> = self
            .record
            .iter()
            .filter(|change| change.refusal.is_none() && matches!(change.what, Some(Input::Acknowledge { .. })))
            .map(|change| call(&change.key, change))
            .collect();
        for (key, own) in board.alarms().standing() {
            let name = (key.to_string(), own.alarm.occurrence, own.alarm.realarms);
            if own.alarm.calls() && recorded.contains(&name) {
                return Err(format!("H6: {name:?} was acknowledged, and calls after a kill"));
            }
        }
        let calling: Vec<Call> = board
            .alarms()
            .standing()
            .iter()
            .filter(|(_, own)| own.alarm.calls())
            .map(|(key, own)| (key.to_string(), own.alarm.occurrence, own.alarm.realarms))
            .filter(|name| !self.noted.contains(name) && !new.contains(name))
            .collect();
        for name in calling {
            self.hear(name.clone(), true)?;
            self.unnoted.push(name);
        }
        Ok(())
    }

    /// What was heard is what should have been, but for what the program hadn't a moment for yet.
    ///
    /// # Errors
    /// If something is missing, or too much.
    pub fn check(&mut self, board: &mut Board, now: Mono) -> Result<(), String> {
        // The program has its moments.
        for _ in 0..3 {
            self.turn(board, now)?;
        }
        for (key, (is_bad, raised)) in &self.told {
            let heard: BTreeSet<u64> =
                self.heard.iter().filter(|((own, ..), _)| own == key).map(|((_, own, _), _)| *own).collect();
            if heard.len() != *raised {
                return Err(format!("H6: {key} was raised {raised} times, and heard {} times: {heard:?}", heard.len()));
            }
            if board.alarms().holds(&AlarmKey::read(key)) != *is_bad {
                return Err(format!("H6: {key} holds: {}, as its last event says: {is_bad}", !is_bad));
            }
        }
        Ok(())
    }

    /// Where all is live and complete, an alarm over a value holds if the value does.
    ///
    /// # Errors
    /// If it doesn't.
    pub fn check_value(&self, board: &Board, level: Option<f64>) -> Result<(), String> {
        let holds = board.alarms().holds(&AlarmKey::of_rule(BY_VALUE));
        match level {
            Some(level) if holds != (level > HIGH) => {
                Err(format!("H6: `{BY_VALUE}` holds: {holds}, and `level` is {level}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the board says that the source is lost.
    #[must_use]
    pub fn says_lost(board: &Board) -> bool {
        board.alarms().holds(&AlarmKey::of_rule(&format!("source:{SOURCE}")))
    }

    /// How many announcements were heard, and how many of them were repeated.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.heard.len(), self.heard.iter().filter(|(_, is_repeated)| *is_repeated).count())
    }
}

fn call(key: &AlarmKey, change: &Change) -> Call {
    (key.to_string(), change.now.alarm.occurrence, change.now.alarm.realarms)
}
