//! A master that Sentinels name. What they say is what those of Redis 7.0.15 said.

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use super::rig::{HELLO, Rig, bulk, config, entries, exec, info, list};
use crate::{Secret, SourceConfig};

const A: &str = "1700000000000-0";
const B: &str = "1700000000000-1";
const NONE: &str = "0-0";
const FIRST: &str = "312bd8ae55376ec91fdaedf9f04746c9708a8444";
const SECOND: &str = "7c60ae4a9dc7c0a39f5a1e3b0ec8b2d1bd1f4f0a";

fn watched(channel: &str, token: Option<&str>) -> SourceConfig {
    SourceConfig {
        url: "redis-sentinel://watch.example/mymaster/2".parse().expect("an address"),
        token: token.map(Secret::new),
        ..config(&[channel])
    }
}

/// What a Sentinel says of the master and of the others.
fn named(master: &str, others: &[&str]) -> String {
    let (host, port) = master.split_once(':').expect("an address");
    let other = |address: &&str| {
        let (host, port) = address.split_once(':').expect("an address");
        let fields = ["name", "c0aca0cd9c57511f46859c41", "ip", host, "port", port, "flags", "sentinel"];
        list(&fields.map(bulk))
    };
    list(&[bulk(host), bulk(port)]) + &list(&others.iter().map(other).collect::<Vec<_>>())
}

/// What `INFO replication` says.
fn lineage(id: &str) -> String {
    bulk(&format!("# Replication\r\nrole:master\r\nmaster_replid:{id}\r\nmaster_replid2:{}\r\n", "0".repeat(40)))
}

/// Connected to the master of this history, which has read up to A.
fn live() -> Rig {
    let mut rig = Rig::open(watched("stream:s", None), None);
    rig.says(named("10.0.0.1:6380", &["10.0.0.12:26380", "[::1]x:1", "10.0.0.13:0"]));
    rig.opened();
    rig.says(HELLO);
    rig.says("+OK\r\n");
    rig.says(lineage(FIRST));
    rig.says(exec(&[info(2, NONE, A, 3, NONE)]));
    rig.says(exec(&[info(2, NONE, A, 3, NONE), entries("s", &[])]));
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig
}

/// A Sentinel is asked, and the master it names is connected to at once.
#[test]
fn the_master_is_asked_for() {
    let mut rig = live();
    rig.expect(&[
        "open redis://watch.example:26379",
        "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster",
        "SENTINEL SENTINELS mymaster",
        "close",
        "open redis://10.0.0.1:6380",
        "HELLO 3 SETNAME watchfloor",
        "SELECT 2",
        "INFO replication",
        "MULTI",
        "XINFO STREAM s",
        "EXEC",
        "MULTI",
        "XINFO STREAM s",
        &format!("XREAD COUNT 1 STREAMS s {A}"),
        "EXEC",
        "gap unknown: the server offers no snapshot",
        &format!("XREAD COUNT 1 BLOCK 1000 STREAMS s {A}"),
    ]);
    let place = rig.feed.status().positions["stream:s"].to_string();
    assert!(place.ends_with(&format!("@{A}/3@{}", &FIRST[..20])), "{place}");
}

/// The link is lost; a Sentinel that answers names this master, which is of this history.
fn failover(rig: &mut Rig, master: &str, id: &str, said: String) {
    rig.closes();
    rig.pass(Duration::from_secs(5));
    rig.opened();
    rig.says(named(master, &["10.0.0.12:26380"]));
    rig.opened();
    rig.says(HELLO);
    rig.says("+OK\r\n");
    rig.says(lineage(id));
    rig.out.clear();
    rig.says(exec(&[said]));
}

/// H3: a server that took over may lack what was read, and may have given its ids again, whatever its counts say. The same server
/// proves itself by them.
#[test]
fn what_a_failover_proves() {
    let mut rig = live();
    failover(&mut rig, "10.0.0.1:6380", FIRST, info(3, NONE, B, 4, NONE));
    assert!(rig.out.contains(&"gap proven: link lost: the connection ended".to_owned()), "{:?}", rig.out);
    let mut rig = live();
    failover(&mut rig, "10.0.0.2:6380", SECOND, info(3, NONE, B, 4, NONE));
    assert!(
        rig.out.iter().any(|line| line.starts_with("gap unknown: ") && line.contains("another server took over")),
        "{:?}",
        rig.out
    );
    rig.says(exec(&[info(3, NONE, B, 4, NONE), entries("s", &[(B, "7")])]));
    assert!(rig.out.iter().any(|line| line.ends_with(r#"{"n":7}"#)), "what it has is read: {:?}", rig.out);
    assert_eq!(rig.feed.status().continuity, Continuity::Unknown);
    // A user who may not ask for the history proves nothing.
    let mut rig = live();
    rig.closes();
    rig.pass(Duration::from_secs(5));
    rig.opened();
    rig.says(named("10.0.0.1:6380", &[]));
    rig.opened();
    rig.says(HELLO);
    rig.says("+OK\r\n-NOPERM this user has no permissions to run the 'info' command\r\n");
    rig.says(exec(&[info(3, NONE, B, 4, NONE)]));
    assert!(rig.out.iter().any(|line| line.contains("another server took over")), "{:?}", rig.out);
}

/// When a Sentinel doesn't answer, another one that it named is asked; a server that is no master is left at once.
#[test]
fn sentinels_take_turns() {
    let mut rig = live();
    let next = |rig: &mut Rig| {
        rig.out.clear();
        rig.closes();
        while !rig.out.iter().any(|line| line.starts_with("open")) {
            rig.pass(Duration::from_secs(1));
        }
        rig.out.remove(0)
    };
    let asked: Vec<String> = (0..3).map(|_| next(&mut rig)).collect();
    assert!(asked.contains(&"open redis://watch.example:26379".to_owned()), "{asked:?}");
    assert!(asked.contains(&"open redis://10.0.0.12:26380".to_owned()), "{asked:?}");
    assert!(asked.iter().all(|line| !line.contains("10.0.0.1:6380") && !line.contains("10.0.0.13")), "{asked:?}");
    next(&mut rig);
    rig.opened();
    rig.says(named("10.0.0.1:6380", &[]));
    rig.opened();
    rig.says(HELLO.replace("$6\r\nmaster", "$7\r\nreplica"));
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
    assert!(rig.cause().contains("is no master"), "{}", rig.cause());
}

/// H1: a master that becomes a replica is left, and isn't live meanwhile.
#[test]
fn a_master_that_is_demoted() {
    let mut rig = live();
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    assert!(rig.out.iter().any(|line| line == "HELLO 3"), "{:?}", rig.out);
    rig.says("_\r\n");
    rig.says("+PONG\r\n");
    rig.says(HELLO.replace("$6\r\nmaster", "$7\r\nreplica"));
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
    assert!(rig.cause().contains("no master any more"), "{}", rig.cause());
}

/// H8: the token has two passwords, and each goes where it belongs.
#[test]
fn passwords() {
    let mut rig = Rig::open(watched("news", Some("m%3Apw:s%p%25w")), None);
    rig.expect(&[
        "open redis://watch.example:26379",
        "secret AUTH s%p%w",
        "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster",
        "SENTINEL SENTINELS mymaster",
    ]);
    rig.says("+OK\r\n");
    rig.says(named("10.0.0.1:6380", &[]));
    rig.opened();
    rig.expect(&["close", "open redis://10.0.0.1:6380", "secret HELLO 3 AUTH default m:pw SETNAME watchfloor"]);
    let mut rig = Rig::open(watched("news", None), None);
    rig.says("-NOAUTH Authentication required.\r\n");
    assert!(rig.cause().contains("in the token after a colon"), "{:?}", rig.feed.status());
}

/// What a Sentinel may say instead.
#[test]
fn no_master() {
    for said in [
        "*-1\r\n",
        "_\r\n",
        "*2\r\n$3\r\na b\r\n$1\r\n1\r\n",
        "*2\r\n$1\r\na\r\n$5\r\n70000\r\n",
        "-ERR unknown command\r\n",
        "HTTP/1.1 400\r\n",
    ] {
        let mut rig = Rig::open(watched("news", None), None);
        rig.says(said);
        assert_eq!(rig.feed.status().phase, Phase::Waiting, "{said:?}");
        assert!(rig.cause().contains("the Sentinel doesn't name the master"), "{said:?}: {}", rig.cause());
    }
}
