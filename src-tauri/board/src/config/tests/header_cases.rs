//! `headers` and `token-header`: what is said to a source with each request, and that no secret is (H8).

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
};
use crate::config::spec::SourceSpec;

/// The small board, of a kind, whose source has these lines too, from line 7 on.
fn of(kind: &str, lines: &str) -> String {
    let url = if kind == "websocket" { "wss://h" } else { "https://h" };
    let board = SMALL.replace("\"hub\"", &format!("\"{kind}\"")).replace("http://h", url);
    board.replacen("channels", &format!("{lines}\nchannels"), 1)
}

fn with(lines: &str) -> String {
    of("sse", lines)
}

fn source(board: &str) -> SourceSpec {
    parse(board, "f").unwrap_or_else(|errors| panic!("{errors}")).sources.remove(0)
}

const KINDS: [&str; 4] = ["sse", "long-poll", "poll", "websocket"];
const TOKEN: &str = "token = { env = \"T\" }\n";

#[test]
fn headers_are_read() {
    for kind in KINDS {
        assert!(source(&of(kind, "")).headers.is_empty());
        let lines = "headers = { \"X-Tenant\" = \"north east\", Accept-Language = \"de\" }";
        let headers: Vec<(String, String)> = source(&of(kind, lines)).headers.into_iter().collect();
        let expected = [("accept-language", "de"), ("x-tenant", "north east")];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let dotted = source(&with("headers.Origin = \"https://app.example.net\"\nheaders.Referer = \"https://h/?v=1\""));
    assert_eq!(dotted.headers.len(), 2);
    let longest = format!("headers = {{ {} = \"{}\" }}", "x".repeat(100), "v".repeat(1000));
    assert_eq!(source(&with(&longest)).headers.len(), 1);
}

#[test]
fn headers_that_cannot_be_sent() {
    check_both(&with("headers = \"X: y\""), &[("7:11", "wrong type for `headers`", "a table of 1 to 16 headers")]);
    check_both(&with("headers = { }"), &[("7:11", "0 headers for `headers`", "1 to 16")]);
    let many: Vec<String> = (0..17).map(|number| format!("X-{number} = \"v\"")).collect();
    let many = format!("headers = {{ {} }}", many.join(", "));
    check_both(&with(&many), &[("7:11", "17 headers for `headers`", "1 to 16")]);
    check_both(&with("headers = { X-A = 5 }"), &[("7:19", "wrong type for `X-A`", "write it in quotes")]);
    check_both(&with("headers = { X-A = \"\" }"), &[("7:19", "empty text for `X-A`", "1 to 1000 visible ASCII")]);
    let long = format!("headers = {{ X-A = \"{}\" }}", "v".repeat(1001));
    check_both(&with(&long), &[("7:19", "too long a text for `X-A`", "1 to 1000 visible ASCII")]);
    for (value, place) in [("a\\r\\nX-B: c", "7:21"), ("a\\tb", "7:21"), ("aé", "7:21"), (" a", "7:20"), ("a ", "7:21")]
    {
        let board = with(&format!("headers = {{ X-A = \"{value}\" }}"));
        check(&board, &[(place, "a character that no header ends with or has in `X-A`", "visible ASCII")]);
    }
    let no_name = "no name of a header in `headers`";
    for name in ["", "X A", "X-A:", "é"] {
        let board = with(&format!("headers = {{ \"{name}\" = \"v\" }}"));
        check(&board, &[("7:13", no_name, "such as `X-Tenant`")]);
    }
    let long = format!("headers = {{ {} = \"v\" }}", "x".repeat(101));
    check_both(&with(&long), &[("7:13", no_name, "1 to 100 of")]);
    let twice = "headers = { X-Tenant = \"a\", x-tenant = \"b\" }";
    check(&with(twice), &[("7:29", "`x-tenant` twice in `headers`", "each name once, in capitals or not")]);
}

/// What the wall says itself isn't said twice, and no answer is asked for that it couldn't read.
#[test]
fn headers_of_the_wall_itself() {
    for name in [
        "Host",
        "connection",
        "Upgrade",
        "Content-Length",
        "content-type",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Keep-Alive",
        "Proxy-Connection",
        "Proxy-Authorization",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Key",
        "Accept",
        "Accept-Encoding",
        "Cache-Control",
        "Last-Event-ID",
        "If-None-Match",
        "If-Modified-Since",
        "User-Agent",
        "Range",
    ] {
        let board = with(&format!("headers = {{ {name} = \"v\" }}"));
        check(&board, &[("7:13", &format!("the wall sets `{name}` itself"), "another header, or it left out")]);
        let board = with(&format!("{TOKEN}token-header = \"{name}\""));
        check(&board, &[("8:16", "a header that the wall sets itself for `token-header`", "such as `X-Api-Key`")]);
    }
}

#[test]
fn token_headers() {
    for kind in KINDS {
        assert_eq!(source(&of(kind, TOKEN)).token_header, None);
        for name in ["X-Api-Key", "Authorization", "Cookie"] {
            let board = of(kind, &format!("{TOKEN}token-header = \"{name}\""));
            assert_eq!(source(&board).token_header, Some(name.to_ascii_lowercase()));
        }
    }
    let lone = with("token-header = \"X-Api-Key\"");
    check_both(&lone, &[("7:1", "`token-header` has no use without `token`", "`token` beside it")]);
    check_both(&with(&format!("{TOKEN}token-header = 5")), &[("8:16", "wrong type for `token-header`", "in quotes")]);
    let both = format!("{TOKEN}headers = {{ X-Tenant = \"a\" }}\ntoken-header = \"X-TENANT\"");
    check(&with(&both), &[("9:1", "`x-tenant` is among the `headers` too", "each name once")]);
    // Where the token is a message's, only the site's own state may be shown it so.
    let sent = format!("{TOKEN}token-header = \"X-Api-Key\"\nspeak = {{ login = \"{{token}}\" }}");
    check(&of("websocket", &sent), &[("8:1", "no use where `speak` sends the `{token}`", "one of the two")]);
    let stated = format!("{sent}\nsnapshot = {{ url = \"https://h/x\", as = \"e\" }}");
    assert!(source(&of("websocket", &stated)).token_header.is_some());
}

/// Others have their own ways to say who comes.
#[test]
fn kinds_without_headers() {
    for kind in ["hub", "centrifugo", "socketio", "mercure"] {
        let board = of(kind, "headers = { X-Tenant = \"a\" }").replace("[\"c\"]", "[\"/c\"]");
        let board = if kind == "hub" { board.replace("[\"/c\"]", "[\"c\"]") } else { board };
        check(&board, &[("7:1", "`headers` has no use with", "it left out")]);
        let board = board.replace("headers = { X-Tenant = \"a\" }", &format!("{TOKEN}token-header = \"X-A\""));
        check(&board, &[("8:1", "`token-header` has no use with", "it left out")]);
    }
}

/// H8: a secret is refused by the name of its header or by its form, with where it belongs, and is not repeated: neither in its own
/// error, nor in that of what stands beside it.
#[test]
fn secrets_among_headers_are_refused() {
    let token = "token = { file = … }";
    for (name, value, help) in [
        ("X-Api-Key", "hunter2", "`token-header = \"X-Api-Key\"`"),
        ("Authorization", "hunter2", "sent as `Authorization: Bearer …`"),
        ("Cookie", "sid=hunter2", "`token-header = \"Cookie\"`"),
        ("X-Auth-Key", "hunter2", "`token-header = \"X-Auth-Key\"`"),
        ("Private-Token", "hunter2", "`token-header = \"Private-Token\"`"),
        ("X-Who", "Bearer hunter2", token),
        ("X-Who", "basic hunter2", token),
        ("X-Who", "eyJodW50ZXIy.eyJodW50ZXIy.hunter2", token),
        ("X-Who", "a=1; b=eyJodW50ZXIy.eyJodW50ZXIy.hunter2", token),
        ("Referer", "https://me:hunter2@h/", token),
        ("Referer", "https://h/?apikey=hunter2", token),
    ] {
        for quote in ['"', '\''] {
            let entry = format!("{name} = {quote}{value}{quote}");
            let place = format!("7:{}", 16 + name.len());
            let part = format!("a secret among the `headers`, as `{name}`");
            let alone = with(&format!("headers = {{ {entry} }}"));
            check(&alone, &[(&place, &part, help)]);
            let beside = with(&format!("headers = {{ Host = \"h\", {entry} }}"));
            let place = format!("7:{}", 28 + name.len());
            check(&beside, &[("7:13", "the wall sets `Host` itself", ""), (&place, &part, help)]);
            for board in [alone, beside] {
                let errors = parse(&board, "f").expect_err("refused");
                let all = format!("{errors} {:?}", errors.lines());
                assert!(!all.contains("hunter2"), "{all}");
            }
        }
    }
    for name in ["X-Api-Key: hunter2", "hunter2 ", "eyJodW50ZXIy.eyJodW50ZXIy.hunter2"] {
        let board = with(&format!("{TOKEN}token-header = \"{name}\""));
        check(&board, &[("8:16", "no name of a header for `token-header`", "`token` says where its value is kept")]);
        let errors = parse(&board, "f").expect_err("refused");
        assert!(!format!("{errors} {:?}", errors.lines()).contains("hunter2"), "{errors}");
    }
    for entry in ["\"X-Api-Key: hunter2\" = \"\"", "\"Cookie:\" = 'sid=hunter2'", "Host = 'Bearer hunter2'"] {
        let errors = parse(&with(&format!("headers = {{ {entry} }}")), "f").expect_err("refused");
        assert!(!format!("{errors} {:?}", errors.lines()).contains("hunter2"), "{errors}");
    }
}
