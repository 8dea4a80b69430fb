//! What a frame says besides if it is of a lamp test, and what the page says that it shows then.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::Said;
use crate::freshness::Freshness;

/// That a frame is of a lamp test: what it shows is a copy, to which things are done on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct DrillView {
    /// Which step it is, from 1.
    pub step: u32,
    /// How many there are.
    pub steps: u32,
    /// The step's name: `half-open`.
    pub name: String,
    /// What must be shown, in a few words.
    pub expects: String,
    /// It ends by itself after about so long, milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub left_ms: u64,
    /// The present in a few words: `all 16 live`.
    pub live: String,
    /// The same as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub live_said: Option<Said>,
    /// Whether there is nothing in the present to look at.
    pub live_is_well: bool,
    /// The page stands still for so long once it has painted this, milliseconds; once a step. Zero is not at all.
    pub stall_ms: u32,
}

/// What a page finds on its own glass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct GlassSeen {
    /// The step that the page was told last.
    pub step: u32,
    /// The version that it has painted.
    #[cfg_attr(test, ts(type = "number"))]
    pub version: u64,
    /// Whether it can be seen that all this is a lamp test.
    pub band: bool,
    /// Whether the page has marked everything because nobody answers.
    pub silent: bool,
    /// Each widget.
    pub widgets: Vec<WidgetSeen>,
    /// The sources in the head line of which the words can be seen, with what they say.
    pub sources: Vec<SourceSeen>,
}

/// What can be seen of a widget: in the document, in the window, and not made invisible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct WidgetSeen {
    /// Its id in the board file.
    pub id: String,
    /// As what it is drawn.
    pub freshness: Freshness,
    /// Whether the freshness's shape can be seen.
    pub mark: bool,
    /// The freshness's word as it can be read; empty if it can't.
    pub word: String,
    /// Whether the body is hatched.
    pub hatch: bool,
    /// Whether its edge is dashed.
    pub edge: bool,
    /// Whether anything of its value can be seen.
    pub value: bool,
    /// Whether it says that something may be missing.
    pub lacks: bool,
}

/// What the head line says of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SourceSeen {
    /// Its id in the board file.
    pub id: String,
    /// Its words.
    pub words: String,
}
