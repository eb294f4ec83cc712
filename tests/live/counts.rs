//! Every number of now is the recount of the log, after every record.

use super::centre::Centre;
use super::naive::Naive;
use super::random::Random;
use std::collections::BTreeMap;
use std::sync::Arc;
use switchroom::live::board::Board;
use switchroom::live::delta::Key;
use switchroom::live::stats::{Cell, Table};

fn cells(cut: &switchroom::live::stats::TableCut, key: Key) -> BTreeMap<String, Cell> {
    let (_, row) = cut.rows.iter().find(|(row, _)| *row == key).unwrap();
    assert_eq!(row.len(), cut.columns.len());
    let names = cut.columns.iter().map(|column| column.name.to_string());
    names.zip(row.iter().cloned()).collect()
}

fn int(number: usize) -> Cell {
    Cell::Int(i64::try_from(number).unwrap())
}

fn counts(numbers: BTreeMap<String, i64>) -> Cell {
    numbers
        .into_iter()
        .map(|(word, n)| (Arc::from(word), n))
        .collect()
}

/// Compares every queue's row, and the places of all in line, with the recount.
fn check(centre: &Centre, board: &Board, upto: usize) {
    let rules = &centre.rules;
    let naive = Naive::count(&centre.log[..upto], rules);
    let alex = centre.viewer("alex", 1);
    let table = board.table(&alex, Table::Queues).unwrap();
    for queue in &rules.queues {
        let row = cells(&table, Key::Queue(queue.id));
        let line = naive.line(queue.id);
        for (column, state) in [
            ("waiting", "waiting"),
            ("ringing", "offered"),
            ("connecting", "connecting"),
            ("active", "active"),
            ("wrap_up", "wrap_up"),
        ] {
            let count = naive.in_state(queue.id, state);
            assert_eq!(row[column], int(count), "{column} of {}", queue.name);
        }
        let oldest = line.iter().map(|id| naive.contacts[id].first_entry).min();
        let oldest = oldest.map_or(Cell::Null, |at| Cell::Int(i64::try_from(at.0).unwrap()));
        assert_eq!(row["oldest"], oldest, "oldest of {}", queue.name);
        let mut priorities: BTreeMap<i32, i64> = BTreeMap::new();
        for id in &line {
            *priorities.entry(naive.contacts[id].priority).or_default() += 1;
        }
        let by = priorities
            .into_iter()
            .map(|(p, n)| (Arc::from(p.to_string()), n));
        assert_eq!(row["by_priority"], by.collect::<Cell>());
        for (index, id) in line.iter().enumerate() {
            let seen = board.contact(&alex, *id).unwrap();
            let place = seen.place().position;
            assert_eq!(
                place,
                Some(u32::try_from(index + 1).unwrap()),
                "place of {id}"
            );
        }
        check_members(&naive, queue, &row, rules);
        check_flow(&naive, board, queue.id, line.len());
    }
    check_agents(centre, board, &naive);
}

fn check_members(
    naive: &Naive,
    queue: &switchroom::domain::rules::QueueRules,
    row: &BTreeMap<String, Cell>,
    rules: &switchroom::domain::rules::Workspace,
) {
    let mut buckets: BTreeMap<String, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, i64> = BTreeMap::new();
    let (mut members, mut free, mut all) = (0, 0, 0);
    for agent in &rules.agents {
        if agent.memberships.iter().any(|m| m.queue == queue.id) {
            let (bucket, agent_free, agent_all) = naive.member(agent.id, queue.id, rules);
            if let Some(("not_ready", reason)) = bucket.split_once(' ') {
                *reasons.entry(reason.to_owned()).or_default() += 1;
            }
            let word = bucket.split(' ').next().unwrap().to_owned();
            *buckets.entry(word).or_default() += 1;
            members += 1;
            free += agent_free;
            all += agent_all;
        }
    }
    assert_eq!(row["members"], int(members));
    assert_eq!(buckets.values().sum::<usize>(), members);
    let mut shown = 0;
    for word in [
        "routable",
        "ringing",
        "working",
        "busy",
        "wrap_up",
        "not_ready",
        "connection_lost",
        "signed_out",
    ] {
        let count = buckets.get(word).copied().unwrap_or(0);
        assert_eq!(
            row[&format!("agents_{word}")],
            int(count),
            "{word} of {}",
            queue.name
        );
        shown += count;
    }
    assert_eq!(
        shown, members,
        "buckets sum to the members of {}",
        queue.name
    );
    assert_eq!(row["not_ready_by"], counts(reasons));
    assert_eq!(
        row["free_slots"],
        int(free as usize),
        "free slots of {}",
        queue.name
    );
    assert_eq!(
        row["all_slots"],
        int(all as usize),
        "all slots of {}",
        queue.name
    );
}

fn check_flow(naive: &Naive, board: &Board, queue: switchroom::id::QueueId, waiting: usize) {
    let (live, waiting_now) = board.queue_counts(queue).unwrap();
    let flow = naive.flows.get(&queue).copied().unwrap_or_default();
    assert_eq!(waiting_now as usize, waiting);
    assert_eq!(live.entered, flow.entered);
    assert_eq!(live.returned, flow.returned);
    assert_eq!(live.requeued, flow.requeued);
    assert_eq!(live.answered, flow.answered);
    assert_eq!(live.abandoned, flow.abandoned);
    assert_eq!(live.short_abandoned, flow.short_abandoned);
    assert_eq!(live.cancelled, flow.cancelled);
    assert!(
        live.conserve(u64::from(waiting_now)),
        "{live:?} {waiting_now}"
    );
}

fn check_agents(centre: &Centre, board: &Board, naive: &Naive) {
    let alex = centre.viewer("alex", 1);
    let table = board.table(&alex, Table::Agents).unwrap();
    for agent in centre
        .rules
        .agents
        .iter()
        .filter(|agent| !agent.channels.is_empty())
    {
        let row = cells(&table, Key::Agent(agent.id));
        let held = &naive.agents[&agent.id];
        for kind in ["offered", "connecting", "active", "wrap_up"] {
            let count = held
                .work
                .values()
                .filter(|(_, stands, _)| *stands == kind)
                .count();
            assert_eq!(row[kind], int(count), "{kind} of {}", agent.name);
        }
        for (channel, own) in centre.rules.channels.iter() {
            if agent.channels.contains(channel) {
                let load = held
                    .work
                    .values()
                    .filter(|(c, _, holds)| *c == channel && *holds);
                assert_eq!(row[&format!("{}_load", own.name)], int(load.count()));
            }
        }
    }
}

#[test]
fn every_number_is_the_recount_of_the_log_after_every_record() {
    for seed in 0..15 {
        let mut random = Random::new(seed);
        let mut centre = Centre::new();
        let mut board = Board::new(Arc::clone(&centre.rules), centre.now);
        let mut folded = 0;
        for _ in 0..220 {
            centre.act(&mut random);
            while folded < centre.log.len() {
                board.fold(&centre.log[folded]);
                folded += 1;
                assert_eq!(board.broken(), [], "seed {seed}");
                check(&centre, &board, folded);
            }
        }
        assert!(folded > 150, "seed {seed} wrote {folded} records");
    }
}

#[test]
fn a_record_that_was_folded_changes_nothing() {
    let mut random = Random::new(99);
    let mut centre = Centre::new();
    for _ in 0..200 {
        centre.act(&mut random);
    }
    let mut board = Board::new(Arc::clone(&centre.rules), centre.now);
    for record in &centre.log {
        board.fold(record);
        board.fold(record);
    }
    for record in &centre.log[..centre.log.len() / 2] {
        board.fold(record);
    }
    check(&centre, &board, centre.log.len());
}
