//! Every kind of error, with its exact place. All of a case's errors are listed: no more, no fewer.

use super::{super::*, SMALL, page::json, validator};

/// An error: `line:column`, and two parts of its one-line form.
pub(super) type Expected<'a> = (&'a str, &'a str, &'a str);

/// The file gives just these errors, in this order.
pub(super) fn check(text: &str, expected: &[Expected<'_>]) {
    let lines = parse(text, "f").err().map(|errors| errors.lines()).unwrap_or_default();
    let shown = lines.join("\n");
    assert_eq!(lines.len(), expected.len(), "{text:.2000}\n{shown}");
    for (line, (place, part, other)) in lines.iter().zip(expected) {
        let is_met = line.starts_with(&format!("f:{place}: ")) && line.contains(part) && line.contains(other);
        assert!(is_met, "expected {place} {part} {other}\n{shown}");
    }
}

/// As [`check`], for what the schema can tell too.
pub(super) fn check_both(text: &str, expected: &[Expected<'_>]) {
    check(text, expected);
    assert!(!validator::faults(&schema(), &json(text)).is_empty(), "the schema takes {text}");
}

/// A board with one widget, whose lines begin in line 10.
fn widget(lines: &str) -> String {
    SMALL.replace("kind = \"counter\"", lines)
}

/// A board whose text differs from the small one in one place.
fn edit(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replacen(from, to, 1)
}

#[test]
fn redundant_urls() {
    let with = |urls: &str| edit("channels", &format!("redundant-urls = {urls}\nchannels"));
    let board = parse(&with("[\"http://b:8080\", \"https://c.example/x\"]"), "f").expect("a board");
    assert_eq!(board.sources[0].redundant_urls, ["http://b:8080", "https://c.example/x"]);
    check_both(&with("\"http://b\""), &[("7:18", "wrong type", "square brackets")]);
    check_both(&with("[\"http://b\", \"http://c\", \"http://d\", \"http://e\"]"), &[("7:18", "4 addresses", "0 to 3")]);
    check(&with("[\"ws://b\"]"), &[("7:19", "address of the scheme `ws`", "an address of a hub")]);
    let url = parse(SMALL, "f").expect("a board").sources[0].url.clone();
    check(&with(&format!("[\"{url}\"]")), &[("7:19", "twice in `redundant-urls`", "each name once")]);
    check(&with("[\"http://b\", \"http://b\"]"), &[("7:31", "twice in `redundant-urls`", "each name once")]);
    // Another spelling is no other line.
    for same in ["http://B/", "http://b:80", "http://b/x/.."] {
        check(
            &with(&format!("[\"http://b\", \"{same}\"]")),
            &[("7:31", "twice in `redundant-urls`", "each name once")],
        );
    }
    parse(&with("[\"http://b\", \"https://b\", \"http://b/x\"]"), "f").expect("three addresses");
    // Who is there comes by one.
    let others = "redundant-urls = [\"wss://b\"]\nchannels";
    let pusher = edit("kind = \"hub\"", "kind = \"pusher\"\napp = \"k\"\nauth = \"https://a/auth\"");
    let pusher =
        pusher.replace("http://", "ws://").replace("channels = [\"c\"]", &format!("{others} = [\"presence-c\"]"));
    let text = parse(&pusher, "f").expect_err("two addresses").to_string();
    assert!(text.contains("members can't be had from several addresses"), "{text}");
}

#[test]
fn what_is_spoken() {
    let bare = edit("kind = \"hub\"", "kind = \"websocket\"").replace("http://", "ws://");
    let with = |speak: &str| bare.replace("channels", &format!("speak = {speak}\nchannels"));
    let board = parse(&with("{ subscribe = '{\"sub\":\"{channel}\"}', sequence = \"n\", resume = 'x' }"), "f")
        .expect("a board");
    let speak = &board.sources[0].speak;
    assert_eq!((speak.subscribe.as_deref(), speak.resume.as_deref()), (Some("{\"sub\":\"{channel}\"}"), Some("x")));
    check(&with("{ pong = 'x' }"), &[("7:11", "`pong` has no use without `ping`", "`ping` beside it")]);
    check(&with("{ resume = 'x' }"), &[("7:11", "`resume` has no use without `sequence`", "")]);
    check(&with("{ ping = '' }"), &[("7:18", "empty text", "1 to 2000 characters")]);
    check(
        &edit("channels", "speak = { ping = 'x' }\nchannels"),
        &[("7:1", "`speak` has no use with a hub", "it left out")],
    );
}

#[test]
fn where_a_site_says_what_it_has() {
    let soketi = edit("kind = \"hub\"", "kind = \"soketi\"\napp = \"k\"");
    let with = |snapshot: &str| soketi.replace("channels", &format!("snapshot = {snapshot}\nchannels"));
    let own = "{ url = \"https://a.example/x?open=1\", as = \"order\", data = \"rows\" }";
    let board = parse(&with(own), "f").unwrap_or_else(|errors| panic!("{errors}"));
    let snapshot = board.sources[0].snapshot.clone().expect("a snapshot");
    assert_eq!((&*snapshot.url, &*snapshot.name), ("https://a.example/x?open=1", "order"));
    assert!(snapshot.data.is_some() && snapshot.channel.is_none());
    check_both(&with("{ url = \"https://a\" }"), &[("8:12", "`as` is missing", "an event name")]);
    check(&with("{ url = \"ws://a\", as = \"x\" }"), &[("8:20", "address of the scheme `ws`", "`http` or `https`")]);
    check(
        &with("{ url = \"https://a\", as = \"x\", channel = \"elsewhere\" }"),
        &[("8:12", "`snapshot.channel` is no channel of the source", "one of")],
    );
    let text = with("{ url = \"https://a/?api_key=hunter2\", as = \"x\" }");
    check(&text, &[("8:12", "`api_key` in the query of `snapshot.url`", "an address without one")]);
    assert!(!parse(&text, "f").expect_err("refused").to_string().contains("hunter2"), "H8");
    let timed = with(&format!("{own}\nevent = {{ time = \"at\" }}"));
    check(&timed, &[("8:12", "`snapshot.time` is missing", "where in a row its time stands")]);
    check(
        &edit("channels", &format!("snapshot = {own}\nchannels")),
        &[("7:1", "`snapshot` has no use with a hub", "it left out")],
    );
}

#[test]
fn how_messages_are_read() {
    use crate::config::spec::Codec;
    let bare = edit("kind = \"hub\"", "kind = \"websocket\"").replace("http://", "ws://");
    let with = |decode: &str| bare.replace("channels", &format!("event = {{ decode = {decode} }}\nchannels"));
    for (decode, codecs) in [
        ("\"msgpack\"", &[Codec::MessagePack][..]),
        ("\"gzip\"", &[Codec::Gzip]),
        ("[\"base64\", \"zlib\", \"cbor\"]", &[Codec::Base64, Codec::Zlib, Codec::Cbor]),
        ("[\"deflate\", \"text\"]", &[Codec::Deflate, Codec::Text]),
    ] {
        let board = parse(&with(decode), "f").unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(board.sources[0].event.decode, codecs);
    }
    check_both(&with("[]"), &[("7:20", "0 steps", "1 to 4 steps")]);
    check_both(&with("\"zip\""), &[("7:20", "unknown word `zip`", "`msgpack`")]);
    check(&with("[\"json\", \"gzip\"]"), &[("7:21", "no bytes left", "at the end only")]);
    check(&with("[\"base64\", \"text\", \"json\"]"), &[("7:31", "no bytes left", "at the end only")]);
    let login = bare.replace("channels", "speak = { login = '{\"token\":\"{token}\"}' }\nchannels");
    let board = parse(&login, "f").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(board.sources[0].speak.login.as_deref(), Some("{\"token\":\"{token}\"}"));
}

/// H8: a token is named by its place, and what looks like the token itself isn't repeated.
#[test]
fn tokens() {
    use crate::config::spec::{SecretSpec, TokenSpec};
    let with = |token: &str| edit("channels", &format!("token = {token}\nchannels"));
    let file = SecretSpec::File("/run/a".to_owned());
    for (token, spec) in [
        ("{ file = \"/run/a\" }", TokenSpec::Held(file.clone())),
        ("{ env = \"A_1\" }", TokenSpec::Held(SecretSpec::Variable("A_1".to_owned()))),
        (
            "{ keyring = \"watchfloor/ops\" }",
            TokenSpec::Held(SecretSpec::Keyring { service: "watchfloor".to_owned(), account: "ops".to_owned() }),
        ),
        ("{ file = 'C:\\run\\a' }", TokenSpec::Held(SecretSpec::File("C:\\run\\a".to_owned()))),
        (
            "{ from = \"https://a/t\", secret = { file = \"/run/a\" } }",
            TokenSpec::Fetched { url: "https://a/t".to_owned(), secret: file },
        ),
    ] {
        let board = parse(&with(token), "f").unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(board.sources[0].token, Some(spec));
    }
    assert_eq!(parse(SMALL, "f").expect("a board").sources[0].token, None);
    check_both(&with("\"hunter2\""), &[("7:9", "`token` is written out", "a table such as")]);
    check_both(&with("5"), &[("7:9", "wrong type", "a table with `file`, `env`, `keyring`, `from` or `secret`")]);
    check_both(&with("{ }"), &[("7:9", "no place of the token", "one of `file`, `env`, `keyring` or `from`")]);
    let two = "{ file = \"/a\", env = \"A\" }";
    check_both(&with(two), &[("7:9", "several places of the token", "one of `file`, `env`, `keyring` or `from`")]);
    check_both(&with("{ from = \"https://a\" }"), &[("7:9", "`secret` is missing", "{ env = \"OPS_LOGIN\" }")]);
    let lone = "{ env = \"A\", secret = { env = \"B\" } }";
    check_both(&with(lone), &[("7:22", "`secret` has no use without `from`", "gives tokens for it")]);
    check_both(
        &with("{ from = \"https://a\", secret = \"hunter2\" }"),
        &[("7:40", "`secret` is written out", "{ env = \"OPS_LOGIN\" }")],
    );
    check_both(
        &with("{ from = \"https://a\", secret = { } }"),
        &[("7:40", "no place of the secret", "one of `file`, `env` or `keyring`")],
    );
    check(&with("{ file = \"run/a\" }"), &[("7:18", "no usable path", "from the root on")]);
    check(&with("{ env = \"hunter2!\" }"), &[("7:17", "no name of an environment variable", "no digit first")]);
    check(&with("{ keyring = \"hunter2\" }"), &[("7:21", "no entry of a keyring", "not what it holds")]);
    for secret in [
        "\"hunter2\"",
        "{ env = \"hunter2!\" }",
        "{ keyring = \"hunter2\" }",
        "{ from = \"https://a\", secret = \"hunter2\" }",
    ] {
        let errors = parse(&with(secret), "f").expect_err("refused");
        assert!(!format!("{errors} {:?}", errors.lines()).contains("hunter2"), "{errors}");
    }
}

#[test]
fn against() {
    let two = SMALL.replace(
        "[[widget]]",
        "[[source]]\nid = \"b\"\nkind = \"hub\"\nurl = \"http://b\"\nchannels = [\"c\", \"d\"]\n[[widget]]",
    );
    let with = |kind: &str, against: &str| {
        two.replace("kind = \"counter\"", &format!("source = \"s\"\n{kind}\nagainst = {against}"))
    };
    let sum = "kind = \"counter\"\nstat = \"sum\"\nvalue = \"v\"\non = \"a\"";
    let board =
        parse(&with(sum, "{ source = \"b\", value = \"w\", channels = \"d\", tolerance = 2 }"), "f").expect("a board");
    let widget = &board.widgets[0];
    let against = widget.against.as_ref().expect("a second source");
    assert_eq!((against.source.as_str(), against.tolerance, against.settle.as_secs()), ("b", 2.0, 5));
    assert_eq!((&against.fold.channels[..], &against.fold.on), (&["d".to_owned()][..], &widget.fold.on));
    assert_eq!(board.folds().count(), 2);
    assert_ne!(against.fold.reducer, widget.fold.reducer);
    // Left out, it is the widget's own.
    let board = parse(&with(sum, "{ source = \"b\", tolerance = 0 }"), "f").expect("a board");
    assert_eq!(board.widgets[0].against.as_ref().expect("a second source").fold.reducer, board.widgets[0].fold.reducer);

    let count = "kind = \"counter\"";
    check(&with(count, "{ source = \"x\", tolerance = 2 }"), &[("17:11", "unknown source `x`", "`s`")]);
    check(
        &with(count, "{ source = \"b\", channels = \"e\", tolerance = 2 }"),
        &[("17:11", "`e` is no channel of the source", "`c`")],
    );
    check(
        &with(count, "{ source = \"b\", value = \"v\", tolerance = 2 }"),
        &[("17:11", "`value` in `against` of a widget that counts", "no `value`")],
    );
    check(&with(count, "{ source = \"s\", tolerance = 2 }"), &[("17:11", "against itself", "another `source`")]);
    check_both(&with(count, "{ source = \"b\" }"), &[("17:11", "`tolerance` is missing in `against`", "a number")]);
    check_both(&with(count, "{ source = \"b\", tolerance = -1 }"), &[("17:39", "out of range for `tolerance`", "-1")]);
    check_both(
        &with("kind = \"log\"\ntext = \"x\"", "{ source = \"b\", tolerance = 1 }"),
        &[("18:1", "unknown key `against`", "belongs to kind `counter`")],
    );
}

#[test]
fn unknown_keys() {
    check_both(
        &edit("title", "titel"),
        &[("1:1", "`title` is missing in `[board]`", ""), ("2:1", "unknown key `titel`", "did you mean `title`?")],
    );
    check_both(
        &edit("[[widget]]", "[[widgets]]"),
        &[("1:1", "`[[widget]]` is missing", ""), ("8:3", "unknown key `widgets`", "did you mean `widget`?")],
    );
    check_both(
        &edit("url", "chanels = []\nurl"),
        &[("6:1", "unknown key `chanels` in `[[source]]` `s`", "did you mean `channels`?")],
    );
    check_both(
        &widget("kind = \"counter\"\nbucket = \"1h\""),
        &[("11:1", "unknown key `bucket`", "`bucket` belongs to kind `series`")],
    );
    check_both(
        &widget("kind = \"counter\"\nremove-on = \"x\""),
        &[("11:1", "unknown key `remove-on`", "belongs to kind `table`, `status`, `matrix` or `markers`")],
    );
    check_both(
        &widget("kind = \"counter\"\nquiet = \"5s\""),
        &[("11:1", "unknown key `quiet`", "`quiet` belongs to `[[source]]`")],
    );
    check_both(&widget("kind = \"counter\"\nzebra = 1"), &[("11:1", "unknown key `zebra`", "or `against`")]);
    check_both(
        &edit("title = \"T\"", "title = \"T\"\ngrid = { colums = 3 }"),
        &[("3:10", "unknown key `colums` in `grid`", "did you mean `columns`?")],
    );
    check(&format!("é = 1\n{SMALL}"), &[("1:1", "TOML", "")]);
    check_both(
        &format!("\"é\" = 1\n{SMALL}"),
        &[(
            "1:1",
            "unknown key `é`",
            "expected `[board]`, `[[page]]`, `[[source]]`, `[[widget]]`, `[[alarm]]` or `[alarms]`",
        )],
    );
}

#[test]
fn wrong_types() {
    check_both(&edit("\"T\"", "5"), &[("2:9", "wrong type for `title`: found the integer 5", "write it in quotes")]);
    check_both(&edit("\"T\"", "[]"), &[("2:9", "found an empty array", "expected a text")]);
    check_both(&edit("[\"c\"]", "\"c\""), &[("7:12", "wrong type for `channels`", "in square brackets")]);
    check_both(&edit("[\"c\"]", "[1]"), &[("7:13", "wrong type for `channels`", "expected a channel name")]);
    check_both(&edit("[board]", "[[board]]"), &[("1:1", "wrong type for `board`", "with one bracket")]);
    check_both(&edit("[[source]]", "[source]"), &[("3:1", "wrong type for `source`", "with two brackets")]);
    check_both(
        &format!("widget = 5\n{}", edit("[[widget]]\nid = \"w\"\nkind = \"counter\"\n", "")),
        &[("1:10", "wrong type for `widget`", "")],
    );
    check_both(&widget("kind = 1"), &[("10:8", "wrong type for `kind`", "`counter`")]);
    check_both(&widget("kind = \"counter\"\nstale-after = 30"), &[("11:15", "found the integer 30", "\"30s\"")]);
    check_both(
        &widget("kind = \"counter\"\ndecimals = \"2\""),
        &[("11:12", "wrong type for `decimals`", "write 2 without quotes")],
    );
    check_both(&widget("kind = \"counter\"\nmin = true"), &[("11:7", "found true", "expected a number")]);
    check_both(&widget("kind = \"counter\"\non = { a = 1 }"), &[("11:6", "found a table", "an event name")]);
    check_both(
        &widget("kind = \"counter\"\nplace = [1, 1]"),
        &[("11:9", "found an array", "`column`, `row`, `width` or `height`")],
    );
    check_both(
        &widget("kind = \"counter\"\nbands = { from = 1, state = \"alarm\" }"),
        &[("11:9", "found a table", "square brackets")],
    );
    check(&widget("kind = \"counter\"\non = 1979-05-27"), &[("11:6", "found the date or time 1979-05-27", "")]);
}

#[test]
fn out_of_range() {
    check_both(
        &edit("\"T\"", "\"T\"\ngrid = { columns = 0, rows = 49 }"),
        &[("3:20", "out of range", "1 to 48"), ("3:30", "out of range", "1 to 48")],
    );
    check(&edit("\"T\"", "\"T\"\nstale-after = \"0s\""), &[("3:15", "out of range", "1s to 1d")]);
    check(&edit("\"T\"", "\"T\"\nstale-after = \"25h\""), &[("3:15", "out of range", "found \"25h\"")]);
    check(&edit("\"T\"", "\"T\"\nviewing-distance = \"6\""), &[("3:20", "no distance", "`6m`")]);
    check(&edit("\"T\"", "\"T\"\nviewing-distance = \"60m\""), &[("3:20", "out of range", "`30m`")]);
    check_both(&edit("\"T\"", "\"\""), &[("2:9", "empty text", "")]);
    check(&edit("\"T\"", "\"a\\u0007b\""), &[("2:11", "control character", "")]);
    check_both(&edit("\"T\"", &format!("\"{}\"", "é".repeat(101))), &[("2:9", "too long", "1 to 100")]);
    check_both(&widget("kind = \"counter\"\ndecimals = 7"), &[("11:12", "out of range", "0 to 6")]);
    check_both(&widget("kind = \"counter\"\ndecimals = -1"), &[("11:12", "out of range", "found the integer -1")]);
    check(&widget("kind = \"counter\"\nmax = inf"), &[("11:7", "out of range", "found the number inf")]);
    check(&widget("kind = \"counter\"\nmax = nan"), &[("11:7", "out of range", "")]);
    check(&widget("kind = \"counter\"\ndecimals = 99999999999999999999"), &[("11:12", "out of range", "")]);
    check(
        &widget("kind = \"counter\"\nmin = 3\nmax = 3"),
        &[("12:7", "`max` is not above `min`", "found `min` 3 and `max` 3")],
    );
    check_both(&widget("kind = \"log\"\ntext = \"a\"\nlimit = 501"), &[("12:9", "out of range", "1 to 500")]);
    check_both(&edit("[\"c\"]", "[]"), &[("7:12", "0 channel names", "1 to 256")]);
    check_both(&widget("kind = \"counter\"\non = []"), &[("11:6", "0 event names", "1 to 100")]);
    check_both(
        &edit("[[widget]]\nid = \"w\"\nkind = \"counter\"\n", "").replace("[board]", "widget = []\n[board]"),
        &[("1:10", "too few", "1 to 200")],
    );
    let many: String = (0..200).map(|number| format!("[[widget]]\nid = \"w{number}\"\nkind = \"counter\"\n")).collect();
    check(&format!("{SMALL}{many}").replace("\"T\"", "\"T\"\ngrid.rows = 40"), &[("609:1", "too many", "found 201")]);
}

#[test]
fn missing_keys() {
    check_both(&edit("title = \"T\"\n", ""), &[("1:1", "`title` is missing in `[board]`", "expected a text")]);
    check_both(
        &edit("url = \"http://h\"\nchannels = [\"c\"]\n", ""),
        &[("3:1", "`url` is missing in `[[source]]` `s`", ""), ("3:1", "`channels` is missing", "")],
    );
    check_both(
        &edit("id = \"w\"\nkind = \"counter\"\n", ""),
        &[("8:1", "`id` is missing in `[[widget]]`", ""), ("8:1", "`kind` is missing", "")],
    );
    check_both(&widget("kind = \"gauge\""), &[("8:1", "`value` is missing in `[[widget]]` `w`", "expected a path")]);
    check_both(&widget("kind = \"rate\""), &[("8:1", "`last` is missing", ""), ("8:1", "`per` is missing", "")]);
    check_both(&widget("kind = \"window\""), &[("8:1", "`last` is missing", "")]);
    check_both(&widget("kind = \"table\""), &[("8:1", "`key` is missing", ""), ("8:1", "`columns` is missing", "")]);
    check_both(&widget("kind = \"log\""), &[("8:1", "`text` is missing", "")]);
    check_both(&widget("kind = \"series\""), &[("8:1", "`bucket` is missing", ""), ("8:1", "`keep` is missing", "")]);
    check_both(
        &widget("kind = \"status\""),
        &[("8:1", "`key` is missing", ""), ("8:1", "`state` is missing", ""), ("8:1", "`states` is missing", "")],
    );
    check_both(
        &widget("kind = \"markers\""),
        &[("8:1", "`key` is missing", ""), ("8:1", "`lat` is missing", ""), ("8:1", "`lon` is missing", "")],
    );
    check_both(
        &widget("kind = \"counter\"\nplace = { column = 1, row = 1, width = 1 }"),
        &[("11:9", "`height` is missing in `place`", "")],
    );
    check_both(
        &widget("kind = \"counter\"\nbands = [{ state = \"alarm\" }]"),
        &[("11:10", "`from` is missing", "`from`, `to`, or both")],
    );
    check_both(
        &widget("kind = \"log\"\ntext = \"a\"\nstate = \"s\""),
        &[("8:1", "`states` is missing", "what each word")],
    );
    check_both(
        &widget("kind = \"log\"\ntext = \"a\"\nstates = { a = \"alarm\" }"),
        &[("8:1", "`state` is missing", "the path of the word")],
    );
}

#[test]
fn statistics_and_what_they_need() {
    check_both(&widget("kind = \"counter\"\nstat = \"sum\""), &[("8:1", "`value` is missing", "for `stat = \"sum\"`")]);
    check_both(&widget("kind = \"counter\"\nstat = \"share\""), &[("8:1", "`match` is missing", "conditions")]);
    check_both(
        &widget("kind = \"counter\"\nvalue = \"a\""),
        &[("11:1", "`value` has no use with `stat = \"count\"`", "a `stat` of `sum` or `mean`")],
    );
    check_both(
        &widget("kind = \"counter\"\nstat = \"mean\"\nvalue = \"a\"\nmatch = { a = 1 }"),
        &[("13:1", "`match` has no use with `stat = \"mean\"`", "a `stat` of `share`")],
    );
    check_both(&widget("kind = \"window\"\nlast = \"1h\"\nstat = \"p95\""), &[("8:1", "`value` is missing", "")]);
    check_both(
        &widget("kind = \"window\"\nlast = \"1h\"\nstat = \"p96\""),
        &[("12:8", "unknown word `p96` for `stat`", "did you mean")],
    );
    check_both(
        &widget("kind = \"series\"\nbucket = \"1h\"\nkeep = \"2h\"\nstat = \"share\""),
        &[("13:8", "unknown word `share`", "")],
    );
    check_both(
        &widget("kind = \"series\"\nbucket = \"1h\"\nkeep = \"2h\"\nmatch = { a = 1 }"),
        &[("13:1", "unknown key `match`", "belongs to kind `counter`, `window` or `tally`")],
    );
    // A malformed value is there: it is not called missing too.
    check(&widget("kind = \"counter\"\nstat = \"sum\"\nvalue = \"a..b\""), &[("12:12", "two dots", "")]);
}

#[test]
fn names_that_clash_or_lead_nowhere() {
    check(
        &format!("{SMALL}[[widget]]\nid = \"w\"\nkind = \"counter\"\n"),
        &[("12:6", "two widgets with the id `w`", "the first is in line 9")],
    );
    let source = "[[source]]\nid = \"s\"\nkind = \"hub\"\nurl = \"http://g\"\nchannels = [\"d\"]\n";
    check(&format!("{SMALL}source = \"s\"\n{source}"), &[("13:6", "two sources with the id `s`", "line 4")]);
    let other = source.replace("\"s\"", "\"ops\"");
    check(
        &format!("{SMALL}{other}"),
        &[("8:1", "`source` is missing in `[[widget]]` `w`", "one of the sources `s` or `ops`")],
    );
    check(&format!("{SMALL}source = \"obs\"\n{other}"), &[("11:10", "unknown source `obs`", "did you mean `ops`?")]);
    check(
        &format!("{SMALL}channels = [\"c\", \"cc\"]\n"),
        &[("11:18", "`cc` is no channel of the source", "did you mean `c`?")],
    );
    check(&format!("{SMALL}channels = [\"c\", \"c\"]\n"), &[("11:18", "`c` twice in `channels`", "")]);
    check(&edit("[\"c\"]", "[\"c\", \"d\", \"c\"]"), &[("7:23", "`c` twice in `channels`", "")]);
    check(&format!("{SMALL}on = [\"a\", \"a\"]\n"), &[("11:12", "`a` twice in `on`", "")]);
    check_both(
        &widget("kind = \"gague\"\nvalue = \"x\"\nunt = \"m\""),
        &[
            ("10:8", "unknown word `gague` for `kind`", "did you mean `gauge`?"),
            ("12:1", "unknown key `unt`", "did you mean `unit`?"),
        ],
    );
    check_both(
        &widget("kind = \"zebra\"\nvalue = \"x\"\nxyzzy = 1"),
        &[("10:8", "unknown word `zebra` for `kind`", "or `countdown`"), ("12:1", "unknown key `xyzzy`", "")],
    );
    check_both(&edit("\"hub\"", "\"kafka\""), &[("5:8", "unknown word `kafka` for `kind`", "expected `hub`")]);
    check_both(&edit("\"T\"", "\"T\"\ntheme = \"drak\""), &[("3:9", "unknown word `drak`", "did you mean `dark`?")]);
    let night = |keys: &str| edit("\"T\"", &format!("\"T\"\nnight = {{ {keys} }}"));
    check_both(&night("from = \"21:00\""), &[("3:9", "`to` is missing", "")]);
    check(&night("from = \"24:00\", to = \"06:00\""), &[("3:18", "no time of day", "`00:00` to `23:59`")]);
    check_both(
        &night("from = \"21:00\", to = \"06:00\", days = [\"fry\"]"),
        &[("3:49", "unknown word `fry`", "did you mean `fri`?")],
    );
    check_both(
        &night("from = \"21:00\", to = \"06:00\", untl = 3"),
        &[("3:41", "unknown key `untl` in `night`", "expected `from`, `to` or `days`")],
    );
    check(
        &night("from = \"21:00\", to = \"21:00\""),
        &[("3:9", "a night that ends when it begins", "two times of day that differ")],
    );
    check(&edit("id = \"s\"", "id = \"é s\""), &[("4:7", "'é' is not allowed in an id", "letters, digits")]);
    check(&edit("[\"c\"]", "[\"c\", \"a/b\"]"), &[("7:18", "`a/b` is no channel name of a hub", "")]);
    check(&edit("[\"c\"]", &format!("[\"{}\"]", "c".repeat(201))), &[("7:13", "too long a name", "1 to 200")]);
}

#[test]
fn malformed_texts() {
    check(
        &widget("kind = \"gauge\"\nvalue = \"a..b\""),
        &[("11:12", "malformed path for `value`: two dots in a row", "stops[0]")],
    );
    check(&widget("kind = \"gauge\"\nvalue = \"\\u00e9\\\"x\""), &[("11:16", "'\"' where `.` or `[`", "")]);
    check(&widget("kind = \"gauge\"\nvalue = '''\na.'''"), &[("12:3", "nothing after the dot", "")]);
    check_both(&widget("kind = \"gauge\"\nvalue = \"\""), &[("11:10", "nothing is written", "")]);
    check(
        &widget("kind = \"table\"\nkey = \"k\"\ncolumns = [{ path = \"a\" }, { path = \"b[\" }]\nsort = \"-a b\""),
        &[("12:40", "malformed path for `path`", "isn't closed"), ("13:11", "malformed path for `sort`: ' '", "")],
    );
    check(
        &widget("kind = \"log\"\ntext = \"é {a b} c\""),
        &[("11:13", "malformed template for `text`: ' ' where", "{carrier}")],
    );
    check(&widget("kind = \"log\"\ntext = \"a } b\""), &[("11:11", "a `}` without its `{`", "")]);
    check(&widget("kind = \"log\"\ntext = \"a {b\""), &[("11:11", "the brace isn't closed", "")]);
    for (text, place, problem) in [
        ("30", "11:18", "no unit"),
        ("5min", "11:17", "an unknown unit"),
        ("1.5h", "11:17", "no unit"),
        ("-5s", "11:16", "less than nothing"),
        ("1m1h", "11:19", "units not from long to short"),
        ("", "11:16", "nothing is written"),
    ] {
        check(
            &widget(&format!("kind = \"counter\"\nstale-after = \"{text}\"")),
            &[(place, problem, "such as `90s`, `5m`, `1h30m` or `2d`")],
        );
    }
    for text in ["daily 24:00", "daily 7:00", "weekly 00:00", "daily", "daily 00:60", "daily +1:00"] {
        check(
            &widget(&format!("kind = \"counter\"\nreset = \"{text}\"")),
            &[("11:9", "malformed time of day", "`daily HH:MM`")],
        );
    }
    check(&widget("kind = \"counter\"\non = \"a.*.b\""), &[("11:9", "'*' is not allowed here", "`*` at its end")]);
    check(
        &widget("kind = \"markers\"\nkey = \"k\"\nlat = \"a\"\nlon = \"b\"\nremove-on = \"a*\""),
        &[("14:15", "'*' is not allowed here", "")],
    );
    check_both(&widget("kind = \"counter\"\non = \"\""), &[("11:6", "empty event name", "")]);
}

#[test]
fn languages_and_locales() {
    let board = |line: &str| edit("\"T\"", &format!("\"T\"\n{line}"));
    check(&board("language = \"dee\""), &[("3:12", "unknown word `dee`", "did you mean `de`?")]);
    check(&board("language = \"fr\""), &[("3:12", "unknown word `fr`", "`en` or `de`")]);
    check(&board("locale = \"de_AT.UTF-8\""), &[("3:10", "malformed locale", "did you mean `de-AT`?")]);
    check(&board("locale = \"german\""), &[("3:10", "malformed locale", "`de-AT`")]);
    check(&board("locale = \"\""), &[("3:10", "malformed locale", "`de-AT`")]);
    let file = parse(&board("language = \"de\"\nlocale = \"de-Latn-AT\""), "f");
    let board = file.expect("it is sound").board;
    assert_eq!((board.language, board.locale.as_deref()), (Some("de"), Some("de-Latn-AT")));
}

#[test]
fn zones_and_addresses() {
    for (zone, help) in [
        ("America/New_Yrok", "did you mean `America/New_York`?"),
        ("New York", "did you mean `America/New_York`?"),
        ("zebra/zebra", "expected an IANA time zone"),
        ("../etc/passwd", "expected an IANA time zone"),
    ] {
        check(&edit("\"T\"", &format!("\"T\"\ntimezone = \"{zone}\"")), &[("3:12", "unknown time zone", help)]);
    }
    for (url, message, other) in [
        ("h:8787", "address of the scheme `h`", "with a host"),
        ("hub.example.net", "malformed address", "begins with `http://`"),
        ("ws://h", "address of the scheme `ws`", "begins with `http` or `https`"),
        ("ftp://h", "address of the scheme `ftp`", ""),
        ("http://", "malformed address (empty host)", ""),
        ("http:///x", "malformed address", ""),
        ("http:h", "malformed address", ""),
        ("http://h:99999", "invalid port number", ""),
        ("http://me@h", "user or password", "secrets do not belong"),
        ("http://:pw@h", "user or password", "secrets do not belong"),
        ("http://h?token=x", "query or fragment", "the base address alone"),
        ("http://h#x", "query or fragment", ""),
        ("", "malformed address", ""),
    ] {
        check(&edit("http://h", url), &[("6:7", message, other)]);
    }
}

#[test]
fn what_servers_of_events_promise() {
    let board = |kind: &str, channels: &str, source: &str, widget: &str| {
        format!(
            "[board]\ntitle = \"T\"\n[[source]]\nid = \"s\"\nkind = \"{kind}\"\nurl = \"http://h\"\nchannels = {channels}\n{source}\n\
             [[widget]]\nid = \"w\"\nkind = \"counter\"\n{widget}\n"
        )
    };
    let promises = "replays = true\nheartbeat = \"15s\"";
    check(&board("sse", "[\"c\"]", promises, ""), &[]);
    check(&board("long-poll", "[\"c\"]", "replays = true", ""), &[]);
    let sparkplug = [("8:1", "`sparkplug` has no use with server-sent events", "it left out")];
    check(&board("sse", "[\"c\"]", "sparkplug = \"listen\"", ""), &sparkplug);
    check(&board("mercure", "[\"c\"]", promises, ""), &[("8:1", "`replays` has no use with Mercure", "it left out")]);
    check(
        &board("sse", "[\"c\"]", "replays = \"yes\"", ""),
        &[("8:11", "wrong type for `replays`", "`true` or `false`")],
    );
    let topics = "[\"c\", \"https://site.example/books/{id}\"]";
    check(&board("mercure", topics, "", ""), &[]);
    check(&board("mercure", "[\"c\"]", "", "channels = \"c\""), &[]);
    let mixed = [("12:12", "updates of Mercure don't say which topic they have", "a source of its own")];
    check(&board("mercure", topics, "", "channels = \"c\""), &mixed);
}

#[test]
fn conditions() {
    let on = |condition: &str| widget(&format!("kind = \"counter\"\nwhere = {condition}"));
    check_both(&on("\"x\""), &[("11:9", "wrong type for `where`", "a table of paths")]);
    check_both(&on("{}"), &[("11:9", "no condition", "")]);
    check_both(&on("{ a = [] }"), &[("11:15", "0 values", "an array of 1 to 100")]);
    check_both(&on("{ a = [[1]] }"), &[("11:16", "wrong type for `a`: found an array", "")]);
    check(&on("{ a = 1979-05-27 }"), &[("11:15", "found the date or time", "")]);
    check(&on("{ a = nan }"), &[("11:15", "out of range", "a finite number")]);
    check_both(&on("{ a = {} }"), &[("11:15", "no condition", "")]);
    check(&on("{ \"a..b\" = 1 }"), &[("11:14", "malformed path for `a..b`: two dots", "")]);
    check(
        &on("{ \"a.b\" = 1, a = { b = 2 } }"),
        &[("11:32", "a second condition for `b`", "found the integer 2, expected one condition on `a.b`")],
    );
    let many: String = (0..33).map(|number| format!("k{number} = 1, ")).collect();
    check_both(&on(&format!("{{ {many} }}")), &[("11:9", "33 conditions", "1 to 32")]);
}

#[test]
fn states_bands_columns_and_maps() {
    let log = |lines: &str| widget(&format!("kind = \"log\"\ntext = \"a\"\nstate = \"s\"\n{lines}"));
    check_both(
        &log("states = { a = \"alram\" }"),
        &[("13:16", "unknown word `alram` for `a`", "did you mean `alarm`?")],
    );
    check_both(&log("states = {}"), &[("13:10", "0 words", "")]);
    check_both(&log("states = \"alarm\""), &[("13:10", "wrong type for `states`", "")]);
    let bands = |bands: &str| widget(&format!("kind = \"counter\"\nbands = {bands}"));
    check(
        &bands("[{ from = 3, to = 3, state = \"alarm\" }]"),
        &[("11:10", "a band without extent", "`from` below `to`")],
    );
    check(
        &bands("[{ to = 3, state = \"alarm\" }, { from = 2, state = \"muted\" }]"),
        &[("11:9", "overlapping bands", "")],
    );
    check_both(
        &bands("[{ from = 3, sate = \"alarm\" }]"),
        &[("11:10", "`state` is missing", ""), ("11:22", "unknown key `sate` in `bands`", "did you mean `state`?")],
    );
    check_both(&bands("[]"), &[("11:9", "0 entries", "")]);
    let table = |columns: &str| widget(&format!("kind = \"table\"\nkey = \"k\"\ncolumns = {columns}"));
    check_both(&table("[\"a\"]"), &[("12:12", "wrong type for `columns`", "expected a table with `path`")]);
    check_both(
        &table("[{ path = \"a\", decimals = 2 }]"),
        &[("12:26", "`decimals` has no use with `format = \"text\"`", "")],
    );
    check(
        &table("[{ path = \"a\", format = \"state\" }]"),
        &[("12:12", "`format = \"state\"` in a table without `state`", "")],
    );
    parse(&table("[{ path = \"a\", format = \"ago\" }, { path = \"b\", format = \"until\" }]"), "f").expect("a board");
    check_both(
        &table("[{ path = \"a\", format = \"since\" }]"),
        &[("12:35", "unknown word `since`", "`ago`, `until`")],
    );
    check_both(&table("[{ path = \"a\", width = 0 }]"), &[("12:34", "out of range", "0.1 to 20")]);
    let map = |lines: &str| widget(&format!("kind = \"markers\"\nkey = \"k\"\nlat = \"a\"\nlon = \"b\"\n{lines}"));
    for bounds in [
        "[0, 0, 1]",
        "[0, 0, 0, 1]",
        "[0, 1, 1, 0]",
        "[-181, 0, 1, 1]",
        "[0, 0, 1, 91]",
        "[\"0\", 0, 1, 1]",
        "[nan, 0, 1, 1]",
    ] {
        check(&map(&format!("bounds = {bounds}")), &[("14:10", "impossible bounds", "[west, south, east, north]")]);
    }
    check_both(&map("places = [{ name = \"X\", lat = 91, lon = 0 }]"), &[("14:31", "out of range", "-90 to 90")]);
    check(&map("glide = \"2m\""), &[("14:9", "out of range", "0s to 1m")]);
    check(&map("trail = \"9s\""), &[("14:9", "out of range", "10s to 1d")]);
    check_both(&map("icon = \"t\"\nicons = { van = \"bus\" }"), &[("15:17", "unknown word `bus`", "`car`")]);
    check(&map("icon = \"t\""), &[("8:1", "`icons` is missing", "")]);
    check(&map("icons = { van = \"car\" }"), &[("8:1", "`icon` is missing", "`icons = { \"*\" = \"ship\" }`")]);
    check(&map("icons = { \"*\" = \"ship\" }"), &[]);
}

/// What a layer's file says is told at the key that names it; what a fence means must be in it.
#[test]
fn layers_and_fences_of_maps() {
    const AREAS: &str = r#"{"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": "Depot"}, "geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}},
        {"type": "Feature", "properties": {"name": "Way"}, "geometry": {"type": "LineString", "coordinates": [[0,0],[1,0]]}}]}"#;
    let beside = |file: &str| match file {
        "a.geojson" => Ok(AREAS.to_owned()),
        "bad.geojson" => {
            Ok(r#"{"type": "Feature", "properties": null, "geometry": {"type": "Point", "coordinates": [1]}}"#
                .to_owned())
        }
        _ => Err("there is no such file".to_owned()),
    };
    let map = |lines: &str| widget(&format!("kind = \"markers\"\nkey = \"k\"\nlat = \"a\"\nlon = \"b\"\n{lines}"));
    let fenced =
        |fence: &str| map(&format!("layers = [{{ file = \"a.geojson\", label = \"name\" }}]\nfences = [{fence}]"));
    let all = |text: &str| match parse_beside(text, "f", &beside) {
        Ok(_) => String::new(),
        Err(errors) => errors.lines().join("\n"),
    };
    for (text, expected) in [
        (
            map("layers = [{ file = \"none\" }]"),
            "14:20: `none` can't be read: found there is no such file, expected a file of GeoJSON beside the board",
        ),
        (
            map("layers = [{ file = \"bad.geojson\" }]"),
            "14:20: `bad.geojson` is wrong at geometry.coordinates: found `[1]`, expected `[longitude, latitude]`",
        ),
        (map("layers = [{ file = \"a.geojson\", state = \"kind\" }]"), "`states` is missing"),
        (fenced("{ layer = \"a.geojson\", state = \"alarm\" }"), ""),
        (
            fenced("{ layer = \"b.geojson\", state = \"alarm\" }"),
            "no layer `b.geojson`: found `b.geojson`, expected the `file` of one of `layers`; did you mean `a.geojson`?",
        ),
        (
            fenced("{ layer = \"a.geojson\", area = \"Depto\", state = \"alarm\" }"),
            "no area `Depto` in `a.geojson`: found 2 features",
        ),
        (fenced("{ layer = \"a.geojson\", area = \"Way\", state = \"alarm\" }"), "no area `Way` in `a.geojson`"),
        (fenced("{ layer = \"a.geojson\", name = \"X\", state = \"alarm\" }"), "`area` is missing"),
        (
            fenced("{ name = \"X\", state = \"alarm\" }"),
            "`layer` is missing in `fences`: found nothing, expected one of `layer`, `circle` and `polygon`",
        ),
        (fenced("{ polygon = [[0, 0], [1, 0], [1, 1]], state = \"alarm\" }"), "`name` is missing"),
        (fenced("{ name = \"X\", polygon = [[0, 0], [1, 0], [0, 0]], state = \"alarm\" }"), "2 corners for `polygon`"),
        (fenced("{ name = \"X\", polygon = [[0, 0], [1, 95], [1, 1]], state = \"alarm\" }"), "no corner for `polygon`"),
        (
            fenced("{ name = \"X\", circle = { lat = 1, lon = 1, radius = \"500\" }, state = \"alarm\" }"),
            "no distance for `radius`",
        ),
        (
            fenced(
                "{ name = \"X\", circle = { lat = 1, lon = 1, radius = \"1nmi\" }, layer = \"a.geojson\", state = \"alarm\" }",
            ),
            "a fence of two areas",
        ),
        (
            fenced("{ name = \"X\", circle = { lat = 1, lon = 1, radius = \"1nmi\" }, state = \"muted\" }"),
            "unknown word `muted`",
        ),
    ] {
        let said = all(&text);
        assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{text}\n{said}");
    }
    let file = parse_beside(&fenced("{ layer = \"a.geojson\", state = \"alarm\" }"), "f", &beside).expect("a board");
    let crate::frame::Look::Markers { layers, fences, .. } = &file.widgets[0].look else { panic!("no map") };
    // The fence has the area's name, and the line keeps its own.
    let names: Vec<_> = layers[0].shapes.iter().map(|shape| shape.name.as_deref()).collect();
    assert_eq!((names, fences[0].name.as_str()), (vec![None, Some("Way")], "Depot"));
}

#[test]
fn orders_and_cells_of_tables() {
    let table = |lines: &str| widget(&format!("kind = \"table\"\nkey = \"k\"\n{lines}"));
    let column = |rest: &str| table(&format!("columns = [{{ path = \"a\", {rest} }}]"));
    let sorted = |sort: &str| table(&format!("columns = [{{ path = \"a\" }}]\nsort = {sort}"));
    for sort in ["\"-a\"", "[\"-a\", \"b\"]", "[\"a.b\"]"] {
        parse(&sorted(sort), "f").expect("a board");
    }
    check(&sorted("[\"-a\", \"b\", \"a\"]"), &[("13:20", "sorted twice by the same path", "found `a`")]);
    check_both(&sorted("[]"), &[("13:8", "0 paths", "1 to 4 paths")]);
    check_both(&sorted("[\"a\", 5]"), &[("13:14", "wrong type for `sort`", "")]);
    check_both(
        &column("format = \"text\", bands = [{ from = 1, state = \"alarm\" }]"),
        &[("12:43", "`bands` has no use with `format = \"text\"`", "or `format = \"number\"` or `format = \"bar\"`")],
    );
    check_both(
        &column("format = \"number\", icons = { a = \"flag\" }"),
        &[("12:45", "`icons` has no use with `format = \"number\"`", "")],
    );
    check_both(
        &column("format = \"number\", max = 5"),
        &[("12:45", "`max` has no use with `format = \"number\"`", "`format = \"bar\"`")],
    );
    check(&column("format = \"bar\", min = 5"), &[("12:12", "a bar without extent", "found `min` 5 and `max` 1")]);
    check_both(
        &column("icons = { a = \"flagg\" }"),
        &[("12:40", "unknown word `flagg` for `a`", "did you mean `flag`?")],
    );
    check_both(&column("icons = {}"), &[("12:34", "0 words", "1 to 100 words")]);
    check_both(&column("icons = \"flag\""), &[("12:34", "wrong type for `icons`", "")]);
    check(&table("columns = [{ path = \"a\" }]\ngroup = \"a..b\""), &[("13:12", "malformed path for `group`", "")]);
}

#[test]
fn buckets() {
    let series =
        |bucket: &str, keep: &str| widget(&format!("kind = \"series\"\nbucket = \"{bucket}\"\nkeep = \"{keep}\""));
    check(&series("7m", "1h"), &[("11:10", "`bucket` does not divide a day", "the next shorter one is `6m40s`")]);
    check(&series("1001ms", "1h"), &[("11:10", "`bucket` does not divide a day", "`1s`")]);
    check(&series("333ms", "1m"), &[("11:10", "`bucket` does not divide a day", "`320ms`")]);
    check(&series("99ms", "1m"), &[("11:10", "out of range", "100ms to 1d")]);
    check(&series("250ms", "1m"), &[]);
    check(&series("1m", "30s"), &[("12:8", "`keep` is 0 times `bucket`", "1m to 1d9h20m")]);
    check(&series("1m", "2d"), &[("12:8", "`keep` is 2880 times `bucket`", "1m to 1d9h20m")]);
}

#[test]
fn places() {
    let place = |column: u32, row: u32, width: u32, height: u32| {
        format!("place = {{ column = {column}, row = {row}, width = {width}, height = {height} }}\n")
    };
    check(
        &format!("{SMALL}{}", place(12, 1, 2, 1)),
        &[(
            "11:9",
            "`place` of `[[widget]]` `w` lies outside the grid",
            "found columns 12 to 13, row 1, expected columns 1 to 12, rows 1 to 8",
        )],
    );
    check(&format!("{SMALL}{}", place(1, 8, 1, 2)), &[("11:9", "lies outside the grid", "rows 8 to 9")]);
    check_both(&format!("{SMALL}{}", place(0, 1, 1, 1)), &[("11:20", "out of range", "")]);
    let second = "[[widget]]\nid = \"v\"\nkind = \"counter\"\n";
    check(
        &format!("{SMALL}{}{second}{}", place(1, 1, 3, 2), place(3, 2, 1, 1)),
        &[(
            "15:9",
            "`place` of `[[widget]]` `v` overlaps that of `[[widget]]` `w`",
            "cells outside columns 1 to 3, rows 1 to 2",
        )],
    );
    let tiny = edit("\"T\"", "\"T\"\ngrid = { columns = 1, rows = 1 }");
    check(
        &format!("{tiny}{second}"),
        &[("12:1", "no free cell for `[[widget]]` `v`", "found 1 free cells for 2 widgets")],
    );
}
