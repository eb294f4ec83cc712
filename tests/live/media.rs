//! Media commands: each to one socket of the identity, and again until it is reported.

use super::centre::Centre;
use std::sync::Arc;
use switchroom::domain::command::{QueueCommand, Report};
use switchroom::domain::event::{Event, Record};
use switchroom::id::{CommandId, ContactId, Seq};
use switchroom::limits;
use switchroom::live::board::Board;
use switchroom::live::delta::{Body, Delta, MediaAsk, Said, State, Watcher, What};
use switchroom::live::sight::Viewer;
use switchroom::live::topic::{Ask, Topic};
use switchroom::time::{Instant, Span};

struct Site {
    centre: Centre,
    board: Board,
    folded: usize,
    viewer: Viewer,
}

impl Site {
    fn new() -> Self {
        let mut centre = Centre::new();
        for agent in ["ana", "bo", "eli"] {
            centre.sign_in(agent);
        }
        let board = Board::new(Arc::clone(&centre.rules), centre.now);
        let viewer = centre.viewer("site", 1);
        let mut site = Self {
            centre,
            board,
            folded: 0,
            viewer,
        };
        site.fold();
        site
    }

    fn fold(&mut self) -> Vec<Delta> {
        for record in self.centre.since(self.folded) {
            self.board.fold(record);
        }
        self.folded = self.centre.log.len();
        self.board.drain()
    }

    fn join(&mut self, watcher: u64) -> Vec<Delta> {
        let ask = Ask::of(Topic::Connector);
        let watcher = Watcher(watcher);
        self.board.subscribe(watcher, &self.viewer, &ask).unwrap();
        self.board.drain()
    }

    /// A call that an agent accepts: the connector is asked to connect it.
    fn call(&mut self) -> ContactId {
        let contact = self.centre.submit("site", "calls", "voice");
        self.centre.accept_all();
        contact
    }
}

/// The commands among what was said, with the socket each is for.
fn commands(deltas: &[Delta]) -> Vec<(u64, CommandId, MediaAsk)> {
    deltas
        .iter()
        .filter_map(|delta| match &delta.body {
            Body::Said(Said {
                what: What::Media(media),
                ..
            }) => {
                let [to] = *delta.to else {
                    panic!("one socket, not {:?}", delta.to)
                };
                Some((to.0, media.command, media.ask))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn each_command_goes_to_one_of_the_sockets_and_they_share_the_work() {
    let mut site = Site::new();
    site.join(1);
    site.join(2);
    site.call();
    site.call();
    let deltas = site.fold();
    let asked = commands(&deltas);
    let mut sockets: Vec<u64> = asked.iter().map(|(to, _, _)| *to).collect();
    sockets.sort_unstable();
    assert_eq!(sockets, [1, 2], "{asked:?}");
    for (_, _, ask) in asked {
        assert!(matches!(ask, MediaAsk::Connect { .. }));
    }
}

#[test]
fn a_command_does_not_count_in_the_view_of_those_who_do_not_get_it() {
    let mut site = Site::new();
    site.join(1);
    site.join(2);
    site.call();
    let deltas = site.fold();
    let (to, _, _) = commands(&deltas)[0];
    let other = Watcher(3 - to);
    let mut position = Seq(0);
    let mut heard = 0;
    for delta in deltas.iter().filter(|delta| delta.to.contains(&other)) {
        if let Body::Said(said) = &delta.body {
            assert!(
                position == Seq(0) || said.prev <= position,
                "no gap: {said:?}"
            );
            position = said.seq;
            heard += 1;
        }
    }
    assert!(heard >= 3, "entered, offered, connecting");
}

#[test]
fn a_command_is_said_again_elsewhere_until_it_is_reported() {
    let mut site = Site::new();
    site.join(1);
    site.join(2);
    site.call();
    let first = commands(&site.fold());
    assert_eq!(first.len(), 1);
    let now = site.centre.now;
    assert_eq!(site.board.next_tick(), Some(now + limits::POSITION_EVERY));
    site.board.tick(now + limits::MEDIA_AGAIN - Span(1));
    assert_eq!(commands(&site.board.drain()), []);
    site.board.tick(now + limits::MEDIA_AGAIN);
    let again = commands(&site.board.drain());
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].1, first[0].1);
    assert_ne!(again[0].0, first[0].0, "the other socket has its turn");

    let (contact, command) = (first[0].1.contact, first[0].1);
    let report = QueueCommand::Report {
        contact,
        command,
        report: Report::Connected,
    };
    site.centre.command("site", report);
    site.fold();
    assert_eq!(site.board.gauges().media, 0);
    site.board.tick(now + Span::seconds(9));
    assert_eq!(commands(&site.board.drain()), []);
}

#[test]
fn what_a_lost_socket_had_not_reported_goes_to_the_others() {
    let mut site = Site::new();
    site.join(1);
    site.join(2);
    site.call();
    let (to, command, _) = commands(&site.fold())[0];
    site.board.gone(Watcher(to));
    let moved = commands(&site.board.drain());
    assert_eq!(moved.len(), 1);
    assert_eq!((moved[0].0, moved[0].1), (3 - to, command));
    site.board.gone(Watcher(3 - to));
    assert_eq!(commands(&site.board.drain()), []);
    let waiting = site.join(9);
    assert_eq!(commands(&waiting).len(), 1, "kept while nobody was there");
}

#[test]
fn nobody_is_asked_to_connect_a_customer_who_is_back_in_line_or_gone() {
    let mut site = Site::new();
    site.join(1);
    let contact = site.call();
    assert_eq!(commands(&site.fold()).len(), 1);
    assert_eq!(site.board.gauges().media, 1);
    site.centre.pass(limits::CONNECT_TIMEOUT);
    site.fold();
    site.centre.command("site", QueueCommand::Abandon(contact));
    site.fold();
    for again in 1..20 {
        site.board.tick(site.centre.now + Span::seconds(again));
        for (_, command, ask) in commands(&site.board.drain()) {
            assert_eq!(ask, MediaAsk::Disconnect, "{command}");
        }
    }
}

#[test]
fn a_command_that_nobody_reports_is_forgotten_in_time() {
    let mut site = Site::new();
    let offer = {
        site.call();
        let log = &site.centre.log;
        log.iter()
            .find_map(|record| match &record.event {
                Event::MediaConnect { offer, .. } => Some(*offer),
                _ => None,
            })
            .unwrap()
    };
    site.fold();
    let command = CommandId {
        contact: offer.contact,
        number: 77,
    };
    site.board.fold(&Record {
        seq: Seq(1_000_000),
        at: site.centre.now,
        by: switchroom::domain::event::By::Engine,
        event: Event::MediaDisconnect {
            command,
            offer,
            connector: site.centre.user("site"),
        },
        content: None,
    });
    assert_eq!(
        site.board.gauges().media,
        1,
        "the connect of that leg is moot"
    );
    let until = site.centre.now + limits::MEDIA_MEMORY;
    let mut now = site.centre.now;
    while let Some(next) = site.board.next_tick().filter(|at| *at < until) {
        assert!(next > now, "the clock goes on");
        now = next;
        site.board.tick(now);
    }
    site.board.tick(until + limits::MEDIA_AGAIN);
    assert_eq!(site.board.gauges().media, 0);
    assert_eq!(site.board.next_tick(), None, "nothing is waited for");
}

#[test]
fn a_connector_starts_with_its_live_contacts_and_no_others() {
    let mut site = Site::new();
    let mine = site.centre.submit("site", "mails", "email");
    site.centre.submit("shop", "mails", "email");
    let gone = site.centre.submit("site", "mails", "email");
    site.centre.command("site", QueueCommand::Abandon(gone));
    site.fold();
    let ask = Ask::of(Topic::Connector);
    let subscribed = site
        .board
        .subscribe(Watcher(1), &site.viewer, &ask)
        .unwrap();
    let State::Contacts { rows, total } = subscribed.cut.state else {
        panic!("a connector is shown contacts");
    };
    let ids: Vec<ContactId> = rows.iter().map(|row| row.id()).collect();
    assert_eq!((ids, total), (vec![mine], 1));
    assert_eq!(rows[0].place().position, Some(1));
    assert_eq!(rows[0].customer_name().unwrap(), "Rosa Verysecret1");
    assert_eq!(subscribed.cut.at, Instant(site.centre.now.0));
}
