//! Many seeds at once, as many at a time as there are processors.

use super::plan::Plan;
use super::run::{quiet_panics, run, shrink, story};
use super::tally::Tally;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const SEEDS: u64 = 2_000;
const STEPS: usize = 2_000;

fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

#[test]
fn every_promise_is_kept_on_every_seed() {
    quiet_panics();
    if let Ok(file) = std::env::var("SIM_PLAN") {
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
        let plan: Plan = text.parse().unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(
            run(&plan, false).0.is_none(),
            "{}",
            story(plan.world, &plan)
        );
        return;
    }
    let steps = asked("SIM_STEPS").map_or(STEPS, |steps| usize::try_from(steps).unwrap());
    let only = asked("SIM_SEED");
    let first = only.unwrap_or(1);
    let last = only.unwrap_or_else(|| asked("SIM_SEEDS").unwrap_or(SEEDS));
    let next = AtomicU64::new(first);
    let failed = AtomicBool::new(false);
    let total = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Tally::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > last || failed.load(Ordering::Relaxed) {
                        break;
                    }
                    let plan = Plan::new(seed, steps);
                    let (failure, tally, _) = run(&plan, false);
                    mine.add(&tally);
                    if let Some(failure) = failure
                        && !failed.swap(true, Ordering::Relaxed)
                    {
                        let shortest = match asked("SIM_SHRINK") {
                            Some(0) => plan,
                            _ => shrink(&plan, &failure),
                        };
                        println!("{}", story(seed, &shortest));
                    }
                }
                total.lock().unwrap().add(&mine);
            });
        }
    });
    let total = total.into_inner().unwrap();
    println!(
        "{} steps, {} at rest, {} restarts, {} barriers timed out\n{:#?}",
        total.steps, total.rests, total.restarts, total.barriers, total.happened
    );
    assert!(
        !failed.load(Ordering::Relaxed),
        "a promise was broken, see above"
    );
}
