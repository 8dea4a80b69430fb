//! The hub's file: what it says, and what is said of mistakes in it.

use super::*;
use crate::engine::EnginePlace;

const SOUND: &str = r#"
[hub]
listen = "127.0.0.1:9000"
heartbeat = "500ms"
boards = "board.toml"
publish-token = { env = "HUB_TOKEN" }

[[namespace]]
channels = ["private-team.*", "clock"]
durability = "fast"
fields = ["carrier", "aircraft.type"]
events-a-second = 100
history-events = 5
history-age = "1m"
presence = true
presence-linger = "10s"
publish = "token"

[[aggregate]]
id = "cancelled"
kind = "counter"
channels = ["flights", "delays"]
on = "cancelled"
reconcile = "https://app.example/cancelled"
reconcile-every = "1m"

[[key]]
kid = "2026-11"
algorithm = "EdDSA"
key = { file = "site.pem" }

[[app]]
id = "1"
key = "wall"
secret = { file = "app.secret" }
client-events = true
origins = ["https://app.example"]
webhook = "https://app.example/webhook"
webhook-events = "channel_vacated"

[engine]
redis = "redis://127.0.0.1:6379/2"
password = { env = "REDIS_PASSWORD" }
replicas = 1
"#;

#[test]
fn what_it_says() {
    let file = parse(SOUND, "hub.toml").expect("sound");
    assert_eq!(file.hub.listen.map(|address| address.port()), Some(9000));
    assert_eq!(file.hub.heartbeat, Some(Duration::from_millis(500)));
    assert_eq!(file.hub.publish_token, Some(Place::Variable("HUB_TOKEN".to_owned())));
    let channels = vec!["private-team.*".to_owned(), "clock".to_owned()];
    let fields = Some(vec!["carrier".to_owned(), "aircraft.type".to_owned()]);
    let namespace = NamespacePart {
        channels,
        durability: Some(Durability::Fast),
        fields,
        events_a_second: Some(100),
        history_events: Some(5),
        history_mib: None,
        history_age: Some(Duration::from_secs(60)),
        presence: Some(true),
        presence_linger: Some(Duration::from_secs(10)),
        publish: Publishers::Token,
        authorise: None,
    };
    assert_eq!(file.namespaces, [namespace]);
    assert_eq!(
        (file.hub.durability, file.hub.repeats),
        (Some(Durability::Durable), Some(Some(Duration::from_secs(3600))))
    );
    let aggregate = &file.aggregates[0];
    assert_eq!((&*aggregate.spec.id, &*aggregate.spec.fold.on), ("cancelled", &["cancelled".to_owned()][..]));
    assert_eq!(aggregate.spec.fold.channels, ["delays", "flights"], "sorted, as a board's");
    let reconcile = aggregate.reconcile.as_ref().map(|own| (&*own.url, own.every.as_secs(), own.lag.as_secs()));
    assert_eq!(reconcile, Some(("https://app.example/cancelled", 60, 10)));
    let key = KeyPart {
        id: Some("2026-11".to_owned()),
        signing: Some(Signing::EdDsa),
        key: Place::File("site.pem".to_owned()),
    };
    assert_eq!(file.keys, [key]);
    let app = &file.apps[0];
    assert_eq!((&*app.id, &*app.key, app.client_events), ("1", "wall", true));
    assert_eq!(app.secret, Place::File("app.secret".to_owned()));
    let webhook = Webhook { url: "https://app.example/webhook".to_owned(), events: vec![Topic::Vacated] };
    assert_eq!(app.webhook, Some(webhook));
    assert_eq!(app.origins, Origins::These(vec!["https://app.example".to_owned()]));
    let engine = file.engine.expect("an engine");
    assert_eq!(engine.place, EnginePlace::At("redis://127.0.0.1:6379/2".to_owned()));
    assert_eq!((engine.prefix.as_str(), engine.replicas, engine.keeps), ("wf", 1, None));
    assert_eq!(parse("", "hub.toml"), Ok(HubFile::default()));
    assert_eq!(file.hub.rates, Some(Rates::usual()), "what holds without a word");
    let limited = parse("[hub]\naddress-connections = 7", "hub.toml").expect("sound").hub.rates.expect("a hub");
    assert!(!limited.spares_loopback && limited.address.at_once == Some(7));
    assert_eq!(limited.address.a_second, Rates::usual().address.a_second);
    let few = parse("[hub]\nconnection-channels = 7", "hub.toml").expect("sound").hub.rates.expect("a hub");
    assert_eq!(few, Rates { channels: Some(7), ..Rates::usual() });
}

/// Bad input: each mistake with its place, what was found, what was expected, what to do. No secret is repeated (H8).
#[test]
fn mistakes() {
    for (from, to, message) in [
        (
            "\"127.0.0.1:9000\"",
            "9000",
            "hub.toml:3:10: wrong type for `listen`: found the integer 9000, expected an address",
        ),
        (
            "127.0.0.1:9000",
            "localhost",
            "hub.toml:3:10: no address for `listen`: found \"localhost\", expected an address",
        ),
        ("500ms", "1ms", "hub.toml:4:13: out of range for `heartbeat`"),
        (
            "{ env = \"HUB_TOKEN\" }",
            "\"hunter2\"",
            "hub.toml:6:17: `publish-token` is written out: found a text, expected a table",
        ),
        ("{ env = \"HUB_TOKEN\" }", "{}", "no place of the secret for `publish-token`"),
        ("client-events", "client-event", "unknown key `client-event` in `[[app]]`"),
        ("[[app]]", "[app]", "write `[[app]]`, with two brackets"),
        (
            "[[app]]",
            "[[apps]]",
            "unknown key `apps` in the hub file: found `apps`, expected `[hub]`, `[[namespace]]`, `[[aggregate]]`, `[[key]]`, `[[app]]`, `[engine]` or `[[from-redis]]`",
        ),
        ("\"EdDSA\"", "\"none\"", "for `algorithm`: found \"none\""),
        ("id = \"1\"\n", "", "`id` is missing in `[[app]]`"),
        ("[\"https://app.example\"]", "[\"app.example\"]", "no origin for `origins`"),
        ("\"counter\"", "\"clock\"", "unknown word `clock` for `kind`"),
        ("\"counter\"", "\"rate\"", "`last` is missing in `[[aggregate]]` `cancelled`"),
        ("\"counter\"", "\"tally\"\nby = \"carrier\"\nlast = \"1h\"", "an aggregate of this kind can't be reconciled"),
        ("on = \"cancelled\"", "place = 1", "unknown key `place` in `[[aggregate]]` `cancelled`"),
        ("reconcile = ", "# ", "`reconcile` is missing in `[[aggregate]]` `cancelled`"),
        ("[\"flights\", \"delays\"]", "[\"a\", \"a\"]", "`a` twice in `channels`"),
        ("\"wall\"", "\"a b\"", "' ' is not allowed in a name of an application"),
        ("\"fast\"", "\"quick\"", "for `durability`: found \"quick\", expected `durable`, `fast` or `memory`"),
        ("aircraft.type", "aircraft..type", "no field for `fields`"),
        ("private-team.*", "private team", "no channel for `channels`"),
        ("https://app.example/webhook", "app.example", "no address for `webhook`"),
        ("webhook =", "# ", "`webhook` is missing in `[[app]]`"),
        ("durability = \"fast\"", "authorise = \"https://app.example/may\"", "a site is asked without a secret"),
        (
            "boards = \"board.toml\"",
            "authorise = \"https://app.example/may\"",
            "`authorise-secret` is missing in `[hub]`",
        ),
        ("boards = \"board.toml\"", "recheck = \"1ms\"", "out of range for `recheck`"),
        ("listen", "secret", "`secret` belongs to `[[app]]`"),
        (
            "boards = \"board.toml\"",
            "tls = { key = \"key.pem\" }",
            "`certificate` is missing in the place of a certificate",
        ),
        ("boards = \"board.toml\"", "tls = \"cert.pem\"", "for `tls`"),
        ("boards = \"board.toml\"", "admin-tls = true", "`tls` is missing in `[hub]`"),
        (
            "boards = \"board.toml\"",
            "trusted-proxies = \"10.0.0.1/8\"",
            "no network for `trusted-proxies`: found \"10.0.0.1/8\", expected an address or a network",
        ),
        ("boards = \"board.toml\"", "proxy-header = \"via\"", "for `proxy-header`: found \"via\""),
        ("boards = \"board.toml\"", "messages-a-second = 0", "out of range for `messages-a-second`"),
        ("redis://", "redis://:hunter2@", "`redis` holds a user or a password"),
        ("redis://", "http://", "no address of Redis for `redis`"),
        ("redis =", "master =", "no place of the engine for `engine`"),
        ("replicas = 1", "sentinels = \"s:26379\"", "no place of the engine for `engine`"),
        (
            "redis = \"redis://127.0.0.1:6379/2\"",
            "sentinels = \"s\"\nmaster = \"m\"",
            "no address of a Sentinel for `sentinels`",
        ),
    ] {
        let text = SOUND.replacen(from, to, 1);
        let found = parse(&text, "hub.toml").expect_err(message);
        let lines = found.lines().join("\n");
        assert!(lines.contains(message), "{lines}");
        assert!(!format!("{found}{lines}").contains("hunter2"), "{found}");
    }
    let twice = format!("{SOUND}{}", &SOUND[SOUND.find("[[app]]").expect("there")..]);
    assert!(parse(&twice, "hub.toml").expect_err("twins").lines()[0].contains("two applications of one id"));
    let aggregate = &SOUND[SOUND.find("[[aggregate]]").expect("there")..SOUND.find("[[key]]").expect("there")];
    let twice = parse(&format!("{SOUND}{aggregate}"), "hub.toml").expect_err("twins");
    assert!(twice.lines()[0].contains("two aggregates with the id `cancelled`"), "{twice}");
}

fn docs() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hub.md");
    std::fs::read_to_string(path).expect("docs/hub.md").replace("\r\n", "\n")
}

/// Set to write the tables of the documentation again.
const REFRESH: &str = "WATCHFLOOR_REFRESH";

/// The documentation has each setting as the program has it, and its examples are good and have each of them.
#[test]
fn the_documentation() {
    let page = docs();
    let mut tables = String::new();
    for table in keys::tables() {
        let rows: Vec<String> = table.keys.iter().map(|key| key.row()).collect();
        let head = "| setting | what may stand there | if left out | what it does |\n| --- | --- | --- | --- |";
        tables.push_str(&format!("### {}\n\n{head}\n{}\n\n", table.name, rows.join("\n")));
    }
    let begins = page.find("### `[hub]`").expect("its tables");
    let ends = page[begins..].find("## Running it").expect("the next part") + begins;
    if std::env::var_os(REFRESH).is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hub.md");
        std::fs::write(path, format!("{}{tables}{}", &page[..begins], &page[ends..])).expect("written");
    } else {
        assert_eq!(&page[begins..ends], tables, "docs/hub.md: run this test with {REFRESH}=1");
    }
    let examples: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    for example in &examples {
        parse(example, "docs/hub.md").expect("a good example");
    }
    for key in keys::tables().iter().flat_map(|table| table.keys) {
        let is_there = examples.iter().any(|example| example.contains(&format!("{} =", key.name())));
        assert!(is_there, "no example has `{}`", key.name());
    }
}
