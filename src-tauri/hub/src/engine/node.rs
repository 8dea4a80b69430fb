//! The shell around what a node follows: connections, reads, timers.

mod orders;
mod people;
mod reads;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{
    Msg, RedisError,
    aio::{MultiplexedConnection, PubSubSink, PubSubStream},
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use watchfloor_model::{Mono, Position, Timestamp};

use super::{
    Engine, Live,
    follow::{Follower, Proof, Span, Stand, Step},
    link::{self, Link, Unlinked},
    orders::Read,
    presence::{Renewed, Rooms},
    proof_period,
    read::{self, Standing},
    wire::{self, News},
};
use crate::{
    clock::Now,
    hub::{Shared, log},
    limits,
    state::Released,
};

/// Keeps a node's copies true for as long as it is polled.
pub(crate) async fn run(hub: &Arc<Shared>) {
    let Some(engine) = &hub.engine else { return };
    tokio::join!(follow(hub, engine), engine.publish_queued(hub));
}

async fn follow(hub: &Arc<Shared>, engine: &Engine) {
    let mut node = Node {
        hub: hub.clone(),
        channels: BTreeMap::new(),
        reached: BTreeMap::new(),
        begins: Some(BTreeMap::new()),
        rooms: Rooms::default(),
        moved: BTreeSet::new(),
        orders: orders::Orders::default(),
    };
    for channel in hub.state().ledger().folded_channels() {
        node.channels.insert(channel, Channel { is_folded: true, ..Channel::default() });
    }
    let mut tries = 0;
    loop {
        let ended = match link::connect(&engine.config).await {
            Ok(link) => {
                tracing::info!("the engine is reached");
                tries = 0;
                node.go_on(engine, link).await
            }
            Err(error) => error,
        };
        engine.live.send_replace(None);
        if tries == 0 || u32::is_power_of_two(tries) {
            tracing::warn!(reason = %ended, tries, "the engine can't be reached: nothing is published, and nothing is live");
        }
        sleep(link::pause(tries)).await;
        tries += 1;
    }
}

struct Node {
    hub: Arc<Shared>,
    channels: BTreeMap<Arc<str>, Channel>,
    /// From when on nothing is missing of the channels that are folded.
    reached: BTreeMap<Arc<str>, Timestamp>,
    /// The first spans of channels that are folded, until all of them are here: they are folded in one order.
    begins: Option<BTreeMap<Arc<str>, Span>>,
    /// Who is present.
    rooms: Rooms,
    /// Channels of presence in which somebody of this node has come or gone, and the engine isn't told yet.
    moved: BTreeSet<Arc<str>>,
    /// What it was ordered.
    orders: orders::Orders,
}

/// A channel, as far as it is here.
#[derive(Default)]
struct Channel {
    /// None until the first answer.
    follower: Option<Follower>,
    /// What was read so far of a channel that isn't for readers yet.
    gathered: Option<Span>,
    /// The place that a reader of it asks for.
    want: Option<Position>,
    /// Something was told before the first answer came.
    told: bool,
    /// A read waits or is under way.
    reads: bool,
    /// The same for older events than are here.
    reads_older: bool,
    /// After which offset they are asked for meanwhile.
    older: Option<u64>,
    /// Since when readers may wait for a proof that was asked for after they came.
    waited_for: Option<Mono>,
    /// Aggregates fold it: it is always followed.
    is_folded: bool,
    /// Since when it has no readers.
    idle: Option<Mono>,
}

/// What is under way.
enum Done {
    Read { channel: Arc<str>, asked: Mono, span: Result<Span, RedisError> },
    Older { channel: Arc<str>, after: u64, read: Result<Span, RedisError> },
    Proofs { asked: Mono, stands: Result<Vec<(Arc<str>, Standing)>, RedisError> },
    Heard(Result<(), RedisError>),
    Present { channel: Arc<str>, found: Result<Vec<(String, String)>, RedisError> },
    Written(Result<(), RedisError>),
    Renewed { asked: Now, renewed: Result<Renewed, RedisError> },
    Orders(Result<Read, RedisError>),
    Obeyed(orders::Obeyed),
    Answered(Result<(), RedisError>),
}

type Work = FuturesUnordered<Pin<Box<dyn Future<Output = Done> + Send>>>;

/// A node with a link that stands.
struct Session<'a> {
    node: &'a mut Node,
    engine: &'a Engine,
    reading: MultiplexedConnection,
    publishing: MultiplexedConnection,
    run: Arc<str>,
    sink: PubSubSink,
    work: Work,
    /// Channels that are to be read, and how many are being read.
    waiting: VecDeque<Arc<str>>,
    reads: usize,
    proves: bool,
    under: people::Under,
}

impl Node {
    /// The channels of which this holds.
    fn names(&self, holds: impl Fn(&Channel) -> bool) -> Vec<Arc<str>> {
        self.channels.iter().filter(|(_, channel)| holds(channel)).map(|(name, _)| name.clone()).collect()
    }

    /// Follows as long as the link stands.
    async fn go_on(&mut self, engine: &Engine, link: Link) -> Unlinked {
        let Link { reading, publishing, news, run } = link;
        let since = Instant::now();
        let (sink, stream) = news.split();
        for (name, channel) in &mut self.channels {
            if self.begins.as_mut().is_some_and(|begins| begins.remove(name).is_some()) {
                channel.follower = None;
            }
            (channel.reads, channel.reads_older, channel.older) = (false, false, None);
            if channel.gathered.take().is_some() {
                channel.follower = None;
            }
            if let Some(follower) = &mut channel.follower {
                follower.gave_up();
            }
        }
        let mut session = Session {
            node: self,
            engine,
            reading,
            publishing: publishing.clone(),
            run: run.clone(),
            sink,
            work: FuturesUnordered::new(),
            waiting: VecDeque::new(),
            reads: 0,
            proves: false,
            under: people::Under::default(),
        };
        // What stands to be done comes before anything is read.
        if let Err(error) = session.begin_orders().await {
            return error.into();
        }
        let known: Vec<_> = session.node.channels.keys().cloned().collect();
        if let Err(error) = session.subscribe(&known).await {
            return error.into();
        }
        known.iter().for_each(|channel| session.read(channel));
        if let Err(error) = session.begin_people().await {
            return error.into();
        }
        engine.live.send_replace(Some(Live { publishing, run, since }));
        session.run(stream).await
    }
}

impl Session<'_> {
    async fn run(&mut self, mut stream: PubSubStream) -> Unlinked {
        let mut proofs = interval(proof_period(self.node.hub.config.heartbeat));
        proofs.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval(Duration::from_secs(5));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renews = interval(limits::NODE_RENEW);
        renews.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        loop {
            let done = tokio::select! {
                told = stream.next() => match told {
                    Some(told) => { self.told(&told); Ok(()) }
                    None => return Unlinked::Unfit("it hung up".to_owned()),
                },
                Some(done) = self.work.next() => self.done(done),
                () = self.engine.wanted.notified() => self.attach().await,
                () = self.engine.broken.notified() => return Unlinked::Unfit("a connection to it broke".to_owned()),
                _ = proofs.tick() => {
                    self.ask();
                    if heard_at.elapsed() > limits::ENGINE_ANSWER / 2 {
                        heard_at = Instant::now();
                        self.hear_from();
                    }
                    Ok(())
                }
                () = self.engine.moved.notified() => { self.write_people(); Ok(()) }
                _ = renews.tick() => { self.renew(); Ok(()) }
                _ = looks.tick() => self.let_go().await,
            };
            if let Err(error) = done {
                return error.into();
            }
        }
    }

    async fn subscribe(&mut self, channels: &[Arc<str>]) -> Result<(), RedisError> {
        for some in channels.chunks(limits::PROOF_CHANNELS) {
            let names: Vec<_> = some.iter().map(|channel| self.engine.names.news(channel)).collect();
            self.sink.subscribe(names).await?;
        }
        Ok(())
    }

    /// Begins to follow what readers have come for.
    async fn attach(&mut self) -> Result<(), RedisError> {
        self.attach_people().await?;
        let wants = self.engine.take_wants();
        let now = self.node.hub.now().mono;
        let mut new = Vec::new();
        for (channel, place) in wants {
            if self.node.channels.len() >= limits::FOLLOWED_MAX && !self.node.channels.contains_key(&channel) {
                tracing::warn!(%channel, "this node follows too many channels: it doesn't follow this one");
                continue;
            }
            let known = self.node.channels.entry(channel.clone()).or_insert_with(|| {
                new.push(channel.clone());
                Channel::default()
            });
            known.idle = None;
            known.waited_for = Some(now);
            let is_here = known.follower.is_some() && known.gathered.is_none();
            if is_here {
                let begins = self.node.hub.state().can_begin(&channel, place.as_ref(), Mono::ZERO);
                if let Some(place) = place.filter(|_| !begins) {
                    self.read_older(&channel, place.offset);
                }
            } else if known.want.is_none() {
                known.want = place;
            }
        }
        self.subscribe(&new).await?;
        new.iter().for_each(|channel| self.read(channel));
        Ok(())
    }

    /// Lets go of channels that nobody reads any more.
    async fn let_go(&mut self) -> Result<(), RedisError> {
        self.let_people_go().await?;
        let now = self.node.hub.now().mono;
        let mut gone = Vec::new();
        for (name, channel) in &mut self.node.channels {
            if channel.is_folded || self.node.hub.wakers.has_readers(name) {
                channel.idle = None;
                continue;
            }
            let since = *channel.idle.get_or_insert(now);
            if now.since(since) > limits::FOLLOW_LINGER && !channel.reads {
                gone.push(name.clone());
            }
        }
        for some in gone.chunks(limits::PROOF_CHANNELS) {
            let names: Vec<_> = some.iter().map(|channel| self.engine.names.news(channel)).collect();
            self.sink.unsubscribe(names).await?;
        }
        for channel in gone {
            self.node.channels.remove(&channel);
            self.node.hub.state().unfollow(&channel);
            // Who has come meanwhile wants it anew.
            if self.node.hub.wakers.has_readers(&channel) {
                self.engine.want(&[(channel, None)].into());
            }
        }
        Ok(())
    }

    /// Something was told live.
    fn told(&mut self, told: &Msg) {
        if self.told_orders(told) || self.told_moves(told) {
            return;
        }
        let Some(name) = self.engine.names.channel_of(told.get_channel_name()) else { return };
        if !self.node.channels.contains_key(name) {
            return;
        }
        let text = std::str::from_utf8(told.get_payload_bytes()).ok();
        let Some(news) = text.and_then(|text| wire::news(name, text)) else {
            tracing::warn!(channel = name, "what was told of a channel is no news");
            return;
        };
        let name: Arc<str> = name.into();
        self.heard(&name, news);
    }

    fn heard(&mut self, name: &Arc<str>, news: News) {
        let Some(channel) = self.node.channels.get_mut(name) else { return };
        let Some(follower) = &mut channel.follower else {
            channel.told = true;
            return;
        };
        match follower.hear(news) {
            Step::Nothing => {}
            Step::Read => self.read(name),
            Step::Apply(events) => match &mut channel.gathered {
                Some(gathered) => {
                    gathered.head = gathered.head.max(follower.head());
                    gathered.events.extend(events);
                }
                None => {
                    let released = {
                        let mut state = self.node.hub.state();
                        state.hear(name, events, self.node.hub.now())
                    };
                    self.tell(&released);
                }
            },
        }
    }

    fn tell(&self, released: &Released) {
        self.node.hub.wakers.wake(released.channels.iter());
        released.rejected.iter().for_each(log);
    }

    /// Has it said where all channels stand.
    fn ask(&mut self) {
        // Those whose first answer failed.
        let lost = self.node.names(|channel| channel.follower.is_none() && !channel.reads);
        lost.iter().for_each(|name| self.read(name));
        if std::mem::replace(&mut self.proves, true) {
            return;
        }
        let names = self.node.names(|channel| channel.follower.is_some());
        let asked = self.node.hub.now().mono;
        let standing = read::stands(self.reading.clone(), self.engine.names.clone(), names);
        self.work.push(Box::pin(async move { Done::Proofs { asked, stands: standing.await } }));
    }

    /// Has the connection that tells news answer.
    fn hear_from(&mut self) {
        let mut sink = self.sink.clone();
        self.work.push(Box::pin(async move {
            let answered = timeout(limits::ENGINE_ANSWER, sink.ping::<redis::Value>()).await;
            let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
            Done::Heard(answered.map_err(late).and_then(|answered| answered.map(drop)))
        }));
    }

    fn done(&mut self, done: Done) -> Result<(), RedisError> {
        match done {
            Done::Heard(heard) => heard,
            Done::Present { channel, found } => {
                self.was_read_people(&channel, found?);
                Ok(())
            }
            Done::Answered(answered) => answered,
            Done::Written(written) => {
                written?;
                self.was_written();
                Ok(())
            }
            Done::Renewed { asked, renewed } => {
                self.was_renewed(asked, renewed?);
                Ok(())
            }
            Done::Orders(read) => self.were_read_orders(read),
            Done::Obeyed(obeyed) => {
                self.was_obeyed(obeyed);
                Ok(())
            }
            Done::Read { channel, asked, span } => {
                self.reads -= 1;
                let went = self.was_read(&channel, asked, span);
                self.send_reads();
                went
            }
            Done::Older { channel, after, read } => self.was_read_older(&channel, after, read),
            Done::Proofs { asked, stands } => {
                self.proves = false;
                let stands =
                    stands.or_else(|error| if link::is_broken(&error) { Err(error) } else { Ok(Vec::new()) })?;
                self.proven(asked, stands);
                Ok(())
            }
        }
    }

    fn proven(&mut self, asked: Mono, stands: Vec<(Arc<str>, Standing)>) {
        let (mut behind, mut waited_for) = (Vec::new(), Vec::new());
        {
            let mut state = self.node.hub.state();
            for (name, standing) in stands {
                let Some(channel) = self.node.channels.get_mut(&name) else { continue };
                let Some(follower) = &channel.follower else { continue };
                let Standing { stand, silent } = standing;
                let proof = stand.as_ref().map_or(Proof::Behind, |stand: &Stand| follower.prove(stand));
                match proof {
                    Proof::Proven if channel.gathered.is_none() => {
                        let heard = silent.map(|silent| asked_minus(asked, silent));
                        state.prove(&name, asked, heard);
                        if channel.waited_for.take_if(|since| *since <= asked).is_some() {
                            waited_for.push(name);
                        }
                    }
                    Proof::Proven => {}
                    Proof::Behind => behind.push(name),
                }
            }
        }
        self.node.hub.wakers.wake(waited_for.iter());
        behind.iter().for_each(|name| self.read(name));
    }
}

fn asked_minus(asked: Mono, silent: Duration) -> Mono {
    Mono::from_micros(asked.as_micros().saturating_sub(u64::try_from(silent.as_micros()).unwrap_or(u64::MAX)))
}
