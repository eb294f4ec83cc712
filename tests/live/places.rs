//! Places in line and expected waits: told as they move, and only with evidence.

use super::centre::Centre;
use std::sync::Arc;
use switchroom::domain::command::{FloorCommand, QueueCommand};
use switchroom::domain::event::PassedOver;
use switchroom::domain::offer::AgentState;
use switchroom::id::ContactId;
use switchroom::limits;
use switchroom::live::board::Board;
use switchroom::live::change::Fields;
use switchroom::live::delta::{Body, Delta, Said, Watcher, What};
use switchroom::live::ewt::Method;
use switchroom::live::picture::Place;
use switchroom::live::topic::{Ask, Filter, Topic};
use switchroom::time::Span;

struct Line {
    centre: Centre,
    board: Board,
    folded: usize,
}

impl Line {
    fn new() -> Self {
        let centre = Centre::new();
        let board = Board::new(Arc::clone(&centre.rules), centre.now);
        Self {
            centre,
            board,
            folded: 0,
        }
    }

    fn fold(&mut self) -> Vec<Delta> {
        for record in self.centre.since(self.folded) {
            self.board.fold(record);
        }
        self.folded = self.centre.log.len();
        self.board.drain()
    }

    fn watch(&mut self, watcher: u64, login: &str, topic: Topic) {
        let viewer = self.centre.viewer(login, 1);
        let ask = Ask::of(topic);
        let watcher = Watcher(watcher);
        self.board.subscribe(watcher, &viewer, &ask).unwrap();
        self.board.drain();
    }

    fn place(&self, contact: ContactId) -> Place {
        let viewer = self.centre.viewer("alex", 1);
        self.board.contact(&viewer, contact).unwrap().place()
    }

    /// Ticks a second later; the places that were told.
    fn places(&mut self) -> Vec<(Watcher, ContactId, Option<u32>)> {
        self.centre.pass(limits::POSITION_EVERY);
        self.fold();
        self.board.tick(self.centre.now);
        let deltas = self.board.drain();
        let mut told = Vec::new();
        for delta in deltas {
            if let Body::Said(Said {
                what: What::Position { contact, place },
                seq,
                prev,
                ..
            }) = delta.body
            {
                assert!(prev <= seq);
                told.extend(delta.to.iter().map(|to| (*to, contact, place.position)));
            }
        }
        told
    }
}

#[test]
fn those_who_watch_a_waiting_contact_are_told_when_its_place_moves() {
    let mut line = Line::new();
    let first = line.centre.submit("site", "mails", "email");
    let second = line.centre.submit("site", "mails", "email");
    let third = line.centre.submit("shop", "mails", "email");
    line.fold();
    line.watch(1, "alex", Topic::Contact(third));
    line.watch(2, "site", Topic::Connector);
    line.places();
    assert_eq!(line.places(), [], "nothing moved");
    line.centre.command("site", QueueCommand::Abandon(first));
    let mut told = line.places();
    told.sort();
    let ought = [(Watcher(1), third, Some(2)), (Watcher(2), second, Some(1))];
    assert_eq!(told, ought);
    assert_eq!(line.places(), []);
}

#[test]
fn an_event_of_the_contact_itself_carries_the_place() {
    let mut line = Line::new();
    line.centre.submit("site", "mails", "email");
    let second = line.centre.submit("site", "mails", "email");
    line.fold();
    line.watch(1, "alex", Topic::Contact(second));
    line.places();
    let up = QueueCommand::Prioritise {
        contact: second,
        priority: Some(9),
        tier: None,
    };
    line.centre.command("alex", up);
    let deltas = line.fold();
    let [delta] = deltas.as_slice() else {
        panic!("{deltas:?}")
    };
    let Body::Said(Said {
        what: What::Event(event),
        ..
    }) = &delta.body
    else {
        panic!("{delta:?}");
    };
    assert!(event.fields.has(Fields::POSITION) && event.fields.has(Fields::PRIORITY));
    let switchroom::live::delta::Seen::Contact(seen) = &event.row else {
        panic!("{event:?}");
    };
    assert_eq!(seen.place().position, Some(1));
    assert_eq!(line.places(), [], "it was told with the event");
}

#[test]
fn an_event_tells_of_a_place_that_moved_before_it() {
    let mut line = Line::new();
    let first = line.centre.submit("site", "mails", "email");
    let second = line.centre.submit("site", "mails", "email");
    line.fold();
    line.watch(1, "alex", Topic::Contact(second));
    line.places();
    line.centre.command("site", QueueCommand::Abandon(first));
    assert!(line.fold().is_empty(), "another contact's event");
    let update = |contact| QueueCommand::Update {
        contact,
        attributes: vec![("plan".to_owned(), Some("tin".to_owned()))],
        requirement: None,
    };
    for told in [true, false] {
        line.centre.command("site", update(second));
        let deltas = line.fold();
        let [delta] = deltas.as_slice() else {
            panic!("{deltas:?}")
        };
        let Body::Said(Said {
            what: What::Event(event),
            ..
        }) = &delta.body
        else {
            panic!("{delta:?}");
        };
        assert!(event.fields.has(Fields::CONTENT));
        assert_eq!(event.fields.has(Fields::POSITION), told);
    }
    assert_eq!(line.places(), []);
}

#[test]
fn many_waiting_contacts_are_told_of_in_turn() {
    let mut line = Line::new();
    let count = limits::POSITIONS_AT_ONCE + 40;
    let contacts: Vec<ContactId> = (0..count)
        .map(|_| line.centre.submit("site", "mails", "email"))
        .collect();
    line.fold();
    line.watch(2, "site", Topic::Connector);
    let first = line.places();
    assert_eq!(first.len(), limits::POSITIONS_AT_ONCE);
    let mut told: Vec<ContactId> = first.into_iter().map(|(_, id, _)| id).collect();
    told.extend(line.places().into_iter().map(|(_, id, _)| id));
    told.sort();
    told.dedup();
    assert_eq!(told.len(), contacts.len(), "everybody had a turn");
}

#[test]
fn a_wait_is_foretold_from_ten_answers_on_while_somebody_is_there() {
    let mut line = Line::new();
    line.centre.sign_in("cy");
    for answered in 0..=10 {
        let waits = line.centre.submit("site", "spare", "chat");
        line.centre
            .set_state("cy", AgentState::NotReady("pause".to_owned()));
        let behind = line.centre.submit("site", "spare", "chat");
        line.fold();
        assert_eq!(line.place(behind).ewt, None, "nobody is there");
        line.centre.command("site", QueueCommand::Abandon(behind));
        line.centre.set_state("cy", AgentState::Available);
        line.centre.accept_all();
        line.centre.command("cy", QueueCommand::End(waits));
        line.centre.pass(Span::seconds(6));
        line.fold();
        let full = (0..3).map(|_| line.centre.submit("site", "spare", "chat"));
        let full: Vec<ContactId> = full.collect();
        let place = {
            line.fold();
            line.place(full[2])
        };
        assert_eq!(
            place.ewt.is_some(),
            answered + 1 >= 10,
            "{answered}: {place:?}"
        );
        for contact in full {
            line.centre.command("site", QueueCommand::Abandon(contact));
        }
    }
    let pending = line.centre.submit("site", "spare", "chat");
    line.fold();
    let ewt = line.place(pending).ewt.unwrap();
    assert_eq!((ewt.method, ewt.n), (Method::Departures, 11));
    assert!(
        (5_000..8_000).contains(&ewt.ms),
        "{ewt:?}: an answer every six seconds"
    );
    assert!(ewt.p90_ms > 2 * ewt.ms);
}

#[test]
fn the_most_urgent_in_line_come_first_whoever_asks() {
    let mut line = Line::new();
    line.centre.sign_in("cy");
    let answered = line.centre.submit("site", "spare", "chat");
    line.centre.accept_all();
    line.centre
        .set_state("cy", AgentState::NotReady("pause".to_owned()));
    let late = line.centre.submit_with("site", "calls", "voice", -3);
    let calls = line.centre.submit("site", "calls", "voice");
    let first = line.centre.submit_with("shop", "calls", "voice", 5);
    let mail = line.centre.submit("shop", "mails", "email");
    line.fold();
    let list = |line: &Line, login: &str, limit: usize| {
        let viewer = line.centre.viewer(login, 1);
        let (rows, total) = line
            .board
            .contacts(&viewer, Filter::default(), limit)
            .unwrap();
        let ids: Vec<ContactId> = rows.iter().map(|row| row.id()).collect();
        (ids, total)
    };
    let all = vec![first, calls, late, mail, answered];
    assert_eq!(list(&line, "alex", 9), (all.clone(), 5));
    assert_eq!(list(&line, "alex", 2), (all[..2].to_vec(), 5));
    assert_eq!(list(&line, "sue", 2), (all[..2].to_vec(), 3));
    let mut filter = Filter::default();
    let rules = &line.centre.rules;
    filter
        .add(Topic::Contacts, "queue", "mails", rules)
        .unwrap();
    filter
        .add(Topic::Contacts, "channel", "email", rules)
        .unwrap();
    let viewer = line.centre.viewer("alex", 1);
    let (rows, total) = line.board.contacts(&viewer, filter, 1).unwrap();
    assert_eq!((rows[0].id(), total), (mail, 1));
}

#[test]
fn one_named_agent_is_explained_on_demand() {
    let mut line = Line::new();
    let contact = line.centre.submit("site", "mails", "email");
    line.fold();
    let why = |line: &Line, login: &str| {
        let viewer = line.centre.viewer("alex", 1);
        line.board
            .explain(&viewer, contact, line.centre.agent(login))
            .unwrap()
    };
    assert_eq!(why(&line, "cy"), Some(PassedOver::NotRoutable));
    line.centre.sign_in("ana");
    line.centre.sign_in("eli");
    line.fold();
    assert_eq!(
        why(&line, "ana"),
        Some(PassedOver::NotRoutable),
        "no member of the queue"
    );
    assert_eq!(why(&line, "eli"), Some(PassedOver::ChannelOff));
    line.centre.sign_in("dee");
    let (offer, _) = line.centre.offers()[0];
    let reason = None;
    line.centre
        .floor("dee", FloorCommand::Decline { offer, reason });
    line.fold();
    assert_eq!(why(&line, "dee"), Some(PassedOver::Excluded));
    line.centre.pass(limits::RETRY_AFTER);
    line.centre
        .set_state("dee", AgentState::NotReady("pause".to_owned()));
    line.fold();
    assert_eq!(why(&line, "dee"), Some(PassedOver::NotRoutable));
    let sue = line.centre.viewer("sue", 1);
    let dee = line.centre.agent("dee");
    assert!(
        line.board.explain(&sue, contact, dee).is_err(),
        "out of sight"
    );
}
