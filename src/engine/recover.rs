//! A start after an end: what the log knows is put in force before any actor runs.

use super::post::Post;
use crate::domain::command::FloorInput;
use crate::domain::event::{By, Event};
use crate::domain::floor::roster::{Connection, Roster};
use crate::domain::machine::Effect;
use crate::id::Seq;
use crate::journal::Source;
use crate::journal::index::Index;

/// Finds contacts and external ids again, says in the log where it goes on, and tells the floor
/// that every socket is lost: agents have their grace to come back, and their streams begin here.
pub(super) fn recover(post: &Post) {
    let after = post.journal.start();
    if after == Seq(0) {
        return;
    }
    let now = post.clock.now();
    if let Some(index) = known::<Index>(post, Source::Index) {
        post.outlet.registry.recover(&index, now);
    }
    let mut effects = vec![Effect::Event {
        event: Event::Recovered { after },
        by: By::Engine,
        content: None,
    }];
    post.send(Source::Floor, now, &mut effects);
    let Some(roster) = known::<Roster>(post, Source::Floor) else {
        return;
    };
    post.outlet.registry.drain.set(roster.draining);
    let there = roster
        .seats
        .iter()
        .filter(|(_, seat)| seat.signed_in() && seat.connection == Connection::Connected);
    let seats = roster.seats.iter().filter(|(_, seat)| seat.signed_in());
    for (agent, seat) in seats {
        post.outlet.streams.recover(*agent, seat.generation, after);
    }
    for (agent, seat) in there {
        post.outlet
            .tell_floor(FloorInput::SocketLost(*agent, seat.generation));
    }
}

fn known<T: 'static>(post: &Post, source: Source) -> Option<Box<T>> {
    post.journal.recover(source)?.into_any().downcast().ok()
}
