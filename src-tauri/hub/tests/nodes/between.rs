//! What one node takes, all have.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    publisher::{http, numbered, publish},
    reader::{Reader, Way},
    stand::{Stand, TOKEN, ask},
};

const PATIENCE: Duration = Duration::from_secs(30);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// One poll.
async fn poll(at: std::net::SocketAddr, cursor: &str) -> Value {
    let url =
        reqwest::Url::parse_with_params(&format!("http://{at}/v1/poll"), [("cursor", cursor), ("wait_ms", "5000")]);
    let (url, begun) = (url.expect("an address"), std::time::Instant::now());
    loop {
        let answer = http().get(url.clone()).send().await.expect("an answer");
        // On a busy machine a node may not know for a moment whether what it has is the newest.
        if answer.status() != StatusCode::SERVICE_UNAVAILABLE || begun.elapsed() > PATIENCE {
            assert_eq!(answer.status(), StatusCode::OK);
            return answer.json().await.expect("JSON");
        }
    }
}

/// H3: what is published at one node is read at the others, by every door, in order and with the positions that the publisher was told.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_takes_all_have() {
    let stand = Stand::new(2, "").await;
    let [first, second] = stand.addresses()[..] else { panic!("two nodes") };
    let channels = names(&["a", "b"]);
    let mut tasks = Vec::new();
    for way in [Way::WebSocket, Way::Events, Way::Poll] {
        let (reader, mut progress) = Reader::new(way, vec![second], &channels, 30);
        tasks.push(tokio::spawn(reader.run(0)));
        let begun = progress.wait_for(|progress| progress.begun == 2);
        tokio::time::timeout(PATIENCE, begun).await.expect("in time").expect("a reader");
    }
    let http = http();
    let mut all = Vec::new();
    for number in 1..=30 {
        let events = numbered(&channels, number..=number);
        let (status, body, _) = publish(&http, first, None, &events).await.expect("an answer");
        assert_eq!(status, StatusCode::OK, "{body}");
        all.push(body["positions"][0].as_str().expect("a position").to_owned());
    }
    for task in tasks {
        tokio::time::timeout(PATIENCE, task).await.expect("in time").expect("a whole sequence");
    }
    // Each place is good at the other node, also one that is older than what it has read of itself.
    let answer = poll(first, &format!("a~{}", all[9])).await;
    let positions: Vec<_> =
        answer["messages"].as_array().expect("messages").iter().map(|event| event["position"].clone()).collect();
    assert_eq!(positions, all[10..]);
    assert_eq!(answer["heartbeat"]["channels"]["a"]["head"], json!(all[29]));
}

/// H3: a reader that was away finds at any node what came meanwhile, though nobody read it there; where the history doesn't reach back, it is told.
#[tokio::test(flavor = "multi_thread")]
async fn any_node_goes_on_from_any_place() {
    let stand = Stand::new(2, "").await;
    let [first, second] = stand.addresses()[..] else { panic!("two nodes") };
    let http = http();
    let channels = names(&["a"]);
    let (_, body, _) = publish(&http, first, None, &numbered(&channels, 1..=1000)).await.expect("an answer");
    let epoch = body["positions"][0].as_str().and_then(|text| text.split(':').next()).expect("an epoch").to_owned();
    // The second node begins with the newest; who asks for more gets more, twice, and from in between.
    for from in [990, 850, 600, 0, 500, 1000] {
        let mut cursor = format!("a~{epoch}:{from}");
        let mut found = Vec::new();
        while found.len() < 1000 - from {
            let answer = poll(second, &cursor).await;
            cursor = answer["cursor"].as_str().expect("a cursor").to_owned();
            found.extend(
                answer["messages"].as_array().expect("messages").iter().map(|event| event["data"]["n"].clone()),
            );
        }
        let expected: Vec<_> = (from as u64 + 1..=1000).map(Value::from).collect();
        assert_eq!(found, expected);
    }
    assert!(ask(stand.redis.address, "XTRIM wf:{a}:s MINID 600-0").await.starts_with(':'));
    let answer = poll(first, &format!("a~{epoch}:100")).await;
    assert_eq!(answer["messages"][0]["reason"], "trimmed", "{answer}");
    // Another epoch, and a place that isn't there yet.
    assert_eq!(poll(second, "a~other:3").await["messages"][0]["reason"], "epoch-changed");
    assert_eq!(poll(second, &format!("a~{epoch}:1001")).await["messages"][0]["reason"], "ahead");
}

/// H4: a batch that is sent again with its key, to whichever node, is published once, and an event with the same id and time too.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_published_once() {
    let stand = Stand::new(2, "").await;
    let [first, second] = stand.addresses()[..] else { panic!("two nodes") };
    let http = http();
    let events = numbered(&names(&["a", "b"]), 1..=3);
    let once = publish(&http, first, Some("k"), &events).await.expect("an answer");
    let again = publish(&http, second, Some("k"), &events).await.expect("an answer");
    assert_eq!((once.0, once.2, again.0, again.2), (StatusCode::OK, false, StatusCode::OK, true));
    assert_eq!(once.1, again.1);
    let other = publish(&http, second, Some("k"), &numbered(&names(&["c"]), 1..=1)).await.expect("an answer");
    assert_eq!((other.0, &other.1["error"]["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("key-reused")));

    let told = json!([{"channel": "a", "name": "n", "id": "x", "time": 1000, "data": 1}]);
    let once = publish(&http, first, None, &told).await.expect("an answer");
    let again = publish(&http, second, None, &told).await.expect("an answer");
    assert_eq!(once.1, again.1);
    let later = json!([{"channel": "a", "name": "n", "id": "x", "time": 2000, "data": 1}]);
    assert_ne!(publish(&http, first, None, &later).await.expect("an answer").1, once.1);
    assert_eq!(ask(stand.redis.address, "XLEN wf:{a}:s").await.trim(), ":5");
}

/// H1: while the engine can't be reached nothing is told to be current: no heartbeat comes, polls and snapshots are refused, and so are publishers. Then all
/// goes on from where it was.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_live_without_the_engine() {
    let mut stand = Stand::new(1, "").await;
    let node = stand.addresses()[0];
    let http = http();
    let channels = names(&["a"]);
    let (_, body, _) = publish(&http, node, None, &numbered(&channels, 1..=1)).await.expect("an answer");
    let place = body["positions"][0].as_str().expect("a position").to_owned();
    let snapshot = |code: StatusCode| {
        let http = http.clone();
        async move {
            let begun = std::time::Instant::now();
            loop {
                let answer = http.get(format!("http://{node}/v1/snapshot?channels=a")).send().await.expect("an answer");
                if answer.status() == code {
                    return;
                }
                assert!(begun.elapsed() < PATIENCE, "{}", answer.status());
            }
        }
    };
    snapshot(StatusCode::OK).await;
    let alive = http.post(format!("http://{node}/v1/alive")).bearer_auth(TOKEN).json(&json!({"channels": ["a"]}));
    assert_eq!(alive.send().await.expect("an answer").status(), StatusCode::NO_CONTENT);
    stand.redis.kill();
    snapshot(StatusCode::SERVICE_UNAVAILABLE).await;
    let url = format!("http://{node}/v1/poll?cursor=a~{place}&wait_ms=100");
    let answer = http.get(&url).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json::<Value>().await.expect("JSON")["error"]["code"], "not-current");
    let refused = publish(&http, node, None, &numbered(&channels, 2..=2)).await.expect("an answer");
    assert_eq!((refused.0, &refused.1["error"]["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("store-failing")));
    stand.redis.start_anew().await;
    snapshot(StatusCode::OK).await;
    let (reader, mut progress) = Reader::new(Way::WebSocket, vec![node], &names(&["c"]), 1);
    let reader = tokio::spawn(reader.run(0));
    progress.wait_for(|progress| progress.begun == 1).await.expect("a reader");
    let (status, body, _) = publish(&http, node, None, &numbered(&channels, 2..=2)).await.expect("an answer");
    assert_eq!(status, StatusCode::OK);
    let next = place.replace(":1", ":2");
    assert_eq!(body["positions"][0], json!(next), "Redis keeps all: the epoch goes on");
    publish(&http, node, None, &numbered(&names(&["c"]), 1..=1)).await.expect("an answer");
    tokio::time::timeout(PATIENCE, reader).await.expect("in time").expect("a whole sequence");
}

/// H3: a Redis that may lose what it acknowledged begins new epochs with each run: no place is given twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgets_begins_anew() {
    let mut stand = Stand::with("appendonly no\n", 1, "").await;
    let node = stand.addresses()[0];
    let http = http();
    let channels = names(&["a"]);
    let (_, body, _) = publish(&http, node, None, &numbered(&channels, 1..=3)).await.expect("an answer");
    let place = body["positions"][2].as_str().expect("a position").to_owned();
    stand.redis.kill();
    stand.redis.start_anew().await;
    let begun = std::time::Instant::now();
    let anew = loop {
        let (status, body, _) = publish(&http, node, None, &numbered(&channels, 1..=4)).await.expect("an answer");
        if status == StatusCode::OK {
            break body["positions"][3].as_str().expect("a position").to_owned();
        }
        assert!(begun.elapsed() < PATIENCE, "{body}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_ne!(anew.split(':').next(), place.split(':').next());
    assert_eq!(poll(node, &format!("a~{place}")).await["messages"][0]["reason"], "epoch-changed");
}

/// H5: what a namespace says of its channels' history holds with nodes as well: by count, and by age.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_has_its_own_history() {
    let own = "[[namespace]]\nchannels = \"few.*\"\nhistory-events = 10\n\n[[namespace]]\nchannels = \"young\"\nhistory-age = \"1s\"\n";
    let stand = Stand::new(2, own).await;
    let [first, second] = stand.addresses()[..] else { panic!("two nodes") };
    let http = http();
    let mut epochs = Vec::new();
    for channel in ["few.a", "many", "young"] {
        let (status, body, _) =
            publish(&http, first, None, &numbered(&names(&[channel]), 1..=1000)).await.expect("an answer");
        assert_eq!(status, StatusCode::OK, "{body}");
        epochs
            .push(body["positions"][0].as_str().and_then(|text| text.split(':').next()).expect("an epoch").to_owned());
    }
    let length = async |channel: &str| {
        let answer = ask(stand.redis.address, &format!("XLEN wf:{{{channel}}}:s")).await;
        answer.trim().trim_start_matches(':').parse::<u64>().expect("a number")
    };
    // Redis lets go of them by the hundred.
    assert!((10..=200).contains(&length("few.a").await), "{}", length("few.a").await);
    assert_eq!(length("many").await, 1000);
    for node in [first, second] {
        assert_eq!(poll(node, &format!("few.a~{}:100", epochs[0])).await["messages"][0]["reason"], "trimmed");
        assert_eq!(poll(node, &format!("few.a~{}:995", epochs[0])).await["messages"].as_array().map(Vec::len), Some(5));
        assert_eq!(poll(node, &format!("many~{}:100", epochs[1])).await["messages"][0]["data"]["n"], 101);
    }
    let begun = std::time::Instant::now();
    while length("young").await > 0 {
        assert!(begun.elapsed() < PATIENCE, "what is too old is forgotten");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
