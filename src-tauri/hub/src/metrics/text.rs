//! The numbers in Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write};

use super::{Figures, MET, RELOADS};
use crate::{
    hub::Shared,
    state::told::{AGES_MS, BEGUN, LOST},
};

/// What a scrape is answered.
pub(crate) fn text(hub: &Shared) -> String {
    let figures = Figures::of(hub);
    let mut out = Text(String::with_capacity(4 << 10));
    let doors = || figures.connections.iter();
    out.family("connections", "gauge", "Connections that stay, by door.");
    doors().for_each(|(door, now, _)| out.line("connections", Some(("door", door)), now));
    out.family("connections_opened_total", "counter", "Connections that were opened, by door.");
    doors().for_each(|(door, _, all)| out.line("connections_opened_total", Some(("door", door)), all));
    for (name, kind, about, value) in [
        ("readers", "gauge", "Readers at any door, polls that wait included.", figures.readers),
        ("subscriptions", "gauge", "Channels of all readers together.", figures.subscriptions),
        ("channels", "gauge", "Channels that are known.", figures.channels),
        ("history_bytes", "gauge", "What is remembered of all channels.", figures.history_bytes),
        ("events_in_total", "counter", "Events that were published.", figures.taken),
        ("events_out_total", "counter", "Events that connections were given.", figures.events),
        ("texts_out_total", "counter", "Texts that connections were given, of one or more messages.", figures.texts),
        ("text_bytes_out_total", "counter", "Bytes of these texts.", figures.bytes),
    ] {
        out.family(name, kind, about);
        out.line(name, None, value);
    }
    out.family(
        "delivery_seconds",
        "histogram",
        "Age of the oldest event of a text when a connection was given it, from when the hub took the event.",
    );
    let mut count = 0;
    for (end, found) in AGES_MS.iter().zip(&figures.ages) {
        count += found;
        out.line("delivery_seconds_bucket", Some(("le", &seconds(*end * 1000))), count);
    }
    count += figures.ages.last().copied().unwrap_or_default();
    out.line("delivery_seconds_bucket", Some(("le", "+Inf")), count);
    out.line("delivery_seconds_sum", None, seconds(figures.ages_micros));
    out.line("delivery_seconds_count", None, count);
    out.family("catch_ups_total", "counter", "How subscriptions began: `recovered` went on from where they were.");
    BEGUN.iter().zip(&figures.begun).for_each(|(kind, n)| out.line("catch_ups_total", Some(("kind", kind)), n));
    out.family("losses_total", "counter", "Subscriptions that were told that events are lost, by reason.");
    LOST.iter().zip(&figures.lost).for_each(|(reason, n)| out.line("losses_total", Some(("reason", reason)), n));
    out.family("refusals_total", "counter", "Requests that were refused, by the code that they were told.");
    figures.refused.iter().for_each(|(code, n)| out.line("refusals_total", Some(("code", code)), n));
    out.family("closes_total", "counter", "WebSockets that the hub closed, by close code.");
    figures.closed.iter().for_each(|(code, n)| out.line("closes_total", Some(("code", &code.to_string())), n));
    for (name, about, value) in [
        ("slowed_total", "How often a client said more than it may, and was listened to more slowly.", figures.slowed),
        ("dropped_total", "Connections beyond a rate that were closed without an answer.", figures.dropped),
    ] {
        out.family(name, "counter", about);
        out.line(name, None, value);
    }
    out.family(
        "reloads_total",
        "counter",
        "How often the hub's file was read anew while it ran, by what became of that.",
    );
    RELOADS.iter().zip(&figures.reloads).for_each(|(result, n)| out.line("reloads_total", Some(("result", result)), n));
    out.family(
        "file_refused",
        "gauge",
        "Whether the hub's file could not be used when it was read last: what was before holds.",
    );
    out.line("file_refused", None, u8::from(figures.is_refused));
    let sources = hub.from_redis.all();
    if !sources.is_empty() {
        out.family("from_redis_taken_total", "counter", "Events that were published from Redis, by source.");
        sources.iter().for_each(|(id, count)| out.line("from_redis_taken_total", Some(("source", id)), count.taken));
        out.family("from_redis_left_out_total", "counter", "What came from Redis and was left out, by source.");
        for (id, count) in &sources {
            out.line("from_redis_left_out_total", Some(("source", id)), count.left_out);
        }
    }
    if let Some(keeps) = figures.keeps {
        out.family("store_up", "gauge", "Whether the store keeps what it is told.");
        out.line("store_up", None, u8::from(keeps));
    }
    if let Some((left, met)) = &figures.tls {
        out.family(
            "tls_certificate_seconds",
            "gauge",
            "For how long the certificate that is shown is good yet; below 0 it has ended.",
        );
        out.line("tls_certificate_seconds", None, left);
        out.family("tls_handshakes_total", "counter", "Those who came by TLS, by what became of them.");
        MET.iter().zip(met).for_each(|(result, n)| out.line("tls_handshakes_total", Some(("result", result)), n));
    }
    out.0
}

fn seconds(micros: u64) -> String {
    format!("{}", micros as f64 / 1e6)
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, about: &str) {
        // Into a text nothing fails.
        let _ = writeln!(self.0, "# HELP watchfloor_hub_{name} {about}\n# TYPE watchfloor_hub_{name} {kind}");
    }

    /// Labels are the program's own words: nothing in them needs a backslash.
    fn line(&mut self, name: &str, label: Option<(&str, &str)>, value: impl Display) {
        let _ = match label {
            Some((label, word)) => writeln!(self.0, "watchfloor_hub_{name}{{{label}=\"{word}\"}} {value}"),
            None => writeln!(self.0, "watchfloor_hub_{name} {value}"),
        };
    }
}
