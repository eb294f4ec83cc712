//! An agent: signs in, takes every offer at once, talks, ends, writes up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::ledger::Shown;
use crate::plan::{Plan, agent_name};
use crate::promise::Promise;
use crate::room::Phase;
use crate::session::{Client, Out, Run};
use crate::socket::Welcome;
use crate::view::Views;
use crate::wire::{
    Accept, End, Facts, Happened, Incoming, Kind, Place, Request, SetState, SignIn, WrapUp, uuid,
};

/// What an agent does when a time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    End,
    WrapUp,
}

/// One agent.
pub struct Agent {
    index: usize,
    name: String,
    run: Run,
    plan: Arc<Plan>,
    prefix: Arc<str>,
    views: Views,
    me: Option<Box<str>>,
    legs: Vec<(u32, Box<str>, Option<Box<str>>)>,
    due: BinaryHeap<Reverse<(Instant, u32, Act)>>,
    ready: bool,
}

impl Agent {
    /// Agent number `index`; contacts of this run carry external ids that start with `prefix`.
    pub fn new(index: usize, run: Run, plan: Arc<Plan>, prefix: Arc<str>) -> Self {
        Self {
            index,
            name: agent_name(index),
            run,
            plan,
            prefix,
            views: Views::default(),
            me: None,
            legs: Vec::new(),
            due: BinaryHeap::new(),
            ready: false,
        }
    }

    fn reply(&mut self, message: &Incoming<'_>, out: &mut Out) -> Result<()> {
        let id = message.id.as_deref().unwrap_or_default();
        if let Some(error) = &message.error {
            if !self.ready {
                bail!("{id} was refused: {} {}", error.code, error.message);
            }
            let mut ledger = self.run.ledger.turn();
            ledger.broken.note(Promise::Served, || {
                format!(
                    "{}: {id} was refused: {} {}",
                    self.name, error.code, error.message
                )
            });
            return Ok(());
        }
        if id == "sign_in" {
            let sub = message
                .result
                .as_ref()
                .and_then(|result| result.sub.as_deref());
            let Some(sub) = sub else {
                bail!("the reply to agent.sign_in names no `sub`");
            };
            self.views.start(sub, message.seq.unwrap_or(0));
            self.me = Some(sub.into());
            let available = SetState { state: "available" };
            out.say(&Request::new("available", "agent.set_state", available))?;
        } else if id == "available" && !self.ready {
            self.ready = true;
            let _ = self.run.ready.send(Ok(()));
        }
        Ok(())
    }

    fn event(
        &mut self,
        message: &Incoming<'_>,
        at: Instant,
        bytes: usize,
        out: &mut Out,
    ) -> Result<()> {
        let (Some(sub), Some(seq)) = (message.sub.as_deref(), message.seq) else {
            bail!("an event without `sub` or `seq`");
        };
        let prev = message.prev.unwrap_or(u64::MAX);
        let beside = message.is_beside();
        if let Err(flaw) = self.views.step(sub, seq, prev, beside) {
            let mut ledger = self.run.ledger.turn();
            ledger
                .broken
                .note(Promise::Positions, || format!("{}: {flaw}", self.name));
        }
        if self.me.as_deref() != Some(sub) {
            return Ok(());
        }
        let (Some(event), Some(data)) = (message.event, &message.data) else {
            return Ok(());
        };
        match event {
            Happened::OfferMade => self.offered(data, seq, at, bytes, out)?,
            Happened::OfferWithdrawn
            | Happened::OfferMissed
            | Happened::OfferDeclined
            | Happened::OfferFailed => {
                let offer = data
                    .offer
                    .as_deref()
                    .or(message.key.as_deref())
                    .unwrap_or_default();
                self.run
                    .ledger
                    .turn()
                    .offer_ended(self.index, offer, seq, at);
            }
            Happened::LegConnecting => self.leg(data, Some(Phase::Connecting), message, at),
            Happened::LegConnected => self.leg(data, Some(Phase::Connected), message, at),
            Happened::LegWrapUp => self.leg(data, Some(Phase::WrapUp), message, at),
            Happened::LegEnded => self.leg(data, None, message, at),
            Happened::ContactEntered
            | Happened::ContactRequeued
            | Happened::ContactReturned
            | Happened::ContactClosed
            | Happened::ContactPosition
            | Happened::MediaConnect
            | Happened::MediaDisconnect
            | Happened::Other => {}
        }
        Ok(())
    }

    fn offered(
        &mut self,
        data: &Facts<'_>,
        seq: u64,
        at: Instant,
        bytes: usize,
        out: &mut Out,
    ) -> Result<()> {
        let Some(offer) = data.offer.as_deref() else {
            bail!("an offer without an id");
        };
        let external = data
            .card
            .as_ref()
            .and_then(|card| card.external_id.as_deref());
        let own = external.and_then(|id| id.strip_prefix(&*self.prefix));
        let Some(contact) = own.and_then(|number| number.parse().ok()) else {
            return Ok(());
        };
        let take = {
            let mut ledger = self.run.ledger.turn();
            ledger.measures.offer_bytes.add(bytes);
            ledger.offered(&Shown {
                agent: self.index,
                offer,
                contact,
                uuid: data.contact.as_deref().and_then(uuid),
                channel: data.channel.as_deref().unwrap_or_default(),
                queue: data.queue.as_deref().unwrap_or_default(),
                seq,
                at,
            })
        };
        if take {
            let id = format!("accept {offer}");
            out.say(&Request::new(&id, "contact.accept", Accept { offer }))?;
        }
        Ok(())
    }

    fn leg(&mut self, data: &Facts<'_>, phase: Option<Phase>, message: &Incoming<'_>, at: Instant) {
        let contact = data
            .contact
            .as_deref()
            .or(message.key.as_deref())
            .unwrap_or_default();
        let seq = message.seq.unwrap_or(0);
        let number = {
            let mut ledger = self.run.ledger.turn();
            if ledger.measures.running && matches!(phase, None | Some(Phase::Connected)) {
                let changed = message.at.unwrap_or(0);
                ledger.measures.changes.changed(seq, changed);
            }
            ledger.leg(self.index, contact, phase, seq, at)
        };
        let Some(number) = number else {
            return;
        };
        let place = self.legs.iter().position(|(leg, _, _)| *leg == number);
        let place = place.unwrap_or_else(|| {
            self.legs.push((number, contact.into(), None));
            self.legs.len() - 1
        });
        let draw = self.plan.contact(number);
        match phase {
            Some(Phase::Connected) => {
                self.legs[place].2 = data.sub.as_deref().map(Into::into);
                self.due.push(Reverse((at + draw.handle, number, Act::End)));
            }
            Some(Phase::WrapUp) => self
                .due
                .push(Reverse((at + draw.wrap_up, number, Act::WrapUp))),
            Some(Phase::Offered | Phase::Connecting) => {}
            None => {
                let (_, _, view) = self.legs.swap_remove(place);
                if let Some(view) = view {
                    self.views.end(&view);
                }
            }
        }
    }
}

impl Client for Agent {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, _welcome: Welcome, out: &mut Out) -> Result<()> {
        out.say(&Request::new("sign_in", "agent.sign_in", SignIn {}))
    }

    fn take(
        &mut self,
        message: &Incoming<'_>,
        at: Instant,
        place: Place<'_>,
        out: &mut Out,
    ) -> Result<()> {
        match message.kind {
            Kind::Reply => self.reply(message, out),
            Kind::Event | Kind::Entered | Kind::Left => {
                self.event(message, at, place.frame.len(), out)
            }
            Kind::Snapshot => {
                if let (Some(sub), Some(as_of)) = (message.sub.as_deref(), message.as_of) {
                    self.views.start(sub, as_of);
                }
                Ok(())
            }
            Kind::Goaway => bail!("the server says goaway"),
            Kind::Welcome | Kind::Update | Kind::Ping | Kind::Reset | Kind::Other => Ok(()),
        }
    }

    fn due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _, _))| *at)
    }

    fn act(&mut self, now: Instant, out: &mut Out) -> Result<()> {
        while self.due().is_some_and(|at| at <= now) {
            let Some(Reverse((_, number, act))) = self.due.pop() else {
                break;
            };
            let Some((_, contact, _)) = self.legs.iter().find(|(leg, _, _)| *leg == number) else {
                continue;
            };
            match act {
                Act::End => {
                    let id = format!("end {number}");
                    out.say(&Request::new(&id, "contact.end", End { contact }))?;
                }
                Act::WrapUp => {
                    let id = format!("wrap_up {number}");
                    let done = WrapUp {
                        contact,
                        done: true,
                    };
                    out.say(&Request::new(&id, "contact.wrap_up", done))?;
                }
            }
        }
        Ok(())
    }
}
