//! Room on the disk of the data folder: it is looked at all the time, new work is refused before
//! it is used up, and a reserve file is given up for what is in hand.

use crate::limits;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

/// Name of the reserve file in the data folder.
pub const RESERVE: &str = "reserve";

/// Bytes that are written at once where the system cannot set them aside.
const CHUNK: usize = 1_024 * 1_024;

/// How much room there is, for whoever has to know. Unknown is taken for enough.
#[derive(Debug)]
pub struct Space {
    low: u64,
    free: AtomicU64,
    short: AtomicBool,
}

impl Space {
    /// Room of which less than `low` bytes is short.
    #[must_use]
    pub fn new(low: u64) -> Arc<Self> {
        Arc::new(Self {
            low,
            free: AtomicU64::new(u64::MAX),
            short: AtomicBool::new(false),
        })
    }

    /// Less than this is short, in bytes.
    #[must_use]
    pub fn low(&self) -> u64 {
        self.low
    }

    /// What was free when it was last looked at, in bytes; none before that.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let free = self.free.load(Ordering::Relaxed);
        (free != u64::MAX).then_some(free)
    }

    /// New contacts and sign-ins are refused.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }

    fn see(&self, free: u64) {
        self.free.store(free, Ordering::Relaxed);
        let short = free < self.low;
        if self.short.swap(short, Ordering::Relaxed) == short {
            return;
        }
        let low = self.low;
        if short {
            tracing::error!(free, low, "space is short: no new contacts, no sign-ins");
        } else {
            tracing::warn!(free, low, "there is room again");
        }
    }
}

/// A disk with a file that takes room until it is given up.
pub trait Disk: Send {
    /// Bytes that can be written.
    ///
    /// # Errors
    /// When the system does not say.
    fn free(&self) -> io::Result<u64>;

    /// Whether the reserve is there.
    fn has_reserve(&self) -> bool;

    /// Makes the reserve.
    ///
    /// # Errors
    /// When there is no room, or the system refuses.
    fn make_reserve(&mut self, bytes: u64) -> io::Result<()>;

    /// Gives the reserve up.
    ///
    /// # Errors
    /// When the system refuses.
    fn give_up_reserve(&mut self) -> io::Result<()>;
}

/// Looks at a disk.
pub struct Looker {
    space: Arc<Space>,
    disk: Box<dyn Disk>,
    /// What has last gone wrong, so that it is logged once.
    told: Option<String>,
}

impl Looker {
    /// Looks at this disk for `space`.
    #[must_use]
    pub fn new(space: Arc<Space>, disk: Box<dyn Disk>) -> Self {
        Self {
            space,
            disk,
            told: None,
        }
    }

    /// Looks once. When hardly anything is left the reserve is given up; it is made again when
    /// that does not make space short.
    pub fn look(&mut self) {
        let looked = self.try_look();
        let wrong = looked.err().map(|error| error.to_string());
        if let Some(error) = &wrong
            && self.told != wrong
        {
            tracing::error!(%error, "the room on the disk of the data folder cannot be looked after");
        }
        self.told = wrong;
    }

    fn try_look(&mut self) -> io::Result<()> {
        let low = self.space.low;
        let reserve = low / limits::RESERVE_SHARE;
        let mut free = self.disk.free()?;
        if self.disk.has_reserve() {
            if free < low / limits::LAST_SHARE {
                self.disk.give_up_reserve()?;
                tracing::error!(free, "the reserve was given up for what is in hand");
                free = self.disk.free()?;
            }
        } else if reserve > 0 && free >= low + reserve {
            self.disk.make_reserve(reserve)?;
            free = self.disk.free()?;
        }
        self.space.see(free);
        Ok(())
    }
}

/// A thread that looks every second, until this is dropped.
#[derive(Debug)]
pub struct Watch {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Looks once before it returns, so that nobody acts on what is not known.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(mut looker: Looker) -> io::Result<Self> {
        looker.look();
        let (end, ended) = bounded::<()>(0);
        let thread = thread::Builder::new()
            .name("space".to_owned())
            .spawn(move || {
                while ended.recv_timeout(limits::LOOK_AT_SPACE) == Err(RecvTimeoutError::Timeout) {
                    looker.look();
                }
            })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that looks at space had failed");
        }
    }
}

/// The disk of a folder.
#[derive(Debug)]
pub struct FolderDisk {
    folder: PathBuf,
}

impl FolderDisk {
    /// The disk on which this folder is.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
        }
    }

    fn reserve(&self) -> PathBuf {
        self.folder.join(RESERVE)
    }
}

impl Disk for FolderDisk {
    fn free(&self) -> io::Result<u64> {
        let found = statvfs(&self.folder)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn has_reserve(&self) -> bool {
        self.reserve().exists()
    }

    fn make_reserve(&mut self, bytes: u64) -> io::Result<()> {
        let made = fill(&self.reserve(), bytes);
        if made.is_err() {
            // Half a reserve would be taken for a whole one.
            let _ = fs::remove_file(self.reserve());
        }
        made
    }

    fn give_up_reserve(&mut self) -> io::Result<()> {
        match fs::remove_file(self.reserve()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Takes room for good: a file with holes would take none.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    if fallocate(&file, FallocateFlags::empty(), 0, bytes).is_err() {
        write_out(&mut file, bytes)?;
    }
    file.sync_all()
}

fn write_out(file: &mut File, bytes: u64) -> io::Result<()> {
    let chunk = vec![0; CHUNK];
    let mut left = bytes;
    while left > 0 {
        let some = left.min(CHUNK as u64);
        file.write_all(&chunk[..usize::try_from(some).unwrap_or(CHUNK)])?;
        left -= some;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Disk, FolderDisk, Looker, RESERVE, Space};
    use std::io;
    use std::sync::{Arc, Mutex};

    const MIB: u64 = 1_024 * 1_024;

    /// Free bytes, and the reserve.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<(u64, Option<u64>)>>);

    impl Disk for Fake {
        fn free(&self) -> io::Result<u64> {
            Ok(self.0.lock().unwrap().0)
        }

        fn has_reserve(&self) -> bool {
            self.0.lock().unwrap().1.is_some()
        }

        fn make_reserve(&mut self, bytes: u64) -> io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            *disk = (disk.0 - bytes, Some(bytes));
            Ok(())
        }

        fn give_up_reserve(&mut self) -> io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            let bytes = disk.1.take().unwrap_or(0);
            disk.0 += bytes;
            Ok(())
        }
    }

    #[test]
    fn new_work_is_refused_long_before_the_reserve_is_given_up_and_both_come_back() {
        let disk = Fake::default();
        let space = Space::new(512 * MIB);
        let mut looker = Looker::new(Arc::clone(&space), Box::new(disk.clone()));
        let mut see = |free: u64| {
            disk.0.lock().unwrap().0 = free * MIB;
            looker.look();
            let (free, reserve) = *disk.0.lock().unwrap();
            assert_eq!(space.free(), Some(free));
            (
                space.is_short(),
                free / MIB,
                reserve.map(|bytes| bytes / MIB),
            )
        };
        assert_eq!(
            see(600),
            (false, 600, None),
            "a reserve would make it short"
        );
        assert_eq!(see(640), (false, 512, Some(128)));
        assert_eq!(see(511), (true, 511, Some(128)));
        assert_eq!(see(64), (true, 64, Some(128)));
        assert_eq!(see(63), (true, 191, None), "given up");
        assert_eq!(see(20), (true, 20, None));
        assert_eq!(see(512), (false, 512, None));
        assert_eq!(see(900), (false, 772, Some(128)));
    }

    #[test]
    fn a_reserve_takes_room_and_its_end_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = FolderDisk::new(folder.path());
        assert!(disk.free().unwrap() > 0);
        disk.make_reserve(3 * MIB + 1).unwrap();
        let found = std::fs::metadata(folder.path().join(RESERVE)).unwrap();
        assert_eq!(found.len(), 3 * MIB + 1);
        let blocks = std::os::unix::fs::MetadataExt::blocks(&found);
        assert!(blocks * 512 >= 3 * MIB, "it has no holes");
        assert!(disk.has_reserve());
        assert!(disk.make_reserve(1).is_err(), "there is one");
        disk.give_up_reserve().unwrap();
        disk.give_up_reserve().unwrap();
        assert!(!disk.has_reserve());
    }
}
