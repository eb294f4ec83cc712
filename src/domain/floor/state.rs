//! States of agents: set now, set for after work, and what follows from them.

use super::Floor;
use super::roster::Phase;
use crate::domain::event::{By, Event, NextState, SignOut};
use crate::domain::machine::{Me, Outbox, Wake};
use crate::domain::message::{Gone, ToQueue, Unservable};
use crate::domain::offer::{AgentState, MISSED, Withdrawn};
use crate::id::{AgentId, QueueId};
use crate::time::Instant;
use std::collections::BTreeSet;

impl Floor {
    /// Sets a state and the pending wish beside it, with everything that follows.
    pub(super) fn change_state(
        &mut self,
        now: Instant,
        agent: AgentId,
        state: AgentState,
        next: Option<NextState>,
        by: By,
        out: &mut Outbox,
    ) {
        let routable = state == AgentState::Available && next.is_none();
        let event = Event::AgentStateChanged {
            agent,
            state: state.clone(),
            next,
        };
        self.record(now, by, event, out);
        self.refresh(agent);
        self.show_card(agent, Me::State, out);
        if !routable {
            self.withdraw_ringing(now, agent, Withdrawn::AgentLeft, out);
        }
        self.availability_changed(agent);
        if routable && by != By::Engine {
            self.readmit(agent, out);
        }
    }

    /// Setting itself available ends every exclusion of the agent; coming back from missed by a
    /// timer does not.
    pub(super) fn readmit(&mut self, agent: AgentId, out: &mut Outbox) {
        let mut queues: BTreeSet<QueueId> = self
            .rules
            .agent(agent)
            .into_iter()
            .flat_map(|rules| &rules.memberships)
            .map(|membership| membership.queue)
            .collect();
        queues.extend(self.rules.queues.iter().filter(|q| q.direct).map(|q| q.id));
        // Those too that it has left since: it may come back to them.
        if let Some(seat) = self.roster.seat(agent) {
            queues.extend(&seat.kept_from);
        }
        let taken_back = self.taken_back.values_mut();
        for back in taken_back.filter(|back| back.seat.agent == agent) {
            back.readmitted = true;
        }
        for queue in queues {
            self.tell(queue, ToQueue::Readmit { agent }, out);
        }
    }

    /// Lanes that name the agent, or ask what only few can do, are judged anew.
    pub(super) fn availability_changed(&mut self, agent: AgentId) {
        let mut lanes: Vec<_> = self.lanes.named(agent).collect();
        if let Some(rules) = self.rules.agent(agent) {
            for membership in &rules.memberships {
                let skips = self
                    .rules
                    .queue(membership.queue)
                    .is_some_and(|queue| queue.skip_when_empty);
                if skips {
                    lanes.extend(self.lanes.common(membership.queue));
                }
            }
        }
        for lane in lanes {
            self.lanes.ask_anew(lane);
        }
    }

    /// Work ended: a pending wish may take effect, a lost seat may be closed.
    pub(super) fn work_ended(&mut self, now: Instant, agent: AgentId, out: &mut Outbox) {
        let Some(seat) = self.roster.seat(agent) else {
            return;
        };
        match seat.next.clone() {
            Some(NextState::SignOut) if seat.work.is_empty() => {
                self.sign_out_now(now, agent, SignOut::Own, By::Engine, out);
            }
            Some(NextState::State(state)) if !self.has_lasting_work(agent) => {
                let wanted = state == AgentState::Available;
                self.change_state(now, agent, state, None, By::Engine, out);
                if wanted {
                    self.readmit(agent, out);
                }
            }
            Some(NextState::SignOut | NextState::State(_)) | None => {}
        }
        self.arm_lost(agent);
    }

    /// Work that other channels do not interrupt: what `after_work` waits for.
    pub(super) fn has_lasting_work(&self, agent: AgentId) -> bool {
        self.roster.seat(agent).is_some_and(|seat| {
            seat.work.iter().any(|work| {
                let channel = self.rules.channels.get(work.offer.channel);
                let lasting = channel.is_none_or(|rules| rules.interrupted_by.is_empty());
                lasting && !matches!(work.phase, Phase::Ringing { .. })
            })
        })
    }

    /// Signs an agent out: ringing offers are withdrawn, work goes back to its queues.
    pub(super) fn sign_out_now(
        &mut self,
        now: Instant,
        agent: AgentId,
        why: SignOut,
        by: By,
        out: &mut Outbox,
    ) {
        self.record(now, by, Event::AgentSignedOut { agent, why }, out);
        self.desks[agent.index()].present = false;
        self.refresh(agent);
        self.show_card(agent, Me::SignedOut, out);
        self.withdraw_ringing(now, agent, Withdrawn::AgentLeft, out);
        let gone = match why {
            SignOut::Own | SignOut::Forced => Gone::SignedOut,
            SignOut::ConnectionLost => Gone::ConnectionLost,
        };
        self.leave_all(agent, gone, out);
        self.availability_changed(agent);
    }

    /// Asks the queues to take the agent out of everything it still has.
    pub(super) fn leave_all(&mut self, agent: AgentId, why: Gone, out: &mut Outbox) {
        let work = self
            .roster
            .seat(agent)
            .map_or_else(Vec::new, |seat| seat.work.clone());
        for work in work {
            let message = ToQueue::Leave {
                reservation: work.offer.reservation,
                offer: work.offer.offer,
                why,
            };
            self.tell(work.offer.queue, message, out);
        }
    }

    /// Sets when an agent who missed offers is made available again, if it ever is.
    pub(super) fn arm_back_from_missed(&mut self, agent: AgentId) {
        let missed = AgentState::NotReady(MISSED.to_owned());
        let seat = self.roster.seat(agent).filter(|seat| seat.state == missed);
        if let (Some(seat), Some(back)) = (seat, self.rules.terms.back_from_missed) {
            self.wake_at(seat.since + back, Wake::BackFromMissed(agent));
        }
    }

    pub(super) fn back_from_missed(&mut self, now: Instant, agent: AgentId, out: &mut Outbox) {
        let missed = AgentState::NotReady(MISSED.to_owned());
        let (Some(seat), Some(back)) = (self.roster.seat(agent), self.rules.terms.back_from_missed)
        else {
            return;
        };
        if seat.state == missed && seat.since + back <= now {
            // Only the agent, or who sets its state, cancels a wish.
            let next = seat.next.clone();
            self.change_state(now, agent, AgentState::Available, next, By::Engine, out);
        }
    }

    /// Tells queues of lanes that nobody can serve as they stand.
    pub(super) fn tell_unservable(&mut self, out: &mut Outbox) {
        for lane in self.lanes.take_unasked() {
            let Some(why) = self.unservable(lane) else {
                continue;
            };
            let message = ToQueue::Unservable { lane: lane.1, why };
            self.tell(lane.0, message, out);
        }
    }

    fn unservable(&self, lane: super::lanes::LaneRef) -> Option<Unservable> {
        let key = &self.lanes.get(lane)?.key;
        if let Some(named) = key.named {
            if self.eligible(named, lane.0, key).is_err() {
                return Some(Unservable::NamedNotEligible);
            }
            let here = self
                .roster
                .seat(named)
                .is_some_and(|seat| self.is_here(named, seat, key.channel));
            return (!here).then_some(Unservable::NamedAway);
        }
        let queue = self.rules.queue(lane.0)?;
        if !queue.skip_when_empty {
            return None;
        }
        let somebody = self.staff.members(lane.0).iter().any(|agent| {
            self.roster
                .seat(*agent)
                .is_some_and(|seat| seat.signed_in())
                && self
                    .rules
                    .agent(*agent)
                    .is_some_and(|rules| key.requirement.meets(&rules.qualities))
        });
        (!somebody).then_some(Unservable::NobodyMeets)
    }
}
