//! `tls`, `proxy`, and secrets that are written out (H8).

use super::{
    super::*,
    SMALL,
    cases::{check, check_both},
};
use crate::config::spec::{IdentitySpec, LoginSpec, SecretSpec, SourceSpec};

/// The small board, whose source has these lines too, from line 7 on; all its addresses are secure.
fn with(lines: &str) -> String {
    SMALL.replace("http://h", "https://h").replacen("channels", &format!("{lines}\nchannels"), 1)
}

fn source(lines: &str) -> SourceSpec {
    parse(&with(lines), "f").unwrap_or_else(|errors| panic!("{errors}")).sources.remove(0)
}

#[test]
fn tls_names_files() {
    assert_eq!(source("").tls, spec::TlsSpec::default());
    assert_eq!(source("tls = { ca = \"/a\" }").tls.ca.as_deref(), Some("/a"));
    let identity = IdentitySpec { certificate: "/c".to_owned(), key: "/k".to_owned() };
    assert_eq!(source("tls = { certificate = \"/c\", key = \"/k\" }").tls.identity, Some(identity));
    check_both(&with("tls = \"/a\""), &[("7:7", "wrong type for `tls`", "a table")]);
    check_both(&with("tls = { }"), &[("7:7", "nothing is said for `tls`", "ca = ")]);
    check(&with("tls = { ca = \"a\" }"), &[("7:14", "no usable path for `ca`", "from the root on")]);
    check_both(&with("tls = { key = \"/k\" }"), &[("7:7", "`certificate` is missing", "`key` has no use without it")]);
    check_both(&with("tls = { certificate = \"/c\" }"), &[("7:7", "`key` is missing", "may stand in one file")]);
    check_both(&with("tls = { ca = \"/a\", verify = false }"), &[("7:20", "unknown key `verify` in `tls`", "`ca`")]);
}

/// Whoever writes `tls` means it: in clear nothing of it would be done.
#[test]
fn tls_is_of_no_use_in_clear() {
    let clear = |lines: &str| with(lines).replace("https://h", "http://h");
    check(&clear("tls = { ca = \"/a\" }"), &[("7:1", "`tls` has no use with an address in clear", "`https`")]);
    let from = "tls = { ca = \"/a\" }\ntoken = { from = \"https://a/t\", secret = { env = \"A\" } }";
    check(&clear(from), &[]);
    let bus = clear("tls = { ca = \"/a\" }").replace("\"hub\"", "\"nats\"");
    check(&bus.replace("http://h", "nats://h"), &[]);
    check(&bus.replace("\"nats\"", "\"redis\"").replace("http://h", "redis://h"), &[("7:1", "in clear", "`rediss`")]);
}

#[test]
fn proxies() {
    for url in ["http://p:3128", "https://p", "socks5://[::1]:1080", "socks5://p/"] {
        let proxy = source(&format!("proxy = \"{url}\"")).proxy.expect("a proxy");
        assert_eq!((proxy.url.as_str(), proxy.login), (url, None));
    }
    let login = LoginSpec { user: "wall".to_owned(), password: SecretSpec::File("/p".to_owned()) };
    let proxy = source("proxy = { url = \"http://p\", user = \"wall\", password = { file = \"/p\" } }").proxy;
    assert_eq!(proxy.and_then(|proxy| proxy.login), Some(login));
    check_both(&with("proxy = 5"), &[("7:9", "wrong type for `proxy`", "or a table such as")]);
    check_both(&with("proxy = { }"), &[("7:9", "`url` is missing in `proxy`", "`socks5` address")]);
    check(&with("proxy = \"p:3128\""), &[("7:9", "scheme `p`", "such as `http://proxy.example.net:3128`")]);
    check(&with("proxy = \"ws://p\""), &[("7:9", "scheme `ws`", "`socks5` address")]);
    check(&with("proxy = \"socks4://p\""), &[("7:9", "scheme `socks4`", "SOCKS 5 is spoken")]);
    check(&with("proxy = \"socks5h://p\""), &[("7:9", "scheme `socks5h`", "leaves names to the proxy already")]);
    check(&with("proxy = \"http://p/x\""), &[("7:9", "path", "the host and the port alone")]);
    let lone = "proxy = { url = \"http://p\", user = \"wall\" }";
    check_both(&with(lone), &[("7:9", "`password` is missing", "`user` has no use without it")]);
    let lone = "proxy = { url = \"http://p\", password = { env = \"P\" } }";
    check_both(&with(lone), &[("7:9", "`user` is missing", "`password` has no use without it")]);
}

/// H8: wherever a secret is likely to be written out, the board is refused, says where it belongs, and doesn't repeat it.
#[test]
fn secrets_in_clear_are_refused() {
    let templates = |text: &str| {
        let board = with(&format!("speak = {{ subscribe = '{text}' }}"));
        board.replace("\"hub\"", "\"websocket\"").replace("https://h", "wss://h")
    };
    let poll = |query: &str| {
        let board = with("").replace("\"hub\"", "\"poll\"");
        board.replace("https://h", &format!("https://h/?{query}"))
    };
    for (board, place, part, help) in [
        (with("proxy = \"http://wall:hunter2@p\""), "7:9", "user or password for `proxy`", "password = { file = … }"),
        (with("proxy = \"http://p?key=hunter2\""), "7:9", "query or fragment", ""),
        (
            with("proxy = { url = \"http://p\", user = \"wall\", password = \"hunter2\" }"),
            "7:55",
            "`password` is written out",
            "write where it is kept",
        ),
        (
            with("proxy = { url = \"http://p\", user = \"wall:hunter2\", password = { env = \"P\" } }"),
            "7:36",
            "`:` in the name of a user",
            "`password` says where it is kept",
        ),
        (with("").replace("https://h", "https://me:hunter2@h"), "6:7", "user or password", "token = { file = … }"),
        (with("").replace("https://h", "https://h?key=hunter2"), "6:7", "query or fragment", "the base address alone"),
        (
            with("token = { from = \"https://a/?key=hunter2\", secret = { env = \"A\" } }"),
            "7:18",
            "query or fragment",
            "the base address alone",
        ),
        (
            with("token = { from = \"https://a:hunter2@a\", secret = { env = \"A\" } }"),
            "7:18",
            "user or password",
            "says where what is shown there is kept",
        ),
        (poll("apiKey=hunter2"), "6:7", "`apiKey` in the query", "token = { file = … }"),
        (poll("x-amz-signature=hunter2"), "6:7", "`x-amz-signature` in the query", "token = { file = … }"),
        (poll("u=eyJodW50ZXIy.eyJodW50ZXIy.hunter2"), "6:7", "`u` in the query", "token = { file = … }"),
        (
            templates("{\"op\":\"auth\",\"api_key\":\"hunter2\"}"),
            "7:23",
            "a secret is written out in `subscribe`, as `api_key`",
            "`{token}` in its place",
        ),
    ] {
        check(&board, &[(place, part, help)]);
        let errors = parse(&board, "f").expect_err("refused");
        assert!(!format!("{errors} {:?}", errors.lines()).contains("hunter2"), "{errors}");
    }
    check(&poll("v=3&since=0"), &[]);
    check(&templates("{\"op\":\"auth\",\"api_key\":\"{token}\"}"), &[]);
}
