//! SQLite's way to a [`Disk`]: a VFS whose files are those of the disk that a folder stands for.

#![allow(
    unsafe_code,
    reason = "SQLite calls a file system by pointers; there is no other way to stand in for one"
)]

use super::disk::{Disk, Inode, No, REGION};
use rusqlite::ffi;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, Once};

/// Its name.
pub const NAME: &str = "power";

static DISKS: Mutex<BTreeMap<String, Arc<Disk>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A disk under a folder's name, until it is dropped.
pub struct Mounted(String);

/// The folder of this name is that disk. Each needs a name of its own: whoever still has a file
/// of another disk open goes by names as well.
pub fn mount(folder: &Path, disk: &Arc<Disk>) -> Mounted {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    let folder = folder.to_str().unwrap().to_owned();
    let before = DISKS
        .lock()
        .unwrap()
        .insert(folder.clone(), Arc::clone(disk));
    assert!(before.is_none(), "{folder} is a disk already");
    Mounted(folder)
}

impl Drop for Mounted {
    fn drop(&mut self) {
        DISKS.lock().unwrap().remove(&self.0);
    }
}

/// An open file of one connection.
struct Open {
    disk: Arc<Disk>,
    inode: Inode,
    who: u64,
    /// The first sync is one of the folder as well.
    may_be_new: AtomicBool,
}

#[repr(C)]
struct OpenFile {
    methods: *const ffi::sqlite3_io_methods,
    open: *mut Open,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The clock, chance and sleep are those of the system's own.
fn register() {
    // SAFETY: SQLite's default VFS lives as long as the process, and so does the copy, which is
    // never freed. None of the calls that the copy keeps looks into its VFS.
    unsafe {
        ffi::sqlite3_initialize();
        let mut vfs = *ffi::sqlite3_vfs_find(ptr::null());
        vfs.iVersion = 2;
        vfs.szOsFile = c_int::try_from(size_of::<OpenFile>()).unwrap();
        vfs.pNext = ptr::null_mut();
        vfs.zName = c"power".as_ptr();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        vfs.xAccess = Some(access);
        vfs.xFullPathname = Some(full_path);
        let code = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0);
        assert_eq!(code, ffi::SQLITE_OK);
    }
}

/// The disk and the file's name on it.
unsafe fn place(path: *const c_char) -> Option<(Arc<Disk>, String)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: SQLite's paths end with a zero.
    let path = Path::new(unsafe { CStr::from_ptr(path) }.to_str().ok()?);
    let disks = DISKS.lock().unwrap();
    let disk = disks.get(path.parent()?.to_str()?)?;
    Some((Arc::clone(disk), path.file_name()?.to_str()?.to_owned()))
}

/// What SQLite calls with a file, which is open.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Open {
    // SAFETY: `open` made it, and SQLite calls nothing with it after `close`.
    unsafe { &*(*file.cast::<OpenFile>()).open }
}

fn code<T>(done: Result<T, impl Sized>, otherwise: c_int) -> c_int {
    done.map_or(otherwise, |_| ffi::SQLITE_OK)
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for an `OpenFile`, as `szOsFile` asked for.
    unsafe {
        let file = file.cast::<OpenFile>();
        (*file).methods = ptr::null();
        let Some((disk, name)) = place(path) else {
            return ffi::SQLITE_CANTOPEN;
        };
        let Ok(Some(inode)) = disk.open(&name, flags & ffi::SQLITE_OPEN_CREATE != 0) else {
            return ffi::SQLITE_CANTOPEN;
        };
        let who = NEXT.fetch_add(1, Ordering::Relaxed);
        // As SQLite does it on Linux, for journals and for no other file.
        let journal = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL;
        let may_be_new = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journal != 0;
        (*file).open = Box::into_raw(Box::new(Open {
            disk,
            inode,
            who,
            may_be_new: AtomicBool::new(may_be_new),
        }));
        (*file).methods = &METHODS;
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    // SAFETY: it is a path of SQLite.
    let place = unsafe { place(path) };
    let deleted = place.map(|(disk, name)| disk.delete(&name, sync != 0));
    deleted.map_or(ffi::SQLITE_IOERR_DELETE, |done| {
        code(done, ffi::SQLITE_IOERR_DELETE)
    })
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: it is a path of SQLite, and a place for the answer.
    unsafe {
        let Some(Ok(exists)) = place(path).map(|(disk, name)| disk.exists(&name)) else {
            return ffi::SQLITE_IOERR_ACCESS;
        };
        *out = c_int::from(exists);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives `room` bytes for a path that ends with a zero.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > usize::try_from(room).unwrap_or(0) {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(path, out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: `open` made it, and this is the last call with it.
    let open = unsafe { Box::from_raw((*file.cast::<OpenFile>()).open) };
    open.disk.locks(open.inode, |locks| locks.leave(open.who));
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    some: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite gives room for `some` bytes.
    let (open, into) = unsafe {
        let some = usize::try_from(some).unwrap();
        (
            opened(file),
            std::slice::from_raw_parts_mut(into.cast::<u8>(), some),
        )
    };
    into.fill(0);
    match open
        .disk
        .read(open.inode, usize::try_from(at).unwrap(), into)
    {
        Ok(found) if found == into.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    some: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite gives `some` bytes.
    let (open, from) = unsafe {
        let some = usize::try_from(some).unwrap();
        (
            opened(file),
            std::slice::from_raw_parts(from.cast::<u8>(), some),
        )
    };
    let written = open
        .disk
        .write(open.inode, usize::try_from(at).unwrap(), from);
    match written {
        Ok(()) => ffi::SQLITE_OK,
        Err(No::Room) => ffi::SQLITE_FULL,
        Err(No::Power | No::Sync) => ffi::SQLITE_IOERR_WRITE,
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: the file is open.
    let open = unsafe { opened(file) };
    let cut = open
        .disk
        .truncate(open.inode, usize::try_from(size).unwrap());
    code(cut, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: the file is open.
    let open = unsafe { opened(file) };
    let folder = open.may_be_new.swap(false, Ordering::Relaxed);
    code(open.disk.sync(open.inode, folder), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: the file is open, and there is a place for the answer.
    unsafe {
        let open = opened(file);
        let Ok(size) = open.disk.size(open.inode) else {
            return ffi::SQLITE_IOERR_FSTAT;
        };
        *out = i64::try_from(size).unwrap();
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    let open = unsafe { opened(file) };
    let taken = |locks: &mut super::locks::Locks| locks.raise(open.who, level);
    code(open.disk.locks(open.inode, taken), ffi::SQLITE_BUSY)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    let open = unsafe { opened(file) };
    open.disk
        .locks(open.inode, |locks| locks.lower(open.who, level));
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: the file is open, and there is a place for the answer.
    unsafe {
        let open = opened(file);
        *out = c_int::from(open.disk.locks(open.inode, |locks| locks.reserved()));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4_096
}

/// As SQLite takes files of Linux to be: a write changes nothing beside it.
unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    make: c_int,
    out: *mut *mut c_void,
) -> c_int {
    assert_eq!(usize::try_from(size), Ok(REGION));
    // SAFETY: the file is open, there is a place for the answer, and a region stays where it is
    // until every connection has left it.
    unsafe {
        let open = opened(file);
        let region = usize::try_from(region).unwrap();
        let region = open.disk.share(open.inode, open.who, region, make != 0);
        *out = region.map_or(ptr::null_mut(), |region| region.cast());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    some: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: the file is open.
    let open = unsafe { opened(file) };
    let slots = u8::try_from(((1u16 << some) - 1) << first).unwrap();
    let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    let done = open.disk.locks(open.inode, |locks| {
        if flags & ffi::SQLITE_SHM_LOCK != 0 {
            return locks.take(open.who, slots, exclusive);
        }
        locks.give(open.who, slots);
        Ok(())
    });
    code(done, ffi::SQLITE_BUSY)
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: the file is open.
    let open = unsafe { opened(file) };
    open.disk.unshare(open.inode, open.who);
    ffi::SQLITE_OK
}
