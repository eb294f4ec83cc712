//! A file system in memory that knows what was synced. After a cut, of what was not, nothing,
//! everything, what came first, or any sectors may be there.

use super::chance::Chance;
use super::locks::Locks;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

/// Written whole or not at all.
const SECTOR: usize = 512;
/// Bytes of a region of shared memory, as SQLite asks for them.
pub const REGION: usize = 32 * 1_024;

/// Why the disk does not do what it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum No {
    /// It was cut off.
    Power,
    /// It is full.
    Room,
    /// It cannot say whether what was written is there.
    Sync,
}

/// Number of a file, whatever its name.
pub type Inode = usize;

/// A disk with one folder. Everything but what was synced is gone when it is cut.
#[derive(Default)]
pub struct Disk(Mutex<State>);

#[derive(Default)]
struct State {
    files: Vec<File>,
    names: Names,
    synced_names: Names,
    /// What was not synced, oldest first.
    pending: Vec<(Inode, Change)>,
    /// Calls that change something, so far.
    calls: u64,
    cut_at: Option<u64>,
    cut: bool,
    /// Bytes that all files may have together.
    room: Option<usize>,
    /// Syncs fail.
    broken: bool,
}

type Names = BTreeMap<String, Inode>;

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    current: Vec<u8>,
    locks: Locks,
    /// Boxes, so that they stay where they are.
    shared: Vec<Box<[u64]>>,
    sharing: BTreeSet<u64>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => {
                let end = at + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at..end].copy_from_slice(data);
            }
            Self::Truncate(size) => bytes.truncate(*size),
        }
    }

    /// In sectors.
    fn split(&self) -> Vec<Self> {
        match self {
            Self::Write(at, data) => {
                let mut parts = Vec::new();
                let (mut from, mut at) = (0, *at);
                while from < data.len() {
                    let some = (SECTOR - at % SECTOR).min(data.len() - from);
                    parts.push(Self::Write(at, data[from..from + some].to_vec()));
                    from += some;
                    at += some;
                }
                parts
            }
            Self::Truncate(size) => vec![Self::Truncate(*size)],
        }
    }
}

impl State {
    /// A call that changes something; the one at which the power is cut comes to no end.
    fn call(&mut self) -> Result<(), No> {
        self.calls += 1;
        self.cut |= Some(self.calls) == self.cut_at;
        self.power()
    }

    fn power(&self) -> Result<(), No> {
        if self.cut { Err(No::Power) } else { Ok(()) }
    }

    fn change(&mut self, inode: Inode, change: Change) -> Result<(), No> {
        self.power()?;
        if let Change::Write(at, data) = &change {
            let end = at + data.len();
            let more = end.saturating_sub(self.files[inode].current.len());
            let all: usize = self.files.iter().map(|file| file.current.len()).sum();
            if more > 0 && self.room.is_some_and(|room| all + more > room) {
                return Err(No::Room);
            }
        }
        change.apply(&mut self.files[inode].current);
        self.pending.push((inode, change));
        self.call()
    }
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The power is cut at the call with this number, counted from now.
    pub fn cut_at(&self, call: u64) {
        let mut state = self.state();
        (state.calls, state.cut_at) = (0, Some(call));
    }

    /// Whether syncs fail from now on.
    pub fn broken(&self, broken: bool) {
        self.state().broken = broken;
    }

    /// All files may have so many bytes together; without end when absent.
    pub fn room(&self, bytes: Option<usize>) {
        self.state().room = bytes;
    }

    /// The power is cut now, if it is not already. The calls there were.
    pub fn cut(&self) -> u64 {
        let mut state = self.state();
        state.cut = true;
        state.calls
    }

    /// Whether it was cut.
    pub fn is_cut(&self) -> bool {
        self.state().cut
    }

    /// Whether all that was written to a file was synced.
    pub fn is_synced(&self, name: &str) -> bool {
        let state = self.state();
        let Some(inode) = state.names.get(name) else {
            return true;
        };
        state.pending.iter().all(|(changed, _)| changed != inode)
    }

    /// What a machine finds that starts again.
    pub fn after_cut(&self, chance: &mut Chance) -> Self {
        let state = self.state();
        let mut parts: Vec<(Inode, Change)> = Vec::new();
        for (inode, change) in &state.pending {
            parts.extend(change.split().into_iter().map(|part| (*inode, part)));
        }
        let mode = chance.next(4);
        match mode {
            0 => parts.clear(),
            1 => {}
            2 => parts.truncate(usize::try_from(chance.next(parts.len() as u64 + 1)).unwrap()),
            _ => parts.retain(|_| chance.one_in(2)),
        }
        let mut files: Vec<Vec<u8>> = state.files.iter().map(|file| file.synced.clone()).collect();
        for (inode, part) in parts {
            part.apply(&mut files[inode]);
        }
        let mut names = state.synced_names.clone();
        for name in state.names.keys().chain(state.synced_names.keys()) {
            let current = match mode {
                0 => false,
                1 => true,
                _ => chance.one_in(2),
            };
            match state.names.get(name) {
                _ if !current => {}
                Some(inode) => drop(names.insert(name.clone(), *inode)),
                None => drop(names.remove(name)),
            }
        }
        Self::of(files, names)
    }

    /// The same once more.
    pub fn copy(&self) -> Self {
        let state = self.state();
        let files = state.files.iter().map(|file| file.current.clone());
        Self::of(files.collect(), state.names.clone())
    }

    fn of(files: Vec<Vec<u8>>, names: Names) -> Self {
        let file = |bytes: Vec<u8>| File {
            synced: bytes.clone(),
            current: bytes,
            ..File::default()
        };
        Self(Mutex::new(State {
            files: files.into_iter().map(file).collect(),
            synced_names: names.clone(),
            names,
            ..State::default()
        }))
    }

    /// Opens a file; made if it may be.
    pub fn open(&self, name: &str, create: bool) -> Result<Option<Inode>, No> {
        let mut state = self.state();
        state.power()?;
        if let Some(inode) = state.names.get(name) {
            return Ok(Some(*inode));
        }
        if !create {
            return Ok(None);
        }
        let inode = state.files.len();
        state.files.push(File::default());
        state.names.insert(name.to_owned(), inode);
        state.call().map(|()| Some(inode))
    }

    /// Whether there is a file with something in it.
    pub fn exists(&self, name: &str) -> Result<bool, No> {
        let state = self.state();
        state.power()?;
        let inode = state.names.get(name);
        Ok(inode.is_some_and(|inode| !state.files[*inode].current.is_empty()))
    }

    /// Removes a name; so that it stays removed if the folder is synced.
    pub fn delete(&self, name: &str, sync: bool) -> Result<(), No> {
        let mut state = self.state();
        state.power()?;
        state.names.remove(name);
        state.call()?;
        if sync {
            state.synced_names = state.names.clone();
        }
        Ok(())
    }

    /// Reads; how many bytes there were.
    pub fn read(&self, inode: Inode, at: usize, into: &mut [u8]) -> Result<usize, No> {
        let state = self.state();
        state.power()?;
        let bytes = &state.files[inode].current;
        let from = at.min(bytes.len());
        let some = into.len().min(bytes.len() - from);
        into[..some].copy_from_slice(&bytes[from..from + some]);
        Ok(some)
    }

    /// Writes.
    pub fn write(&self, inode: Inode, at: usize, data: &[u8]) -> Result<(), No> {
        self.state().change(inode, Change::Write(at, data.to_vec()))
    }

    /// Cuts a file's end off.
    pub fn truncate(&self, inode: Inode, size: usize) -> Result<(), No> {
        self.state().change(inode, Change::Truncate(size))
    }

    /// Syncs a file, and its folder as well.
    pub fn sync(&self, inode: Inode, folder: bool) -> Result<(), No> {
        let mut state = self.state();
        state.power()?;
        if state.broken {
            return Err(No::Sync);
        }
        state.call()?;
        state.pending.retain(|(changed, _)| *changed != inode);
        let file = &mut state.files[inode];
        file.synced.clone_from(&file.current);
        if folder {
            state.synced_names = state.names.clone();
        }
        Ok(())
    }

    /// Bytes of a file.
    pub fn size(&self, inode: Inode) -> Result<usize, No> {
        let state = self.state();
        state.power()?;
        Ok(state.files[inode].current.len())
    }

    /// Does something with a file's locks.
    pub fn locks<T>(&self, inode: Inode, what: impl FnOnce(&mut Locks) -> T) -> T {
        what(&mut self.state().files[inode].locks)
    }

    /// A region of the memory that a file's connections share; it stays where it is until the
    /// last of them has left it.
    pub fn share(&self, inode: Inode, who: u64, region: usize, make: bool) -> Option<*mut u64> {
        let mut state = self.state();
        let file = &mut state.files[inode];
        file.sharing.insert(who);
        while make && file.shared.len() <= region {
            file.shared.push(vec![0; REGION / 8].into_boxed_slice());
        }
        file.shared
            .get_mut(region)
            .map(|region| region.as_mut_ptr())
    }

    /// A connection leaves the shared memory.
    pub fn unshare(&self, inode: Inode, who: u64) {
        let mut state = self.state();
        let file = &mut state.files[inode];
        file.sharing.remove(&who);
        if file.sharing.is_empty() {
            file.shared.clear();
        }
    }
}
