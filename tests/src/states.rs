//! A wall with one widget in each state, for the documentation's pictures: real hubs, and a fault for each.

use std::{fs, net::Ipv4Addr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use axum::{Router, http::StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle, time::interval};

use crate::faults::{process::HubProcess, proxy::Proxy};

/// Of each widget: its title, what the source has besides its address, how it is folded, and what it comes to.
const WIDGETS: [(&str, &str, &str, &str); 9] = [
    ("Pump 1", "", GAUGE, "live"),
    ("Pump 2", "transport = \"poll\"", GAUGE, "polling"),
    ("Pump 3", "", GAUGE, "catching-up"),
    ("Pump 4", "quiet = \"5s\"", GAUGE, "stale"),
    ("Pump 5", "", GAUGE, "down"),
    ("Pump 6", "", GAUGE, "refused"),
    ("Pump 7", "", GAUGE, "unknown"),
    ("Starts of pump 8", "", "kind = \"counter\"\ndecimals = 0", "live"),
    ("Pump 9", "", GAUGE, "live"),
];
const GAUGE: &str = "kind = \"gauge\"\nvalue = \"bar\"\nunit = \"bar\"\ndecimals = 1\nmin = 0\nmax = 10";
// Those to which something is done, by their place in `WIDGETS`.
const SLOW: usize = 2;
const QUIET: usize = 3;
const CUT: usize = 4;
const REFUSED: usize = 5;
const NEVER: usize = 6;
const FORGETFUL: usize = 7;
const DISPUTED: usize = 8;
/// Enough to stand in the queue of a slow line for some minutes.
const PADDING_BYTES: usize = 4000;
const SLOW_BYTES_A_SECOND: usize = 3000;

/// The wall's surroundings. They end when it is dropped.
pub struct States {
    lines: Vec<Proxy>,
    /// One that keeps everything, and one that is killed.
    hubs: [HubProcess; 2],
    publisher: Publisher,
    _no_entry: JoinHandle<()>,
    folder: tempfile::TempDir,
}

/// Says something of every pump, ever again. It ends when it is dropped.
struct Publisher {
    silent: tokio::sync::watch::Sender<bool>,
    task: JoinHandle<Result<()>>,
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl States {
    /// Starts the hubs, the lines to them and the publisher: everything is sound but what is refused or was never there.
    ///
    /// # Errors
    /// If one of them doesn't start.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("states.toml");
        fs::write(&file, board(&[1; 10], 1))?;
        let hubs = [HubProcess::start(&file).await?, HubProcess::start(&file).await?];
        let mut lines = Vec::new();
        // One more than widgets: the second opinion.
        for number in 0..=WIDGETS.len() {
            let line = Proxy::start(hubs[usize::from(number == FORGETFUL)].address()).await?;
            line.set(|line| line.cut = number == NEVER);
            lines.push(line);
        }
        let (no_entry, port) = no_entry().await?;
        let ports: Vec<u16> = lines.iter().map(Proxy::port).collect();
        fs::write(&file, board(&ports, port))?;
        let (silent, is_silent) = tokio::sync::watch::channel(false);
        let addresses = [hubs[0].address(), hubs[1].address()].map(|address| format!("http://{address}/v1/publish"));
        let task = tokio::spawn(publish(addresses, is_silent));
        Ok(Self { lines, hubs, publisher: Publisher { silent, task }, _no_entry: no_entry, folder })
    }

    /// The board file.
    #[must_use]
    pub fn board(&self) -> PathBuf {
        self.folder.path().join("states.toml")
    }

    /// Whether every widget that can be is live; the body of a function in the page.
    #[must_use]
    pub fn sound() -> String {
        let wanted = WIDGETS.iter().enumerate().map(|(number, (_, _, _, state))| match number {
            REFUSED | NEVER => *state,
            _ if *state == "polling" => "polling",
            _ => "live",
        });
        is_shown(wanted, "")
    }

    /// Whether every widget is in the state that it stands for; the body of a function in the page.
    #[must_use]
    pub fn reached() -> String {
        let wanted = WIDGETS.iter().map(|(_, _, _, state)| *state);
        let marked = format!(
            " && document.querySelector('[data-widget=w{DISPUTED}]').dataset.agreement === 'disputed'\
             && document.querySelector('[data-widget=w{FORGETFUL}] .least') !== null"
        );
        is_shown(wanted, &marked)
    }

    /// Breaks what is to be broken.
    ///
    /// # Errors
    /// If the publisher has ended, or the hub doesn't come again.
    pub async fn break_things(&mut self) -> Result<()> {
        ensure!(!self.publisher.task.is_finished(), "the publisher has ended");
        self.publisher.silent.send_replace(true);
        self.lines[CUT].set(|line| line.cut = true);
        self.lines[SLOW].set(|line| line.rate = Some(SLOW_BYTES_A_SECOND));
        self.hubs[1].kill()?;
        self.hubs[1].start_again().await
    }
}

/// A server that lets nobody in.
async fn no_entry() -> Result<(JoinHandle<()>, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let router = Router::new().fallback(|| async { StatusCode::FORBIDDEN });
    let task = tokio::spawn(async move {
        // It ends with its task.
        let _ended = axum::serve(listener, router).await;
    });
    Ok((task, port))
}

fn board(ports: &[u16], no_entry: u16) -> String {
    let mut text = "[board]\ntitle = \"One of each\"\ngrid = { columns = 3, rows = 3 }\n".to_owned();
    let mut source = |number: usize, port: u16, more: &str| {
        text.push_str(&format!(
            "\n[[source]]\nid = \"s{number}\"\ntitle = \"Line {}\"\nkind = \"hub\"\nurl = \"http://127.0.0.1:{port}\"\nchannels = [\"c{number}\"]\n{more}\n",
            number + 1
        ));
    };
    for (number, (_, more, ..)) in WIDGETS.iter().enumerate() {
        source(number, if number == REFUSED { no_entry } else { ports[number] }, more);
    }
    source(WIDGETS.len(), ports[WIDGETS.len()], "");
    for (number, (title, _, fold, _)) in WIDGETS.iter().enumerate() {
        let against =
            if number == DISPUTED { "against = { source = \"s9\", tolerance = 0.1, settle = \"1s\" }" } else { "" };
        text.push_str(&format!(
            "\n[[widget]]\nid = \"w{number}\"\ntitle = \"{title}\"\nsource = \"s{number}\"\n{fold}\n{against}\n"
        ));
    }
    text
}

async fn publish(urls: [String; 2], silent: tokio::sync::watch::Receiver<bool>) -> Result<()> {
    // The first call installs it.
    let _again = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut pace = interval(Duration::from_millis(500));
    let padding = "-".repeat(PADDING_BYTES);
    for turn in 0_u32.. {
        pace.tick().await;
        let broken = *silent.borrow();
        for (hub, url) in urls.iter().enumerate() {
            let numbers = (0..=WIDGETS.len()).filter(|number| usize::from(*number == FORGETFUL) == hub);
            let events: Vec<Value> = numbers
                .filter(|number| !(broken && *number == QUIET))
                .map(|number| {
                    let bar = 5.0 + number as f64 / 7.0 + f64::from(turn % 5) / 10.0;
                    let padding = if number == SLOW { padding.as_str() } else { "" };
                    json!({"channel": format!("c{number}"), "name": "e", "data": {"bar": bar, "padding": padding}})
                })
                .collect();
            let asked = client.post(url).header("content-type", "application/json").body(json!(events).to_string());
            // The one that is killed doesn't answer for a moment.
            if let Ok(answer) = asked.send().await {
                ensure!(answer.status().is_success(), "{}", answer.text().await.context("an answer")?);
            }
        }
    }
    Ok(())
}

fn is_shown<'a>(wanted: impl Iterator<Item = &'a str>, more: &str) -> String {
    let wanted: Vec<&str> = wanted.collect();
    format!(
        "return {}.every((state, at) => document.querySelector(`[data-widget=w${{at}}]`)?.dataset.freshness === state){more}",
        json!(wanted)
    )
}
