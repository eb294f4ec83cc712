//! A plan: what the world outside does, and when whose mail is read. A list of small orders that
//! each stand alone, so that any of them can be left out and the rest still means something.

use super::rng::Rng;
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// One order. What its numbers mean is the verb's to say; who or what they pick is looked up in
/// the world as it is when the order is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Op {
    pub verb: Verb,
    pub a: u32,
    pub b: u32,
}

/// A world, and everything that happens to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Which workspace.
    pub world: u64,
    pub ops: Vec<Op>,
}

/// The plan is no plan.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAPlan(String);

impl fmt::Display for NotAPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! verbs {
    ($( $(#[$doc:meta])* $verb:ident $name:literal $weight:literal $swing:literal; )*) => {
        /// What an order is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Verb {
            $( $(#[$doc])* $verb, )*
        }

        /// Each verb with its name, how common it is, and whether a seed may do without it.
        const VERBS: &[(Verb, &str, u32, bool)] = &[ $( (Verb::$verb, $name, $weight, $swing), )* ];
    };
}

verbs! {
    /// Some actor that has mail, or is due, reads some of it and turns.
    Deliver "deliver" 900 false;
    /// All mail is read, in any order, until there is none.
    Rest "rest" 14 false;
    /// Time goes to just when somebody wants to be woken, or a little before or after.
    Wake "wake" 40 false;
    /// Time goes on by itself, perhaps past what is due.
    Wait "wait" 40 false;
    /// A connector submits a contact.
    Submit "submit" 110 false;
    /// A connector submits many contacts of a kind.
    Burst "burst" 4 true;
    /// The customer leaves.
    Abandon "abandon" 28 true;
    /// The connector ends a contact.
    Hang "hang" 14 true;
    /// The connector says how a media command went.
    Report "report" 90 false;
    /// The connector changes attributes or the contact's own requirement.
    Update "update" 16 true;
    /// A supervisor ends a contact.
    End "end" 8 true;
    /// A supervisor puts a contact back in line.
    Requeue "requeue" 12 true;
    /// A supervisor sets priority or tier.
    Prioritise "prioritise" 14 true;
    /// A supervisor ends an agent's wrap-up.
    EndWrapUp "end_wrap_up" 5 true;
    /// A supervisor sets an agent's state.
    SetState "set_state" 8 true;
    /// A supervisor signs an agent out.
    ForceOut "force_out" 6 true;
    /// An agent signs in, from a new socket or the one there is.
    SignIn "sign_in" 24 false;
    /// An agent signs out.
    SignOut "sign_out" 10 true;
    /// An agent sets its state.
    State "state" 30 false;
    /// An agent switches channels.
    Channels "channels" 10 true;
    /// An agent chooses queues.
    Queues "queues" 8 true;
    /// An agent accepts an offer it is shown.
    Accept "accept" 240 false;
    /// An agent accepts any offer it ever saw.
    AcceptOld "accept_old" 14 true;
    /// An agent declines an offer it is shown.
    Decline "decline" 26 true;
    /// An agent's page shows an offer.
    Shown "shown" 30 false;
    /// An agent wraps up.
    WrapUp "wrap_up" 40 true;
    /// An agent ends a contact.
    Finish "finish" 50 false;
    /// A sign-in that was taken over says something, late.
    Stale "stale" 6 true;
    /// A socket is lost.
    Lose "lose" 12 true;
    /// A socket is back.
    Back "back" 18 false;
    /// The rules are changed.
    Rules "rules" 8 true;
    /// An actor dies of the next thing it reads.
    Kill "kill" 5 true;
    /// A queue is taken out of service.
    Retire "retire" 1 true;
    /// The process dies and starts again: mail, sockets and unanswered requests are gone.
    Reboot "reboot" 1 true;
}

impl Verb {
    pub fn name(self) -> &'static str {
        VERBS
            .iter()
            .find(|(verb, ..)| *verb == self)
            .map_or("", |(_, name, ..)| name)
    }
}

impl Plan {
    /// The plan of a seed. Each seed does without some verbs and with more of others, so that
    /// rare things also happen often somewhere.
    pub fn new(seed: u64, steps: usize) -> Self {
        let mut rng = Rng::new(seed, 1);
        let patience = rng.of(&[1, 1, 2, 4]);
        let weights: Vec<u32> = VERBS
            .iter()
            .map(|(verb, _, weight, swings)| match swings {
                true => weight * rng.of(&[0, 1, 1, 4]),
                false if *verb == Verb::Deliver => weight / patience,
                false => *weight,
            })
            .collect();
        let sum: u32 = weights.iter().sum();
        let mut ops = Vec::with_capacity(steps);
        for verb in [Verb::SignIn, Verb::Deliver, Verb::SignIn, Verb::Rest] {
            ops.push(Op::new(verb, &mut rng));
        }
        while ops.len() < steps {
            let mut left = rng.below(sum as usize) as u32;
            for ((verb, ..), weight) in VERBS.iter().zip(&weights) {
                if left < *weight {
                    ops.push(Op::new(*verb, &mut rng));
                    break;
                }
                left -= weight;
            }
        }
        Self { world: seed, ops }
    }
}

impl Op {
    fn new(verb: Verb, rng: &mut Rng) -> Self {
        Self {
            verb,
            a: rng.next() as u32,
            b: rng.next() as u32,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        writeln!(text, "world {}", self.world)?;
        for op in &self.ops {
            writeln!(text, "{} {} {}", op.verb.name(), op.a, op.b)?;
        }
        f.write_str(&text)
    }
}

impl FromStr for Plan {
    type Err = NotAPlan;

    fn from_str(text: &str) -> Result<Self, NotAPlan> {
        let mut plan = Self {
            world: 0,
            ops: Vec::new(),
        };
        for (number, line) in text.lines().enumerate() {
            let wrong = || NotAPlan(format!("line {}: {line}", number + 1));
            let mut words = line.split_whitespace();
            let Some(first) = words.next().filter(|word| !word.starts_with('#')) else {
                continue;
            };
            let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
            if first == "world" {
                plan.world = number().ok_or_else(wrong)?;
                continue;
            }
            let verb = VERBS.iter().find(|(_, name, ..)| *name == first);
            let (Some((verb, ..)), Some(a), Some(b)) = (verb, number(), number()) else {
                return Err(wrong());
            };
            plan.ops.push(Op {
                verb: *verb,
                a: u32::try_from(a).map_err(|_| wrong())?,
                b: u32::try_from(b).map_err(|_| wrong())?,
            });
        }
        Ok(plan)
    }
}

#[test]
fn a_plan_is_read_back_as_it_was_written() {
    let plan = Plan::new(7, 300);
    assert_eq!(plan.to_string().parse(), Ok(plan.clone()));
    assert_eq!(plan, Plan::new(7, 300));
    assert_ne!(plan.ops, Plan::new(8, 300).ops);
    let wrong = "world 1\nabandon 4\n".parse::<Plan>().unwrap_err();
    assert_eq!(wrong.to_string(), "line 2: abandon 4");
}
