//! Every bound of the hub, in one place.

use std::time::Duration;

/// The largest body of a publishing request, bytes.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// A body with more bytes than this is large.
pub const LARGE_BODY_BYTES: usize = 64 << 10;
/// Large bodies taken at once; others wait. Read in, a body needs many times its size.
pub const LARGE_BODIES_MAX: usize = 8;
/// How much of a body over the limit is still read and thrown away, bytes, so that the sender gets to read the answer.
pub const BODY_DISCARD_BYTES_MAX: usize = 8 << 20;
/// The longest that a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The most events in one publishing request.
pub const BATCH_EVENTS_MAX: usize = 10_000;
/// The deepest nesting of an event's `data`. A JSON parser that stops at 128 levels still takes the messages around it.
pub const DATA_DEPTH_MAX: usize = 100;
/// The longest channel name, bytes.
pub const CHANNEL_BYTES_MAX: usize = 200;
/// The longest label of a clock, bytes.
pub const LABEL_BYTES_MAX: usize = 200;
/// The greatest speed of a clock, hub seconds a real second.
pub const CLOCK_SPEED_MAX: f64 = 1_000_000.0;
/// The earliest time taken: 0001-01-01T00:00:00Z, milliseconds since the Unix epoch.
pub const TIME_MS_MIN: i64 = -62_135_596_800_000;
/// The latest time taken: 9999-12-31T00:00:00Z, milliseconds since the Unix epoch.
pub const TIME_MS_MAX: i64 = 253_402_214_400_000;

/// How far an event's time may be ahead of the hub's, at a clock's usual speed. One that is farther ahead counts as of now.
pub const AHEAD_MAX: Duration = Duration::from_secs(5);

/// The most channels that a hub keeps.
pub const CHANNELS_MAX: usize = 10_000;
/// The most channels of one subscription, snapshot or sign of life.
pub const SUBSCRIPTION_CHANNELS_MAX: usize = 256;
/// The most messages of one frame or answer.
pub const BATCH_MESSAGES_MAX: usize = 512;
/// The most text of one frame or answer, bytes; a single longer message goes alone.
pub const BATCH_BYTES_MAX: usize = 256 << 10;

/// Texts of frames that are remembered for readers at the same place.
pub const RUNS_MAX: usize = 64;
/// Bytes of them all.
pub const RUNS_BYTES_MAX: usize = 4 << 20;

/// Codes of refusals that are counted apart.
pub const METRIC_CODES_MAX: usize = 200;

/// Events kept a channel.
pub const HISTORY_EVENTS: usize = 100_000;
/// Bytes kept a channel.
pub const HISTORY_BYTES: usize = 64 << 20;
/// Bytes kept in all channels together.
pub const HISTORY_BYTES_TOTAL: usize = 1 << 30;
/// How long an event is kept, real time.
pub const HISTORY_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// What an event in the history costs besides its text, bytes.
pub const ENTRY_OVERHEAD_BYTES: usize = 128;
/// What was acknowledged on a `fast` channel is kept after this at the latest; while it isn't, nothing more is acknowledged there.
pub const FAST: Duration = Duration::from_millis(100);
/// How long events of `fast` channels are gathered before they are written.
pub const FAST_GATHER: Duration = Duration::from_millis(50);
/// How long a publisher waits for the store before it is answered that it must come again.
pub const STORE_WAIT: Duration = Duration::from_secs(10);
/// How often a store that keeps nothing is tried again.
pub const STORE_RETRY: Duration = Duration::from_millis(500);
/// Bytes of events that wait to be written; beyond it nothing more is taken.
pub const UNKEPT_BYTES_MAX: usize = 64 << 20;
/// Offsets of a `fast` or `memory` channel that are set apart at once, before their events are kept.
pub const RESERVE: u64 = 1 << 16;
/// A channel to which nothing was published for so long gives back those that it doesn't use.
pub const RESERVE_QUIET: Duration = Duration::from_secs(2);
/// The aggregates are written at least so often where something changed, so that a start needn't fold more than this brings.
pub const CHECKPOINT_PERIOD: Duration = Duration::from_secs(30);
/// The aggregates are written as well when this many bytes of events came since, and four times what they take themselves.
pub const CHECKPOINT_BYTES: usize = 16 << 20;
/// How often histories of channels to which nothing is published are looked through for old events.
pub const TRIM_PERIOD: Duration = Duration::from_secs(10);
/// How often it is looked for who is no longer present.
pub const ADVANCE_PERIOD: Duration = Duration::from_millis(250);

/// Idempotency keys remembered.
pub const KEYS_MAX: usize = 10_000;
/// How long an idempotency key is remembered, real time.
pub const KEY_AGE: Duration = Duration::from_secs(60 * 60);
/// The longest idempotency key, bytes.
pub const KEY_BYTES_MAX: usize = 200;
/// Events with an id and a time that are remembered, so that one that comes again is known.
pub const REPEATS_MAX: usize = 100_000;
/// How long the binary remembers them, real time.
pub const REPEATS_AGE: Duration = Duration::from_secs(60 * 60);
/// Stretches of positions remembered with all keys together. A batch in one channel is one stretch.
pub const KEY_STRETCHES_MAX: usize = 1_000_000;

/// The time between two heartbeats of a subscription.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// The longest that a long poll may ask to wait, milliseconds.
pub const POLL_WAIT_MS_MAX: u64 = 60_000;
/// How long a long poll waits if it doesn't say, milliseconds.
pub const POLL_WAIT_MS: u64 = 25_000;
/// What a client of server-sent events is told to wait before it comes back, milliseconds.
pub const SSE_RETRY_MS: u64 = 1_000;
/// The largest frame or message of a WebSocket client, bytes.
pub const CLIENT_FRAME_BYTES_MAX: usize = 64 << 10;
/// Orders of a WebSocket client that wait for the writer; when there are more, reading stops.
pub const ORDERS_MAX: usize = 32;

/// How long a connection outlives the token that it came by, so that a new one may still be presented; by as much the clocks of
/// those who sign may differ.
pub const TOKEN_GRACE: Duration = Duration::from_secs(5);
/// The longest life of a token that is counted.
pub const TOKEN_LIFE_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Channels that a token names.
pub const CLAIMED_CHANNELS_MAX: usize = 1000;

/// Revocations that stand. One more is refused: to forget an older one would give back what was taken.
pub const REVOCATIONS_MAX: usize = 100_000;
/// Revocations of one request.
pub const REVOCATIONS_A_REQUEST_MAX: usize = 100;
/// How long a connection whose right was revoked has to take what it was being sent before it is cut off.
pub const REVOKE_GRACE: Duration = Duration::from_secs(2);
/// The longest `sub` and `jti` of a token, bytes.
pub const CLAIM_BYTES_MAX: usize = 256;
/// The body of a request that revokes, bytes.
pub const REVOKE_BYTES_MAX: usize = 256 << 10;

/// Connections of those who look after the hub.
pub const ADMIN_CONNECTIONS_MAX: usize = 64;
/// Entries of an admin answer that doesn't say how many.
pub const ADMIN_PAGE: usize = 100;
/// Connections of one answer.
pub const ADMIN_PAGE_MAX: usize = 1_000;
/// Channels that are named of each connection in such an answer.
pub const ADMIN_CHANNELS_SHOWN: usize = 20;

/// Refusals that the audit log has in memory, and as many revocations.
pub const AUDIT_ENTRIES_MAX: usize = 1_000;
/// Refusals that are entered one by one a second; more of them are counted.
pub const AUDIT_REFUSALS_A_SECOND: u32 = 100;
/// The longest text of an entry, characters.
pub const AUDIT_TEXT_CHARS_MAX: usize = 200;
/// A file of the audit log is begun anew when it would have more bytes than this.
pub const AUDIT_FILE_BYTES: u64 = 16 << 20;
/// Older files that are kept.
pub const AUDIT_FILES_MAX: u32 = 4;
/// Entries that wait to be written to it; more are counted.
pub const AUDIT_WAITING_MAX: usize = 4_096;

/// How long a site has to say whether somebody may read.
pub const AUTHORISE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a reader waits for that, with those before it.
pub const AUTHORISE_WAIT: Duration = Duration::from_secs(10);
/// Questions to sites that are on their way at once; others wait.
pub const AUTHORISE_AT_ONCE: usize = 32;
/// The largest answer, bytes.
pub const AUTHORISE_BYTES_MAX: usize = 64 << 10;
/// Questions whose answers are remembered, or waited for.
pub const AUTHORISE_ENTRIES_MAX: usize = 100_000;
/// For how long a yes is good for who comes, if nothing else is said.
pub const AUTHORISE_YES: Duration = Duration::from_secs(60);
/// For how long a no is.
pub const AUTHORISE_NO: Duration = Duration::from_secs(10);
/// How often it is asked again while somebody reads by a yes.
pub const AUTHORISE_RECHECK: Duration = Duration::from_secs(60);
/// A site that could not be asked is asked again, for who comes, after this.
pub const AUTHORISE_AGAIN: Duration = Duration::from_secs(1);
/// So too for who reads by an older yes.
pub const AUTHORISE_RETRY: Duration = Duration::from_secs(5);
/// How long somebody reads on by an older yes while the site can't be asked again.
pub const AUTHORISE_PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked for what is to be asked again.
pub const AUTHORISE_TICK: Duration = Duration::from_millis(250);
/// What is asked again at once.
pub const AUTHORISE_DUE_MAX: usize = 1_000;

/// Connections served at once; more wait in the system's queue.
pub const CONNECTIONS_MAX: usize = 10_000;
/// How long a client may take for the head of a later request, and how long an idle connection is kept: longer than proxies keep theirs.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a client may take to agree with the hub upon how to speak TLS.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked whether the hub's file has changed.
pub const FILE_LOOK_PERIOD: Duration = Duration::from_secs(5);
/// How often the files of a certificate are looked at.
pub const TLS_LOOK_PERIOD: Duration = Duration::from_secs(5);
/// The largest of them, bytes.
pub const TLS_FILE_BYTES_MAX: u64 = 1 << 20;
/// How long before its end it is warned of a certificate.
pub const TLS_EXPIRY_WARNED: Duration = Duration::from_secs(14 * 86_400);
/// What of a rate may come at once: so many seconds' worth.
pub const BURST: Duration = Duration::from_secs(10);
/// When it may be tried again where too many are there.
pub const PLACE_AGAIN: Duration = Duration::from_secs(5);
/// Addresses, and users, that are counted; those for whom there is no room are counted as one.
pub const RATE_ENTRIES_MAX: usize = 100_000;
/// How often it is looked which of them can be forgotten, where there is no room.
pub const SWEEP_PERIOD: Duration = Duration::from_secs(1);
/// Connections that are refused by an answer at once; more are closed without one.
pub const REFUSING_MAX: usize = 64;
/// How long such a one has to ask something.
pub const REFUSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections of one address at once, if the hub's file doesn't say.
pub const ADDRESS_CONNECTIONS: u32 = 1_000;
/// New ones of it a second.
pub const ADDRESS_A_SECOND: u32 = 100;
/// Connections of one user at once.
pub const USER_CONNECTIONS: u32 = 1_000;
/// New ones of his a second.
pub const USER_A_SECOND: u32 = 100;
/// Messages that a client may say a second, on a WebSocket.
pub const MESSAGES_A_SECOND: u32 = 100;
/// KiB of them.
pub const KIB_A_SECOND: u32 = 128;
/// How long who has just come may take for the head of his first request.
pub const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Proxies one behind the other that are followed to who is before them.
pub const PROXY_HOPS_MAX: usize = 20;
/// Networks of proxies that are named.
pub const PROXIES_MAX: usize = 100;
/// How long a connection may take no byte of what it is sent before it is dropped.
pub const WRITE_STALL: Duration = Duration::from_secs(10);
/// How long the other side of a closing WebSocket has to answer.
pub const CLOSE_GRACE: Duration = Duration::from_millis(500);
/// How long connections have to end after the hub was told to stop.
pub const STOP_GRACE: Duration = Duration::from_millis(900);

/// Channels of one connection by the Pusher door.
pub const PUSHER_SUBSCRIPTIONS_MAX: usize = 1_000;
/// The largest event of a client, bytes.
pub const CLIENT_EVENT_BYTES_MAX: usize = 10 << 10;
/// People present in one channel.
pub const PRESENCE_MEMBERS_MAX: usize = 10_000;
/// Comings and goings of a channel that are kept for slow readers.
pub const PRESENCE_MOVES_MAX: usize = 1_000;
/// How long somebody counts as present after his last connection broke.
pub const PRESENCE_LINGER: Duration = Duration::from_secs(3);
/// Members that one message names.
pub const PRESENT_MEMBERS_A_MESSAGE: usize = 500;
/// Members that one page of them has.
pub const PRESENT_PAGE_MAX: usize = 1_000;
/// What others may be told of somebody, bytes.
pub const PERSON_BYTES_MAX: usize = 2 << 10;
/// After so long without a word of a Pusher client the hub asks whether it is there.
pub const PUSHER_ACTIVITY: Duration = Duration::from_secs(120);
/// How long it has to answer.
pub const PUSHER_PONG: Duration = Duration::from_secs(30);
/// Events that a client may publish a second.
pub const CLIENT_EVENTS_A_SECOND: u32 = 10;
/// How old the signature of a request may be, and how far ahead.
pub const SIGNATURE_AGE_MAX: Duration = Duration::from_secs(600);
/// Channels of one event of Pusher's HTTP API.
pub const PUSHER_CHANNELS_MAX: usize = 100;
/// Events of one batch of Pusher's HTTP API. Pusher itself takes 10.
pub const PUSHER_BATCH_MAX: usize = 1_000;
/// How old the newest event of a cache channel may be to be given to who comes later.
pub const PUSHER_CACHE_AGE: Duration = Duration::from_secs(30 * 60);
/// Applications that come by the Pusher door.
pub const APPS_MAX: usize = 100;
/// What sites are still to be told of: more of it drops the oldest.
pub const HAPPENED_MAX: usize = 10_000;
/// What one call of a site tells.
pub const WEBHOOK_EVENTS_MAX: usize = 100;
/// How long it is tried to tell a site.
pub const WEBHOOK_PATIENCE: Duration = Duration::from_secs(300);
/// How long a site may take to answer.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a set of keys is fetched.
pub const JWKS_PERIOD: Duration = Duration::from_secs(600);
/// How soon it is fetched again at the earliest, where a token names a key that isn't known, or it couldn't be fetched.
pub const JWKS_AGAIN: Duration = Duration::from_secs(2);
/// How long the site may take to answer.
pub const JWKS_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest set of keys, bytes.
pub const JWKS_BYTES_MAX: usize = 256 << 10;
/// Namespaces of the hub's file.
pub const NAMESPACES_MAX: usize = 100;
/// Keys that readers' tokens are signed by and that are given.
pub const KEYS_GIVEN_MAX: usize = 20;
/// Aggregates of the hub's file.
pub const NAMED_AGGREGATES_MAX: usize = 200;
/// How long a site may take to say what an aggregate should be.
pub const RECONCILE_TIMEOUT: Duration = Duration::from_secs(30);
/// Rows that change while a site is asked and are told apart.
pub const RECONCILE_TOUCHED_MAX: usize = 10_000;
/// Keys of a set.
pub const JWKS_KEYS_MAX: usize = 100;

/// How long an engine may take to take a connection.
pub const ENGINE_CONNECT: Duration = Duration::from_secs(3);
/// How long it may take to answer.
pub const ENGINE_ANSWER: Duration = Duration::from_secs(4);
/// How long to wait at first before an engine that can't be reached is tried again; five times it doubles.
pub const ENGINE_RETRY: Duration = Duration::from_millis(50);
/// The most events that are read of an engine at once, and …
pub const ENGINE_READ_EVENTS: usize = 2_000;
/// … how many bytes of them, besides the last.
pub const ENGINE_READ_BYTES: usize = 1 << 20;
/// Reads of an engine under way at once.
pub const ENGINE_READS_MAX: usize = 32;
/// How many of the newest events a node reads of a channel that it begins to follow.
pub const ENGINE_TAIL: usize = 100;
/// The most channels that a node follows.
pub const FOLLOWED_MAX: usize = 100_000;
/// How long a node goes on following a channel that nobody reads there any more.
pub const FOLLOW_LINGER: Duration = Duration::from_secs(60);
/// The longest between two questions where all channels stand.
pub const PROOF_PERIOD_MAX: Duration = Duration::from_millis(500);
/// The shortest.
pub const PROOF_PERIOD_MIN: Duration = Duration::from_millis(20);
/// Channels of one such question.
pub const PROOF_CHANNELS: usize = 500;
/// How long an engine remembers where a channel stands to which nothing is published, milliseconds.
pub const STANDING_MS: u64 = 30 * 86_400_000;
/// How many scripts of one batch run at once, each for a channel.
pub const ENGINE_SCRIPTS_MAX: usize = 64;
/// Events of Pusher clients that wait to be published to an engine; beyond it they are refused.
pub const ENGINE_QUEUE_MAX: usize = 1_000;
/// How long it is waited for replicas.
pub const REPLICAS_WAIT: Duration = Duration::from_secs(1);
/// How long a node counts as living after it has said so.
pub const NODE_LEASE: Duration = Duration::from_secs(4);
/// How often it says so.
pub const NODE_RENEW: Duration = Duration::from_secs(1);
/// How long a node that ends may take to say that.
pub const NODE_LEAVE: Duration = Duration::from_millis(300);
/// How long an engine remembers who is present where nobody comes or goes, milliseconds.
pub const PRESENCE_MS: u64 = 7 * 86_400_000;
/// How long it is waited for all nodes to do something.
pub const ORDER_PATIENCE: Duration = Duration::from_secs(10);
/// How soon they are told again.
pub const ORDER_AGAIN: Duration = Duration::from_millis(300);
/// Orders of all nodes that an engine keeps for those that were cut off. One that was for longer ends all its connections.
pub const ORDERS_KEPT: usize = 2_000;
/// By how much a node's lease ends earlier for itself than for the others: no two machines' clocks run alike.
pub const LEASE_MARGIN: Duration = Duration::from_millis(500);
/// Entries or messages of Redis that are published at once.
pub const FROM_REDIS_BATCH: usize = 100;
/// The most messages of Pub/Sub that wait to be published, and their bytes; more is left out.
pub const FROM_REDIS_WAITING_MAX: usize = 10_000;
/// See [`FROM_REDIS_WAITING_MAX`].
pub const FROM_REDIS_WAITING_BYTES_MAX: usize = 16 << 20;
/// How long a stream is waited for at once.
pub const FROM_REDIS_BLOCK: Duration = Duration::from_secs(1);
/// How long until what the hub can't take is offered again.
pub const FROM_REDIS_AGAIN: Duration = Duration::from_millis(300);
/// Sources in Redis.
pub const FROM_REDIS_MAX: usize = 50;
