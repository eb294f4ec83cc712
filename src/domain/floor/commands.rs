//! What people ask of the floor. A command may be refused; then nothing changed.

use super::Floor;
use super::roster::{Connection, Seat};
use crate::access::act;
use crate::access::facts::Facts;
use crate::access::permit::permit;
use crate::domain::capacity::ChannelSet;
use crate::domain::command::{Asked, FloorCommand, When};
use crate::domain::event::{Event, NextState, OfferRef, SignOut};
use crate::domain::machine::{Answer, Me, Outbox, Refusal};
use crate::domain::offer::{AgentState, Outcome, Withdrawn};
use crate::domain::rules::Selection;
use crate::domain::rules::SignOutWork;
use crate::id::{AgentId, Generation, OfferId, QueueId};
use crate::time::Instant;

type Done = Result<Answer, Refusal>;

impl Floor {
    pub(super) fn command(
        &mut self,
        now: Instant,
        asked: &Asked,
        command: FloorCommand,
        out: &mut Outbox,
    ) {
        let done = match command {
            FloorCommand::SignIn {
                take_over,
                channels,
                queues,
            } => self.sign_in(now, asked, take_over, channels, queues, out),
            FloorCommand::Return => self.come_back(now, asked, out),
            FloorCommand::Drain(draining) => self.drain(now, asked, draining, out),
            FloorCommand::SignOut { agent, when, work } => {
                self.sign_out(now, asked, agent, when, work, out)
            }
            FloorCommand::SetState { agent, state, when } => {
                self.set_state(now, asked, agent, state, when, out)
            }
            FloorCommand::SetChannels { agent, on, off } => {
                self.set_channels(now, asked, agent, on, off, out)
            }
            FloorCommand::SetQueues { agent, queues } => {
                self.set_queues(now, asked, agent, queues, out)
            }
            FloorCommand::Accept(offer) => {
                let accepted = self
                    .my_own(asked, offer)
                    .and_then(|offer| {
                        self.permit_offer::<act::ContactAccept>(asked, offer)
                            .map(|()| offer)
                    })
                    .and_then(|offer| self.accept(now, offer, asked.by(), asked.reply, out));
                match accepted {
                    Ok(()) => return,
                    Err(refusal) => Err(refusal),
                }
            }
            FloorCommand::Decline { offer, reason } => self
                .my_own(asked, offer)
                .and_then(|offer| {
                    self.permit_offer::<act::ContactDecline>(asked, offer)
                        .map(|()| offer)
                })
                .and_then(|offer| self.decline(now, asked, offer, reason, out)),
            FloorCommand::Shown(offer) => self
                .my_own(asked, offer)
                .and_then(|offer| {
                    self.permit_offer::<act::OfferShown>(asked, offer)
                        .map(|()| offer)
                })
                .and_then(|offer| self.shown(now, offer, out)),
        };
        out.reply(asked.reply, done);
    }

    /// An offer of the caller, made to the sign-in that the socket speaks for.
    fn my_own(&self, asked: &Asked, offer: OfferId) -> Result<OfferRef, Refusal> {
        let agent = AgentId::from(asked.principal.user());
        self.current(asked, agent)?;
        match self.roster.work(offer) {
            Some(work) if work.offer.agent == agent => Ok(work.offer),
            Some(_) | None => Err(self.why_over(agent, offer)),
        }
    }

    /// What became of an offer that the agent had until lately.
    fn why_over(&self, agent: AgentId, offer: OfferId) -> Refusal {
        let desk = self.desks.get(agent.index());
        let ended = desk.and_then(|desk| desk.ended.iter().find(|(id, ..)| *id == offer));
        match ended {
            Some((_, contact, Outcome::Withdrawn(Withdrawn::Abandoned))) => {
                Refusal::ContactGone(*contact)
            }
            Some((_, contact, Outcome::Withdrawn(Withdrawn::LostRace))) => Refusal::AlreadyTaken {
                contact: *contact,
                retry: false,
            },
            Some((
                _,
                _,
                Outcome::Accepted
                | Outcome::Declined
                | Outcome::Missed
                | Outcome::Failed
                | Outcome::Withdrawn(
                    Withdrawn::AgentLeft
                    | Withdrawn::Supervisor
                    | Withdrawn::Moved
                    | Withdrawn::Overflowed
                    | Withdrawn::NotEligible
                    | Withdrawn::Restarted,
                ),
            ))
            | None => Refusal::OfferExpired(offer),
        }
    }

    /// Refuses commands of a sign-in that was taken over.
    fn current(&self, asked: &Asked, agent: AgentId) -> Result<&Seat, Refusal> {
        let own = AgentId::from(asked.principal.user()) == agent;
        let seat = self.roster.seat(agent).filter(|seat| seat.signed_in());
        let Some(seat) = seat else {
            return Err(Refusal::InvalidState(format!(
                "agent {} is not signed in",
                self.name(agent)
            )));
        };
        match asked.generation {
            Some(generation) if own && generation != seat.generation => Err(Refusal::Superseded),
            Some(_) | None => Ok(seat),
        }
    }

    pub(super) fn name(&self, agent: AgentId) -> &str {
        self.rules.agent(agent).map_or("", |rules| &rules.name)
    }

    fn sign_in(
        &mut self,
        now: Instant,
        asked: &Asked,
        take_over: bool,
        channels: Option<ChannelSet>,
        queues: Option<Vec<QueueId>>,
        out: &mut Outbox,
    ) -> Done {
        let agent = AgentId::from(asked.principal.user());
        let granted = self.permit_sign_in(asked, agent, channels)?;
        let known = self.roster.seat(agent).filter(|seat| seat.signed_in());
        let elsewhere = known.is_some_and(|seat| {
            seat.connection == Connection::Connected && asked.generation != Some(seat.generation)
        });
        if elsewhere && !take_over {
            return Err(Refusal::SignedInElsewhere(self.name(agent).to_owned()));
        }
        let generation = self.roster.seat(agent).map_or(0, |seat| seat.generation.0) + 1;
        let state = known.map_or(AgentState::Available, |seat| seat.state.clone());
        let on = channels.or(known.map(|seat| seat.on)).unwrap_or(granted);
        let queues = self.queues_chosen(agent, known, queues)?;
        let fresh = known.is_none();
        let served = known.map_or(&[][..], |seat| seat.queues.as_slice());
        let starts = self.starts(now, agent, served, &queues);
        let taken = self.roster.seat(agent).map(|seat| seat.taken.clone());
        let event = Event::AgentSignedIn {
            agent,
            generation: Generation(generation),
            channels: on,
            queues,
            state,
            starts,
        };
        self.record(now, asked.by(), event, out);
        let desk = &mut self.desks[agent.index()];
        desk.present = false;
        desk.granted = granted;
        self.ask_to_show_anew(now, agent);
        if fresh {
            self.readmit(agent, out);
        }
        self.refresh(agent);
        self.availability_changed(agent);
        let mut in_hand = self.in_hand(agent).ok_or(Refusal::Internal)?;
        in_hand.taken = taken.unwrap_or_default();
        Ok(Answer::SignedIn(Box::new(in_hand)))
    }

    /// The page is back and does not know what was said meanwhile. It is routable when it has
    /// what is in hand.
    fn come_back(&mut self, now: Instant, asked: &Asked, out: &mut Outbox) -> Done {
        let agent = AgentId::from(asked.principal.user());
        let seat = self.current(asked, agent)?;
        let (generation, taken) = (seat.generation, seat.taken.clone());
        if seat.connection != Connection::Connected {
            let event = Event::AgentResumed { agent, generation };
            self.record(now, asked.by(), event, out);
            self.desks[agent.index()].present = false;
            self.ask_to_show_anew(now, agent);
            self.refresh(agent);
            self.availability_changed(agent);
        }
        let mut in_hand = self.in_hand(agent).ok_or(Refusal::Internal)?;
        in_hand.taken = taken;
        Ok(Answer::SignedIn(Box::new(in_hand)))
    }

    /// What is in hand and in line is finished either way: the gate asks before it lets anything
    /// new in.
    fn drain(&mut self, now: Instant, asked: &Asked, draining: bool, out: &mut Outbox) -> Done {
        let _permit = permit::<act::WorkspaceDrain>(&asked.principal, &Facts::Rows)?;
        if self.roster.draining != draining {
            let event = Event::WorkspaceDraining { draining };
            self.record(now, asked.by(), event, out);
        }
        Ok(Answer::Draining(draining))
    }

    fn queues_chosen(
        &self,
        agent: AgentId,
        known: Option<&Seat>,
        queues: Option<Vec<QueueId>>,
    ) -> Result<Vec<QueueId>, Refusal> {
        let memberships = self.rules.agent(agent).map(|rules| &rules.memberships);
        let mine: Vec<QueueId> = memberships
            .into_iter()
            .flatten()
            .map(|membership| membership.queue)
            .collect();
        let Some(mut queues) = queues else {
            return Ok(known.map_or(mine, |seat| seat.queues.clone()));
        };
        match queues.iter().find(|queue| !mine.contains(queue)) {
            Some(foreign) => Err(Refusal::InvalidState(format!(
                "agent {} is no member of queue {}",
                self.name(agent),
                self.rules.queue(*foreign).map_or("", |queue| &queue.name),
            ))),
            None => {
                queues.sort_unstable();
                queues.dedup();
                Ok(queues)
            }
        }
    }

    /// A newcomer starts at the median of the others where the fewest contacts decide, so that
    /// it is not flooded: so many are added to its own, by queue.
    pub(super) fn starts(
        &self,
        now: Instant,
        agent: AgentId,
        served: &[QueueId],
        queues: &[QueueId],
    ) -> Vec<(QueueId, u32)> {
        let fewest = |queue: &QueueId| {
            let rules = self.rules.queue(*queue);
            rules.is_some_and(|queue| queue.selection == Selection::FewestContacts)
        };
        let own = self.roster.seat(agent);
        let own = own.map_or(0, |seat| seat.recent(now));
        let start = |queue: QueueId| {
            let seats = self.staff.members(queue).iter();
            let mut others: Vec<u32> = seats
                .filter(|other| **other != agent)
                .filter_map(|other| self.roster.seat(*other))
                .filter(|seat| seat.signed_in() && seat.queues.contains(&queue))
                .map(|seat| seat.given(now, queue))
                .collect();
            others.sort_unstable();
            let median = others.get(others.len() / 2).copied().unwrap_or(0);
            (queue, median.saturating_sub(own))
        };
        let new = queues.iter().filter(|queue| !served.contains(queue));
        let starts = new.copied().filter(fewest).map(start);
        starts.filter(|(_, start)| *start > 0).collect()
    }

    fn sign_out(
        &mut self,
        now: Instant,
        asked: &Asked,
        agent: Option<AgentId>,
        when: When,
        work: Option<SignOutWork>,
        out: &mut Outbox,
    ) -> Done {
        let own = AgentId::from(asked.principal.user());
        let agent = agent.unwrap_or(own);
        self.permit::<act::AgentSignOut>(asked, agent)?;
        let seat = self.current(asked, agent)?;
        let busy = !seat.work.is_empty() && seat.work.len() > self.ringing(agent).len();
        let forced = agent != own;
        // The workspace's rule is for an agent's own wish.
        let policy = work.unwrap_or(if forced {
            SignOutWork::Return
        } else {
            self.rules.terms.sign_out_with_work
        });
        let drain = busy && (when == When::AfterWork || policy == SignOutWork::Drain);
        if drain {
            let state = seat.state.clone();
            let next = Some(NextState::SignOut);
            self.change_state(now, agent, state, next, asked.by(), out);
        } else if busy && !forced && policy == SignOutWork::Refuse {
            return Err(Refusal::InvalidState(format!(
                "agent {} still has work; sign out with work drain or return",
                self.name(agent)
            )));
        } else {
            let why = if forced {
                SignOut::Forced
            } else {
                SignOut::Own
            };
            self.sign_out_now(now, agent, why, asked.by(), out);
        }
        self.card(agent)
    }

    fn card(&self, agent: AgentId) -> Done {
        let card = self.agent_card(agent).ok_or(Refusal::Internal)?;
        Ok(Answer::Agent(Box::new(card)))
    }

    fn set_state(
        &mut self,
        now: Instant,
        asked: &Asked,
        agent: Option<AgentId>,
        state: AgentState,
        when: When,
        out: &mut Outbox,
    ) -> Done {
        let agent = agent.unwrap_or(AgentId::from(asked.principal.user()));
        self.permit::<act::AgentSetState>(asked, agent)?;
        let seat = self.current(asked, agent)?;
        let waits = when == When::AfterWork && self.has_lasting_work(agent);
        // Who is available and wants to be so after work only takes another wish back.
        if waits && seat.state != state {
            let present = seat.state.clone();
            let next = Some(NextState::State(state));
            self.change_state(now, agent, present, next, asked.by(), out);
        } else {
            self.change_state(now, agent, state, None, asked.by(), out);
        }
        self.card(agent)
    }

    fn set_channels(
        &mut self,
        now: Instant,
        asked: &Asked,
        agent: Option<AgentId>,
        on: ChannelSet,
        off: ChannelSet,
        out: &mut Outbox,
    ) -> Done {
        let agent = agent.unwrap_or(AgentId::from(asked.principal.user()));
        self.permit::<act::AgentSetChannels>(asked, agent)?;
        let seat = self.current(asked, agent)?;
        let channels = ChannelSet((seat.on.0 | on.0) & !off.0);
        self.handles(
            agent,
            ChannelSet(on.0 & !off.0),
            self.desks[agent.index()].granted,
        )?;
        let event = Event::AgentChannelsChanged { agent, channels };
        self.record(now, asked.by(), event, out);
        self.refresh(agent);
        self.availability_changed(agent);
        self.show_card(agent, Me::Channels, out);
        self.card(agent)
    }

    fn set_queues(
        &mut self,
        now: Instant,
        asked: &Asked,
        agent: Option<AgentId>,
        queues: Vec<QueueId>,
        out: &mut Outbox,
    ) -> Done {
        let agent = agent.unwrap_or(AgentId::from(asked.principal.user()));
        self.permit::<act::AgentSetQueues>(asked, agent)?;
        let served = self.current(asked, agent)?.queues.clone();
        let queues = self.queues_chosen(agent, None, Some(queues))?;
        let starts = self.starts(now, agent, &served, &queues);
        let event = Event::AgentQueuesChanged {
            agent,
            queues,
            starts,
        };
        self.record(now, asked.by(), event, out);
        self.refresh(agent);
        self.lanes.agent_gained(agent);
        self.availability_changed(agent);
        self.show_card(agent, Me::Queues, out);
        self.card(agent)
    }
}
