//! Who is on a channel.

use super::*;

const OWN: &str = "1a9a399a-dbd9-452c-8123-725a769c6f52";
const OTHER: &str = "538fb362-564a-48f5-9bcf-7b479e63c272";

/// Subscribed and asked who is there, of a server that hasn't answered that.
fn asked() -> Rig {
    let mut rig = Rig::new(|config| config.promises.presence = true);
    rig.feed.start(rig.now);
    begin(&mut rig);
    rig
}

fn begin(rig: &mut Rig) {
    rig.drain();
    rig.opened();
    rig.says(&format!(r#"{{"id":1,"connect":{{"client":"{OWN}","ping":25,"pong":true}}}}"#));
    assert!(rig.out.last().expect("subscribed").contains(r#""join_leave":true"#), "{:?}", rig.out);
    rig.out.clear();
    rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","positioned":true}}"#);
    assert!(rig.out.last().is_some_and(|out| out == r#"{"id":3,"presence":{"channel":"news"}}"#), "{:?}", rig.out);
    rig.out.clear();
}

fn change(kind: &str, client: &str, user: &str) -> String {
    format!(r#"{{"push":{{"channel":"news","{kind}":{{"info":{{"user":"{user}","client":"{client}"}}}}}}}}"#)
}

fn names(rig: &mut Rig) -> Vec<String> {
    let one = |line: &String| {
        let (name, rest) = line.split_once(' ')?;
        let body: serde_json::Value = serde_json::from_str(rest.get(rest.find('{')?..)?).ok()?;
        Some(format!("{name} {}", body["client"].as_str()?))
    };
    let found = rig.out.iter().flat_map(|out| out.split("; ").map(ToOwned::to_owned).collect::<Vec<_>>());
    let found: Vec<String> = found.filter_map(|line| one(&line)).collect();
    rig.out.clear();
    found
}

/// Those who are there, come and go are events, in the server's own words; the wall itself is nobody. As recorded.
#[test]
fn who_comes_and_goes() {
    let mut rig = asked();
    rig.says(&change("join", OWN, ""));
    rig.says(&format!(r#"{{"id":3,"presence":{{"presence":{{"{OWN}":{{"user":"","client":"{OWN}"}},"x":{{"user":"42","client":"x","conn_info":{{"name":"Ann"}}}}}}}}}}"#));
    rig.expect(&[r#"presence.here nowhere 1700000001000 {"client":"x","conn_info":{"name":"Ann"},"user":"42"}"#]);
    rig.says(&change("join", OTHER, "7"));
    rig.says(&change("join", OTHER, "7"));
    rig.says(&change("leave", OTHER, "7"));
    rig.says(&change("leave", OTHER, "7"));
    let tell = |name: &str| format!(r#"{name} nowhere 1700000001000 {{"client":"{OTHER}","user":"7"}}"#);
    rig.expect(&[&tell("presence.joined"), &tell("presence.left")]);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.positions["news"].to_string().as_str()), (Phase::Live, "e:0"));
    assert_eq!(status.publisher_proof, None, "nobody has published");
}

/// Who left while nobody was told is found when the server is asked again: after a cut, and now and then without one. What was told
/// since it was asked is newer than its answer.
#[test]
fn who_left_unseen() {
    let mut rig = asked();
    rig.says(r#"{"id":3,"presence":{"presence":{"a":{"user":"1","client":"a"},"b":{"user":"2","client":"b"}}}}"#);
    assert_eq!(names(&mut rig), ["presence.here a", "presence.here b"]);
    rig.closes(1006, "");
    rig.pass(Duration::from_secs(3));
    begin(&mut rig);
    rig.says(&change("join", "c", "3"));
    rig.says(r#"{"id":3,"presence":{"presence":{"b":{"user":"2","client":"b"}}}}"#);
    assert_eq!(names(&mut rig), ["presence.joined c", "presence.here b", "presence.left a"]);
    for _ in 0..70 {
        rig.says("{}");
        rig.feed.handle_input(Input::Pong { link: LinkId(rig.link) }, rig.now);
        rig.pass(Duration::from_secs(1));
    }
    let asked = rig.out.iter().filter(|out| out.contains(r#""presence""#)).count();
    assert_eq!(asked, 1, "{:?}", rig.out);
}

/// A server that doesn't tell is asked once, and what it publishes is followed all the same.
#[test]
fn a_server_that_does_not_tell() {
    let mut rig = asked();
    rig.says(r#"{"id":3,"error":{"code":108,"message":"not available"}}"#);
    let status = rig.feed.status();
    let rejection = status.last_rejection.expect("said");
    assert!(rejection.contains("who is there isn't told: not available (108)"), "{rejection}");
    assert_eq!(status.phase, Phase::Live);
    // Unasked none of it is told.
    let mut rig = Rig::live();
    rig.says(&change("join", "a", "1"));
    rig.expect(&[]);
}

/// H5: of a crowd as many are followed as can be.
#[test]
fn a_crowd() {
    let mut rig = asked();
    let crowd: Vec<String> = (0..5000).map(|n| format!(r#""{n}":{{"user":"","client":"{n}"}}"#)).collect();
    rig.says(&format!(r#"{{"id":3,"presence":{{"presence":{{{}}}}}}}"#, crowd.join(",")));
    assert_eq!(names(&mut rig).len(), 4096);
    assert!(rig.feed.status().last_rejection.expect("said").contains("more members"));
    rig.says(&change("join", "late", "1"));
    assert_eq!(names(&mut rig), Vec::<String>::new());
}
