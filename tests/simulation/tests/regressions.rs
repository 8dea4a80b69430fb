//! Plans that once found a defect, as small as they could be made.

use watchfloor_simulation::{plan::Plan, prove, prove_healthy};

fn hold(text: &str) {
    let plan: Plan = serde_json::from_str(text).expect("a plan");
    prove(&plan).unwrap_or_else(|story| unreachable!("{story}"));
}

/// The same plan by one dialect after the other.
fn hold_by(dialects: &[&str], text: &str) {
    dialects.iter().for_each(|dialect| hold(&text.replace("DIALECT", dialect)));
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

/// H5: where there is no snapshot to compare with, a comparison that is sought after a restart must not be due for ever.
#[test]
fn what_can_not_be_compared_is_not_due() {
    hold_by(
        &["pusher", "centrifugo", "mqtt"],
        r#"{"seed":2,"dialect":"DIALECT","span":255002,"ladder":["websocket"],"channels":1,"limit":10000,"heartbeat":2000,
        "quiet":null,"gap":5000,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"crash","from":5000,"to":5002}]}"#,
    );
}

/// H2: an answer to a long poll says that its publisher lives: what it brings was not there when the one before was asked for.
#[test]
fn a_long_poll_hears_its_publisher() {
    healthy(
        r#"{"seed":1,"dialect":"long-poll","span":600000,"ladder":["long-poll"],"channels":1,"limit":60000,"heartbeat":12000,
        "quiet":60000,"gap":60000,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],"windows":[]}"#,
    );
}

/// H1, H3: a message of a bare WebSocket that is no JSON may have been an event: it is told that one may be missing, also where messages
/// are numbered and the next one is long in coming.
#[test]
fn a_message_that_is_damaged_is_missing() {
    for (seed, gap) in (0..18).flat_map(|seed| [(seed, 2000), (seed, 20_000)]) {
        hold(&format!(
            r#"{{"seed":{seed},"dialect":"websocket","span":290000,"ladder":["websocket"],"channels":2,"limit":5000,"heartbeat":1000,
            "quiet":null,"gap":{gap},"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
            "windows":[{{"fault":"garbled","from":5000,"to":30000}}]}}"#
        ));
    }
}

/// H3: of two channels one has a hole in what is held until the other is subscribed: what came before the hole isn't dropped.
#[test]
fn a_hole_in_what_is_held_drops_nothing() {
    hold(
        r#"{"seed":133,"dialect":"websocket","span":258309,"ladder":["websocket"],"channels":2,"limit":5000,"heartbeat":1000,
        "quiet":null,"gap":200,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"suspend","from":5000,"to":5002},{"fault":"bad-events","from":7343,"to":8309}]}"#,
    );
}

/// H1, H3: a clock that is set back by an hour, and a crash: what comes after it has the later time. The story isn't turned around, and
/// no row expires that came just now.
#[test]
fn a_clock_that_was_set_back_before_a_crash_turns_nothing_around() {
    hold_by(
        &["websocket", "nats", "centrifugo"],
        r#"{"seed":1028,"dialect":"DIALECT","span":254390,"ladder":["websocket"],"channels":1,"limit":5000,"heartbeat":1000,
        "quiet":null,"gap":2000,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":{"clock-step":-3600},"from":1917,"to":1919},{"fault":"crash","from":2383,"to":4390}]}"#,
    );
}

/// H1: what a stalled server held back comes first, although its pings are answered; nothing is live by it yet.
#[test]
fn what_a_stalled_server_held_back_proves_nothing() {
    hold(
        r#"{"seed":113,"dialect":"centrifugo","span":265296,"ladder":["websocket"],"channels":1,"limit":5000,
        "heartbeat":1000,"quiet":null,"gap":200,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"stall","from":5000,"to":15296}]}"#,
    );
    hold(
        r#"{"seed":154,"dialect":"centrifugo","span":265412,"ladder":["websocket"],"channels":1,"limit":5000,
        "heartbeat":1000,"quiet":null,"gap":500,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"mute","from":9218,"to":15412}]}"#,
    );
}

/// H1: after a pause of this program, or a short sleep of the machine, what was in the queue comes first; an event stream that tells no time is
/// no younger than its silence until a heartbeat has passed.
#[test]
fn what_waited_in_the_queue_is_old() {
    hold(
        r#"{"seed":101,"dialect":"sse","span":267530,"ladder":["sse"],"channels":1,"limit":5000,"heartbeat":1000,
        "quiet":15000,"gap":500,"history":1000000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"suspend","from":1358,"to":1360},{"fault":{"burst":10},"from":4507,
        "to":4509},{"fault":"pause","from":11521,"to":13956},{"fault":"suspend","from":16284,"to":17530}]}"#,
    );
    hold(
        r#"{"seed":124,"dialect":"sse","span":275540,"ladder":["sse"],"channels":1,"limit":5000,"heartbeat":1000,
        "quiet":null,"gap":2000,"history":1000000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"crash","from":394,"to":1100},{"fault":"pause","from":12859,"to":25540}]}"#,
    );
    hold(
        r#"{"seed":145,"dialect":"mercure","span":262881,"ladder":["sse"],"channels":1,"limit":5000,"heartbeat":1000,
        "quiet":null,"gap":200,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"cut","from":2703,"to":4297},{"fault":"crash","from":4779,"to":6109},{"fault":"suspend",
        "from":11409,"to":12881}]}"#,
    );
}

/// H1: a proxy held the stream back for so long that what is replayed comes late: it is replayed all the same.
#[test]
fn a_replay_that_was_held_back_is_one() {
    hold(
        r#"{"seed":205,"dialect":"mercure","span":1913859,"ladder":["sse"],"channels":1,"limit":10000,"heartbeat":2000,
        "quiet":60000,"gap":5000,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "tokens":{"life":1800000,"delay":50,"flaky":0,"told":"span","presents":false},"windows":[{"fault":"crash",
        "from":657114,"to":657896},{"fault":"held-stream","from":1497244,"to":1663859}]}"#,
    );
}

/// H1: a state that a cache had kept doesn't hold the source's clock back.
#[test]
fn a_late_state_doesnt_hold_the_clock_back() {
    hold(
        r#"{"seed":238,"span":1182338,"ladder":["poll"],"channels":1,"limit":5000,"heartbeat":1000,"quiet":null,
        "gap":300000,"history":10000,"snapshots":true,"reconcile":300000,"latency":[20,200],
        "windows":[{"fault":{"slow":8000},"from":91449,"to":122748},{"fault":"stale-snapshot","from":918778,
        "to":932338}]}"#,
    );
}

/// H1, H3: a stream of Redis that was made anew and has had exactly as many entries as the old one is another one all the same: it ends
/// in another entry. It is followed from there on, behind a gap, like one that has had fewer.
#[test]
fn a_stream_made_anew_with_as_many_entries_is_another() {
    hold(
        r#"{"seed":30,"dialect":"redis","span":262682,"ladder":["tcp"],"channels":2,"limit":5000,"heartbeat":1000,"quiet":15000,
        "gap":2000,"history":1000000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":{"restart":{"epoch":true,"empty":false}},"from":5000,"to":12682}]}"#,
    );
    hold(
        r#"{"seed":103,"dialect":"redis","span":260234,"ladder":["tcp"],"channels":2,"limit":5000,"heartbeat":1000,"quiet":15000,
        "gap":2000,"history":1000000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":{"epoch":{"empty":false}},"from":8081,"to":8083},
        {"fault":{"restart":{"epoch":true,"empty":false}},"from":10118,"to":10234}]}"#,
    );
}

/// H1: an entry that can't be read, among what a wall catches up with, doesn't make live what is still to come behind it.
#[test]
fn what_can_not_be_read_ends_no_catching_up() {
    hold(
        r#"{"seed":133,"dialect":"redis","span":267999,"ladder":["tcp"],"channels":1,"limit":5000,"heartbeat":1000,"quiet":null,
        "gap":200,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"suspend","from":5000,"to":17999},{"fault":"bad-events","from":7343,"to":7586}]}"#,
    );
}

/// H1: how long a token is still good counts from when the server said so, not from when that was heard on a slow connection.
#[test]
fn a_tokens_life_is_not_as_long_as_the_way_is_slow() {
    hold(
        r#"{"seed":90097,"span":483509,"ladder":["websocket"],"channels":1,"limit":300000,"heartbeat":15000,
        "quiet":null,"gap":300000,"history":10000,"snapshots":true,"reconcile":null,"latency":[20,200],
        "tokens":{"life":120000,"delay":50,"flaky":0,"told":"span","presents":true},"windows":[{"fault":{"slow":8000},
        "from":5000,"to":233509}]}"#,
    );
    hold(
        r#"{"seed":91681,"span":2575844,"ladder":["websocket"],"channels":1,"limit":20000,"heartbeat":4000,"quiet":null,
        "gap":60000,"history":10000,"snapshots":true,"reconcile":null,"latency":[20,200],"tokens":{"life":300000,
        "delay":50,"flaky":0,"told":"nowhere","presents":true},"windows":[{"fault":{"slow-stream":3000},"from":2153448,
        "to":2238390},{"fault":{"restart":{"epoch":true,"empty":true}},"from":2210586,
        "to":2210588},{"fault":{"issuer":{"status":429}},"from":2230908,"to":2325844}]}"#,
    );
}

/// H1: what a paused program reads afterwards was said before: the server's word on how long its publisher is silent stands.
#[test]
fn what_waited_for_a_paused_program_is_no_sign_of_life() {
    hold(
        r#"{"seed":91637,"span":321936,"ladder":["websocket"],"channels":1,"limit":300000,"heartbeat":15000,
        "quiet":60000,"gap":5000,"history":10000,"snapshots":true,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":"pause","from":5000,"to":13714},{"fault":{"publisher-dies":0},"from":15260,"to":71936}]}"#,
    );
}

/// H1, H3: the first that comes of a stream that was held up is as old as the silence: no window slides on by it.
#[test]
fn the_first_of_a_held_up_stream_is_old() {
    hold(
        r#"{"seed":91110,"span":1151988,"ladder":["sse"],"channels":1,"limit":30000,"heartbeat":6000,"quiet":null,
        "gap":5000,"history":10000,"snapshots":true,"reconcile":300000,"latency":[20,200],
        "windows":[{"fault":"held-stream","from":876453,"to":901988}]}"#,
    );
}

/// H1: a server that is behind gets no time to catch up once the wall isn't live any more: after a pause of the program, say.
#[test]
fn nothing_is_live_again_before_it_has_caught_up() {
    hold(
        r#"{"seed":94020,"span":1714695,"ladder":["poll"],"channels":2,"limit":30000,"heartbeat":6000,"quiet":null,
        "gap":5000,"history":10000,"snapshots":true,"reconcile":null,"latency":[20,200],"windows":[{"fault":"throttle",
        "from":1435249,"to":1444304},{"fault":"garbled","from":1440653,"to":1441081},{"fault":"pause","from":1440815,
        "to":1464695}]}"#,
    );
}

/// H2: where subscribing takes several answers one after the other, each has its time: a slow network isn't a dead one.
#[test]
fn each_answer_to_subscribing_has_its_time() {
    healthy(
        r#"{"seed":510000,"dialect":"jetstream","span":250000,"ladder":["tcp"],"channels":3,"limit":30000,"heartbeat":6000,
        "quiet":null,"gap":5000,"history":10000,"snapshots":false,"reconcile":null,"latency":[1875,3750],"windows":[]}"#,
    );
}

/// H2: over HTTP a ping's answer may be lost although the stream goes on. The wall waited for it for ever, and was never live again on that
/// link.
#[test]
fn a_ping_whose_answer_is_lost_is_not_waited_for() {
    for (seed, way, limit, gap, to) in
        [(36, "http-stream", 300_000, 20_000, 68_503), (121, "http-stream", 5_000, 500, 16_471)]
    {
        hold(&format!(
            r#"{{"seed":{seed},"dialect":"centrifugo","span":{},"ladder":["{way}"],"channels":1,"limit":{limit},
            "heartbeat":{},"quiet":null,"gap":{gap},"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
            "windows":[{{"fault":"truncate","from":5000,"to":{to}}}]}}"#,
            to + 250_000,
            (limit / 5).clamp(1_000, 15_000),
        ));
    }
    hold(
        r#"{"seed":144,"dialect":"centrifugo","span":272818,"ladder":["websocket","http-stream","sse"],"channels":2,
        "limit":5000,"heartbeat":1000,"quiet":null,"gap":2000,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":{"swallowed":"websocket"},"from":0,"to":7501},{"fault":"truncate","from":7894,"to":22818},
        {"fault":{"publisher-dies":1},"from":10109,"to":12967}]}"#,
    );
}

/// H2: nor is one that somebody else took, with a page for an answer: what is said to a server over HTTP is answered by nothing.
#[test]
fn what_a_login_page_answers_was_not_said() {
    hold(
        r#"{"seed":37,"dialect":"centrifugo","span":257884,"ladder":["http-stream"],"channels":1,"limit":20000,"heartbeat":4000,
        "quiet":null,"gap":5000,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":{"login":{"upgrades":false}},"from":5000,"to":7884}]}"#,
    );
    hold(
        r#"{"seed":133,"dialect":"centrifugo","span":260571,"ladder":["sse"],"channels":1,"limit":60000,"heartbeat":12000,
        "quiet":null,"gap":5000,"history":10000,"snapshots":false,"reconcile":null,"latency":[20,200],
        "windows":[{"fault":{"status":200},"from":5000,"to":10571}]}"#,
    );
}
