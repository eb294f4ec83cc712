//! A view of a table: what its watchers were last told of each row, and when they are told
//! again. Rows never go back in time, and the latest value of each always arrives.

use crate::domain::rules::Workspace;
use crate::id::{AgentId, QueueId};
use crate::limits;
use crate::live::delta::{Key, Update};
use crate::live::dirty::Dirty;
use crate::live::picture::Picture;
use crate::live::seen::Glass;
use crate::live::sight::Sight;
use crate::live::stats::{Cell, Column, Table, TableCut, agent_cells, queue_cells};
use crate::live::topic::Filter;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A view of a table.
#[derive(Clone, Debug)]
pub struct TableView {
    table: Table,
    columns: Arc<[Column]>,
    /// Rows in sight, by number, in the order of their keys when first cut.
    rows: BTreeMap<u32, Told>,
    looked: u64,
    period: u64,
    due: Instant,
}

/// What was last told of a row.
#[derive(Clone, Debug)]
struct Told {
    glass: Glass,
    key: Key,
    cells: Arc<[Cell]>,
}

impl TableView {
    /// A view of the rows in sight, all of which are told by the cut that follows.
    #[must_use]
    pub fn new(
        table: Table,
        columns: Arc<[Column]>,
        hz: u32,
        sight: &Sight,
        filter: &Filter,
        picture: &Picture,
        looked: u64,
    ) -> Self {
        let mut view = Self {
            table,
            columns,
            rows: BTreeMap::new(),
            looked,
            period: 1_000 / u64::from(hz.clamp(1, limits::CONFLATED_HZ_MAX)),
            due: picture.at,
        };
        view.rows = view.in_sight(sight, filter, picture);
        view
    }

    fn in_sight(&self, sight: &Sight, filter: &Filter, picture: &Picture) -> BTreeMap<u32, Told> {
        let rules = &picture.rules;
        let count = match self.table {
            Table::Queues => rules.queues.len(),
            Table::Agents => rules.agents.len(),
        };
        let rows = (0..count).filter_map(|row| u32::try_from(row).ok());
        rows.filter_map(|row| {
            let glass = self.glass(row, sight, filter, picture)?;
            let cells = self.cells(row, &glass, picture)?;
            let key = self.key(row, &glass);
            Some((row, Told { glass, key, cells }))
        })
        .collect()
    }

    fn glass(&self, row: u32, sight: &Sight, filter: &Filter, picture: &Picture) -> Option<Glass> {
        let rules: &Workspace = &picture.rules;
        match self.table {
            Table::Queues if filter.queue(QueueId(row), rules) => sight.queue(rules, QueueId(row)),
            Table::Agents => {
                let agent = picture.agent(AgentId(row))?;
                if filter.agent(agent, rules) {
                    sight.agent(rules, AgentId(row))
                } else {
                    None
                }
            }
            Table::Queues => None,
        }
    }

    fn key(&self, row: u32, glass: &Glass) -> Key {
        match self.table {
            Table::Queues => Key::Queue(QueueId(row)),
            Table::Agents => glass.who(AgentId(row)).into(),
        }
    }

    fn cells(&self, row: u32, glass: &Glass, picture: &Picture) -> Option<Arc<[Cell]>> {
        Some(match self.table {
            Table::Queues => {
                let cell = picture.queue(QueueId(row))?;
                queue_cells(&self.columns, QueueId(row), cell, &picture.rules)
            }
            Table::Agents => {
                let agent = picture.agent(AgentId(row))?;
                agent_cells(&self.columns, agent, glass, &picture.rules)
            }
        })
    }

    /// When something is next to be told, if anything is.
    #[must_use]
    pub fn due(&self, dirty: &Dirty) -> Option<Instant> {
        dirty.any_since(self.looked).then_some(self.due)
    }

    /// Tells what changed since it was last told; nothing when nothing that is shown did.
    pub fn tell(&mut self, now: Instant, picture: &Picture, dirty: &mut Dirty) -> Option<Update> {
        let look = dirty.look();
        let changed: Vec<u32> = dirty.since(self.looked).collect();
        self.looked = look;
        self.due = Instant((now.0 / self.period + 1) * self.period);
        let mut set = Vec::new();
        for row in changed {
            let Some(glass) = self.rows.get(&row).map(|told| told.glass.clone()) else {
                continue;
            };
            let Some(cells) = self.cells(row, &glass, picture) else {
                continue;
            };
            if let Some(told) = self.rows.get_mut(&row) {
                let changes = differences(&told.cells, &cells);
                if !changes.is_empty() {
                    set.push((told.key, changes));
                }
                told.cells = cells;
            }
        }
        set.sort_by_key(|(key, _)| *key);
        Self::update(picture, set, Vec::new())
    }

    /// Sees with other rights from now on: rows come whole, and rows go. `None` when a row
    /// would be seen through another lens, which no update can say.
    pub fn recut(
        &mut self,
        sight: &Sight,
        filter: &Filter,
        picture: &Picture,
    ) -> Option<Option<Update>> {
        let after = self.in_sight(sight, filter, picture);
        let keeps =
            |(row, told): (&u32, &Told)| after.get(row).is_none_or(|now| now.key == told.key);
        if !self.rows.iter().all(keeps) {
            return None;
        }
        let gone = self.rows.iter().filter(|(row, _)| !after.contains_key(row));
        let remove: Vec<Key> = gone.map(|(_, told)| told.key).collect();
        let new = after.iter().filter(|(row, _)| !self.rows.contains_key(row));
        let mut set: Vec<_> = new
            .map(|(_, told)| (told.key, numbered(&told.cells)))
            .collect();
        set.sort_by_key(|(key, _)| *key);
        let kept = std::mem::take(&mut self.rows);
        self.rows = after;
        for (row, told) in kept {
            if let Some(now) = self.rows.get_mut(&row) {
                now.cells = told.cells;
            }
        }
        Some(Self::update(picture, set, remove))
    }

    fn update(
        picture: &Picture,
        set: Vec<(Key, Vec<(u16, Cell)>)>,
        remove: Vec<Key>,
    ) -> Option<Update> {
        (!set.is_empty() || !remove.is_empty()).then_some(Update {
            as_of: picture.as_of,
            at: picture.at,
            set,
            remove,
        })
    }

    /// The table as it was last told, in the order of its keys.
    #[must_use]
    pub fn cut(&self) -> TableCut {
        let rows = self.rows.values();
        let mut rows: Vec<_> = rows
            .map(|told| (told.key, Arc::clone(&told.cells)))
            .collect();
        rows.sort_by_key(|(key, _)| *key);
        TableCut {
            columns: Arc::clone(&self.columns),
            rows,
        }
    }
}

fn differences(before: &[Cell], after: &[Cell]) -> Vec<(u16, Cell)> {
    let pairs = (0u16..).zip(before.iter().zip(after));
    let changed = pairs.filter(|(_, (before, after))| before != after);
    changed
        .map(|(column, (_, after))| (column, after.clone()))
        .collect()
}

fn numbered(cells: &[Cell]) -> Vec<(u16, Cell)> {
    (0u16..).zip(cells.iter().cloned()).collect()
}
