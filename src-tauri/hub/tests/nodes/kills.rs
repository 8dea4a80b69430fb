//! H3, H4: whoever is killed and whenever, each reader has every event once and in order, and each batch is published once.
//!
//! `WATCHFLOOR_NODES=EVENTS,READERS,CHANNELS,CHANNELS-A-READER` makes it larger than it is, such as `1000000,500,50,5`.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::RngExt;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    publisher::publish_all,
    reader::{Reader, Way},
    stand::{Program, Stand, ask},
};

/// How long it takes to publish the events of a small course, at least.
const LEAST: Duration = Duration::from_secs(12);
/// Events of a channel in one batch.
const BATCH: u64 = 20;

/// How large a course is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Of all channels together.
    pub(crate) events: u64,
    pub(crate) readers: usize,
    pub(crate) channels: usize,
    pub(crate) each: usize,
    /// The longest between two kills.
    pub(crate) calm: Duration,
    pub(crate) patience: Duration,
}

impl Size {
    const SMALL: Self = Self {
        events: 6_000,
        readers: 18,
        channels: 4,
        each: 4,
        calm: Duration::from_millis(1200),
        patience: Duration::from_secs(150),
    };

    fn asked_for() -> Self {
        let Ok(text) = std::env::var("WATCHFLOOR_NODES") else { return Self::SMALL };
        let numbers: Vec<usize> = text.split(',').map(|number| number.trim().parse().expect("a number")).collect();
        let [events, readers, channels, each] = numbers[..] else { panic!("WATCHFLOOR_NODES has four numbers") };
        let (calm, patience) = (Duration::from_secs(8), Duration::from_secs(4 * 3600));
        Self { events: events as u64, readers, channels, each, calm, patience }
    }
}

/// What a course came to.
#[derive(Debug, Default)]
pub(crate) struct Came {
    kills: [u32; 4],
    read: u64,
    returns: u64,
    refused: u64,
}

/// Publishes by `at`, reads by `at`, and kills until all is published; then all must be read.
pub(crate) async fn course(stand: &mut Stand, mut front: Option<&mut Program>, size: Size) -> Came {
    let at: Vec<SocketAddr> = front.as_ref().map_or_else(|| stand.addresses(), |front| vec![front.address]);
    let channels: Vec<String> = (0..size.channels).map(|number| format!("c{number}")).collect();
    let count = size.events / size.channels as u64;
    let (mut readers, mut seen) = (JoinSet::new(), Vec::new());
    for number in 0..size.readers {
        let way = [Way::WebSocket, Way::Events, Way::Poll][number % 3];
        let own: Vec<_> = (0..size.each).map(|one| channels[(number + one) % channels.len()].clone()).collect();
        let (reader, progress) = Reader::new(way, at.clone(), &own, count);
        readers.spawn(reader.run(number));
        seen.push(progress);
    }
    for progress in &mut seen {
        let begun = progress.wait_for(|progress| progress.begun == size.each);
        timeout(size.patience, begun).await.expect("all begin").expect("a reader");
    }
    let mut publishers = JoinSet::new();
    for (number, own) in channels.chunks(channels.len().div_ceil(2)).enumerate() {
        let (at, own) = (at.iter().copied().cycle().skip(number).take(at.len()).collect(), own.to_vec());
        // A quick machine isn't done before anything is killed.
        let pause = if size.events > 100_000 { Duration::ZERO } else { LEAST.div_f64((count / BATCH) as f64) };
        publishers.spawn(publish_all(format!("p{number}"), at, own, count, BATCH, pause));
    }
    let mut came = Came::default();
    // Each kind in turn, beginning with any.
    let kinds = if front.is_some() { 4 } else { 3 };
    let mut turn = rand::rng().random_range(0..kinds);
    let begun = Instant::now();
    loop {
        let calm = size.calm.mul_f64(rand::rng().random_range(0.3..1.0));
        let published = timeout(calm, async {
            while let Some(refused) = publishers.join_next().await {
                came.refused += refused.expect("a publisher");
            }
        });
        if published.await.is_ok() {
            break;
        }
        assert!(begun.elapsed() < size.patience, "publishing takes too long: {came:?}");
        let away = Duration::from_millis(rand::rng().random_range(0..500));
        let what = turn % kinds;
        turn += 1;
        came.kills[what] += 1;
        match (what, &mut front) {
            (0, _) => {
                let which = rand::rng().random_range(0..stand.nodes.len());
                stand.nodes[which].kill();
                sleep(away).await;
                stand.nodes[which].start_anew().await;
            }
            (1, _) => {
                stand.redis.kill();
                sleep(away).await;
                stand.redis.start_anew().await;
            }
            (3, Some(front)) => {
                front.kill();
                sleep(away).await;
                front.start_anew().await;
            }
            // Links break one by one too.
            _ => {
                for kind in ["pubsub", "normal"] {
                    ask(stand.redis.address, &format!("CLIENT KILL TYPE {kind}")).await;
                }
            }
        }
    }
    let all = timeout(size.patience, async {
        while let Some(reader) = readers.join_next().await {
            reader.expect("a whole sequence, in order, without anything twice");
        }
    });
    if all.await.is_err() {
        let behind: Vec<_> =
            seen.iter().map(|progress| progress.borrow().clone()).filter(|progress| !progress.is_done).collect();
        panic!("{} readers have not everything: {behind:?}\n{}", behind.len(), stand.nodes[0].said());
    }
    for channel in &channels {
        let asked = format!("HGET wf:{{{channel}}}:m o");
        let mut length = ask(stand.redis.address, &asked).await;
        // It may have been killed just now, and read its file.
        while length.starts_with("-LOADING") && begun.elapsed() < size.patience {
            sleep(Duration::from_millis(50)).await;
            length = ask(stand.redis.address, &asked).await;
        }
        assert!(length.contains(&format!("\r\n{count}\r\n")), "{channel} has {length:?}, not {count}");
    }
    came.read = seen.iter().map(|progress| progress.borrow().read).sum();
    came.returns = seen.iter().map(|progress| progress.borrow().returns).sum();
    came
}

/// H3, H4: nodes, Redis and links are killed at random.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost() {
    let mut stand = Stand::new(2, "").await;
    let size = Size::asked_for();
    let begun = Instant::now();
    let came = course(&mut stand, None, size).await;
    println_of(&came, size, begun);
}

/// Says what a course came to, for who asks for more than a test.
#[allow(clippy::print_stdout, reason = "it is what a long course is for")]
pub(crate) fn println_of(came: &Came, size: Size, begun: Instant) {
    let Came { kills: [nodes, engine, links, front], read, returns, refused } = came;
    println!(
        "{size:?}: {read} read, {returns} returns, {refused} batches refused and sent again; killed: {nodes} nodes, {engine} times Redis, {links} times all its links, {front} times the proxy; {:?}",
        begun.elapsed()
    );
}

impl Size {
    /// What is in front of the nodes is killed as well.
    pub(crate) fn by_proxy() -> Self {
        let asked = Self::asked_for();
        if std::env::var_os("WATCHFLOOR_NODES").is_some() {
            asked
        } else {
            Self { events: 3_000, readers: 9, ..Self::SMALL }
        }
    }
}
