//! A real nginx between the wall and what it follows: it holds streams back, it answers from what it kept, and it serves a
//! file that is replaced.

use std::{
    fs::{self, File},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Json, Router, routing::get};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use watchfloor_board::freshness::Freshness;
use watchfloor_engine::{BoardInput, EngineConfig};

use crate::support::{PATIENCE, Wall, client};

const PROGRAM: &str = "/usr/sbin/nginx";
/// Where Debian's `libnginx-mod-nchan` puts it.
const NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// A running nginx. It is killed when this is dropped.
struct Nginx {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It may be gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

async fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port()
}

impl Nginx {
    /// Starts it with these lines within `http`, of which `PORT` is its own port and `FOLDER` a folder for its files.
    async fn start(lines: &str) -> Self {
        for needed in [PROGRAM, NCHAN] {
            assert!(Path::new(needed).is_file(), "{needed} is missing: install nginx and libnginx-mod-nchan");
        }
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().await;
        let place = folder.path().display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {place}/temporary;\n"))
            .concat();
        let lines = lines.replace("PORT", &port.to_string()).replace("FOLDER", &place);
        let settings = format!(
            "load_module {NCHAN};\ndaemon off;\nmaster_process off;\npid {place}/nginx.pid;\n\
             events {{ worker_connections 64; }}\nhttp {{\naccess_log {place}/access.log;\nnchan_max_reserved_memory 8M;\n\
             types {{ application/json json; }}\n{temporary}{lines}\n}}\n"
        );
        let config = folder.path().join("nginx.conf");
        fs::write(&config, settings).unwrap();
        let log = folder.path().join("error.log");
        let out = File::create(folder.path().join("out.log")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("-p").arg(folder.path()).arg("-c").arg(config).arg("-e").arg(&log);
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let mut nginx = Self { child, port, folder };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            let ended = nginx.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}", fs::read_to_string(&log).unwrap_or_default());
            assert!(begun.elapsed() < PATIENCE, "nginx doesn't listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        nginx
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A wall on one source of it.
    async fn wall(&self, kind: &str, path: &str, keys: &str) -> Wall {
        let text = format!(
            "[board]\ntitle = \"T\"\nstale-after = \"2s\"\n[[source]]\nid = \"ops\"\nkind = \"{kind}\"\n\
             url = \"http://127.0.0.1:{}/{path}\"\nchannels = [\"ops\"]\n{keys}\n\
             [[widget]]\nid = \"count\"\nkind = \"counter\"\n\
             [[widget]]\nid = \"newest\"\nkind = \"gauge\"\nvalue = \"n\"\n",
            self.port
        );
        Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await
    }
}

/// What the wall says of its source's state, in words.
fn cause(wall: &Wall) -> String {
    let quality = wall.quality("count");
    format!("{} {}", wall.sources[0].words, quality.reason.as_deref().unwrap_or_default())
}

/// H1: behind a proxy that buffers nothing is live, whatever is published, and the wall says what to look at. Where it
/// doesn't buffer, by its own setting or by the server's word, the same stream is live and whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_holds_a_stream_back() {
    let nginx = Nginx::start(
        "server { listen 127.0.0.1:PORT;
        location = /publish { nchan_publisher; nchan_channel_id ops; }
        location /stream { nchan_subscriber eventsource; nchan_channel_id ops; nchan_subscriber_first_message newest;
            nchan_eventsource_ping_interval 1; }
        location /told { add_header X-Accel-Buffering no; nchan_subscriber eventsource; nchan_channel_id ops;
            nchan_subscriber_first_message newest; nchan_eventsource_ping_interval 1; }
        location = /buffered { proxy_pass http://127.0.0.1:PORT/stream; }
        location = /obeyed { proxy_pass http://127.0.0.1:PORT/told; }
        location = /passed { proxy_pass http://127.0.0.1:PORT/stream; proxy_buffering off; } }",
    )
    .await;
    let publish = async |number: u64| {
        let url = format!("http://127.0.0.1:{}/publish", nginx.port);
        let answer = client().post(url).body(json!({ "n": number }).to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    };
    let keys = "heartbeat = \"1s\"";
    let mut held = nginx.wall("sse", "buffered", keys).await;
    publish(0).await;
    held.until("held back, by its cause", |wall| {
        assert_ne!(wall.quality("count").freshness, Freshness::Live, "{}", cause(wall));
        cause(wall).contains("proxy_buffering off")
    })
    .await;
    assert_eq!(held.number("count"), None);
    held.engine.stop().await;
    for path in ["passed", "obeyed"] {
        let mut wall = nginx.wall("sse", path, keys).await;
        let is_live = |wall: &Wall| wall.sources[0].freshness == Freshness::Live;
        wall.until("live", is_live).await;
        for number in 1..=20 {
            publish(number).await;
        }
        wall.until("at the newest", |wall| wall.is_live_at("newest", 20.0) && wall.number("count") == Some(20.0)).await;
        wall.engine.stop().await;
    }
}

/// A server whose document has another number each time that it is asked, and how often it was.
async fn origin() -> (u16, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let counter = Arc::clone(&asked);
    let answer = move || async move { Json(json!({ "n": counter.fetch_add(1, Ordering::SeqCst) + 1 })) };
    let app = Router::new().route("/document", get(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (port, asked)
}

/// H1: what a cache kept isn't called fresh for longer than the limit, if anything shows that it was kept: the cache's own
/// word, or the server's `Date`, which stands still. The wall says so. What isn't kept is fresh, and so is what is asked for
/// anew once the cache lets go of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_in_between() {
    let (port, asked) = origin().await;
    let origin = format!("http://127.0.0.1:{port}/document");
    let nginx = Nginx::start(&format!(
        "proxy_cache_path FOLDER/cache keys_zone=kept:1m;
        server {{ listen 127.0.0.1:PORT;
        proxy_cache kept; proxy_cache_valid 200 9s; proxy_cache_key $uri;
        location = /named {{ proxy_pass {origin}; add_header X-Cache-Status $upstream_cache_status; }}
        location = /dated {{ proxy_pass {origin}; proxy_pass_header Date; }}
        location = /stale {{ proxy_pass {origin}; proxy_cache_valid 200 1s; proxy_cache_use_stale updating error;
            proxy_cache_background_update on; add_header X-Cache-Status $upstream_cache_status; }}
        location = /plain {{ proxy_pass {origin}; proxy_cache off; }} }}"
    ))
    .await;
    let is_fresh = |wall: &Wall| matches!(wall.quality("newest").freshness, Freshness::Live | Freshness::Polling);
    for path in ["named", "dated"] {
        let mut wall = nginx.wall("poll", path, "").await;
        wall.until("fresh from the server", is_fresh).await;
        let first = wall.number("newest");
        wall.until("kept, and said to be", |wall| !is_fresh(wall) && cause(wall).contains("a cache")).await;
        assert_eq!(wall.number("newest"), first, "{path}: still the same");
        wall.until("fresh again", |wall| is_fresh(wall) && wall.number("newest") != first).await;
        wall.engine.stop().await;
    }
    // Whatever is asked first is a kept one: the background brings the next.
    let mut wall = nginx.wall("poll", "stale", "").await;
    wall.until("stale, and said to be", |wall| !is_fresh(wall) && cause(wall).contains("a cache answers")).await;
    wall.engine.stop().await;

    let mut wall = nginx.wall("poll", "plain", "").await;
    wall.until("fresh", is_fresh).await;
    let begun = asked.load(Ordering::SeqCst);
    wall.until("asked ten times more", |wall| {
        assert!(is_fresh(wall), "H2: {}", cause(wall));
        asked.load(Ordering::SeqCst) >= begun + 10
    })
    .await;
    wall.engine.stop().await;
}

/// H3: a file that is replaced in one step is told as the rows that differ; one that isn't is asked for by its validators
/// and not sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced() {
    let nginx = Nginx::start("server { listen 127.0.0.1:PORT; root FOLDER/files; }").await;
    fs::create_dir(nginx.path("files")).unwrap();
    let put = |rows: serde_json::Value| {
        fs::write(nginx.path("next"), rows.to_string()).unwrap();
        fs::rename(nginx.path("next"), nginx.path("files/stock.json")).unwrap();
    };
    put(json!([{ "id": 1, "n": 1 }, { "id": 2, "n": 2 }]));
    let mut wall = nginx.wall("poll", "stock.json", "event = { id = \"id\" }").await;
    let is_at = |wall: &Wall, count: f64| {
        wall.number("count") == Some(count) && wall.quality("count").freshness == Freshness::Polling
    };
    wall.until("both rows", |wall| is_at(wall, 2.0)).await;
    let answers = |status: &str| {
        let log = fs::read_to_string(nginx.path("access.log")).unwrap_or_default();
        log.lines().filter(|line| line.contains(&format!("\" {status} "))).count()
    };
    wall.until("not modified, and fresh by it", |wall| answers("304") >= 4 && is_at(wall, 2.0)).await;
    assert_eq!(answers("200"), 1);
    // One changed, one removed, one new; of another length, as a second may not have passed.
    put(json!([{ "id": 1, "n": 11 }, { "id": 3, "n": 333 }]));
    wall.until("three changes", |wall| is_at(wall, 5.0) && wall.number("newest").is_some()).await;
    fs::remove_file(nginx.path("files/stock.json")).unwrap();
    wall.until("gone", |wall| wall.quality("count").freshness == Freshness::Down).await;
    put(json!([{ "id": 3, "n": 333 }]));
    wall.until("back, one removed", |wall| is_at(wall, 6.0)).await;
    wall.engine.stop().await;
}
