//! Locks of one database file among its connections, as SQLite asks for them: five levels on
//! the file, and eight slots of the index of its write-ahead log.

use std::collections::BTreeMap;

/// Somebody else holds what is asked for.
#[derive(Debug)]
pub struct Busy;

/// Levels of SQLite: shared 1, reserved 2, pending 3, exclusive 4.
const SHARED: i32 = 1;
const RESERVED: i32 = 2;
const PENDING: i32 = 3;

/// Who holds what.
#[derive(Default)]
pub struct Locks {
    levels: BTreeMap<u64, i32>,
    /// Slots held shared and exclusively, a bit each.
    slots: BTreeMap<u64, (u8, u8)>,
}

impl Locks {
    fn others(&self, who: u64) -> i32 {
        let others = self.levels.iter().filter(|(other, _)| **other != who);
        others.map(|(_, level)| *level).max().unwrap_or(0)
    }

    /// Raises a connection's level.
    pub fn raise(&mut self, who: u64, level: i32) -> Result<(), Busy> {
        let now = self.levels.get(&who).copied().unwrap_or(0);
        if now >= level {
            return Ok(());
        }
        let others = self.others(who);
        match level {
            SHARED if others >= PENDING => return Err(Busy),
            SHARED => {}
            _ if others >= RESERVED => return Err(Busy),
            RESERVED => {}
            _ if others >= SHARED => {
                self.levels.insert(who, PENDING);
                return Err(Busy);
            }
            _ => {}
        }
        self.levels.insert(who, level);
        Ok(())
    }

    /// Lowers it.
    pub fn lower(&mut self, who: u64, level: i32) {
        if level == 0 {
            self.levels.remove(&who);
        } else {
            self.levels.insert(who, level);
        }
    }

    /// Whether anybody is about to write.
    pub fn reserved(&self) -> bool {
        self.levels.values().any(|level| *level >= RESERVED)
    }

    /// Takes slots.
    pub fn take(&mut self, who: u64, slots: u8, exclusive: bool) -> Result<(), Busy> {
        let others = self.slots.iter().filter(|(other, _)| **other != who);
        let held = others.fold(0, |held, (_, (shared, alone))| {
            held | alone | if exclusive { *shared } else { 0 }
        });
        if held & slots != 0 {
            return Err(Busy);
        }
        let (shared, alone) = self.slots.entry(who).or_default();
        *(if exclusive { alone } else { shared }) |= slots;
        Ok(())
    }

    /// Gives slots back.
    pub fn give(&mut self, who: u64, slots: u8) {
        if let Some((shared, alone)) = self.slots.get_mut(&who) {
            *shared &= !slots;
            *alone &= !slots;
        }
    }

    /// A connection is gone.
    pub fn leave(&mut self, who: u64) {
        self.levels.remove(&who);
        self.slots.remove(&who);
    }
}
