//! Events in the words of a transcript.

use crate::world::World;
use switchroom::domain::event::{Event, NextState, OfferRef};
use switchroom::domain::offer::{AgentState, Outcome};
use switchroom::id::{AgentId, QueueId};

fn snake(word: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for c in format!("{word:?}").chars() {
        if c.is_uppercase() && text.chars().last().is_some_and(char::is_alphanumeric) {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

fn agent(world: &World, agent: AgentId) -> &str {
    &world.known().2.agents[agent.index()].name
}

fn queue(world: &World, queue: QueueId) -> &str {
    &world.known().2.queues[queue.index()].name
}

fn state(state: &AgentState) -> String {
    match state {
        AgentState::SignedOut => "signed_out".to_owned(),
        AgentState::Available => "available".to_owned(),
        AgentState::NotReady(reason) => format!("not_ready({reason})"),
    }
}

/// Ids in a text, by the names of the transcript.
pub fn names(world: &World, text: &str) -> String {
    let (contacts, offers, _) = world.known();
    let mut text = text.to_owned();
    for (name, id) in contacts {
        text = text.replace(&id.to_string(), name);
    }
    for (place, offer) in offers.iter().enumerate() {
        text = text.replace(
            &format!("offer {offer} "),
            &format!("offer o{} ", place + 1),
        );
    }
    text
}

/// An event, or nothing for those that only repeat another one's news.
pub fn event(world: &World, event: &Event) -> Option<String> {
    let contact = |id| world.contact_name(id).to_owned();
    let offered = |offer: &OfferRef| {
        let name = world.offer_name(offer.offer);
        format!(
            "{name} of {} to {}",
            contact(offer.contact),
            agent(world, offer.agent)
        )
    };
    let leg = |offer: &OfferRef| {
        format!(
            "{} with {}",
            contact(offer.contact),
            agent(world, offer.agent)
        )
    };
    Some(match event {
        Event::ContactEntered {
            facts,
            queue: of,
            due_at,
            ..
        } => format!(
            "queue {}: {} waiting, due {}",
            queue(world, *of),
            contact(facts.id),
            world.clock(*due_at)
        ),
        Event::ContactConnecting { offer, deadline } => {
            format!("connecting {} until {}", leg(offer), world.clock(*deadline))
        }
        Event::LegConnected {
            contact: id,
            leg,
            waited,
            ..
        } => format!(
            "connected {} with {} after {} ms",
            contact(*id),
            agent(world, leg.agent),
            waited.0
        ),
        Event::ContactRequeued {
            contact: id,
            why,
            excluded,
            ..
        } => {
            let not = excluded.map_or(String::new(), |(who, until)| {
                format!(
                    ", not to {} until {}",
                    agent(world, who),
                    world.clock(until)
                )
            });
            format!("{} waiting again: {}{not}", contact(*id), snake(why))
        }
        Event::ContactReturned {
            contact: id,
            why,
            due_at,
            ..
        } => format!(
            "{} back in line: {}, due {}",
            contact(*id),
            snake(why),
            world.clock(*due_at)
        ),
        Event::ContactReadmitted {
            contact: id,
            agents,
            ..
        } => {
            let who: Vec<&str> = agents.iter().map(|who| agent(world, *who)).collect();
            format!("{} may go to {} again", contact(*id), who.join(", "))
        }
        Event::ContactStepped {
            contact: id, step, ..
        } => format!("{} takes step {step}", contact(*id)),
        Event::ContactReleased { contact: id, .. } => {
            format!("{} waits for its preferred agent no more", contact(*id))
        }
        Event::ContactPrioritised {
            contact: id,
            tier,
            due_at,
            ..
        } => format!(
            "{} now tier {tier}, due {}",
            contact(*id),
            world.clock(*due_at)
        ),
        Event::ContactEnded { contact: id, .. } => format!("{} ended", contact(*id)),
        Event::ContactClosed {
            contact: id,
            reason,
            ..
        } => format!("{} closed: {}", contact(*id), snake(reason)),
        Event::LegWrapUpStarted { offer, until, .. } => {
            format!("wrap-up of {} until {}", leg(offer), world.clock(*until))
        }
        Event::LegWrapUpGiven { offer, codes } => {
            format!("codes of {}: {}", leg(offer), codes.join(", "))
        }
        Event::LegEnded {
            offer,
            how,
            talk,
            wrap_up,
        } => format!(
            "leg of {} over: {}, talk {} ms, wrap-up {} ms",
            leg(offer),
            snake(how),
            talk.0,
            wrap_up.0
        ),
        Event::OfferMade {
            offer, decision, ..
        } => {
            format!("offer {} ({})", offered(offer), snake(&decision.by))
        }
        Event::OfferEnded { offer, outcome } => match outcome {
            Outcome::Withdrawn(why) => {
                format!("offer {} withdrawn: {}", offered(offer), snake(why))
            }
            Outcome::Accepted | Outcome::Declined | Outcome::Missed | Outcome::Failed => {
                format!("offer {} {}", offered(offer), snake(outcome))
            }
        },
        Event::AgentSignedIn { agent: who, .. } => format!("{} signed in", agent(world, *who)),
        Event::AgentSignedOut { agent: who, why } => {
            format!("{} signed out: {}", agent(world, *who), snake(why))
        }
        Event::AgentStateChanged {
            agent: who,
            state: now,
            next,
        } => {
            let next = match next {
                None => String::new(),
                Some(NextState::SignOut) => ", then signed out".to_owned(),
                Some(NextState::State(next)) => format!(", then {}", state(next)),
            };
            format!("{} {}{next}", agent(world, *who), state(now))
        }
        Event::AgentConnectionLost { agent: who, .. } => {
            format!("{} connection lost", agent(world, *who))
        }
        Event::AgentResumed { agent: who, .. } => format!("{} resumed", agent(world, *who)),
        Event::AgentChannelsChanged {
            agent: who,
            channels,
        } => {
            let known = &world.known().2.channels;
            let named = channels.iter().filter_map(|id| known.get(id));
            let named: Vec<_> = named.map(|channel| channel.name.as_str()).collect();
            format!("{} has {} on", agent(world, *who), named.join(","))
        }
        Event::AgentQueuesChanged {
            agent: who, queues, ..
        } => {
            let queues: Vec<_> = queues.iter().map(|of| queue(world, *of)).collect();
            format!("{} serves {}", agent(world, *who), queues.join(","))
        }
        Event::ContactOffered { .. }
        | Event::ContactUpdated { .. }
        | Event::MediaConnect { .. }
        | Event::MediaDisconnect { .. }
        | Event::MediaReported { .. }
        | Event::OfferTaken { .. }
        | Event::SeatWrapUp { .. }
        | Event::SeatReleased { .. }
        | Event::Recovered { .. }
        | Event::WorkspaceDraining { .. }
        | Event::ActorRestarted { .. } => return None,
    })
}

/// An event is read from the log as it was written.
pub fn is_kept(event: &Event) {
    let bytes = rmp_serde::to_vec(event).unwrap();
    assert_eq!(rmp_serde::from_slice::<Event>(&bytes).unwrap(), *event);
}
