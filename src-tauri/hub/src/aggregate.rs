//! Stand-in until the board's reducers are there.
use serde_json::Value;
use watchfloor_board::config::spec::FoldSpec;
use watchfloor_model::{Event, Timestamp};
pub(crate) struct Aggregate {
    channels: Vec<String>,
}
impl Aggregate {
    pub(crate) fn new(fold: &FoldSpec) -> Self {
        Self { channels: fold.channels.clone() }
    }
    pub(crate) fn fingerprint(&self) -> &str {
        "none"
    }
    pub(crate) fn channels(&self) -> &[String] {
        &self.channels
    }
    pub(crate) fn wants(&self, _event: &Event) -> bool {
        false
    }
    pub(crate) fn fold(&mut self, _event: &Event) -> Result<(), String> {
        Ok(())
    }
    pub(crate) fn advance(&mut self, _now: Timestamp) {}
    pub(crate) fn state(&self) -> Value {
        Value::Null
    }
}
