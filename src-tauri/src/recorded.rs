//! What is recorded of the glass, for who asks by the command line.

use std::process::ExitCode;

use serde_json::Value;
use watchfloor_demo::StoryName;
use watchfloor_engine::past;
use watchfloor_model::Timestamp;

use crate::{cli::DataArgs, failure::Failure, output, surroundings};

/// Prints what the glass showed at `at`: with `json` as the report of the present, else a line a widget.
pub(crate) fn at(at: Timestamp, data: &DataArgs, demo: Option<StoryName>, json: bool) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(data.data_dir.clone(), demo)?;
    let report = past::report(&data_dir, at)?;
    if json {
        output::line(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    output::line(&format_args!("{} as the glass showed it at {}", text(&report["title"]), text(&report["at"])))?;
    for (name, what) in [("damage", "RECORD CHANGED OR DAMAGED"), ("hole", "NOT RECORDED"), ("unseen", "NOT SEEN")] {
        if let Some(why) = report["record"][name].as_str() {
            output::line(&format_args!("{what}: {why}"))?;
        }
    }
    for (id, source) in report["sources"].as_object().into_iter().flatten() {
        output::line(&format_args!("source {id}: {} {}", text(&source["state"]), text(&source["reason"])))?;
    }
    for (id, widget) in report["widgets"].as_object().into_iter().flatten() {
        let shown = match &widget["value"] {
            Value::Array(list) => format!("{} entries", list.len()),
            Value::Object(map) => format!("{} entries", map.len()),
            other => other.to_string(),
        };
        let reason = widget["reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
        output::line(&format_args!("{id}: {shown}, {}{reason}", text(&widget["freshness"])))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Walks the record and prints what it finds. Ends with 1 if it is not as it was written.
pub(crate) fn verify(data: DataArgs, demo: Option<StoryName>) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(data.data_dir, demo)?;
    let found = past::verify(&data_dir)?;
    output::line(&format_args!("from {} to {}", words(found.first), words(found.last)))?;
    output::line(&format_args!("{} records, {} bytes", found.records, found.bytes))?;
    for hole in &found.holes {
        let (from, to, seconds) = (words(hole.from), words(hole.to), hole.span().as_secs());
        output::line(&format_args!("hole: from {from} to {to}, {seconds} s: {}", hole.why))?;
    }
    output::line(&format_args!("newest record {} has hash {}", found.head.0, found.head.1))?;
    match found.broken {
        None => {
            output::line(&"every record follows from the one before it")?;
            Ok(ExitCode::SUCCESS)
        }
        Some((first, count)) => {
            let (seq, at, what) = (first.seq, first.at, first.what);
            output::line(&format_args!("BROKEN: record {seq} of {at}: {what}; {count} in all"))?;
            Ok(ExitCode::from(1))
        }
    }
}

fn words(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
