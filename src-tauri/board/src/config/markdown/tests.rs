//! What of Markdown is taken, and that nothing of a text is lost.

use proptest::prelude::*;

use super::*;

/// A text in short: a block a line, `#2` a heading, `-` and `3.` items, `|` rows; spaces for what it is set in, `*bold*`, `/slanted/`,
/// `` `code` ``.
fn short(text: &str) -> String {
    blocks(text).unwrap_or_else(|refused| panic!("{refused:?}")).iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(block: &TextBlock) -> String {
    let set_in = |depth: &u8| "  ".repeat(usize::from(*depth));
    match block {
        TextBlock::Heading { level, spans } => format!("#{level} {}", words(spans)),
        TextBlock::Paragraph { depth, spans } => format!("{}{}", set_in(depth), words(spans)),
        TextBlock::Item { depth, number: None, spans } => format!("{}- {}", set_in(depth), words(spans)),
        TextBlock::Item { depth, number: Some(number), spans } => {
            format!("{}{number}. {}", set_in(depth), words(spans))
        }
        TextBlock::Code { depth, lines } => format!("{}`{}`", set_in(depth), lines.join("⏎")),
        TextBlock::Rule {} => "---".to_owned(),
        TextBlock::Table { columns, head, rows } => {
            let sides: Vec<String> = columns.iter().map(|side| format!("{side:?}")).collect();
            let row = |row: &Vec<TextCell>| row.iter().map(|cell| words(&cell.spans)).collect::<Vec<_>>().join("|");
            format!("{}: {} / {}", sides.join(","), row(head), rows.iter().map(row).collect::<Vec<_>>().join(" / "))
        }
    }
}

fn words(spans: &[TextSpan]) -> String {
    let one = |span: &TextSpan| {
        let mut text = span.text.replace('\n', "⏎");
        for (is, mark) in [(span.code, '`'), (span.italic, '/'), (span.bold, '*')] {
            if is {
                text = format!("{mark}{text}{mark}");
            }
        }
        text
    };
    spans.iter().map(one).collect()
}

#[test]
fn what_is_taken() {
    for (text, expected) in [
        ("Hello", "Hello"),
        ("One\ntwo\n\nthree", "One two\nthree"),
        ("One  \ntwo\\\nthree", "One⏎two⏎three"),
        ("# A\n## B ##\nC\n===\nD\n---", "#1 A\n#2 B\n#1 C\n#2 D"),
        ("###### six\n####### seven", "#6 six\n####### seven"),
        ("a *b* _c_ **d** __e__ ***f***", "a /b/ /c/ *d* *e* */f/*"),
        ("snake_case_word and 2*3*4", "snake_case_word and 2/3/4"),
        ("`a < b` and ``c ` d``", "`a < b` and `c ` d`"),
        ("a \\*b\\* &amp; &lt;c&gt; &euro;", "a *b* & <c> €"),
        ("- a\n- b\n  - c\n    - d\n- e", "- a\n- b\n  - c\n    - d\n- e"),
        ("* a\n+ b", "- a\n- b"),
        ("3. a\n7. b\n   1) c", "3. a\n4. b\n  1. c"),
        ("- a\n\n  more\n\n- b", "- a\n  more\n- b"),
        ("- # head\n- text", "- \n#1 head\n- text"),
        ("-\n- b", "- \n- b"),
        ("> said\n> so\n\n> - a", "  said so\n  - a"),
        ("a\n\n---\n\n***\nb", "a\n---\n---\nb"),
        ("    code\n      in\n\n    it", "`code⏎  in⏎⏎it`"),
        ("```rust\nlet a = 1;\n```", "`let a = 1;`"),
        ("- a\n  ```\n  x\n  ```", "- a\n  `x`"),
        ("| a | b |\n|:-:|--:|\n| 1 | **2** |\n| 3 |", "Center,Right: a|b / 1|*2* / 3|"),
        ("[the *plan*](https://example.net/x)", "the /plan/"),
        ("<https://example.net/x>", "https://example.net/x"),
        ("[a][b]\n\n[b]: https://example.net", "a"),
        ("no [brackets] here", "no [brackets] here"),
        ("5 < 6 > 4, a<b", "5 < 6 > 4, a<b"),
        ("~~gone~~ ^up^ $x$ [ ] [x] ==y==", "~~gone~~ ^up^ $x$ [ ] [x] ==y=="),
        ("Zürich \u{1f691} 東京 \u{202b}שלום", "Zürich \u{1f691} 東京 \u{202b}שלום"),
        ("a\r\nb\r\n\r\n- c", "a b\n- c"),
        ("&#7;a&#10;b", "a⏎b"),
        ("\n\n", ""),
        ("[a]: https://example.net", ""),
    ] {
        assert_eq!(short(text), expected, "{text}");
    }
}

#[test]
fn what_a_wall_does_not_show_is_refused() {
    for (text, what, found) in [
        ("a <b>bold</b>", "HTML", "`<b>`"),
        ("<div>\nx\n</div>", "HTML", "`<div>`"),
        ("a <!-- b -->", "HTML", "`<!-- b -->`"),
        ("Vec<String>", "HTML", "`<String>`"),
        ("![a plan](plan.png)", "an image", "`![a plan](plan.png)`"),
        ("|1|2|3|4|5|6|7|8|9|\n|-|-|-|-|-|-|-|-|-|", "a table of more than 8 columns", "`|1|2|3|4|5|6|7|8|9|`"),
    ] {
        let refused = blocks(text).expect_err(text);
        assert_eq!((refused.what, refused.found.as_str()), (what, found), "{text}");
    }
}

/// A record of it is read again by a reader that goes no deeper than a hundred and some.
#[test]
fn nothing_is_set_in_without_end() {
    let deep = "- ".repeat(1_500) + "x";
    let read = blocks(&deep).expect("a text");
    let text = serde_json::to_string(&read).expect("JSON");
    assert_eq!(serde_json::from_str::<Vec<TextBlock>>(&text).expect("the same"), read);
    assert!(read.iter().all(|block| !matches!(block, TextBlock::Item { depth, .. } if *depth > 6)));
    let quoted = blocks(&(">".repeat(2_000) + "x")).expect("a text");
    assert!(matches!(quoted[..], [TextBlock::Paragraph { depth: 6, .. }]));
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

fn read_letters(read: &[TextBlock]) -> String {
    let of = |spans: &[TextSpan]| spans.iter().map(|span| span.text.as_str()).collect::<String>();
    let block = |block: &TextBlock| match block {
        TextBlock::Heading { spans, .. } | TextBlock::Paragraph { spans, .. } | TextBlock::Item { spans, .. } => {
            of(spans)
        }
        TextBlock::Code { lines, .. } => lines.concat(),
        TextBlock::Rule {} => String::new(),
        TextBlock::Table { head, rows, .. } => {
            head.iter().chain(rows.iter().flatten()).map(|cell| of(&cell.spans)).collect()
        }
    };
    letters(&read.iter().map(block).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Bad input: no text makes it panic, whatever it is refused for, and what is read is bounded by it.
    #[test]
    fn never_panics(text in prop_oneof![
        any::<String>(),
        "(\\PC|[-*_#>|`~ \n\t\\\\\\[\\]()!<&:=+0-9.a]){0,200}",
    ]) {
        if let Ok(read) = blocks(&text) {
            prop_assert!(read.len() <= text.chars().count() + 1);
            let json = serde_json::to_string(&read).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Vec<TextBlock>>(&json).expect("the same"), read);
        }
    }

    /// Nothing of a text is lost: each of its letters is read, in its order, however it is marked.
    #[test]
    fn no_letter_is_lost(text in "([a-eéß東]{1,4}|[-*_#>+ \n]|`|\n\n|\n- |\n  - |\n1. |\n# |\\*\\*|  \n|    ){0,60}") {
        prop_assume!(!text.contains("```"));
        let read = blocks(&text).expect("nothing to refuse");
        prop_assert_eq!(read_letters(&read), letters(&text));
    }
}
