//! The connections: tens of thousands in one thread, each a small state, their bytes looked at where they lie.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use rand::RngExt;
use socket2::{Domain, Socket, Type};

use crate::{
    dialect::Target,
    marker,
    wire::{self, Opcode},
};

/// Connections from one address. A system has some 28,000 ports for each, and takes long to find a free one where many are taken, or
/// not forgotten yet.
const CONNECTIONS_A_SOURCE: usize = 500;
/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;
/// The longest that a thread waits for bytes before it looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(20);
/// How a client waits that lost its connection: as walls do, the ceiling doubles with each failure from the first to the last of these.
const COMEBACK_FIRST: Duration = Duration::from_millis(250);
const COMEBACK_LAST: Duration = Duration::from_secs(30);
/// Over how long clients spread that were told that the server goes down.
const TOLD_SPREAD: Duration = Duration::from_secs(2);
/// The close code that tells so.
const GOING_AWAY: u16 = 1001;

/// What all threads have in common.
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) begin: Instant,
    /// The part of the loopback that connections come from: another one each run.
    pub(crate) net: u8,
    /// Channels there are, and how many of them a connection has.
    pub(crate) channels: usize,
    pub(crate) each: usize,
    /// Connections that are opened at once in the beginning.
    pub(crate) ramp: usize,
    /// Whether a connection that is lost comes back.
    pub(crate) comes_back: bool,
    /// Connections whose subscriptions are all confirmed.
    pub(crate) ready: AtomicUsize,
    /// Events that connections received.
    pub(crate) received: AtomicU64,
    /// How many of these came before the present stretch.
    pub(crate) before: AtomicU64,
    /// Tries to connect that found nobody; those that got another answer than they came for; connections that broke.
    pub(crate) unreached: AtomicUsize,
    pub(crate) refused: AtomicUsize,
    pub(crate) broken: AtomicUsize,
    /// What the first of those was told that were refused.
    pub(crate) refusal: Mutex<Option<String>>,
    pub(crate) ends: AtomicBool,
    /// Counts up with each part of a run that is measured for itself.
    pub(crate) stage: AtomicUsize,
    /// What the server calls its history.
    pub(crate) epoch: Mutex<Option<String>>,
}

/// What a thread has seen.
pub(crate) struct Tally {
    /// By stage, from when an event was due to when it was read, microseconds.
    pub(crate) latency: Vec<Histogram<u64>>,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    /// Events that were left out, and those that came again.
    pub(crate) missing: u64,
    pub(crate) repeated: u64,
    /// For each connection and channel: the channel, and the number of the newest event.
    pub(crate) places: Vec<(usize, u64)>,
}

/// A histogram from a microsecond to minutes, in steps of a thousandth.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).expect("bounds in order")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Away,
    Connecting,
    Upgrading,
    /// So many subscriptions are confirmed.
    Joining(usize),
    Ready,
}

struct Connection {
    stream: Option<TcpStream>,
    phase: Phase,
    failures: u32,
    /// Each channel with the newest event's number.
    places: Box<[(usize, u64)]>,
    /// What of a frame is there, where it isn't all there.
    partial: Vec<u8>,
}

struct Swarm<'a> {
    shared: &'a Shared,
    poll: Poll,
    /// The number of the first of these connections among all.
    first: usize,
    connections: Vec<Connection>,
    /// Who connects when.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// How many are on their way.
    opening: usize,
    /// All were open once: from now on each comes back by itself.
    is_up: bool,
    tally: Tally,
}

/// Runs these connections until it is time to end.
pub(crate) fn run(shared: &Shared, range: Range<usize>) -> io::Result<Tally> {
    let now = Instant::now();
    let each = shared.each;
    let connections = range.clone().map(|index| Connection {
        stream: None,
        phase: Phase::Away,
        failures: 0,
        places: (0..each).map(|at| ((index + at) % shared.channels, 0)).collect(),
        partial: Vec::new(),
    });
    let mut swarm = Swarm {
        shared,
        poll: Poll::new()?,
        first: range.start,
        connections: connections.collect(),
        due: (0..range.len()).map(|at| Reverse((now, at))).collect(),
        opening: 0,
        is_up: false,
        tally: Tally { latency: vec![histogram()], frames: 0, bytes: 0, missing: 0, repeated: 0, places: Vec::new() },
    };
    let mut events = Events::with_capacity(4096);
    let mut buffer = vec![0; READ_BYTES];
    while !shared.ends.load(Relaxed) {
        swarm.open_due();
        let until = swarm.due.peek().map_or(PATIENCE, |Reverse((at, _))| at.saturating_duration_since(Instant::now()));
        let until = if swarm.is_full() { PATIENCE } else { until.min(PATIENCE) };
        match swarm.poll.poll(&mut events, Some(until)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            let at = event.token().0;
            if swarm.connections[at].phase == Phase::Connecting && (event.is_writable() || event.is_error()) {
                swarm.connected(at);
            }
            if event.is_readable() || event.is_read_closed() {
                swarm.readable(at, &mut buffer);
            }
        }
    }
    let Swarm { connections, mut tally, .. } = swarm;
    tally.places = connections.iter().flat_map(|connection| connection.places.iter().copied()).collect();
    Ok(tally)
}

impl Swarm<'_> {
    fn is_full(&self) -> bool {
        !self.is_up && self.opening >= self.shared.ramp
    }

    fn open_due(&mut self) {
        let now = Instant::now();
        while !self.is_full()
            && self.due.peek().is_some_and(|Reverse((at, _))| *at <= now)
            && let Some(Reverse((_, at))) = self.due.pop()
        {
            self.open(at);
        }
        self.is_up |= self.due.is_empty() && self.opening == 0;
    }

    fn open(&mut self, at: usize) {
        let source = u8::try_from((self.first + at) / CONNECTIONS_A_SOURCE % 250).unwrap_or_default();
        let source = Ipv4Addr::new(127, self.shared.net, rand::rng().random(), source + 1);
        let opened = connect(self.shared.target.address, source).and_then(|mut stream| {
            self.poll.registry().register(&mut stream, Token(at), Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        });
        self.opening += 1;
        let connection = &mut self.connections[at];
        connection.phase = Phase::Connecting;
        match opened {
            Ok(stream) => connection.stream = Some(stream),
            Err(_) => self.lost(at, None),
        }
    }

    fn connected(&mut self, at: usize) {
        let upgrade = self.shared.target.upgrade();
        let connection = &mut self.connections[at];
        let Some(stream) = &mut connection.stream else { return };
        let sound = matches!(stream.take_error(), Ok(None)) && stream.peer_addr().is_ok();
        if sound && stream.write_all(upgrade.as_bytes()).is_ok() {
            connection.phase = Phase::Upgrading;
        } else {
            self.lost(at, None);
        }
    }

    /// The connection is gone, by this code if there was one.
    fn lost(&mut self, at: usize, code: Option<u16>) {
        let connection = &mut self.connections[at];
        let Shared { unreached, refused, broken, ready, .. } = self.shared;
        match connection.phase {
            Phase::Away => return,
            Phase::Connecting => unreached.fetch_add(1, Relaxed),
            Phase::Upgrading => refused.fetch_add(1, Relaxed),
            Phase::Joining(_) => broken.fetch_add(1, Relaxed),
            Phase::Ready => {
                ready.fetch_sub(1, Relaxed);
                broken.fetch_add(1, Relaxed)
            }
        };
        if connection.phase != Phase::Ready {
            self.opening -= 1;
        }
        connection.phase = Phase::Away;
        connection.stream = None;
        connection.partial = Vec::new();
        if self.shared.comes_back || !self.is_up {
            let ceiling = COMEBACK_FIRST.saturating_mul(1 << connection.failures.min(16)).min(COMEBACK_LAST);
            connection.failures += 1;
            let wait = match code {
                Some(GOING_AWAY) => TOLD_SPREAD.max(ceiling).mul_f64(rand::rng().random_range(0.0..1.0)),
                _ => ceiling.mul_f64(rand::rng().random_range(0.25..1.0)),
            };
            self.due.push(Reverse((Instant::now() + wait, at)));
        }
    }

    fn readable(&mut self, at: usize, buffer: &mut [u8]) {
        loop {
            let Some(stream) = &mut self.connections[at].stream else { return };
            match stream.read(buffer) {
                Ok(0) => {
                    if self.connections[at].phase == Phase::Upgrading {
                        self.shared.note_refusal("nothing: the connection was closed");
                    }
                    return self.lost(at, None);
                }
                Ok(read) => {
                    self.tally.bytes += read as u64;
                    self.take(at, &buffer[..read]);
                    // There was no more: what comes later wakes it again.
                    if read < buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if self.connections[at].phase == Phase::Upgrading {
                        self.shared.note_refusal(&format!("nothing: {error}"));
                    }
                    return self.lost(at, None);
                }
            }
        }
    }

    /// Takes bytes as they came.
    fn take(&mut self, at: usize, bytes: &[u8]) {
        let mut partial = std::mem::take(&mut self.connections[at].partial);
        if partial.is_empty() {
            let taken = self.look(at, bytes);
            if taken < bytes.len() {
                partial.extend_from_slice(&bytes[taken..]);
            }
        } else {
            partial.extend_from_slice(bytes);
            let taken = self.look(at, &partial);
            partial.drain(..taken);
            if partial.is_empty() {
                partial = Vec::new();
            }
        }
        if self.connections[at].phase != Phase::Away {
            self.connections[at].partial = partial;
        }
    }

    /// Looks at what is whole, and says how much that is.
    fn look(&mut self, at: usize, bytes: &[u8]) -> usize {
        let mut taken = 0;
        if self.connections[at].phase == Phase::Upgrading {
            let Some((status, end)) = wire::answer(bytes) else { return 0 };
            if status != 101 {
                self.shared.note_refusal(&String::from_utf8_lossy(bytes));
                self.lost(at, None);
                return bytes.len();
            }
            taken = end;
            self.connections[at].phase = Phase::Joining(0);
            if !self.shared.target.waits() {
                self.subscribe(at);
            }
        }
        let now = u64::try_from(self.shared.begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        while let Some((opcode, payload, length)) = wire::frame(&bytes[taken..]) {
            taken += length;
            match opcode {
                Opcode::Text | Opcode::Other => self.frame(at, payload, now),
                Opcode::Ping => self.send(at, 10, payload),
                Opcode::Close => {
                    let code = payload.get(..2).and_then(|code| Some(u16::from_be_bytes(code.try_into().ok()?)));
                    self.lost(at, code);
                }
            }
            if self.connections[at].phase == Phase::Away {
                return bytes.len();
            }
        }
        taken
    }

    fn frame(&mut self, at: usize, payload: &[u8], now: u64) {
        self.tally.frames += 1;
        let connection = &mut self.connections[at];
        if let Phase::Joining(confirmed) = connection.phase {
            let confirmed = confirmed + memchr::memmem::find_iter(payload, self.shared.target.subscribed()).count();
            if confirmed >= connection.places.len() {
                connection.phase = Phase::Ready;
                connection.failures = 0;
                self.opening -= 1;
                self.shared.ready.fetch_add(1, Relaxed);
                self.shared.note_epoch(payload);
            } else {
                connection.phase = Phase::Joining(confirmed);
            }
            if self.shared.target.waits() && memchr::memmem::find(payload, b"connection_established").is_some() {
                self.subscribe(at);
            }
        }
        let connection = &mut self.connections[at];
        let Tally { latency, missing, repeated, .. } = &mut self.tally;
        let stage = self.shared.stage.load(Relaxed);
        if latency.len() <= stage {
            latency.resize_with(stage + 1, histogram);
        }
        let latency = &mut latency[stage];
        let mut events = 0;
        marker::marks(payload, |mark| {
            let Some((_, newest)) = connection.places.iter_mut().find(|(channel, _)| *channel == mark.channel) else {
                return;
            };
            if mark.number <= *newest {
                *repeated += 1;
                return;
            }
            *missing += mark.number - *newest - 1;
            *newest = mark.number;
            events += 1;
            latency.saturating_record(now.saturating_sub(mark.micros).max(1));
        });
        if events > 0 {
            self.shared.received.fetch_add(events, Relaxed);
        } else if let Some(answer) = self.shared.target.answer(payload) {
            self.send(at, 1, answer);
        }
    }

    fn subscribe(&mut self, at: usize) {
        let epoch = self.shared.epoch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let place = |newest: u64| epoch.as_ref().filter(|_| newest > 0).map(|epoch| format!("{epoch}:{newest}"));
        let channels: Vec<_> =
            self.connections[at].places.iter().map(|(channel, newest)| (*channel, place(*newest))).collect();
        for frame in self.shared.target.subscribe(&channels) {
            self.send(at, 1, frame.as_bytes());
        }
    }

    fn send(&mut self, at: usize, opcode: u8, payload: &[u8]) {
        let mut frame = Vec::new();
        wire::push_frame(&mut frame, opcode, payload);
        let Some(stream) = &mut self.connections[at].stream else { return };
        // So little finds room, or the connection is none any more.
        if stream.write_all(&frame).is_err() {
            self.lost(at, None);
        }
    }
}

impl Shared {
    fn note_refusal(&self, told: &str) {
        self.refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| told.chars().take(300).collect());
    }

    /// Keeps what the server calls its history: the hub says it with each `subscribed`.
    fn note_epoch(&self, payload: &[u8]) {
        let Some(at) = memchr::memmem::find(payload, b"\"head\":\"") else { return };
        let rest = &payload[at + 8..];
        let Some(end) = memchr::memchr(b':', rest) else { return };
        let epoch = String::from_utf8_lossy(&rest[..end]).into_owned();
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
    }
}

fn connect(address: SocketAddr, source: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    let under_way = rustix::io::Errno::INPROGRESS.raw_os_error();
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(under_way) => return Err(error),
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}
