//! Every bound of a feed, with its unit. Reaching one is seen in the status, never silent.

use std::time::Duration;

/// How long a link may take to stand.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take where there is another way to travel: a wall behind a firewall is dark for twice as long.
pub const OPEN_TIMEOUT_OF_SEVERAL: Duration = Duration::from_secs(5);
/// How long the server may take for each answer that subscribing needs.
pub const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take for all of them, if each leads to another question.
pub const SUBSCRIBING_MAX: Duration = Duration::from_secs(30);
/// How long the exchange for a snapshot may take.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// How much later the feed itself gives up a fetch that is never answered.
pub const FETCH_GRACE: Duration = Duration::from_secs(2);
/// The longest snapshot, in bytes.
pub const SNAPSHOT_BYTES_MAX: usize = 64 << 20;

/// Most channels, and most aggregates, of a snapshot.
pub const SNAPSHOT_ENTRIES_MAX: usize = 10_000;

/// The first backoff's upper end.
pub const BACKOFF_BASE: Duration = Duration::from_millis(250);
/// The last backoff's upper end.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// How long a link must have been live before the backoff begins again at its base.
pub const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// Over how long walls spread when a server said that it goes down.
pub const GOING_AWAY_SPREAD: Duration = Duration::from_secs(2);
/// How often, about, a server that refused is asked again.
pub const REFUSED_RETRY: Duration = Duration::from_secs(60);
/// The shortest `Retry-After` that is taken as it stands.
pub const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is taken as it stands.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// The longest SSE `retry:` that is taken as it stands.
pub const SSE_RETRY_MAX: Duration = Duration::from_secs(300);

/// How long the question for a token may take.
pub const CREDENTIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How much later the feed itself gives up such a question that is never answered.
pub const CREDENTIAL_GRACE: Duration = Duration::from_secs(2);
/// How long before its end a token is renewed at the latest, unless it lives for less than twice as long.
pub const RENEW_BEFORE: Duration = Duration::from_secs(10);
/// A server that finds fault with a token is come back to at once with a new one, but no more often than this.
pub const RENEW_AT_ONCE_SPACING: Duration = Duration::from_secs(60);
/// How long the server may take to answer to a new token on a link that stands.
pub const AUTHORISE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long before the end of its token a link is left for the one that replaces it, if that is caught up.
pub const REPLACE_BEFORE: Duration = Duration::from_secs(1);

/// The shortest time between two probes of a link.
pub const PROBE_PERIOD_MIN: Duration = Duration::from_millis(100);
/// The longest time between two probes of a link: a dead one is found in three of them.
pub const PROBE_PERIOD_MAX: Duration = Duration::from_secs(10);
/// How much longer than a link may be silent this program may stand still without the link's being given up for it.
pub const STALL_FORGIVEN: Duration = Duration::from_secs(10);
/// How often the source's clock is asked for.
pub const CLOCK_PING_PERIOD: Duration = Duration::from_secs(10);
/// The heartbeat period assumed until the server tells its own.
pub const HEARTBEAT_ASSUMED: Duration = Duration::from_secs(5);
/// The longest heartbeat period that is believed.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(300);

/// Most events held back while a snapshot is outstanding.
pub const HELD_EVENTS_MAX: usize = 10_000;
/// Most bytes of events held back, counted as text with [`HELD_EVENT_OVERHEAD_BYTES`] each.
pub const HELD_BYTES_MAX: usize = 16 << 20;
/// What one held event is taken to cost besides its text, in bytes.
pub const HELD_EVENT_OVERHEAD_BYTES: usize = 256;
/// Most events that wait for those before them.
pub const EARLY_EVENTS_MAX: usize = 1000;
/// The longest that one waits. What is shown lacks no more than that.
pub const REORDER_MAX: Duration = Duration::from_secs(1);
/// Most resynchronisations on one link until it is given up.
pub const RESYNCS_MAX: u32 = 5;
/// Over this long, what can't be read is asked for once more on the average; [`RESYNCS_MAX`] times in a row at most.
pub const ASK_AGAIN_SPACING: Duration = Duration::from_secs(10);
/// Most unusable snapshots in a row until the link is given up.
pub const SNAPSHOTS_UNUSABLE_MAX: u32 = 3;

/// Over how long walls spread that seek a comparison because something was passed over.
pub const SOUGHT_SPREAD: Duration = Duration::from_secs(2);
/// The shortest time between two comparisons that are sought.
pub const SOUGHT_SPACING: Duration = Duration::from_secs(10);
/// Over how long walls spread that seek one because they go on from an earlier life, in which something may have been passed over.
pub const RESTORED_SPREAD: Duration = Duration::from_secs(30);
/// Failed comparisons in a row for which the time to the next is doubled.
pub const CHECK_DOUBLINGS_MAX: u32 = 3;

/// Failures in a row, with the server otherwise reachable, after which a way to travel is taken for blocked.
pub const BLOCKED_AFTER: u32 = 2;
/// The longest answer to what is asked beside a link, in bytes.
pub const POST_BYTES_MAX: usize = 64 << 10;
/// How long the exchange may take that asks whether the server is there.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer to that, in bytes.
pub const HEALTH_BYTES_MAX: usize = 64 << 10;
/// How long, about, a better way to travel is left alone the first time; twice as long each time that it fails.
pub const TRIAL_FIRST: Duration = Duration::from_secs(10);
/// How long, about, it is left alone at most.
pub const TRIAL_PERIOD_MAX: Duration = Duration::from_secs(600);
/// How long a trial may take from when its link stands, besides the time for which it must be good.
pub const TRIAL_GRACE: Duration = Duration::from_secs(10);
/// How long a link must have been live before the way that it came is no longer in doubt.
pub const TRUSTED_AFTER: Duration = Duration::from_secs(60);

/// How long a link of polls may take to go on by a WebSocket: what servers allow by themselves.
pub const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes that wait to be posted.
pub const POSTS_BYTES_MAX: usize = 1 << 20;
/// The longest answer to a poll, in bytes.
pub const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How much longer than a link may be silent the exchange of a poll may take.
pub const ANSWER_GRACE: Duration = Duration::from_secs(2);
/// The shortest time from one poll to the next, unless the server has more to send: a server that answers at once
/// without having anything must not be asked in a hot loop.
pub const ASK_SPACING: Duration = Duration::from_millis(100);
/// The longest cursor taken from a server, in bytes.
pub const CURSOR_BYTES_MAX: usize = 128 << 10;

/// Most rows of a document that is compared with the one before.
pub const ROWS_MAX: usize = 10_000;

/// The longest line of an event stream, in bytes; a longer one is skipped and counted as rejected.
pub const SSE_LINE_BYTES_MAX: usize = 16 << 20;
/// The most data of one SSE event, in bytes; a longer one is skipped and counted as rejected.
pub const SSE_EVENT_BYTES_MAX: usize = 16 << 20;
/// The most that a message may have once it is decoded, in bytes: nothing is inflated any further.
pub const DECODED_BYTES_MAX: usize = 16 << 20;
/// By how many times its own length a compressed message may grow: deflate itself gets to a thousand, JSON hardly to fifty.
pub const INFLATE_RATIO_MAX: usize = 200;
/// What any compressed message may grow to, however short it is, in bytes.
pub const INFLATED_FREELY_BYTES: usize = 64 << 10;
/// How deep lists, maps and tags may nest in MessagePack and CBOR: less than what JSON may.
pub const DECODED_DEPTH_MAX: usize = 100;
/// Most different event names kept once for all; further ones are kept an event each.
pub const NAMES_INTERNED_MAX: usize = 4096;
/// Most lines of one message that are no message of the protocol; with more, the other side speaks something else.
pub const UNREADABLE_LINES_MAX: usize = 1000;
/// Most events handed over in one delivery.
pub const DELIVERY_EVENTS_MAX: usize = 1024;
/// Most signals kept allocated between two inputs.
pub const BATCH_KEPT_MAX: usize = 4096;
/// The longest text taken from a server into a cause or a reason, in characters.
pub const REASON_CHARS_MAX: usize = 200;

const _: () = assert!(BACKOFF_BASE.as_millis() < BACKOFF_MAX.as_millis());
const _: () = assert!(PROBE_PERIOD_MIN.as_millis() < PROBE_PERIOD_MAX.as_millis());
const _: () = assert!(HELD_EVENTS_MAX * HELD_EVENT_OVERHEAD_BYTES < HELD_BYTES_MAX);
const _: () = assert!(SSE_EVENT_BYTES_MAX > watchfloor_model::limits::DATA_BYTES_MAX);
