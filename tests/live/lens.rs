//! The anonymous lens: nothing that leaves through it says who an agent is, and nothing links
//! two sessions.

use super::centre::{AGENTS, Centre};
use super::random::Random;
use std::collections::BTreeSet;
use std::sync::Arc;
use switchroom::domain::command::QueueCommand;
use switchroom::live::board::Board;
use switchroom::live::delta::{Body, Key, Said, Seen, State, Watcher, What};
use switchroom::live::seen::{ActorSeen, Who};
use switchroom::live::stats::{Cell, Kind, Table, TableCut};
use switchroom::live::topic::{Ask, Topic};

fn busy() -> (Centre, Board) {
    let mut random = Random::new(5);
    let mut centre = Centre::new();
    AGENTS.iter().for_each(|agent| centre.sign_in(agent));
    for _ in 0..60 {
        centre.act(&mut random);
    }
    let mut board = Board::new(Arc::clone(&centre.rules), centre.now);
    centre.log.iter().for_each(|record| board.fold(record));
    (centre, board)
}

fn table(centre: &Centre, board: &Board, login: &str, session: u8) -> TableCut {
    board
        .table(&centre.viewer(login, session), Table::Agents)
        .unwrap()
}

fn column(cut: &TableCut, name: &str) -> usize {
    let mut columns = cut.columns.iter();
    columns.position(|column| &*column.name == name).unwrap()
}

#[test]
fn agents_have_pseudonyms_in_pseudonym_order_and_neither_name_nor_team() {
    let (centre, board) = busy();
    let cut = table(&centre, &board, "nim", 1);
    let clear = table(&centre, &board, "alex", 1);
    assert_eq!(
        cut.rows.len(),
        clear.rows.len(),
        "the number of rows is no secret"
    );
    let keys: Vec<Key> = cut.rows.iter().map(|(key, _)| *key).collect();
    assert!(keys.is_sorted() && keys.iter().all(|key| matches!(key, Key::Anonymous(_))));
    for (key, row) in &cut.rows {
        assert_eq!(row[0], Cell::Key(*key));
        assert_eq!(row[column(&cut, "name")], Cell::Null);
        assert_eq!(row[column(&cut, "team")], Cell::Null);
        for (cell, column) in row.iter().zip(cut.columns.iter()) {
            match (column.kind, cell) {
                (Kind::Since, Cell::Int(at)) => assert_eq!(at % 60_000, 0, "{}", column.name),
                (Kind::Key, _) => {}
                (_, Cell::Text(text)) => assert!(!AGENTS.contains(&&**text), "{text}"),
                (_, _) => {}
            }
        }
    }
    let since = column(&clear, "since");
    let exact =
        |(_, row): &(Key, Arc<[Cell]>)| matches!(row[since], Cell::Int(at) if at % 60_000 != 0);
    assert!(clear.rows.iter().any(exact), "the cut makes a difference");
}

#[test]
fn two_sessions_have_no_pseudonym_in_common() {
    let (centre, board) = busy();
    let keys = |login: &str, session: u8| -> BTreeSet<Key> {
        let cut = table(&centre, &board, login, session);
        cut.rows.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(keys("nim", 1), keys("nim", 1));
    assert!(keys("nim", 1).is_disjoint(&keys("nim", 2)));
    assert!(keys("nim", 1).is_disjoint(&keys("nox", 3)));
}

#[test]
fn contacts_and_their_events_name_no_agent() {
    let (mut centre, mut board) = busy();
    let nim = centre.viewer("nim", 1);
    let (rows, _) = board.contacts(&nim, Default::default(), 999).unwrap();
    let legs = rows.iter().flat_map(|row| row.legs().collect::<Vec<_>>());
    let mut anonymous = 0;
    for leg in legs {
        assert!(matches!(leg.agent, Who::Anonymous(_)));
        assert_eq!(leg.since.0 % 60_000, 0);
        anonymous += 1;
    }
    assert!(anonymous > 0, "somebody is at work");
    for row in &rows {
        assert!(
            row.agents()
                .iter()
                .all(|who| matches!(who, Who::Anonymous(_)))
        );
    }
    let ask = Ask::of(Topic::Contacts);
    let cut = board.subscribe(Watcher(1), &nim, &ask).unwrap().cut;
    assert!(matches!(cut.state, State::Contacts { .. }));
    let from = centre.log.len();
    let contact = centre.submit("site", "calls", "voice");
    let mut random = Random::new(6);
    for _ in 0..80 {
        centre.act(&mut random);
    }
    centre.command("alex", QueueCommand::End(contact));
    let mut actors = 0;
    for record in centre.since(from) {
        board.fold(record);
        for delta in board.drain() {
            let Body::Said(Said {
                what: What::Event(event),
                ..
            }) = delta.body
            else {
                continue;
            };
            assert!(!matches!(event.agent, Some(Who::Agent(_))), "{event:?}");
            assert!(
                !matches!(event.actor, Some(ActorSeen::User(_))),
                "{event:?}"
            );
            assert!(matches!(event.row, Seen::Contact(_)));
            actors += usize::from(event.actor.is_some());
        }
    }
    assert!(actors > 0);
    let traces = rows.iter().map(|row| board.trace(&nim, row.id()).unwrap());
    for decision in traces.flatten() {
        assert!(matches!(decision.agent(), Who::Anonymous(_)));
        assert!(
            decision
                .runners_up()
                .all(|who| matches!(who, Who::Anonymous(_)))
        );
    }
}
