//! Five hundred cuts, at any call, in the midst of commits, checkpoints, snapshots, and of starts
//! after a cut.

use super::chance::Chance;
use super::disk::Disk;
use super::life::{Known, judge, live};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// Lives of one log, one after the other, each ended by a cut.
const LIVES: u64 = 5;

fn number(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(otherwise, |given| given.parse().expect("a number"))
}

/// Cuts the power so many times: `SWITCHROOM_CUTS`, by `SWITCHROOM_SEED`.
#[test]
fn nothing_acknowledged_is_lost_whenever_the_power_is_cut() {
    let (cuts, seed) = (number("SWITCHROOM_CUTS", 500), number("SWITCHROOM_SEED", 1));
    let mut reached = 0;
    for log in 0..cuts.div_ceil(LIVES) {
        let seed = seed.wrapping_add(log);
        match catch_unwind(AssertUnwindSafe(|| lives(seed))) {
            Ok(some) => reached += some,
            Err(panic) => {
                eprintln!("SWITCHROOM_SEED={seed} SWITCHROOM_CUTS={LIVES}");
                resume_unwind(panic);
            }
        }
    }
    eprintln!("{cuts} cuts, {reached} of them before the log was closed");
    assert!(
        2 * reached > cuts,
        "most cuts come while the log is written"
    );
}

/// The lives of one log; how many of them the power ended.
fn lives(seed: u64) -> u64 {
    let mut chance = Chance(seed);
    let folder = tempfile::tempdir().unwrap();
    let named = |what: &str, life: u64| folder.path().join(format!("{what}-{life}"));
    let mut known = Known::new();
    let mut disk = Arc::new(Disk::default());
    let mut reached = 0;
    for life in 0..LIVES {
        disk.cut_at(1 + chance.next(150));
        live(&named("life", life), &disk, &mut known, &mut chance);
        reached += u64::from(disk.is_cut());
        disk.cut();
        let left = disk.after_cut(&mut chance);
        judge(&named("left", life), &Arc::new(left.copy()), &mut known);
        disk = Arc::new(left);
    }
    reached
}
