//! What is in front of nodes: the configurations that are in `packaging`, each as it is but for addresses.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use tokio::time::sleep;

use crate::{
    kills::{Size, course, println_of},
    publisher::{http, numbered, publish},
    stand::{Program, Stand, free_port},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration with the addresses of this stand.
fn configuration(name: &str, stand: &Stand, listen: (&str, &str)) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name);
    let mut text = fs::read_to_string(path).expect("the configuration");
    let addresses = stand.addresses();
    for (from, to) in [
        ("10.0.0.11:8787", addresses[0].to_string()),
        ("10.0.0.12:8787", addresses[1].to_string()),
        (listen.0, listen.1.to_owned()),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, &to);
    }
    text
}

async fn nginx(stand: &Stand) -> Program {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let folder = stand.folder.path().join("nginx");
    fs::create_dir(&folder).expect("a folder");
    let own = configuration("nginx.conf", stand, ("listen 80;", &format!("listen {address};")));
    fs::write(folder.join("hub.conf"), own).expect("written");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display()))
        .concat();
    // Workers end with their master, which may be killed.
    let main = format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log {0}/error.log;\nevents {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{temporary}include {0}/hub.conf;\n}}\n",
        folder.display()
    );
    let config = folder.join("nginx.conf");
    fs::write(&config, main).expect("written");
    Program::start("nginx", address, folder.join("log"), move || {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(&config);
        command
    })
    .await
}

async fn haproxy(stand: &Stand) -> Program {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let folder = stand.folder.path().join("haproxy");
    fs::create_dir(&folder).expect("a folder");
    let config = folder.join("haproxy.cfg");
    fs::write(&config, configuration("haproxy.cfg", stand, ("bind :80", &format!("bind {address}")))).expect("written");
    Program::start("haproxy", address, folder.join("log"), move || {
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&config);
        command
    })
    .await
}

/// What any proxy must let through, and what not.
async fn limits(proxy: SocketAddr) {
    let http = http();
    let large = serde_json::json!({"channel": "large", "name": "n", "data": "x".repeat(900 << 10)});
    // Nodes may not have reached their engine yet, and the proxy may hold them for gone.
    let begun = Instant::now();
    loop {
        match publish(&http, proxy, None, &large).await {
            Ok((StatusCode::OK, ..)) => break,
            other => assert!(begun.elapsed() < PATIENCE, "{other:?}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
    let batch = numbered(&["large".to_owned()], 1..=10_000);
    assert_eq!(publish(&http, proxy, None, &batch).await.expect("an answer").0, StatusCode::OK);
    // A head as large as a token with many channels passes; one that is no head any more doesn't.
    for (size, passes) in [(6 << 10, true), (200 << 10, false)] {
        let asked = http.get(format!("http://{proxy}/v1/health")).header("x-large", "x".repeat(size)).send().await;
        let status = asked.map(|answer| answer.status());
        let is_ok = status.as_ref().is_ok_and(|status| *status == StatusCode::OK);
        assert_eq!(is_ok, passes, "{size}: {status:?}");
    }
}

/// H3, H4: WebSockets, event streams and long polls by nginx, which is killed too.
#[tokio::test(flavor = "multi_thread")]
async fn by_nginx() {
    let mut stand = Stand::new(2, "").await;
    let mut front = nginx(&stand).await;
    limits(front.address).await;
    let (size, begun) = (Size::by_proxy(), Instant::now());
    let came = course(&mut stand, Some(&mut front), size).await;
    println_of(&came, size, begun);
}

/// The same by HAProxy.
#[tokio::test(flavor = "multi_thread")]
async fn by_haproxy() {
    let mut stand = Stand::new(2, "").await;
    let mut front = haproxy(&stand).await;
    limits(front.address).await;
    let (size, begun) = (Size::by_proxy(), Instant::now());
    let came = course(&mut stand, Some(&mut front), size).await;
    println_of(&came, size, begun);
}
