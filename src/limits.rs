//! Every limit and default of the product, once, with its unit and its reason.

use crate::time::Span;
use std::time::Duration;

/// Points of work one agent can carry at once; a call alone fills it.
pub const CAPACITY: u32 = 100;
/// A contact that was declined or missed, or did not connect, is not offered to that agent again
/// for so long.
pub const RETRY_AFTER: Span = Span::seconds(30);
/// How long an open offer of a lost socket waits for the agent to come back.
pub const OFFER_GRACE: Span = Span::seconds(10);
/// How long a contact is kept for its preferred agent while that agent is at work.
pub const PATIENCE: Span = Span::seconds(60);
/// From accept to connected media; longer, and the customer hears silence.
pub const CONNECT_TIMEOUT: Span = Span::seconds(10);
/// One priority point moves the due time by so much.
pub const PRIORITY_STEP: Span = Span::seconds(60);
/// Priority points a contact gains when its agent was lost.
pub const RETURN_BOOST: i32 = 5;
/// An auto-accepted offer must be shown by the agent's page within this time.
pub const SHOWN_WITHIN: Span = Span::seconds(2);
/// Staffing is told at most this often, changes between none and some apart.
pub const STAFFING_EVERY: Span = Span(100);
/// How long the contact behind a lane's known heads may hold back other lanes.
pub const BARRIER: Span = Span(20);
/// Agents a contact may be kept from by a barrier before it waits for the barrier's end.
pub const KEPT_BY_BARRIER: u32 = 32;
/// Contacts a lane names at once, so that a burst is not a trip per contact.
pub const HEADS: usize = 8;
/// `required` wrap-up ends by itself after this time.
pub const WRAP_UP_MAX: Span = Span::minutes(30);
/// An abandon sooner than this is counted as short.
pub const SHORT_ABANDON: Span = Span::seconds(5);
/// An external id names the same contact for so long after it closed.
pub const EXTERNAL_ID_MEMORY: Span = Span::hours(24);
/// External ids of closed contacts that are remembered at most; the oldest go first.
pub const EXTERNAL_IDS: usize = 1_000_000;
/// A command finds the queue of a closed contact for so long, which says that it is gone.
pub const CLOSED_FOUND: Span = Span::seconds(60);
/// Decisions kept in a contact's trace.
pub const TRACE_LENGTH: usize = 20;
/// Agents named beside the winner in a decision.
pub const TRACE_RUNNERS_UP: usize = 5;

/// `fewest_contacts` counts contacts given within this time.
pub const FEWEST_CONTACTS_WINDOW: Span = Span::minutes(60);
/// Contacts whose offers fail for technical reasons, in a row, before the agent is set not ready.
pub const TECHNICAL_FAILURES: usize = 3;
/// Ended offers an agent's seat remembers, so that a late accept is told what happened.
pub const ENDED_OFFERS: usize = 8;
/// Ended reservations a queue remembers, so that an accept under way is told what happened.
pub const ENDED_RESERVATIONS: usize = 256;
/// A lost seat with nothing in hand is signed out after this time.
pub const SEAT_GRACE: Span = Span::seconds(60);

/// Longest requirement expression, in bytes.
pub const EXPRESSION_BYTES: usize = 4_096;
/// Deepest nesting of a requirement expression.
pub const EXPRESSION_DEPTH: usize = 32;
/// Most nodes of a requirement expression.
pub const EXPRESSION_NODES: usize = 256;
/// Steps of one requirement after the first; each is a lane of its own.
pub const REQUIREMENT_STEPS: usize = 32;
/// Longest name of a configured object, in bytes; names stand in topics and tokens.
pub const NAME_BYTES: usize = 64;
/// Longest an offer may ring, or a connect may take; the customer is held meanwhile.
pub const OFFER_TIMEOUT_MAX: Span = Span::minutes(10);
/// Longest wrap-up a queue may allow: a working day.
pub const WRAP_UP_SPAN_MAX: Span = Span::hours(8);
/// Agents that one contact rings at once, where the queue rings several.
pub const RING_WIDTH: u8 = 8;
/// Channels of a workspace: they are kept in one machine word.
pub const CHANNELS: usize = 64;

/// Inbound frame of an agent or supervisor, in bytes.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Inbound frame of a connector, in bytes.
pub const FRAME_BYTES_CONNECTOR: usize = 256 * 1024;
/// Messages in one frame.
pub const FRAME_MESSAGES: usize = 64;
/// Nesting of an inbound message; deeper is refused before it is decoded.
pub const FRAME_DEPTH: usize = 32;
/// A socket that has not said `hello` by then is closed with 4101.
pub const HELLO_WITHIN: Span = Span::seconds(5);
/// The server pings this often.
pub const PING_EVERY: Span = Span::seconds(10);
/// A socket without a frame for so long is dead.
pub const DEAD_AFTER: Span = Span::seconds(20);
/// Subscriptions of one socket; `contact/{id}` of an own leg does not count.
pub const SUBSCRIPTIONS: usize = 64;
/// Longest token, in bytes.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// Tokens that were found good and need not be checked anew; when there are more, all are.
pub const TOKENS_KNOWN: usize = 10_000;
/// Clocks of issuers may be off by so much when a token's times are checked.
pub const TOKEN_LEEWAY: Span = Span::seconds(30);
/// Shortest secret of a local signing key, in bytes: the size of the hash.
pub const TOKEN_SECRET_BYTES: usize = 32;
/// Longest chain of roles that inherit one another, the role itself included.
pub const ROLE_DEPTH: usize = 8;
/// External pages of a workspace, the starter pages included: their ids are one byte.
pub const EXT_PAGES: usize = 128;
/// Live events a connection may owe its reader, in bytes; then 4008.
pub const OUTBOUND_BYTES: usize = 1024 * 1024;
/// A reader that owes more than this is sent no more changes of tables, in bytes; when it has
/// caught up it gets the whole table instead.
pub const BEHIND_BYTES: usize = 256 * 1024;
/// Readers that fell behind are looked at this often.
pub const BEHIND_EVERY: Span = Span(250);
/// The board rests so long between its rounds.
pub const BOARD_RESTS: Duration = Duration::from_millis(1);
/// Doors that get a message of a view before others have their turn.
pub const FAN_OUT: usize = 8;
/// Live events kept while a snapshot of their view drains, in bytes.
pub const SNAPSHOT_BACKLOG_BYTES: usize = 4 * 1024 * 1024;
/// One part of a snapshot, in bytes.
pub const SNAPSHOT_PART_BYTES: usize = 64 * 1024;
/// Rows of a topic that lists contacts, unless asked otherwise.
pub const LIST_ROWS: usize = 500;
/// A resume replays at most this many events of a view.
pub const REPLAY_EVENTS: usize = 10_000;
/// A resume reaches back at most this far.
pub const REPLAY_AGE: Span = Span::minutes(10);
/// Events of an agent's own stream that are kept while its socket is there.
pub const ME_KEPT: usize = 128;
/// Events of an agent's own stream that are kept while its socket is gone: no more than the door
/// of the one that comes back can take at once.
pub const ME_KEPT_FOR_LOST: usize = 1_000;
/// How long events are kept for a socket that is there: one whose loss nobody has noticed yet,
/// and a while to come back.
pub const ME_KEPT_FOR: Span = Span::seconds(30);
/// Frames of a conflated topic per second, unless asked otherwise.
pub const CONFLATED_HZ: u32 = 4;
/// Most frames of a conflated topic per second.
pub const CONFLATED_HZ_MAX: u32 = 10;
/// Closed contacts stay readable for so long.
pub const CLOSED_MEMORY: Span = Span::minutes(60);
/// Most closed contacts that stay readable; the oldest go first.
pub const CLOSED_CONTACTS: usize = 20_000;
/// Legs that are over and still shown with their contact; the oldest go first.
pub const ENDED_LEGS: usize = 20;
/// Answers are counted in slots of so long for the expected wait.
pub const EWT_SLOT: Span = Span::seconds(10);
/// The expected wait goes by the answers of so long.
pub const EWT_WINDOW: Span = Span::minutes(10);
/// An expected wait is founded on [`EWT_DEPARTURES`] answers within this time.
pub const EWT_EVIDENCE: Span = Span::minutes(30);
/// Fewer answers than this, and no wait is foretold.
pub const EWT_DEPARTURES: u32 = 10;
/// A line that has not been empty for so long is also judged by the wait of its head.
pub const EWT_STANDS: Span = Span::minutes(2);
/// Places in line and expected waits are told again at most this often.
pub const POSITION_EVERY: Span = Span::seconds(1);
/// Contacts of a view whose places are looked at each time; the others follow in turn.
pub const POSITIONS_AT_ONCE: usize = 256;
/// A media command that was not reported is said again after so long, perhaps to another socket.
pub const MEDIA_AGAIN: Span = Span::seconds(2);
/// A command to let an agent go that nobody reports is forgotten after so long.
pub const MEDIA_MEMORY: Span = Span::minutes(10);
/// Closed contacts of a queue whose media can still be reported; the oldest go first.
pub const PARTED: usize = 10_000;
/// An idempotency key answers the same for so long.
pub const KEY_MEMORY: Span = Span::minutes(24 * 60);
/// Idempotency keys of one identity; the oldest go first.
pub const KEYS_PER_IDENTITY: usize = 100_000;
/// Keys whose time is over are taken off the store a few at a time, so that no commit is long.
pub const KEYS_FORGOTTEN_AT_ONCE: usize = 100;
/// Keys of identities that are heard of no more are looked for at most this often.
pub const KEYS_SWEPT_EVERY: Span = Span::minutes(1);
/// Contacts of one batch submit.
pub const BATCH_CONTACTS: usize = 100;
/// Sockets of one user, unless the user or a role says otherwise: one works as an agent, the
/// others watch.
pub const SESSIONS_PER_USER: u32 = 6;
/// Lost sign-ins of one user that may still be resumed; the oldest are forgotten first.
pub const LOST_SESSIONS_PER_USER: usize = 12;
/// Lost sessions of users who are heard of no more are looked for at most this often.
pub const LOST_SWEPT_EVERY: Span = Span::minutes(1);
/// The end of a session's token is announced so long before.
pub const TOKEN_WARNING: Span = Span::seconds(60);
/// A client that is told goodbye is waited for so long.
pub const CLOSE_WITHIN: Span = Span::seconds(5);
/// A request over HTTP has its body by then, and its answer by then again.
pub const ANSWER_WITHIN: Span = Span::seconds(30);
/// An answer over HTTP that nobody takes for so long ends its connection.
pub const TAKEN_WITHIN: Span = Span::seconds(20);
/// That all places for connections are taken is logged at most this often.
pub const FULL_SAID_EVERY: Span = Span::minutes(1);
/// Looks at the board of one identity that are on their way at once; others wait their turn.
pub const LOOKS_AT_ONCE: usize = 8;
/// Clients of a server that stops come back over this time and not all at once.
pub const RETURN_OVER: Span = Span::seconds(10);
/// Body of a batch submit, in bytes.
pub const BATCH_BYTES: usize = 1024 * 1024;

/// New work is admitted only while less than this is not yet durable, in bytes.
pub const UNDURABLE_BYTES: usize = 64 * 1024 * 1024;
/// New work is admitted only while the oldest undurable event is younger than this.
pub const UNDURABLE_AGE: Span = Span::seconds(1);
/// Who is refused as `busy` is told to try again after this time.
pub const BUSY_AFTER: Span = Span(500);
/// Less room than this on the disk of the data folder is short, in bytes, unless it is configured:
/// new contacts and sign-ins are refused.
pub const LOW_SPACE: u64 = 512 * 1024 * 1024;
/// The reserve file takes this share of what is short: 128 MiB of 512.
pub const RESERVE_SHARE: u64 = 4;
/// The reserve is given up when less than this share of what is short is left: 64 MiB of 512.
pub const LAST_SHARE: u64 = 8;
/// Space is looked at so often: a busy floor writes a few MiB in that time.
pub const LOOK_AT_SPACE: std::time::Duration = std::time::Duration::from_secs(1);
/// Who is refused because space is short is told to try again after this time.
pub const NO_ROOM_AFTER: Span = Span::seconds(10);
/// Inputs a mailbox may hold before new work is refused as `busy` is half of this.
pub const MAILBOX: usize = 65_536;
/// Messages an actor takes in before it acts on them: more delays the first of a burst.
pub const ACTOR_BATCH: usize = 128;
/// An actor that panics so often within [`PANIC_WINDOW`] is taken out of service.
pub const PANICS: usize = 3;
/// The window in which panics are counted.
pub const PANIC_WINDOW: Span = Span::seconds(10);
/// A supervisor with the anonymous lens needs an encoding of its own; at most so many.
pub const ANONYMOUS_SESSIONS: usize = 50;

/// What an agent carries on one channel, and what may interrupt it.
#[derive(Clone, Copy, Debug)]
pub struct ChannelDefaults {
    /// Name of the channel.
    pub name: &'static str,
    /// Points of [`CAPACITY`] one contact takes.
    pub weight: u32,
    /// Channels whose connected legs interrupt work of this one.
    pub interrupted_by: &'static [&'static str],
    /// An offer rings so long.
    pub offer_timeout: Span,
    /// Misses in a row before `not_ready(missed)`.
    pub misses: u32,
    /// Work of a lost socket stays with its agent for so long; `None` while media lives.
    pub grace: Option<Span>,
    /// Target of the queue's urgency and service level.
    pub target: Span,
}

/// The channels every workspace has, unless its configuration says otherwise.
pub const CHANNEL_DEFAULTS: [ChannelDefaults; 5] = [
    ChannelDefaults {
        name: "voice",
        weight: 100,
        interrupted_by: &[],
        offer_timeout: Span::seconds(20),
        misses: 1,
        grace: None,
        target: Span::seconds(20),
    },
    ChannelDefaults {
        name: "chat",
        weight: 30,
        interrupted_by: &[],
        offer_timeout: Span::seconds(30),
        misses: 2,
        grace: Some(Span::seconds(60)),
        target: Span::seconds(60),
    },
    ChannelDefaults {
        name: "email",
        weight: 10,
        interrupted_by: &["voice", "chat"],
        offer_timeout: Span::seconds(120),
        misses: 2,
        grace: Some(Span::minutes(30)),
        target: Span::hours(4),
    },
    ChannelDefaults {
        name: "sms",
        weight: 20,
        interrupted_by: &["voice"],
        offer_timeout: Span::seconds(60),
        misses: 2,
        grace: Some(Span::minutes(5)),
        target: Span::seconds(300),
    },
    ChannelDefaults {
        name: "task",
        weight: 10,
        interrupted_by: &["voice", "chat"],
        offer_timeout: Span::seconds(120),
        misses: 2,
        grace: Some(Span::minutes(30)),
        target: Span::hours(4),
    },
];

/// Rows of a report in one answer, unless asked otherwise.
pub const REPORT_ROWS: usize = 1_000;
/// Rows of a report in one answer at most: a few megabytes.
pub const REPORT_ROWS_MAX: usize = 10_000;
/// Reports of a workspace that are read at once: they share the disk with the log.
pub const REPORTS_AT_ONCE: usize = 2;
/// A report that takes longer is given up, and its reader told to ask for less.
pub const REPORT_WITHIN: Span = Span::seconds(20);
