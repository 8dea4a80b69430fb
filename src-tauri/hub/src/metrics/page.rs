//! The numbers as a page for a person: no script, nothing from elsewhere, anew every 5 s.

use std::fmt::Write;

use super::{Figures, MET};
use crate::{
    hub::Shared,
    state::told::{AGES_MS, BEGUN, LOST},
};

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\"><title>Hub</title>\
<style>body{font:15px/1.4 system-ui,sans-serif;margin:2em;max-width:40em}table{border-collapse:collapse;width:100%;margin:0 0 1.5em}\
td{border-bottom:1px solid #ccc;padding:.2em 0}td+td{text-align:right;font-variant-numeric:tabular-nums}</style><h1>Hub</h1>";

/// The page.
pub(crate) fn page(hub: &Shared) -> String {
    let figures = Figures::of(hub);
    let mut out = HEAD.to_owned();
    let word = match figures.keeps {
        None => "in memory",
        Some(true) => "kept",
        Some(false) => "not kept: the store fails",
    };
    let doors = figures.connections.iter();
    let doors = doors.map(|(door, now, all)| (format!("{door}, of {all} that were opened"), now.to_string()));
    table(&mut out, "Connections", doors);
    table(
        &mut out,
        "Traffic",
        [
            ("channels", figures.channels),
            ("readers", figures.readers),
            ("subscriptions", figures.subscriptions),
            ("events in", figures.taken),
            ("events out", figures.events),
            ("bytes out", figures.bytes),
            ("bytes of history", figures.history_bytes),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_string())),
    );
    let ends = AGES_MS.iter().map(|end| format!("up to {end} ms")).chain(["older".to_owned()]);
    let ages = ends.zip(&figures.ages).filter(|(_, n)| **n > 0).map(|(end, n)| (end, n.to_string()));
    table(&mut out, "Age of events when they went out, texts", ages);
    let named = |names: &[&str], counts: &[u64]| -> Vec<_> {
        names.iter().zip(counts).map(|(name, n)| ((*name).to_owned(), n.to_string())).collect()
    };
    table(&mut out, "Subscriptions began", named(&BEGUN, &figures.begun));
    table(&mut out, "Subscriptions lost events", named(&LOST, &figures.lost));
    let refused = figures.refused.iter().map(|(code, n)| ((*code).to_owned(), n.to_string()));
    let closed = figures.closed.iter().map(|(code, n)| (format!("close {code}"), n.to_string()));
    let rates = [("listened to more slowly", figures.slowed), ("closed without an answer", figures.dropped)];
    let rates = rates.map(|(name, value)| (name.to_owned(), value.to_string()));
    table(&mut out, "Refused, and closed", refused.chain(closed).chain(rates));
    if let Some((left, met)) = &figures.tls {
        let word = match left {
            ..=0 => "it has ended".to_owned(),
            left => format!("{} days", left / 86_400),
        };
        let met = MET.iter().zip(met).map(|(result, n)| (format!("connections {result}"), n.to_string()));
        table(&mut out, "TLS", [("the certificate is good for".to_owned(), word)].into_iter().chain(met));
    }
    if figures.is_refused {
        out.push_str("<p>The hub's file can't be used as it is now: what was before holds. The log says why.</p>");
    }
    let _ = write!(out, "<p>Events are {word}.</p></html>");
    out
}

/// Names are the program's own words, values numbers: there is nothing to escape.
fn table(out: &mut String, title: &str, rows: impl IntoIterator<Item = (String, String)>) {
    let _ = write!(out, "<h2>{title}</h2><table>");
    for (name, value) in rows {
        let _ = write!(out, "<tr><td>{name}</td><td>{value}</td></tr>");
    }
    out.push_str("</table>");
}
