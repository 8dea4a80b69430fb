//! What a reader of the log is made to believe.

use crate::{
    Group,
    target::{APP_SECRET, PUBLISH, READ, Target},
};

pub(crate) fn attack(target: &Target, group: &mut Group<'_>) {
    let forged = "%0a2026-01-01T00:00:00Z ERROR watchfloor: forged";
    let tries = [
        target.get(&format!("/v1/poll?cursor={}", forged.replace(' ', "%20")), Some(READ)),
        target.request("GET /v1/health", &[("user-agent", "x\u{1b}[2J\u{1b}[31m forged")], ""),
        target.post(
            "/v1/publish",
            Some(PUBLISH),
            "{\"channel\": \"a\\u000aERROR forged\", \"name\": \"n\", \"data\": 1}",
        ),
        target.post("/v1/publish", Some("a\u{1b}[2Jforged"), "{}"),
    ];
    assert!(tries.iter().filter(|result| result.starts_with('4')).count() >= 3, "{tries:?}");
    let log = target.log();
    let lines_of_its_own =
        log.lines().filter(|line| line.contains("forged") && !line.contains("watchfloor_hub")).count();
    let result = |holds: bool| if holds { "nothing of the kind in the log" } else { "it is in the log" }.to_owned();
    let nothing = "nothing of the kind in the log";
    group.comes_to("lines that others wrote, by address, body and header", result(lines_of_its_own == 0), nothing);
    group.comes_to("what moves a terminal's cursor", result(!log.contains('\u{1b}')), nothing);
    let secrets = [PUBLISH, READ, APP_SECRET, "0123456789abcdef0123456789abcdef"];
    group.comes_to(
        "secrets, at the level `debug`",
        result(secrets.iter().all(|secret| !log.contains(secret))),
        nothing,
    );
    group.comes_to("tokens that were presented", result(!log.contains("eyJ")), nothing);
}
