//! Runs plans: many at once, one again, and a failing one shorter and shorter.

use super::brief::brief;
use super::outside::{last_orders, nothing_is_left};
use super::plan::{Op, Plan};
use super::promise::{Broken, Kept, Promise};
use super::tally::Tally;
use super::world::World;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A plan that broke a promise.
#[derive(Debug)]
pub struct Failure {
    pub broken: Broken,
    /// Orders carried out before it.
    pub after: usize,
}

const NO_PANIC: Promise = Promise {
    name: "NO_PANIC",
    says: "No machine panics.",
};

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Panics of machines are findings like any other: they are told once, at the end.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANIC.with(|told| *told.borrow_mut() = Some(panic.to_string()));
    }));
}

/// Carries a plan out to its end and beyond, until nothing is left.
pub fn run(plan: &Plan, transcript: bool) -> (Option<Failure>, Tally, VecDeque<String>) {
    let mut world = World::new(plan.world);
    world.transcript = transcript.then(VecDeque::new);
    let mut after = 0;
    let done = catch_unwind(AssertUnwindSafe(|| carry_out(&mut world, plan, &mut after)));
    let broken = match done {
        Ok(Ok(())) => None,
        Ok(Err(broken)) => Some(*broken),
        Err(_) => Some(Broken {
            promise: NO_PANIC,
            by: PANIC.with(RefCell::take).unwrap_or_default(),
        }),
    };
    let failure = broken.map(|broken| Failure { broken, after });
    let tally = std::mem::take(&mut world.tally);
    (failure, tally, world.transcript.unwrap_or_default())
}

fn carry_out(world: &mut World, plan: &Plan, after: &mut usize) -> Kept {
    for op in &plan.ops {
        world.obey(*op)?;
        *after += 1;
    }
    last_orders(world)?;
    nothing_is_left(world)
}

/// The same failure with as few orders as can be found.
pub fn shrink(plan: &Plan, failure: &Failure) -> Plan {
    let promise = failure.broken.promise.name;
    let fails = |ops: &[Op]| {
        let shorter = Plan {
            world: plan.world,
            ops: ops.to_vec(),
        };
        run(&shorter, false)
            .0
            .is_some_and(|failure| failure.broken.promise.name == promise)
    };
    let mut ops = plan.ops[..plan.ops.len().min(failure.after + 1)].to_vec();
    if !fails(&ops) {
        ops.clone_from(&plan.ops);
    }
    let mut chunk = ops.len().div_ceil(2);
    while chunk > 0 {
        let mut from = 0;
        let mut dropped = false;
        while from < ops.len() {
            let to = (from + chunk).min(ops.len());
            let without = [&ops[..from], &ops[to..]].concat();
            if fails(&without) {
                ops = without;
                dropped = true;
            } else {
                from = to;
            }
        }
        if !dropped || chunk > 1 {
            chunk /= 2;
        }
    }
    Plan {
        world: plan.world,
        ops,
    }
}

/// What a failure is told as: the promise, the plan that breaks it, and what happened last.
pub fn story(seed: u64, plan: &Plan) -> String {
    let (failure, _, transcript) = run(plan, true);
    let Some(failure) = failure else {
        return format!("seed {seed} did not fail again");
    };
    let lines: Vec<String> = transcript.iter().map(|line| brief(line)).collect();
    let by = brief(&failure.broken.by);
    format!(
        "seed {seed} breaks {}: {}\nby {by}\n\n{}\n\nTo see it again, write these lines to a file and set SIM_PLAN to its name:\n{plan}",
        failure.broken.promise.name,
        failure.broken.promise.says,
        lines.join("\n"),
    )
}
