//! What the machines say, in the words of the wire: ids become names, instants milliseconds.

use super::customer::customer;
use crate::access::facts::{self as access, ContactFacts};
use crate::access::principal::Principal;
use crate::access::privilege::Privilege;
use crate::access::rights::decide;
use crate::directory::Directory;
use crate::domain::contact::{Card, ContactState};
use crate::domain::event::{NextState, OfferRef};
use crate::domain::machine::{
    AgentCard, Answer, ChannelCard, ChannelState, Me, MyLeg, MyLegState, MyOffer, SignedIn, Taken,
};
use crate::domain::offer::{AgentState, MISSED, Outcome, Withdrawn};
use crate::domain::requirement::Names as _;
use crate::domain::rules::Workspace;
use crate::id::{AgentId, ChannelId, ContactId, OfferId, QueueId};
use crate::time::Instant;
use crate::wire::event::{EventData, EventName, OfferEnd};
use crate::wire::method::{self, Method};
use crate::wire::push::Str;
use crate::wire::{object, result};
use std::borrow::Cow;
use std::fmt::Display;

/// A workspace's names, for what is about to be sent, and who will read it.
#[derive(Clone, Copy, Debug)]
pub struct Show<'a> {
    /// Who and what there is.
    pub directory: &'a Directory,
    /// What it is configured to be.
    pub rules: &'a Workspace,
    /// Who reads it.
    pub reader: &'a Principal,
}

/// An event of `me`: its name, the object it is about, and its data.
#[derive(Debug)]
pub struct MyEventShown {
    /// What happened.
    pub event: EventName,
    /// Id of the object.
    pub key: Str<'static>,
    /// What is to be known about it.
    pub data: EventData<'static>,
}

fn text(id: impl Display) -> Str<'static> {
    Cow::Owned(id.to_string())
}

fn named(name: Option<&str>) -> Str<'static> {
    Cow::Owned(name.unwrap_or_default().to_owned())
}

impl Show<'_> {
    /// Name of a queue.
    #[must_use]
    pub fn queue(self, queue: QueueId) -> Str<'static> {
        named(self.directory.names().queue_name(queue))
    }

    /// Name of a channel.
    #[must_use]
    pub fn channel(self, channel: ChannelId) -> Str<'static> {
        named(self.directory.names().channel_name(channel))
    }

    /// Name of an agent.
    #[must_use]
    pub fn agent_name(self, agent: AgentId) -> Str<'static> {
        named(self.directory.names().user_name(agent.user()))
    }

    /// An agent, as the agent is shown itself.
    #[must_use]
    pub fn agent(self, card: &AgentCard) -> object::Agent<'static> {
        let names = self.directory.names();
        let rules = self.rules.agent(card.agent);
        let (state, reason) = agent_state(&card.state);
        let teams = rules
            .map(|rules| rules.teams.as_slice())
            .unwrap_or_default();
        object::Agent {
            id: self.agent_name(card.agent),
            name: named(rules.map(|rules| rules.title.as_str())),
            state,
            reason,
            since: card.since.0,
            next_state: card.next.as_ref().map(next_state),
            summary: summary(card),
            connection: connection(card),
            generation: card.generation.0,
            channels: card
                .channels
                .iter()
                .map(|channel| (self.channel(channel.channel), agent_channel(channel)))
                .collect(),
            queues: card.queues.iter().map(|queue| self.queue(*queue)).collect(),
            teams: teams
                .iter()
                .map(|team| named(names.team_name(*team)))
                .collect(),
        }
    }

    /// An open offer, as its agent is shown it at this time.
    #[must_use]
    pub fn offer(self, offer: &MyOffer, now: Instant) -> object::Offer<'static> {
        let OfferRef {
            offer: id,
            contact,
            queue,
            channel,
            ..
        } = offer.offer;
        object::Offer {
            offer: text(id),
            contact: text(contact),
            channel: self.channel(channel),
            queue: self.queue(queue),
            deadline: offer.deadline.0,
            auto_accept: offer.auto_accept,
            may_decline: offer.may_decline,
            card: self.card(&offer.card, now),
        }
    }

    fn card(self, card: &Card, now: Instant) -> object::Card<'static> {
        object::Card {
            customer: customer(&card.content, self.clear(card)),
            attributes: Cow::Owned(card.content.attributes.clone()),
            priority: card.facts.priority,
            waited_ms: now.since(card.facts.first_entry).0,
            first_entry: card.facts.first_entry.0,
            external_id: text(&card.facts.external_id),
        }
    }

    /// Whether the reader sees personal data of a contact that is offered to him as it is.
    fn clear(self, card: &Card) -> bool {
        let facts = ContactFacts {
            contact: card.facts.id,
            channel: card.facts.channel,
            queue: card.queue,
            owner_team: self.rules.queue(card.queue).and_then(|queue| queue.team),
            legs: &[],
            offered: &[self.reader.agent()],
            submitted_by: Some(card.facts.submitted_by),
            connector: Some(card.facts.submitted_by),
        };
        let clear = Privilege::CustomerPiiClear;
        decide(self.reader, clear, None, &access::Facts::Contact(facts)).allows()
    }

    /// A leg, as its agent is shown it. `sub` is the view of its contact, once that is open.
    #[must_use]
    pub fn leg(self, leg: &MyLeg, sub: Option<Str<'static>>) -> object::Leg<'static> {
        let (state, until) = match leg.state {
            MyLegState::Connecting => (object::LegState::Connecting, None),
            MyLegState::Connected => (object::LegState::Connected, None),
            MyLegState::WrapUp { until } => (object::LegState::WrapUp, Some(until.0)),
            MyLegState::Ended => (object::LegState::Ended, None),
        };
        object::Leg {
            contact: text(leg.offer.contact),
            offer: text(leg.offer.offer),
            agent: None,
            channel: self.channel(leg.offer.channel),
            queue: self.queue(leg.offer.queue),
            role: object::Role::Owner,
            state,
            since: leg.since.0,
            until,
            sub,
        }
    }

    /// An event of `me` of this time. `sub` is the view of the contact that a connected leg is
    /// about.
    #[must_use]
    pub fn me(self, me: &Me, at: Instant, sub: Option<Str<'static>>) -> MyEventShown {
        match me {
            Me::Offer(offer) => MyEventShown {
                event: EventName::OfferMade,
                key: text(offer.offer.offer),
                data: EventData::Offer(self.offer(offer, at)),
            },
            Me::OfferEnded { offer, outcome } => offer_ended(offer, *outcome),
            Me::Connecting(leg) => self.of_leg(EventName::LegConnecting, leg, None),
            Me::Connected(leg) => self.of_leg(EventName::LegConnected, leg, sub),
            Me::WrapUp(leg) => self.of_leg(EventName::LegWrapUp, leg, None),
            Me::Ended(leg) => self.of_leg(EventName::LegEnded, leg, None),
            Me::State(card) => self.of_agent(EventName::AgentStateChanged, card),
            Me::Channels(card) => self.of_agent(EventName::AgentChannelsChanged, card),
            Me::Queues(card) => self.of_agent(EventName::AgentQueuesChanged, card),
            Me::SignedOut(card) => self.of_agent(EventName::AgentSignedOut, card),
            Me::Resumed(card) => self.of_agent(EventName::AgentResumed, card),
        }
    }

    fn of_leg(self, event: EventName, leg: &MyLeg, sub: Option<Str<'static>>) -> MyEventShown {
        MyEventShown {
            event,
            key: text(leg.offer.contact),
            data: EventData::Leg(self.leg(leg, sub)),
        }
    }

    fn of_agent(self, event: EventName, card: &AgentCard) -> MyEventShown {
        MyEventShown {
            event,
            key: self.agent_name(card.agent),
            data: EventData::Agent(self.agent(card)),
        }
    }

    /// What an agent who signed in has in hand. `sub_of` is the view that is open of a leg.
    #[must_use]
    pub fn signed_in(
        self,
        signed_in: &SignedIn,
        now: Instant,
        sub_of: impl Fn(&MyLeg) -> Option<Str<'static>>,
    ) -> result::SignedIn {
        result::SignedIn {
            sub: Cow::Borrowed(ME),
            agent: self.agent(&signed_in.agent),
            offers: signed_in
                .offers
                .iter()
                .map(|offer| self.offer(offer, now))
                .collect(),
            contacts: signed_in
                .legs
                .iter()
                .map(|leg| self.leg(leg, sub_of(leg)))
                .collect(),
            taken: signed_in
                .taken
                .iter()
                .map(|taken| self.taken(taken))
                .collect(),
        }
    }

    fn taken(self, taken: &Taken) -> result::Taken {
        result::Taken {
            contact: text(taken.contact),
            why: result::TakenWhy::ConnectionLost,
            to: self.queue(taken.queue),
        }
    }

    /// The answer of a queue or the floor, as the method's result.
    ///
    /// # Errors
    /// [`Misfit`] when the machine answered something that the method does not answer.
    pub fn answer(
        self,
        method: Method,
        answer: &Answer,
        now: Instant,
    ) -> Result<method::Answer, Misfit> {
        use method::Answer as Shown;
        let of_contact = |contact: &ContactId| result::OfContact {
            contact: text(contact),
        };
        let of_agent = |card: &AgentCard| result::OfAgent {
            agent: self.agent(card),
        };
        let of_offer = |offer: &OfferId| result::OfOffer { offer: text(offer) };
        let shown = match (method, answer) {
            (Method::AgentSignIn, Answer::SignedIn(all)) => {
                Shown::AgentSignIn(self.signed_in(all, now, |_| None))
            }
            (Method::AgentSignOut, Answer::Agent(card)) => Shown::AgentSignOut(of_agent(card)),
            (Method::AgentSetState, Answer::Agent(card)) => Shown::AgentSetState(of_agent(card)),
            (Method::AgentSetChannels, Answer::Agent(card)) => {
                Shown::AgentSetChannels(of_agent(card))
            }
            (Method::AgentSetQueues, Answer::Agent(card)) => Shown::AgentSetQueues(of_agent(card)),
            (Method::AgentEndWrapUp, Answer::Agent(card)) => Shown::AgentEndWrapUp(of_agent(card)),
            (
                Method::ContactAccept,
                Answer::Accepted {
                    contact,
                    offer,
                    state,
                },
            ) => Shown::ContactAccept(result::Accepted {
                contact: text(contact),
                offer: text(offer),
                state: contact_state(*state),
            }),
            (Method::WorkspaceDrain, Answer::Draining(draining)) => {
                Shown::WorkspaceDrain(result::Draining {
                    draining: *draining,
                })
            }
            (Method::ContactDecline, Answer::Offer(offer)) => {
                Shown::ContactDecline(of_offer(offer))
            }
            (Method::OfferShown, Answer::Offer(offer)) => Shown::OfferShown(of_offer(offer)),
            (Method::ContactEnd, Answer::Contact(id)) => Shown::ContactEnd(of_contact(id)),
            (Method::ContactRequeue, Answer::Contact(id)) => Shown::ContactRequeue(of_contact(id)),
            (Method::ContactPrioritise, Answer::Contact(id)) => {
                Shown::ContactPrioritise(of_contact(id))
            }
            (Method::ContactWrapUp, Answer::Contact(id)) => Shown::ContactWrapUp(of_contact(id)),
            (Method::ContactUpdate, Answer::Contact(id)) => Shown::ContactUpdate(of_contact(id)),
            (Method::ContactAbandon, Answer::Contact(id)) => Shown::ContactAbandon(of_contact(id)),
            (Method::ContactSubmit, Answer::Submitted { .. }) => {
                Shown::ContactSubmit(self.submitted(answer).ok_or(Misfit)?)
            }
            (Method::MediaReport, Answer::Reported(command)) => {
                Shown::MediaReport(result::Reported {
                    command: text(command),
                })
            }
            _ => return Err(Misfit),
        };
        Ok(shown)
    }

    fn submitted(self, answer: &Answer) -> Option<result::Submitted> {
        let Answer::Submitted {
            contact,
            external_id,
            channel,
            queue,
            conversation,
            first_entry,
            repeated: _,
        } = answer
        else {
            return None;
        };
        Some(result::Submitted {
            contact: text(contact),
            channel: self.channel(*channel),
            external_id: text(external_id),
            queue: self.queue(*queue),
            conversation: text(conversation),
            first_entry: first_entry.0,
        })
    }
}

/// Name of the view of `me`: there is one per socket.
pub const ME: &str = "me";

/// A machine answered something that the method does not answer, which is a fault of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Misfit;

fn agent_state(state: &AgentState) -> (object::AgentState, Option<Str<'static>>) {
    match state {
        AgentState::SignedOut => (object::AgentState::SignedOut, None),
        AgentState::Available => (object::AgentState::Available, None),
        AgentState::NotReady(reason) => (object::AgentState::NotReady, Some(text(reason))),
    }
}

fn next_state(next: &NextState) -> object::NextState<'static> {
    let (state, reason) = match next {
        NextState::SignOut => (object::AgentState::SignedOut, None),
        NextState::State(state) => agent_state(state),
    };
    object::NextState { state, reason }
}

fn connection(card: &AgentCard) -> object::Connection {
    match (&card.state, card.connected) {
        (_, true) => object::Connection::Connected,
        (AgentState::SignedOut, false) => object::Connection::None,
        (AgentState::Available | AgentState::NotReady(_), false) => object::Connection::Lost,
    }
}

fn summary(card: &AgentCard) -> object::Summary {
    let some = |state| card.channels.iter().any(|channel| channel.state == state);
    let busy = || {
        card.channels
            .iter()
            .any(|channel| channel.state == ChannelState::Busy && channel.load > 0)
    };
    match &card.state {
        AgentState::SignedOut => object::Summary::SignedOut,
        AgentState::Available | AgentState::NotReady(_) if !card.connected => {
            object::Summary::ConnectionLost
        }
        AgentState::NotReady(reason) if reason == MISSED => object::Summary::Missed,
        AgentState::Available | AgentState::NotReady(_)
            if some(ChannelState::Active) || some(ChannelState::Interrupted) || busy() =>
        {
            object::Summary::OnContact
        }
        AgentState::Available | AgentState::NotReady(_) if some(ChannelState::WrapUp) => {
            object::Summary::WrapUp
        }
        AgentState::Available | AgentState::NotReady(_) if some(ChannelState::Offered) => {
            object::Summary::Offered
        }
        AgentState::NotReady(_) => object::Summary::NotReady,
        AgentState::Available => object::Summary::Available,
    }
}

fn agent_channel(card: &ChannelCard) -> object::AgentChannel {
    object::AgentChannel {
        on: card.on,
        state: match card.state {
            ChannelState::Off => object::ChannelState::Off,
            ChannelState::Ready => object::ChannelState::Ready,
            ChannelState::Offered => object::ChannelState::Offered,
            ChannelState::Active => object::ChannelState::Active,
            ChannelState::Busy => object::ChannelState::Busy,
            ChannelState::Interrupted => object::ChannelState::Interrupted,
            ChannelState::WrapUp => object::ChannelState::WrapUp,
        },
        load: card.load,
        max: card.max,
    }
}

fn contact_state(state: ContactState) -> object::ContactState {
    match state {
        ContactState::Waiting => object::ContactState::Waiting,
        ContactState::Offered => object::ContactState::Offered,
        ContactState::Connecting => object::ContactState::Connecting,
        ContactState::Active => object::ContactState::Active,
        ContactState::WrapUp => object::ContactState::WrapUp,
        ContactState::Closed => object::ContactState::Closed,
    }
}

fn offer_ended(offer: &OfferRef, outcome: Outcome) -> MyEventShown {
    let (event, why) = match outcome {
        Outcome::Declined => (EventName::OfferDeclined, None),
        Outcome::Missed => (EventName::OfferMissed, None),
        Outcome::Withdrawn(why) => (EventName::OfferWithdrawn, Some(offer_why(why))),
        // An accepted offer goes on as a leg and has no end of its own on `me`.
        Outcome::Failed | Outcome::Accepted => {
            (EventName::OfferFailed, Some(object::OfferWhy::Technical))
        }
    };
    MyEventShown {
        event,
        key: text(offer.offer),
        data: EventData::OfferEnd(OfferEnd {
            offer: text(offer.offer),
            contact: text(offer.contact),
            why,
        }),
    }
}

fn offer_why(why: Withdrawn) -> object::OfferWhy {
    match why {
        Withdrawn::Abandoned => object::OfferWhy::Abandoned,
        Withdrawn::LostRace => object::OfferWhy::LostRace,
        Withdrawn::AgentLeft => object::OfferWhy::AgentLeft,
        Withdrawn::Supervisor => object::OfferWhy::Supervisor,
        Withdrawn::Moved => object::OfferWhy::Moved,
        Withdrawn::Overflowed => object::OfferWhy::Overflowed,
        Withdrawn::NotEligible => object::OfferWhy::NotEligible,
        Withdrawn::Restarted => object::OfferWhy::Restarted,
    }
}
