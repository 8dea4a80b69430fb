//! Who publishes: one connection by HTTP, one request after the other.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;

use crate::{
    marker::Mark,
    swarm::{Shared, histogram},
};

/// How long a server may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Between two tries where nobody answers.
const AGAIN: Duration = Duration::from_millis(20);
/// Between two looks whether readers have caught up.
const LOOK: Duration = Duration::from_micros(200);

/// How events are published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Events a second; none for as many as readers take.
    pub(crate) rate: Option<f64>,
    /// Events a request.
    pub(crate) batch: usize,
    pub(crate) time: Duration,
    /// Without a rate: events that a reader may have before it at most.
    pub(crate) window: u64,
    /// Whether a request that isn't answered is made again, under the key that it had.
    pub(crate) insists: bool,
}

/// What became of it.
pub(crate) struct Published {
    /// The newest number of each channel.
    pub(crate) counts: Vec<u64>,
    /// From a request's first byte to its answer, microseconds; where it had to be made again, from the first one on.
    pub(crate) answers: Histogram<u64>,
    /// Requests that got no answer, or another one than that it is done.
    pub(crate) unanswered: u64,
    /// The longest that a request came too late, because the one before it took so long.
    pub(crate) late: Duration,
}

/// Publishes to all channels in turn.
pub(crate) fn publish(shared: &Shared, pace: Pace, from: &[u64], published: &AtomicU64) -> Result<Published> {
    let mut counts = from.to_vec();
    let (mut answers, mut unanswered, mut late) = (histogram(), 0, Duration::ZERO);
    let mut http = None;
    let (mut request, mut answer) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    let run: u32 = rand::random();
    let mut requests = 0_u64;
    let mut events = 0_u64;
    while begin.elapsed() < pace.time {
        let due = match pace.rate {
            Some(rate) => begin + Duration::from_secs_f64(events as f64 / rate),
            None => Instant::now(),
        };
        if due.saturating_duration_since(begin) >= pace.time {
            break;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        while pace.rate.is_none() && shared.lag(events) > pace.window {
            if begin.elapsed() > pace.time + ANSWER_MAX {
                bail!("readers don't catch up");
            }
            std::thread::sleep(LOOK);
        }
        let due = if pace.rate.is_some() { due } else { Instant::now() };
        late = late.max(due.elapsed());
        let micros = u64::try_from(due.duration_since(shared.begin).as_micros()).unwrap_or(u64::MAX);
        let marks: Vec<_> = (0..pace.batch)
            .map(|_| {
                let channel = usize::try_from(events % counts.len() as u64).unwrap_or_default();
                counts[channel] += 1;
                events += 1;
                Mark { channel, number: counts[channel], micros }
            })
            .collect();
        requests += 1;
        request.clear();
        shared.target.publish(&mut request, &marks, pace.insists.then(|| format!("{run}-{requests}")).as_deref());
        let sent = Instant::now();
        loop {
            match ask(shared, &mut http, &request, &mut answer) {
                Ok(200..300) => break,
                Ok(status) if !pace.insists => {
                    bail!("publishing is answered by {status}: {}", String::from_utf8_lossy(&answer))
                }
                Err(error) if !pace.insists => bail!("publishing: {error}"),
                _ => {
                    unanswered += 1;
                    http = None;
                    std::thread::sleep(AGAIN);
                }
            }
        }
        published.fetch_add(marks.len() as u64, Relaxed);
        answers.saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX).max(1));
    }
    Ok(Published { counts, answers, unanswered, late })
}

impl Shared {
    /// How many events a reader has before it, on the average, where so many were published in this stretch.
    fn lag(&self, events: u64) -> u64 {
        let received = self.received.load(Relaxed).saturating_sub(self.before.load(Relaxed));
        let readers = self.ready.load(Relaxed).max(1) as u64 * self.each as u64;
        events.saturating_sub(received * self.channels as u64 / readers)
    }
}

/// One request and its answer: the status.
fn ask(shared: &Shared, http: &mut Option<TcpStream>, request: &[u8], answer: &mut Vec<u8>) -> io::Result<u16> {
    let is_used = http.is_some();
    match ask_once(shared, http, request, answer) {
        // A server may end a connection that it has answered on, whenever it likes.
        Err(_) if is_used && answer.is_empty() => {
            *http = None;
            ask_once(shared, http, request, answer)
        }
        other => other,
    }
}

fn ask_once(shared: &Shared, http: &mut Option<TcpStream>, request: &[u8], answer: &mut Vec<u8>) -> io::Result<u16> {
    answer.clear();
    let stream = match http {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(shared.target.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_MAX))?;
            http.insert(stream)
        }
    };
    stream.write_all(request)?;
    let mut chunk = [0; 16 << 10];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&chunk[..read]);
        let Some((status, end)) = crate::wire::answer(answer) else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let whole = match head.split("content-length:").nth(1).and_then(|rest| rest.lines().next()) {
            Some(length) => answer.len() >= end + length.trim().parse().unwrap_or(0),
            None => !head.contains("chunked") || answer.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            return Ok(status);
        }
    }
}
