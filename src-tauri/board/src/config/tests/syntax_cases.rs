//! Errors of TOML itself, and files that are no board at all.

use super::{super::*, SMALL, cases::check};

/// Bad input: broken TOML is refused with its place; what it may have swallowed is not called missing.
#[test]
fn broken_toml() {
    check("[board\ntitle = \"x\"\n", &[("1:7", "unclosed table", "expected `]`")]);
    check("[board]\ntitle = \"x\n", &[("2:11", "invalid basic string", "the end of the line")]);
    check("[board]\ntitle = x\n", &[("2:9", "string values must be quoted", "double quotes")]);
    check("[board]\ntitle =\n", &[("2:8", "quoted", "the end of the line")]);
    check("[board]\ntitle = \"x\"\ntitle = \"y\"\n", &[("3:1", "duplicate key", "once")]);
    // Under a broken header nobody knows whose the keys are.
    check(&SMALL.replace("[[widget]]", "[[widget"), &[("8:9", "unclosed", "expected `]]`")]);
    check("= 1\n", &[("1:1", "TOML", "letters")]);
    check("[board]\ngrid = { columns = 3\n[[source]]\nid = \"s\"\n", &[("2:8", "bracket without its end", "closing")]);
    check(
        &format!(
            "{SMALL}on = [\"a\", \"b\"\nwhere = {{ a = 1 }}\n[[widget]]\nid = \"v\"\nkind = \"log\"\ntext = \"x\"\n"
        ),
        &[("11:6", "bracket without its end", "closing")],
    );
}

/// Errors of syntax and of meaning come together.
#[test]
fn broken_toml_hides_no_other_error() {
    let text = SMALL.replace("title = \"T\"", "title = T").replace("id = \"w\"", "id = \"w w\"");
    check(&text, &[("2:9", "invalid boolean", "double quotes"), ("9:8", "' ' is not allowed in an id", "")]);
}

/// Bad input: files that are no board.
#[test]
fn no_board_at_all() {
    let missing = [
        ("1:1", "`[board]` is missing", ""),
        ("1:1", "`[[source]]` is missing", ""),
        ("1:1", "`[[widget]]` is missing", ""),
    ];
    check("", &missing);
    check("# nothing\r\n\r\n", &missing);
    check("\u{feff}", &missing);
    let big = "#".repeat(10_000_000);
    check(&big, &[("1:1", "the board file is too big", "found 10000000 bytes, expected at most 1048576 bytes")]);
}

/// Bad input: nesting without end is refused, not followed.
#[test]
fn deep_nesting() {
    for text in [
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}", "{a=".repeat(200_000)),
        format!("{}a = 1", "a.".repeat(200_000)),
        format!("[{}a]", "a.".repeat(200_000)),
        format!("[[{}a]]\nb = {}", "a.".repeat(70), "{a.a.a.a.a.a.a = ".repeat(70)),
        "[[widget]]\n".repeat(90_000),
        "= = \" [[ \n".repeat(90_000),
        "= = \" [[ ".repeat(90_000),
        format!("[\n{}", (0..60_000).map(|number| format!("k{number} = 1\n")).collect::<String>()),
    ] {
        let errors = parse(&text, "a").expect_err("deep");
        assert!(errors.as_slice().len() <= DIAGNOSTICS_MAX);
    }
}

/// The rendered block: the line, the fault underlined, what was expected, what may have been meant.
#[test]
fn blocks_show_the_line() {
    let errors = parse(&format!("{SMALL}stale-aftr = \"30s\"\n"), "ops.toml").expect_err("typo");
    let expected = "ops.toml:11:1: unknown key `stale-aftr` in `[[widget]]` `w`\n   |\n11 | stale-aftr = \"30s\"\n   \
        | ^^^^^^^^^^ found `stale-aftr`\n   = expected `id`, `title`, `note`, `kind`, `source`, `channels`, `on`, `where`, \
        `stale-after`, `page`, `place`, `stat`, `value`, `match`, `reset`, `trend`, `unit`, `decimals`, `digits`, `min`, `max`, `bands`, `target`, `better`, `draw` or `against`\n   \
        = help: did you mean `stale-after`?";
    assert_eq!(errors.to_string(), expected);
}
