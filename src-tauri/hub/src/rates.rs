//! How often somebody may come, and how many of him may be there: by his address, and by who he is.
//!
//! A table of token buckets, in bounded memory. What it forgets is what is as good as never seen: nobody there, and a bucket that is full again.
//! Where even so there is no room, those for whom there is none are one together: neither may they all come, nor may none.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use watchfloor_model::Mono;

use crate::{failure::Failure, hub::Shared, limits, revocation::Peer};

/// How much of something may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Connections at once; any number if it is none.
    pub at_once: Option<u32>,
    /// New ones a second; any number if it is none. Ten seconds' worth of them may come at once.
    pub a_second: Option<u32>,
}

impl Rate {
    const fn is_none(&self) -> bool {
        self.at_once.is_none() && self.a_second.is_none()
    }
}

/// What is allowed. Nothing is limited if all is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Connections of a client's address; of IPv6, of a network of 64 bits.
    pub address: Rate,
    /// Whether addresses of this machine itself are not limited.
    pub spares_loopback: bool,
    /// Connections of a user, by whatever address.
    pub user: Rate,
    /// What a client may say on a WebSocket. More of it is read later.
    pub speech: Speech,
    /// Channels of one connection; as many as its door takes if it is none.
    pub channels: Option<u32>,
}

impl Rates {
    /// What holds in the binary where nothing else is said.
    #[must_use]
    pub const fn usual() -> Self {
        Self {
            address: Rate { at_once: Some(limits::ADDRESS_CONNECTIONS), a_second: Some(limits::ADDRESS_A_SECOND) },
            spares_loopback: true,
            user: Rate { at_once: Some(limits::USER_CONNECTIONS), a_second: Some(limits::USER_A_SECOND) },
            speech: Speech { messages: Some(limits::MESSAGES_A_SECOND), bytes: Some(limits::KIB_A_SECOND * 1024) },
            channels: None,
        }
    }
}

/// What a client may say a second; ten seconds' worth at once. Any number if it is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speech {
    /// Messages.
    pub messages: Option<u32>,
    /// Bytes.
    pub bytes: Option<u32>,
}

/// Whose connections are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    /// Those of an address, or of a network.
    Address(IpAddr),
    /// Those of a user, of an application if it is one's.
    User(Option<Arc<str>>, Arc<str>),
}

/// Why somebody may not come now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// What it is called.
    pub(crate) code: &'static str,
    what: &'static str,
    max: u32,
    /// When it may be tried again.
    pub(crate) after: Duration,
}

impl TooMany {
    /// In words that hold no number.
    pub(crate) const fn brief(self) -> &'static str {
        "too many connections of this address: come again later"
    }
}

impl From<TooMany> for Failure {
    fn from(too_many: TooMany) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, too_many.code, too_many.to_string()).after(too_many.after)
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, what, max, after } = self;
        let how = if *code == "too-many" { "at once" } else { "a second" };
        let seconds = after.as_secs_f64().ceil().max(1.0);
        write!(f, "too many connections of this {what}: expected at most {max} {how}; come again in {seconds} s")
    }
}

/// How many more may come now. Fills up by so many a second, to ten seconds' worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// Below nothing for who was let in on credit.
    left: f64,
    at: Mono,
}

impl Bucket {
    pub(crate) fn full(a_second: u32, now: Mono) -> Self {
        Self { left: Self::room(a_second), at: now }
    }

    fn room(a_second: u32) -> f64 {
        f64::from(a_second) * limits::BURST.as_secs_f64()
    }

    fn fill(&mut self, a_second: u32, now: Mono) {
        let filled = self.left + now.since(self.at).as_secs_f64() * f64::from(a_second);
        (self.left, self.at) = (filled.min(Self::room(a_second)), self.at.max(now));
    }

    fn is_full(&self, a_second: u32, now: Mono) -> bool {
        let mut bucket = *self;
        bucket.fill(a_second, now);
        bucket.left >= Self::room(a_second)
    }

    /// Takes one, if there is one.
    ///
    /// # Errors
    /// How long it takes until there is.
    fn take(&mut self, a_second: u32, now: Mono) -> Result<(), Duration> {
        self.fill(a_second, now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.left) / f64::from(a_second)))
    }

    /// Takes so many, whether they are there or not: what was said was said.
    pub(crate) fn spend(&mut self, a_second: u32, count: f64, now: Mono) {
        self.fill(a_second, now);
        self.left -= count;
    }

    /// How long it takes until something is left, nothing if something is.
    pub(crate) fn owes(&self, a_second: u32) -> Duration {
        Duration::from_secs_f64((-self.left).max(0.0) / f64::from(a_second))
    }
}

/// Why an entry takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Full {
    code: &'static str,
    max: u32,
    after: Duration,
}

#[derive(Debug)]
struct Entry {
    present: u32,
    bucket: Option<Bucket>,
}

impl Entry {
    fn new(rate: Rate, now: Mono) -> Self {
        Self { present: 0, bucket: rate.a_second.map(|a_second| Bucket::full(a_second, now)) }
    }

    /// Whether nothing is known of it but that it may come.
    fn is_idle(&self, rate: Rate, now: Mono) -> bool {
        let bucket = self.bucket.as_ref().zip(rate.a_second);
        self.present == 0 && bucket.is_none_or(|(bucket, a_second)| bucket.is_full(a_second, now))
    }

    fn come(&mut self, rate: Rate, is_new: bool, now: Mono) -> Result<(), Full> {
        if let Some(max) = rate.at_once.filter(|max| self.present >= *max) {
            return Err(Full { code: "too-many", max, after: limits::PLACE_AGAIN });
        }
        if let Some(a_second) = rate.a_second.filter(|_| is_new) {
            let bucket = self.bucket.get_or_insert_with(|| Bucket::full(a_second, now));
            let full = |after| Full { code: "too-fast", max: a_second, after };
            bucket.take(a_second, now).map_err(full)?;
        }
        self.present += 1;
        Ok(())
    }
}

/// Everybody of one kind, a value: time comes as an argument.
#[derive(Debug)]
struct Table {
    entries: HashMap<Whose, Entry>,
    entries_max: usize,
    /// Those for whom there was no room, together.
    others: Option<Entry>,
    /// When it was last looked for what can be forgotten.
    swept: Option<Mono>,
}

impl Table {
    fn new(entries_max: usize) -> Self {
        Self { entries: HashMap::new(), entries_max, others: None, swept: None }
    }

    /// Counts somebody in. Whether he has an entry of his own.
    fn come(&mut self, whose: &Whose, rate: Rate, is_new: bool, now: Mono) -> Result<bool, Full> {
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(whose) {
            self.sweep(rate, now);
            if self.entries.len() >= self.entries_max {
                let others = self.others.get_or_insert_with(|| Entry::new(rate, now));
                return others.come(rate, is_new, now).map(|()| false);
            }
        }
        let entry = self.entries.entry(whose.clone()).or_insert_with(|| Entry::new(rate, now));
        entry.come(rate, is_new, now).map(|()| true)
    }

    fn sweep(&mut self, rate: Rate, now: Mono) {
        // It takes milliseconds, which nobody is to be able to ask for at will.
        if self.swept.is_none_or(|swept| now.since(swept) >= limits::SWEEP_PERIOD) {
            self.swept = Some(now);
            self.entries.retain(|_, entry| !entry.is_idle(rate, now));
        }
    }

    fn go(&mut self, whose: &Whose, is_own: bool, rate: Rate, now: Mono) {
        let entry = if is_own { self.entries.get_mut(whose) } else { self.others.as_mut() };
        let Some(entry) = entry else { return };
        entry.present = entry.present.saturating_sub(1);
        if is_own && entry.is_idle(rate, now) {
            self.entries.remove(whose);
        }
    }
}

#[derive(Debug)]
struct Tables {
    rates: Rates,
    addresses: Table,
    users: Table,
}

impl Tables {
    fn of(&mut self, whose: &Whose) -> (&mut Table, Rate) {
        match whose {
            Whose::Address(_) => (&mut self.addresses, self.rates.address),
            Whose::User(..) => (&mut self.users, self.rates.user),
        }
    }
}

/// See the module. Clones count the same.
#[derive(Clone, Debug)]
pub(crate) struct Counts(Arc<Mutex<Tables>>);

impl Counts {
    pub(crate) fn new(rates: Rates) -> Self {
        let table = || Table::new(limits::RATE_ENTRIES_MAX);
        Self(Arc::new(Mutex::new(Tables { rates, addresses: table(), users: table() })))
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // Nothing is left half done there by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Other rates hold from now on, for who comes.
    pub(crate) fn set(&self, rates: Rates) {
        self.lock().rates = rates;
    }

    /// What a client may say.
    pub(crate) fn speech(&self) -> Speech {
        self.lock().rates.speech
    }

    /// How many channels one connection may read, at a door that takes so many.
    pub(crate) fn channels(&self, door_max: usize) -> usize {
        self.lock().rates.channels.map_or(door_max, |max| door_max.min(max as usize))
    }

    /// Counts somebody in until what is answered is dropped; none if nobody counts him. One that is not `is_new` stays a moment only, and has no rate.
    ///
    /// # Errors
    /// If too many of him come, or are there.
    pub(crate) fn come(&self, whose: Whose, is_new: bool, now: Mono) -> Result<Option<Place>, TooMany> {
        let mut tables = self.lock();
        let is_spared = matches!(whose, Whose::Address(ip) if tables.rates.spares_loopback && ip.is_loopback());
        let (table, rate) = tables.of(&whose);
        if is_spared || rate.is_none() {
            return Ok(None);
        }
        let what = if matches!(whose, Whose::Address(_)) { "address" } else { "user" };
        let too_many = |Full { code, max, after }| TooMany { code, what, max, after };
        let came = table.come(&whose, rate, is_new, now).map_err(too_many);
        drop(tables);
        came.map(|is_own| Some(Place { counts: self.clone(), whose, is_own, came: now }))
    }
}

/// Counts in who came by a proxy: who came by himself was when he connected.
///
/// # Errors
/// If he is refused.
pub(crate) fn count_in(hub: &Shared, peer: &mut Peer, is_new: bool) -> Result<(), TooMany> {
    if let Some(too_many) = peer.refused {
        return Err(too_many);
    }
    if let Some(address) = peer.address.filter(|_| peer.is_proxied && peer.place.is_none()) {
        let place = hub.counts.come(Whose::Address(address.household()), is_new, hub.now().mono)?;
        peer.place = place.map(Arc::new);
    }
    Ok(())
}

/// Refuses who is too many. Who comes by the Pusher door is told there, as its clients understand it.
pub(crate) async fn limit(State(hub): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // What stays, and what may stay for a while.
    let (is_new, stays) = match path {
        "/v1/ws" | "/v1/sse" => (true, true),
        "/v1/poll" => (false, true),
        path if path.starts_with("/app/") => return next.run(request).await,
        _ => (false, false),
    };
    if let Some(peer) = request.extensions_mut().get_mut::<Peer>() {
        let counted = match peer.refused {
            None if !stays => Ok(()),
            _ => count_in(&hub, peer, is_new),
        };
        if let Err(too_many) = counted {
            let mut response = Failure::from(too_many).into_response();
            if peer.refused.is_some() {
                // Whatever comes after it would be refused too.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            return response;
        }
    }
    next.run(request).await
}

/// Somebody is there, and is counted.
#[derive(Debug)]
pub(crate) struct Place {
    counts: Counts,
    whose: Whose,
    is_own: bool,
    came: Mono,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tables = self.counts.lock();
        let (table, rate) = tables.of(&self.whose);
        table.go(&self.whose, self.is_own, rate, self.came);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { at_once: Some(15), a_second: Some(2) };

    fn counts(address: Rate) -> Counts {
        Counts::new(Rates { address, ..Rates::default() })
    }

    fn address(number: u32) -> Whose {
        Whose::Address(IpAddr::from(number.to_be_bytes()))
    }

    fn at(ms: u64) -> Mono {
        Mono::from_millis(ms)
    }

    /// H5: ten seconds' worth at once, then so many a second; and never more at once than may be.
    #[test]
    fn floods_are_refused() {
        let counts = counts(RATE);
        let come = |ms| counts.come(address(1), true, at(ms));
        let mut there: Vec<_> = (0..15).map(|_| come(0).expect("room")).collect();
        let full = come(0).expect_err("no more at once");
        assert_eq!((full.code, full.after), ("too-many", limits::PLACE_AGAIN));
        assert_eq!(
            full.to_string(),
            "too many connections of this address: expected at most 15 at once; come again in 5 s"
        );
        there.clear();
        there.extend((0..5).map(|_| come(0).expect("the rest of twenty")));
        let fast = come(0).expect_err("no more a second");
        assert_eq!((fast.code, fast.after), ("too-fast", Duration::from_millis(500)));
        assert!(come(499).is_err() && come(501).is_ok() && come(501).is_err());
        // Another is nobody's business, and one who only asks is not held up by a rate.
        assert!(counts.come(address(2), true, at(500)).is_ok() && counts.come(address(1), false, at(500)).is_ok());
        // After ten seconds all is as before.
        there.clear();
        assert_eq!((0..30).filter(|_| come(60_000).map(|place| there.push(place)).is_ok()).count(), 15);
    }

    #[test]
    fn who_is_not_counted() {
        let spared = Counts::new(Rates {
            address: Rate { at_once: Some(1), a_second: None },
            spares_loopback: true,
            ..Rates::default()
        });
        let local = |counts: &Counts| counts.come(Whose::Address(IpAddr::from([127, 0, 0, 1])), true, at(0));
        assert!(local(&spared).is_ok_and(|place| place.is_none()) && local(&spared).is_ok());
        let none = counts(Rate::default());
        assert!((0..1000).all(|_| none.come(address(1), true, at(0)).is_ok_and(|place| place.is_none())));
        let user = Whose::User(None, "7".into());
        assert!(spared.come(user, true, at(0)).is_ok_and(|place| place.is_none()));
    }

    /// H5: however many addresses there are, the table has its bound; who finds no room is let in by what all of those share.
    #[test]
    fn the_table_is_bounded() {
        let mut table = Table::new(100);
        let rate = Rate { at_once: None, a_second: Some(1) };
        let mut come = |number, ms| {
            let came = table.come(&address(number), rate, true, at(ms));
            assert!(table.entries.len() <= 100);
            came
        };
        assert!((0..100).all(|number| come(number, 0) == Ok(true)));
        let others: Vec<_> = (100..200).map(|number| come(number, 1)).collect();
        assert_eq!(others.iter().filter(|came| **came == Ok(false)).count(), 10, "ten seconds' worth of one");
        assert!(others[50].is_err());
        // Who is gone, and whose bucket is full again, is forgotten; who is there isn't.
        for number in 0..60 {
            table.go(&address(number), true, rate, at(2));
        }
        assert_eq!(table.come(&address(500), rate, true, at(20_000)), Ok(true));
        assert_eq!(table.entries.len(), 41);
    }

    proptest! {
        /// H5: in no stretch of time are more let in than its seconds' worth and the burst, whoever comes when, and nobody is counted who is gone.
        #[test]
        fn no_more_than_is_allowed(
            steps in proptest::collection::vec((0_u64..3000, 0_u32..3, any::<bool>()), 1..200),
            a_second in 1_u32..5,
            at_once in 1_u32..20,
        ) {
            let counts = counts(Rate { at_once: Some(at_once), a_second: Some(a_second) });
            let (mut now, mut there, mut came) = (0, Vec::new(), Vec::new());
            for (pause, who, goes) in steps {
                now += pause;
                if goes && !there.is_empty() {
                    there.remove(0);
                } else if let Ok(place) = counts.come(address(who), true, at(now)) {
                    there.push((who, place));
                    came.push((who, now));
                }
                for who in 0..3 {
                    prop_assert!(there.iter().filter(|(other, _)| *other == who).count() <= at_once as usize);
                }
            }
            for who in 0..3 {
                let times: Vec<u64> = came.iter().filter(|(other, _)| *other == who).map(|(_, at)| *at).collect();
                for (from, begin) in times.iter().enumerate() {
                    for (upto, end) in times.iter().enumerate().skip(from) {
                        let most = f64::from(a_second) * ((end - begin) as f64 / 1000.0 + limits::BURST.as_secs_f64());
                        prop_assert!((upto - from + 1) as f64 <= most + 1e-6);
                    }
                }
            }
            drop(there);
            let left = counts.lock().addresses.entries.values().map(|entry| entry.present).sum::<u32>();
            prop_assert_eq!(left, 0);
        }
    }
}
