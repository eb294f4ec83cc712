//! What a record costs the board: with nobody watching, with a floor that watches, and with a
//! long line. The cost does not depend on how many agents, queues and waiting contacts there
//! are; the ratios of adjacent rounds say so.
//!
//! `cargo bench --bench board -- [lives per round] [rounds]`

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a bench reads the clock, and stops when it cannot go on"
)]

use std::sync::Arc;
use std::time::Instant as Clock;
use switchroom::access::lens::PseudonymKey;
use switchroom::access::principal::Identity;
use switchroom::config::{Config, Source};
use switchroom::domain::capacity::ChannelSet;
use switchroom::domain::contact::{Closed, Content, Facts, Leg, LegEnd, LegState, Role};
use switchroom::domain::event::{By, Chosen, Decision, Entered, Event, OfferRef, Record};
use switchroom::domain::offer::{AgentState, Outcome};
use switchroom::domain::requirement::Requirement;
use switchroom::domain::rules::Workspace;
use switchroom::id::{
    AgentId, ChannelId, ContactId, Generation, OfferId, QueueId, ReservationId, Seq, UserId,
};
use switchroom::live::board::Board;
use switchroom::live::delta::Watcher;
use switchroom::live::sight::Viewer;
use switchroom::live::topic::{Ask, Topic};
use switchroom::time::{Instant, Span};

const AGENTS: u32 = 1_000;
const QUEUES: u32 = 50;
const QUEUES_PER_AGENT: u32 = 5;
const START: Instant = Instant(1_700_000_000_000);
const CHAT: ChannelId = ChannelId(0);

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let mut number = |default| numbers.next().unwrap_or(default);
    let (lives, rounds) = (number(20_000), number(5));
    let rules = workspace();
    println!("{AGENTS} agents, {QUEUES} queues, {lives} lives in each of {rounds} rounds");
    let mut costs: Vec<[f64; 3]> = Vec::new();
    for _ in 0..rounds {
        let alone = round(&rules, lives, 0, false);
        let watched = round(&rules, lives, 0, true);
        let long = round(&rules, lives, 100_000, false);
        println!(
            "ns per record: {alone:>7.0} alone, {watched:>7.0} watched, {long:>7.0} long line"
        );
        costs.push([alone, watched, long]);
    }
    let median = |of: &dyn Fn(&[f64; 3]) -> f64| {
        let mut ratios: Vec<f64> = costs.iter().map(of).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(0.0)
    };
    let alone = median(&|cost| cost[0]);
    let watched = median(&|cost| cost[1] / cost[0]);
    let long = median(&|cost| cost[2] / cost[0]);
    println!(
        "median {alone:.0} ns per record; watched {watched:.2} x, 100,000 in line {long:.2} x"
    );
}

/// Nanoseconds per record of so many lives, after `waiting` contacts stood in line.
fn round(rules: &Arc<Workspace>, lives: u32, waiting: u32, watched: bool) -> f64 {
    let mut log = Log::new();
    let mut board = Board::new(Arc::clone(rules), START);
    let agents = &rules.agents;
    for agent in agents.iter().filter(|agent| !agent.memberships.is_empty()) {
        log.write(Event::AgentSignedIn {
            agent: agent.id,
            generation: Generation(1),
            channels: ChannelSet::of(CHAT),
            queues: agent.memberships.iter().map(|m| m.queue).collect(),
            state: AgentState::Available,
            starts: Vec::new(),
        });
    }
    for n in 0..waiting {
        log.enter(contact(u128::from(n)), QueueId(n % QUEUES), UserId(0));
    }
    log.take().iter().for_each(|record| board.fold(record));
    if watched {
        watch(&mut board, rules);
    }
    let mut records = 0;
    let mut spent = std::time::Duration::ZERO;
    for some in 0..lives.div_ceil(250) {
        for n in 0..250 {
            let n = some * 250 + n;
            log.life(n, AgentId(n % AGENTS), QueueId(n % QUEUES));
        }
        let batch = log.take();
        let started = Clock::now();
        for record in &batch {
            board.fold(record);
        }
        // A thousand lives a second, told four times a second.
        board.tick(START + Span(u64::from(some + 1) * 250));
        let said = board.drain();
        spent += started.elapsed();
        records += batch.len();
        drop(said);
    }
    spent.as_nanos() as f64 / records as f64
}

/// Twenty supervisors on both tables, and one on all contacts.
fn watch(board: &mut Board, rules: &Arc<Workspace>) {
    let roles = switchroom::access::role::Roles::built_in();
    let user = UserId(u32::try_from(rules.agents.len()).unwrap_or(u32::MAX));
    let principal = Identity::new(user, "boss", "admin").principal(&roles, Default::default(), 1);
    let viewer = Viewer {
        principal: principal.expect("a principal"),
        key: Arc::new(PseudonymKey::new([7; 32])),
    };
    for watcher in 0..20 {
        for topic in [Topic::StatsQueues, Topic::StatsAgents] {
            let subscribed = board.subscribe(Watcher(watcher), &viewer, &Ask::of(topic));
            subscribed.expect("a view");
        }
    }
    let contacts = board.subscribe(Watcher(99), &viewer, &Ask::of(Topic::Contacts));
    contacts.expect("a view");
}

fn contact(n: u128) -> ContactId {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    ContactId(uuid::Uuid::from_u128(mixed))
}

/// A log that is written by hand.
struct Log {
    records: Vec<Record>,
    seq: u64,
}

impl Log {
    fn new() -> Self {
        Self {
            records: Vec::new(),
            seq: 0,
        }
    }

    fn take(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    fn write(&mut self, event: Event) {
        self.write_with(event, None);
    }

    fn write_with(&mut self, event: Event, content: Option<Box<Content>>) {
        self.seq += 1;
        self.records.push(Record {
            seq: Seq(self.seq),
            at: START + Span(self.seq / 10),
            by: By::Engine,
            event,
            content,
        });
    }

    fn enter(&mut self, id: ContactId, queue: QueueId, by: UserId) {
        let at = START + Span(self.seq / 10);
        let facts = Facts {
            id,
            external_id: "x".into(),
            channel: CHAT,
            conversation: id,
            first_entry: at,
            priority: 0,
            tier: 5,
            due_at: None,
            requirement: Requirement::anyone(),
            preferred: None,
            patience: None,
            submitted_by: by,
        };
        let event = Event::ContactEntered {
            facts: Box::new(facts),
            queue,
            how: Entered::New,
            due_at: at + Span::seconds(60),
        };
        self.write_with(event, Some(Box::default()));
    }

    /// A contact that is offered, accepted, connected, ended and closed.
    fn life(&mut self, n: u32, agent: AgentId, queue: QueueId) {
        let id = contact(1 << 40 | u128::from(n));
        let number = u64::from(n);
        let offer = OfferRef {
            offer: OfferId(number),
            reservation: ReservationId(number),
            contact: id,
            queue,
            channel: CHAT,
            agent,
        };
        let at = START + Span(self.seq / 10);
        let decision = Decision {
            contact: id,
            agent,
            by: Chosen::Idle,
            runners_up: Vec::new(),
            passed_over: Vec::new(),
        };
        let leg = Leg {
            offer: offer.offer,
            reservation: offer.reservation,
            agent,
            team: None,
            role: Role::Owner,
            state: LegState::Connected,
            connected_at: at,
            codes: Vec::new(),
        };
        self.enter(id, queue, UserId(0));
        self.write(Event::OfferMade {
            offer,
            deadline: at + Span::seconds(30),
            auto_accept: false,
            decision: Box::new(decision),
        });
        self.write(Event::ContactOffered {
            contact: id,
            queue,
            reservation: offer.reservation,
            seats: vec![(offer.offer, agent)],
        });
        self.write(Event::OfferTaken { offer });
        self.write(Event::LegConnected {
            contact: id,
            queue,
            channel: CHAT,
            leg,
            first: true,
            waited: Span(1),
        });
        self.write(Event::OfferEnded {
            offer,
            outcome: Outcome::Accepted,
        });
        self.write(Event::LegEnded {
            offer,
            how: LegEnd::Agent,
            talk: Span(400),
            wrap_up: Span(0),
        });
        self.write(Event::ContactClosed {
            contact: id,
            queue,
            reason: Closed::Completed,
        });
        self.write(Event::SeatReleased {
            offer,
            returned: false,
        });
    }
}

fn workspace() -> Arc<Workspace> {
    let mut text = String::from("[workspace.main.channels.chat]\nweight = 30\n");
    for n in 0..AGENTS {
        text += &format!("[workspace.main.users.a{n}]\nmax = {{ chat = 1 }}\n");
    }
    for queue in 0..QUEUES {
        let serves = |n: &u32| (0..QUEUES_PER_AGENT).any(|k| (n * 7 + k * 11) % QUEUES == queue);
        let members: Vec<String> = (0..AGENTS)
            .filter(serves)
            .map(|n| format!("{{ agent = \"a{n}\" }}"))
            .collect();
        let members = members.join(", ");
        text += &format!(
            "[workspace.main.queues.q{queue}]\nchannels = [\"chat\"]\nmembers = [{members}]\n"
        );
    }
    let source = Source {
        name: "bench".into(),
        text,
    };
    let config = Config::check(source).expect("a good configuration");
    let workspace = config.workspaces.into_iter().next();
    workspace.expect("a workspace").rules
}
