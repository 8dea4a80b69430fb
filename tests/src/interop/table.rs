//! The matrix as a table.

use std::fmt::Write;

use super::{Cell, Row};

/// One row a kind, one column a scenario; what only one protocol has in a table of its own; below them why cells aren't passes.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut scenarios: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.cells) {
        if !scenarios.contains(name) {
            scenarios.push(name);
        }
    }
    let mut text =
        format!("| kind | server | {} |\n| --- | --- |{}\n", scenarios.join(" | "), " --- |".repeat(scenarios.len()));
    let mut notes = String::new();
    for row in rows {
        let cell = |name: &&str| {
            row.cells.iter().find(|(own, _)| own == name).map_or(String::new(), |(_, cell)| cell.to_string())
        };
        let cells: Vec<String> = scenarios.iter().map(cell).collect();
        // Writing to a text can't fail.
        let _ = writeln!(text, "| `{}` | {} | {} |", row.kind, row.server, cells.join(" | "));
        for (name, cell) in row.cells.iter().chain(&row.own) {
            if let Cell::Failed(why) | Cell::NotOffered(why) | Cell::NotRun(why) = cell {
                let _ = writeln!(notes, "- `{}`, {name}: {cell}: {}", row.kind, why.lines().next().unwrap_or_default());
            }
        }
    }
    let mut own = rows.iter().flat_map(|row| row.own.iter().map(move |(name, cell)| (row.kind, name, cell))).peekable();
    if own.peek().is_some() {
        text.push_str("\n| kind | what only it has | |\n| --- | --- | --- |\n");
    }
    for (kind, name, cell) in own {
        let _ = writeln!(text, "| `{kind}` | {name} | {cell} |");
    }
    if notes.is_empty() { text } else { format!("{text}\n{notes}") }
}
