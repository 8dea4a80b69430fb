//! H8: attacks on a hub of its own process, with everything that a site may configure. The table of docs/security.md is what comes of them here.

mod floods;
mod frames;
mod framing;
mod logs;
mod names;
mod pages;
mod proxied;
mod pusher;
mod sizes;
mod slow;
mod target;
mod tokens;

use std::{fmt::Write as _, path::Path};

use target::Target;

/// What was tried, and what came of it.
#[derive(Debug)]
struct Attack {
    group: &'static str,
    what: &'static str,
    result: String,
}

/// All of one kind.
struct Group<'a> {
    name: &'static str,
    attacks: &'a mut Vec<Attack>,
    /// Those that weren't held off.
    succeeded: &'a mut Vec<String>,
}

impl Group<'_> {
    /// It must be refused.
    fn refused(&mut self, what: &'static str, result: String) {
        let refusals = ["4", "50", "closed", "pusher:error", "refused"];
        self.judge(what, refusals.iter().any(|refusal| result.starts_with(refusal)), result);
    }

    /// It must come to this, which hurts nobody.
    fn comes_to(&mut self, what: &'static str, result: String, expected: &str) {
        self.judge(what, result == expected, result);
    }

    /// Whether it is held off.
    fn judge(&mut self, what: &'static str, holds: bool, result: String) {
        if !holds {
            self.succeeded.push(format!("{}: {what}: {result}", self.name));
        }
        self.add(what, result);
    }

    fn add(&mut self, what: &'static str, result: String) {
        self.attacks.push(Attack { group: self.name, what, result });
    }
}

/// All attacks of a kind.
type Tried = fn(&Target, &mut Group<'_>);

/// Set to write the table of the documentation again.
const REFRESH: &str = "WATCHFLOOR_REFRESH";
const BEGINS: &str = "| what | tried | result |\n| --- | --- | --- |\n";

#[test]
fn what_comes_of_attacks() {
    let target = Target::start();
    let (mut attacks, mut succeeded) = (Vec::new(), Vec::new());
    let groups: [(&'static str, Tried); 12] = [
        ("readers' tokens", tokens::attack),
        ("Pusher's signatures", pusher::attack),
        ("pages and names of this machine", pages::attack),
        ("names and places", names::attack),
        ("what readers say", frames::attack),
        ("sizes", sizes::attack),
        ("framing and smuggling", framing::attack),
        ("through nginx", proxied::by_nginx),
        ("through HAProxy", proxied::by_haproxy),
        ("slowness", slow::attack),
        ("floods", floods::attack),
        ("logs", logs::attack),
    ];
    for (name, attack) in groups {
        attack(&target, &mut Group { name, attacks: &mut attacks, succeeded: &mut succeeded });
        target.is_well(name);
    }
    assert!(succeeded.is_empty(), "{succeeded:#?}");
    assert!(attacks.len() >= 60, "{}", attacks.len());
    let mut table = BEGINS.to_owned();
    for Attack { group, what, result } in &attacks {
        // A table of Markdown has its bars for itself.
        let _ = writeln!(table, "| {group} | {} | {} |", what.replace('|', "\\|"), result.replace('|', "\\|"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/security.md");
    let page = std::fs::read_to_string(&path).expect("docs/security.md").replace("\r\n", "\n");
    let (before, rest) = page.split_once(BEGINS).expect("its table");
    let after = rest.find("\n\n").map_or("\n", |at| &rest[at..]);
    let written = format!("{before}{}{after}", table.trim_end());
    if std::env::var_os(REFRESH).is_some() {
        std::fs::write(path, written).expect("written");
    } else {
        assert_eq!(page, written, "docs/security.md: run this test with {REFRESH}=1");
    }
}
