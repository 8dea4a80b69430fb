//! H5, H8: floods are bounded and counted, and nobody writes the log but the hub.

use super::*;

fn note(code: &'static str, reason: &'static str) -> Note<'static> {
    Note { code, reason, ..Note::default() }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// A flood is bounded in each second, what was left out is counted by its code, and what was revoked is there all the same.
#[test]
fn floods() {
    let audit = Audit::default();
    audit.revoke(note("revoked", "by hand"), at(0));
    let each = u64::from(limits::AUDIT_REFUSALS_A_SECOND);
    for second in 1..=50_i64 {
        for number in 0..3 * each {
            let code = if number % 3 == 0 { "denied" } else { "unauthorised" };
            audit.refuse(note(code, "no"), at(second * 1000));
        }
    }
    audit.advance(at(51_000));
    audit.advance(at(52_000));
    let entries = audit.newest(usize::MAX);
    assert_eq!(entries.len(), limits::AUDIT_ENTRIES_MAX + 1);
    assert!(entries.is_sorted_by(|a, b| a.number > b.number));
    assert_eq!(entries.last().map(|entry| entry.what), Some(What::Revoked));
    let left_out: u64 =
        entries.iter().filter(|entry| entry.what == What::LeftOut).filter_map(|entry| entry.count).sum();
    let seconds = entries.iter().filter(|entry| entry.what == What::LeftOut).count() as u64 / 2;
    assert_eq!(left_out, seconds * 2 * each, "each second's rest is counted");
    assert_eq!(audit.newest(2).len(), 2);
}

/// What strangers send writes no line of its own, and none that reads otherwise than it is.
#[test]
fn nobody_else_writes_lines() {
    let audit = Audit::default();
    let who = Who { user: Some("7\r\n{\"what\":\"revoked\"}\u{1b}[31m\u{202e}".into()), ..Who::default() };
    let reason = "x".repeat(100_000);
    audit.refuse(Note { code: "denied", door: Some("/v1/\u{85}"), who, reason: &reason, ..Note::default() }, at(0));
    let entry = audit.newest(1).remove(0);
    let user = entry.who.user.as_deref().expect("a user");
    assert_eq!(user, "7\\u{d}\\u{a}{\"what\":\"revoked\"}\\u{1b}[31m\\u{202e}");
    assert_eq!(entry.door.as_deref(), Some("/v1/\\u{85}"));
    assert_eq!(entry.reason.chars().count(), limits::AUDIT_TEXT_CHARS_MAX + 1);
    let line = serde_json::to_string(&entry).expect("JSON");
    assert!(!line.contains(|c: char| c.is_control()) && line.len() < 1000, "{line}");
}

/// The file has what memory has, and all of it when the hub is gone.
#[test]
fn the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::open(Some(&path)).expect("opened");
    audit.refuse(note("denied", "no"), at(1000));
    audit.revoke(Note { count: Some(3), ..note("revoked", "by hand") }, at(2000));
    let entries = audit.newest(10);
    drop(audit);
    let text = std::fs::read_to_string(&path).expect("there");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    let kinds: Vec<_> = lines.iter().filter_map(|line| line["what"].as_str()).collect();
    assert_eq!((&*kinds, lines[1]["count"].as_u64()), (&["refused", "revoked"][..], Some(3)));
    assert_eq!(lines[1], serde_json::to_value(&entries[0]).expect("JSON"));
    assert!(Audit::open(Some(&folder.path().join("none/audit.jsonl"))).is_err());
}
