//! Who is on a channel.

use serde_json::{Value, json};

use super::{
    RESUMED,
    rig::{Rig, attached},
};
use crate::protocols::ably::presence::MEMBERS_MAX;

const HAS_PRESENCE: u64 = 1;

fn member(action: u64, connection: &str, client: &str, id: &str, timestamp: i64) -> Value {
    json!({ "action": action, "id": id, "clientId": client, "connectionId": connection, "timestamp": timestamp })
}

/// PRESENCE is 14, a page of SYNC 16.
fn says(rig: &mut Rig, action: u64, serial: Option<&str>, members: &[Value]) {
    rig.says(&json!({ "action": action, "channel": "ops", "channelSerial": serial, "presence": members }).to_string());
}

fn here(name: &str, connection: &str, client: &str) -> String {
    format!(r#"presence.{name} nowhere {{"clientId":"{client}","connectionId":"{connection}","data":null}}"#)
}

/// H3: members are told apart by connection and client, newest wins, and numbers are compared as numbers.
#[test]
fn comes_and_goes() {
    let mut rig = Rig::live();
    let mut step = |members: &[Value], expected: &[&str]| {
        says(&mut rig, 14, None, members);
        rig.expect(expected);
    };
    step(&[member(2, "c1", "ann", "c1:9:0", 1)], &[&here("joined", "c1", "ann")]);
    step(&[member(2, "c2", "ann", "c2:0:0", 1)], &[&here("joined", "c2", "ann")]);
    step(&[member(4, "c1", "ann", "c1:10:0", 2)], &[&here("updated", "c1", "ann")]);
    step(&[member(3, "c1", "ann", "c1:9:1", 3)], &[]);
    // The server's own leave has another id: then the time decides.
    step(&[member(3, "c1", "ann", "srv:1", 1)], &[]);
    step(&[member(3, "c1", "ann", "srv:1", 2)], &[&here("left", "c1", "ann")]);
    step(&[member(3, "c1", "ann", "srv:2", 3)], &[]);
    step(&[member(0, "c3", "bob", "c3:0:0", 3), member(77, "c3", "bob", "c3:0:1", 3)], &[]);
    let mut with_data = member(2, "c4", "eve", "c4:0:0", 4);
    with_data["data"] = json!(r#"{"seat":7}"#);
    with_data["encoding"] = json!("json");
    step(&[with_data], &[r#"presence.joined nowhere {"clientId":"eve","connectionId":"c4","data":{"seat":7}}"#]);
}

/// H3: who isn't named in the whole is gone, and told once; another whole replaces one that is being told.
#[test]
fn the_whole() {
    let mut rig = Rig::live();
    says(&mut rig, 16, Some("a:1"), &[member(1, "c1", "ann", "c1:0:0", 1), member(1, "c2", "bob", "c2:0:0", 1)]);
    says(&mut rig, 16, Some("a:"), &[member(1, "c3", "cid", "c3:0:0", 1)]);
    let first = format!("{}; {}", here("here", "c1", "ann"), here("here", "c2", "bob"));
    rig.expect(&[&first, &here("here", "c3", "cid")]);
    // Not at its end: nobody is missed yet.
    says(&mut rig, 16, Some("b:1"), &[member(1, "c1", "ann", "c1:0:0", 1)]);
    says(&mut rig, 14, None, &[member(3, "c2", "bob", "c2:1:0", 2)]);
    rig.expect(&[&here("left", "c2", "bob")]);
    // An older word of one who left meanwhile doesn't bring him back.
    says(&mut rig, 16, Some("b:2"), &[member(1, "c2", "bob", "c2:0:0", 1)]);
    rig.expect(&[]);
    says(&mut rig, 16, Some("c:1"), &[member(1, "c4", "dan", "c4:0:0", 1)]);
    says(&mut rig, 16, Some("c:"), &[]);
    rig.expect(&[&here("here", "c4", "dan"), &format!("{}; {}", here("left", "c1", "ann"), here("left", "c3", "cid"))]);
    // In one page, and empty.
    says(&mut rig, 16, None, &[]);
    rig.expect(&[&here("left", "c4", "dan")]);
}

/// H3: who left while the connection was cut is told to have left when it is back.
#[test]
fn over_a_cut() {
    let mut rig = Rig::live();
    says(&mut rig, 14, None, &[member(2, "c1", "ann", "c1:0:0", 1), member(2, "c2", "bob", "c2:0:0", 1)]);
    rig.again();
    rig.out.clear();
    rig.says(&attached("s1", HAS_PRESENCE | RESUMED));
    says(&mut rig, 16, None, &[member(1, "c1", "ann", "c1:0:0", 1)]);
    assert_eq!(rig.out.pop(), Some(here("left", "c2", "bob")));
    assert!(!rig.out.join("\n").contains("ann"), "nothing new: {:?}", rig.out);
    rig.again();
    rig.out.clear();
    rig.says(&attached("s1", 0));
    assert!(rig.out.contains(&here("left", "c1", "ann")), "nobody is there: {:?}", rig.out);
}

/// H5, H8: members are bounded, and what they say of themselves is one value.
#[test]
fn bounds() {
    let mut rig = Rig::live();
    let many: Vec<Value> =
        (0..=MEMBERS_MAX).map(|number| member(2, "c1", &format!("m{number}"), "c1:0:0", 1)).collect();
    says(&mut rig, 14, None, &many);
    assert_eq!(rig.feed.status().counts.rejected, 1);
    let mut rig = Rig::live();
    let mut forged = member(2, "c1", "eve", "c1:0:0", 1);
    forged["data"] = json!(r#"1,"clientId":"ann""#);
    forged["encoding"] = json!("json");
    says(&mut rig, 14, None, &[forged, json!({ "action": 2 }), json!(1)]);
    assert_eq!(rig.feed.status().counts.rejected, 3);
    rig.expect(&[]);
}
