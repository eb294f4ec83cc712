//! A disk that is full: nothing is acknowledged until there is room, and nothing is lost, not even
//! when the power is cut then. A sync that fails is the end.

use super::chance::Chance;
use super::disk::Disk;
use super::life::{Known, Out, batch, judge, log, open};
use super::vfs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use switchroom::id::Seq;
use switchroom::journal::Journal;

/// Nothing here takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn what_finds_no_room_is_kept_and_written_when_there_is_some() {
    let mut chance = Chance(7);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let disk = Arc::new(Disk::default());
    let mounted = vfs::mount(&folder.join("full"), &disk);
    let store = open(&folder.join("full"), Duration::from_millis(1)).unwrap();
    let (out, mut known) = (Arc::new(Out::default()), Known::new());
    let log = log(store, &known.rules, &disk, &out, 0).unwrap();
    disk.room(Some(300_000));
    let (mut seq, deadline) = (0, Instant::now() + PATIENCE);
    let mut stuck = None;
    while stuck.is_none_or(|since: Instant| since.elapsed() < Duration::from_secs(1)) {
        assert!(Instant::now() < deadline, "the disk is never full");
        if log.durable() < Seq(seq) {
            stuck.get_or_insert_with(Instant::now);
            std::thread::yield_now();
            continue;
        }
        stuck = None;
        let batch = batch(&mut seq, known.handed.len(), &mut chance);
        if !batch.written.records.is_empty() {
            known.handed.push(Arc::clone(&batch.written));
        }
        log.append(batch).unwrap();
    }
    let acknowledged = out.acknowledged.load(Ordering::Relaxed);
    assert!(
        acknowledged < known.handed.len(),
        "it was acknowledged without room"
    );
    assert!(log.undurable().bytes > 0);
    for _ in 0..50 {
        let batch = batch(&mut seq, known.handed.len(), &mut chance);
        if !batch.written.records.is_empty() {
            known.handed.push(Arc::clone(&batch.written));
        }
        log.append(batch).unwrap();
    }
    disk.room(None);
    while log.durable() < Seq(seq) {
        assert!(Instant::now() < deadline, "it does not go on");
        std::thread::yield_now();
    }
    assert!(!out.failed.load(Ordering::Relaxed));
    disk.cut();
    log.close();
    known.acknowledged = known.handed.len();
    let left = Arc::new(disk.after_cut(&mut chance));
    drop(mounted);
    judge(&folder.join("left"), &left, &mut known);
}

#[test]
fn after_a_sync_that_failed_nothing_is_tried_again_and_nothing_more_is_acknowledged() {
    let mut chance = Chance(8);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let disk = Arc::new(Disk::default());
    let mounted = vfs::mount(&folder.join("broken"), &disk);
    let store = open(&folder.join("broken"), Duration::from_secs(1)).unwrap();
    let (out, mut known) = (Arc::new(Out::default()), Known::new());
    let log = log(store, &known.rules, &disk, &out, 0).unwrap();
    let (mut seq, mut to_tell) = (0, 0);
    let mut hand_over = |known: &mut Known| {
        let batch = batch(&mut seq, known.handed.len(), &mut chance);
        let told = batch.gated.last().map(|answer| answer.to.request as usize);
        to_tell = told.unwrap_or(to_tell);
        if !batch.written.records.is_empty() {
            known.handed.push(Arc::clone(&batch.written));
        }
        log.append(batch).map(|()| (Seq(seq), to_tell))
    };
    let deadline = Instant::now() + PATIENCE;
    for _ in 0..20 {
        let (handed, told) = hand_over(&mut known).unwrap();
        // An answer is let out a moment after it has become durable.
        while log.durable() < handed || out.acknowledged.load(Ordering::Relaxed) < told {
            assert!(Instant::now() < deadline, "it does not become durable");
            std::thread::yield_now();
        }
    }
    known.acknowledged = known.handed.len();
    let acknowledged = out.acknowledged.load(Ordering::Relaxed);
    disk.broken(true);
    while known.handed.len() == known.acknowledged {
        hand_over(&mut known).unwrap();
    }
    while !out.failed.load(Ordering::Relaxed) {
        assert!(Instant::now() < deadline, "nobody is told");
        std::thread::yield_now();
    }
    disk.broken(false);
    assert!(hand_over(&mut known).is_err(), "it takes nothing more");
    assert_eq!(out.acknowledged.load(Ordering::Relaxed), acknowledged);
    disk.cut();
    log.close();
    let left = Arc::new(disk.after_cut(&mut chance));
    drop(mounted);
    judge(&folder.join("left"), &left, &mut known);
}
