//! Plans that once found a defect, as small as they could be made.

use watchfloor_simulation::{plan::Plan, prove, prove_healthy};

fn hold(text: &str) {
    let plan: Plan = serde_json::from_str(text).expect("a plan");
    prove(&plan).unwrap_or_else(|story| unreachable!("{story}"));
}

fn healthy(text: &str) {
    let plan: Plan = serde_json::from_str(text).expect("a plan");
    prove_healthy(&plan).unwrap_or_else(|story| unreachable!("{story}"));
}

/// H1: an event that a poll brings may have happened long ago. It proved that its publisher lives now.
#[test]
fn a_poll_brings_what_a_dead_publisher_said() {
    hold(
        r#"{"seed":293,"span":1516769,"ladder":["poll"],"channels":1,"limit":300000,"heartbeat":15000,"quiet":30000,
        "gap":5000,"history":10000,"snapshots":true,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":{"publisher-dies":0},"from":1228685,"to":1266769}]}"#,
    );
}

/// H1: so may one that a server sends which is behind with sending.
#[test]
fn a_server_that_is_behind_sends_what_a_dead_publisher_said() {
    hold(
        r#"{"seed":7,"span":400000,"ladder":["websocket"],"channels":1,"limit":60000,"heartbeat":1000,"quiet":10000,
        "gap":60000,"history":10000,"snapshots":true,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"throttle","from":49000,"to":110000},{"fault":{"burst":60},"from":50000,"to":50001},
        {"fault":{"publisher-dies":0},"from":51000,"to":120000}]}"#,
    );
}

/// H2: between two pings a heartbeat's clock tells how old it is, on a network that is slow and lives.
#[test]
fn a_slow_network_with_rare_heartbeats_is_live() {
    for seed in [1_795_681_513_000_035_u64, 1_795_681_513_000_044] {
        healthy(&format!(
            r#"{{"seed":{seed},"span":7200000,"ladder":["websocket"],"channels":1,"limit":300000,"heartbeat":15000,"quiet":null,
            "gap":60000,"history":5,"snapshots":false,"reconcile":900000,"latency":[1875,3750],"windows":[]}}"#
        ));
    }
}

/// H2: what a link was told of its token's end while it was on trial counts when it takes over: the token is renewed in time.
#[test]
fn a_link_that_took_over_has_its_token_renewed() {
    hold(
        r#"{"seed":99,"span":3600000,"ladder":["websocket"],"channels":1,"limit":60000,"heartbeat":12000,"quiet":null,
        "gap":20000,"history":10000,"snapshots":true,"reconcile":900000,"latency":[20,200],
        "tokens":{"life":300000,"delay":50,"flaky":0,"told":"nowhere","presents":true},
        "windows":[{"fault":"half-open","from":121893,"to":121895},{"fault":"revoked","from":1286720,"to":1286722},
        {"fault":"suspend","from":1662454,"to":1665686}]}"#,
    );
}

/// H1, H5: a wait that a new token has ended doesn't open another link over the one that stands.
#[test]
fn a_new_token_ends_the_wait_for_a_try() {
    hold(
        r#"{"seed":214,"span":1308733,"ladder":["sse"],"channels":1,"limit":10000,"heartbeat":2000,"quiet":null,
        "gap":300000,"history":10000,"snapshots":true,"reconcile":300000,"latency":[20,200],
        "tokens":{"life":300000,"delay":50,"flaky":0,"told":"claim","presents":true},
        "windows":[{"fault":{"issuer":{"short":500}},"from":844941,"to":1058733}]}"#,
    );
}

/// H1: a disk that is slow keeps nothing live past the end of its token.
#[test]
fn a_slow_disk_keeps_nothing_live_past_its_token() {
    hold(
        r#"{"seed":5,"span":600000,"ladder":["websocket"],"channels":1,"limit":60000,"heartbeat":1000,"quiet":null,
        "gap":2000,"history":10000,"snapshots":true,"reconcile":null,"latency":[20,200],
        "tokens":{"life":120000,"delay":50,"flaky":0,"told":"span","presents":true},
        "windows":[{"fault":{"issuer":{"status":503}},"from":60000,"to":200000},
        {"fault":{"slow-disk":9000},"from":60000,"to":200000}]}"#,
    );
}

/// H2, H3: on a slow network one of two addresses tells the time seconds later than the other. What the later time made a window
/// forget is no difference from the server.
#[test]
fn two_slow_addresses_find_no_drift() {
    healthy(
        r#"{"seed":1795688295000090,"span":36000000,"ladder":["sse"],"channels":2,"limit":60000,"heartbeat":12000,"quiet":60000,
        "gap":5000,"history":50,"snapshots":true,"reconcile":300000,"latency":[937,3750],"lines":2,"windows":[]}"#,
    );
}

/// H2: on a slow network another link takes its time: the token is renewed early enough for it.
#[test]
fn a_slow_network_renews_its_tokens_in_time() {
    for plan in [
        r#"{"seed":16,"span":10800000,"ladder":["websocket"],"channels":3,"limit":60000,"heartbeat":12000,"quiet":null,"gap":5000,
        "history":10000,"snapshots":true,"reconcile":null,"latency":[937,3750],
        "tokens":{"life":120000,"delay":50,"flaky":0,"told":"span","presents":false},"windows":[]}"#,
        r#"{"seed":34,"span":10800000,"ladder":["sse"],"channels":2,"limit":120000,"heartbeat":15000,"quiet":120000,"gap":5000,
        "history":50,"snapshots":false,"reconcile":300000,"latency":[1875,3750],
        "tokens":{"life":120000,"delay":50,"flaky":0,"told":"claim","presents":false},"windows":[]}"#,
    ] {
        healthy(plan);
    }
}
