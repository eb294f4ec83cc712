//! From what the board says to bytes: each delta once for everybody it is for, a snapshot part
//! by part as its socket drains.

use super::door::Parts;
use super::show::{Show, columns};
use crate::id::ContactId;
use crate::journal::Epoch;
use crate::live::delta::{
    Cut, EventSeen, Key, MediaAsk, MediaCommand, Said, Seen, State, Sub, Update, What,
};
use crate::live::picture::Place;
use crate::live::seen::{AgentSeen, ContactSeen};
use crate::live::stats::Cell;
use crate::live::topic::Ask;
use crate::wire::codec::Encoding;
use crate::wire::encode::{Encoder, Unwritable};
use crate::wire::event::{ContactPosition, EventData, EventName, MediaConnect, MediaDisconnect};
use crate::wire::push::{self, Str};
use crate::wire::snapshot::{SnapshotHead, SnapshotOf, SnapshotWriter};
use crate::wire::table::{self, RowChange};
use bytes::Bytes;
use std::borrow::Cow;
use std::sync::Arc;
use std::vec::IntoIter;

/// Encodes what the board says in one encoding.
#[derive(Debug)]
pub(super) struct Teller {
    show: Arc<Show>,
    encoder: Encoder,
}

impl Teller {
    pub(super) fn new(show: Arc<Show>, encoding: Encoding) -> Self {
        Self {
            show,
            encoder: Encoder::new(encoding),
        }
    }

    /// Something said on a lossless view.
    pub(super) fn said(&mut self, sub: Sub, said: &Said) -> Result<Bytes, Unwritable> {
        let show = Arc::clone(&self.show);
        match &said.what {
            What::Entered(seen) => self.entered(sub, said, seen),
            What::Left(key) => self.encoder.message(&push::Left {
                sub: text(sub),
                seq: said.seq.0,
                prev: said.prev.0,
                at: said.at.0,
                key: show.key(*key),
            }),
            What::Event(event) => {
                let data = match &event.row {
                    Seen::Contact(seen) => EventData::Contact(show.change(event, seen)),
                    Seen::Agent(seen) => EventData::AgentChange(show.agent_change(event, seen)),
                };
                self.event(
                    sub,
                    said,
                    name_of(event),
                    event.row.key(),
                    data,
                    Some(event),
                )
            }
            What::Position { contact, place } => {
                let (name, data) = position(*contact, *place);
                self.event(sub, said, Some(name), Key::Contact(*contact), data, None)
            }
            What::Media(command) => {
                let (name, data) = media(&show, command);
                self.event(
                    sub,
                    said,
                    Some(name),
                    Key::Contact(command.contact),
                    data,
                    None,
                )
            }
        }
    }

    fn entered(&mut self, sub: Sub, said: &Said, seen: &Seen) -> Result<Bytes, Unwritable> {
        let show = Arc::clone(&self.show);
        match seen {
            Seen::Contact(contact) => self.whole(sub, said, seen, show.contact(contact)),
            Seen::Agent(agent) => self.whole(sub, said, seen, show.agent(agent)),
        }
    }

    fn whole<D: serde::Serialize>(
        &mut self,
        sub: Sub,
        said: &Said,
        seen: &Seen,
        data: D,
    ) -> Result<Bytes, Unwritable> {
        let key = self.show.key(seen.key());
        self.encoder.message(&push::Entered {
            sub: text(sub),
            seq: said.seq.0,
            prev: said.prev.0,
            at: said.at.0,
            key,
            data,
        })
    }

    fn event(
        &mut self,
        sub: Sub,
        said: &Said,
        event: Option<EventName>,
        key: Key,
        data: EventData<'_>,
        of: Option<&EventSeen>,
    ) -> Result<Bytes, Unwritable> {
        let show = Arc::clone(&self.show);
        let actor = |actor| show.actor(actor);
        self.encoder.message(&push::Event {
            sub: text(sub),
            seq: said.seq.0,
            prev: said.prev.0,
            at: said.at.0,
            // A test holds the two lists of names together.
            event: event.unwrap_or(EventName::ContactUpdated),
            key: show.key(key),
            data,
            actor: of.and_then(|of| of.actor).map(actor),
            on_behalf: of.and_then(|of| of.behalf).map(actor),
            replay: said.replay,
        })
    }

    /// Rows of a table that changed.
    pub(super) fn update(&mut self, sub: Sub, update: &Update) -> Result<Bytes, Unwritable> {
        type Row = (Str<'static>, Vec<(u16, table::Cell<'static>)>);
        let cells = |cells: &[(u16, Cell)]| {
            let shown = cells.iter().map(|(at, cell)| (*at, self.show.cell(cell)));
            shown.collect()
        };
        let rows: Vec<Row> = update
            .set
            .iter()
            .map(|(key, changed)| (self.show.key(*key), cells(changed)))
            .collect();
        let set: Vec<RowChange<'_>> = rows
            .iter()
            .map(|(key, cells)| RowChange { key, cells })
            .collect();
        let remove: Vec<Str<'_>> = update
            .remove
            .iter()
            .map(|key| self.show.key(*key))
            .collect();
        self.encoder.message(&push::Update {
            sub: text(sub),
            as_of: update.as_of.0,
            at: update.at.0,
            set,
            remove,
        })
    }
}

/// The number by which a view knows its encoding.
pub(super) fn numbered(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Json => 0,
        Encoding::MessagePack => 1,
    }
}

/// A teller for each encoding, by its number.
pub(super) fn tellers(show: &Arc<Show>) -> [Teller; 2] {
    [Encoding::Json, Encoding::MessagePack].map(|encoding| Teller::new(Arc::clone(show), encoding))
}

/// How what is asked for is encoded.
pub(super) fn encoding_of(ask: &Ask) -> Encoding {
    if ask.encoding == numbered(Encoding::Json) {
        Encoding::Json
    } else {
        Encoding::MessagePack
    }
}

/// The bytes; none of what cannot be written, which the log of the server is told.
pub(super) fn written_or_told(written: Result<Bytes, Unwritable>) -> Option<Bytes> {
    written
        .inspect_err(|unwritable| tracing::error!(%unwritable, "a message cannot be written"))
        .ok()
}

fn text(id: impl std::fmt::Display) -> Str<'static> {
    Cow::Owned(id.to_string())
}

fn name_of(event: &EventSeen) -> Option<EventName> {
    EventName::find(event.name.word())
}

fn position(contact: ContactId, place: Place) -> (EventName, EventData<'static>) {
    let data = ContactPosition {
        contact: text(contact),
        position: place.position,
        ewt_ms: place.ewt.map(|ewt| ewt.ms),
    };
    (EventName::ContactPosition, EventData::Position(data))
}

fn media(show: &Show, command: &MediaCommand) -> (EventName, EventData<'static>) {
    let id = text(command.command);
    let contact = text(command.contact);
    let leg = text(command.leg);
    match command.ask {
        MediaAsk::Connect { agent, deadline } => {
            let data = MediaConnect {
                command: id,
                contact,
                leg,
                agent: show.key(Key::Agent(agent)),
                address: show.address(agent),
                deadline: deadline.0,
            };
            (EventName::MediaConnect, EventData::MediaConnect(data))
        }
        MediaAsk::Disconnect => {
            let data = MediaDisconnect {
                command: id,
                contact,
                leg,
            };
            (EventName::MediaDisconnect, EventData::MediaDisconnect(data))
        }
    }
}

/// A snapshot on its way: rows that are still to be encoded.
#[derive(Debug)]
pub(super) struct Draining {
    show: Arc<Show>,
    rows: Rows,
    /// None when the last part is out.
    writer: Option<SnapshotWriter<'static>>,
    /// The whole snapshot of a view without rows.
    whole: Option<Bytes>,
}

#[derive(Debug)]
enum Rows {
    None,
    Contacts(IntoIter<ContactSeen>),
    Agents(IntoIter<AgentSeen>),
    Table(IntoIter<(Key, Arc<[Cell]>)>),
}

impl Draining {
    /// The snapshot of a view.
    pub(super) fn new(
        show: Arc<Show>,
        encoding: Encoding,
        sub: Sub,
        epoch: Epoch,
        cut: Cut,
    ) -> Result<Self, Unwritable> {
        let head = SnapshotHead {
            sub: text(sub),
            epoch: text(epoch),
            as_of: cut.as_of.0,
        };
        let (of, rows) = match cut.state {
            State::Contact(contact) => {
                let whole = single(&show, encoding, head, &contact)?;
                return Ok(Self {
                    show,
                    rows: Rows::None,
                    writer: None,
                    whole: Some(whole),
                });
            }
            State::Contacts { rows, total } => {
                let total = Some(total as u64);
                let of = SnapshotOf::List {
                    name: "contacts",
                    total,
                };
                (of, Rows::Contacts(rows.into_iter()))
            }
            State::Agents(rows) => {
                let of = SnapshotOf::List {
                    name: "agents",
                    total: None,
                };
                (of, Rows::Agents(rows.into_iter()))
            }
            State::Table(cut) => {
                let of = SnapshotOf::Table(columns(&cut));
                (of, Rows::Table(cut.rows.into_iter()))
            }
        };
        Ok(Self {
            show,
            rows,
            writer: Some(SnapshotWriter::new(encoding, head, of)?),
            whole: None,
        })
    }

    /// Encodes rows until a part is full; none when there are no more rows.
    fn fill(&mut self) -> Result<Option<Bytes>, Unwritable> {
        let Some(writer) = &mut self.writer else {
            return Ok(None);
        };
        let show = &self.show;
        let full = match &mut self.rows {
            Rows::None => None,
            Rows::Contacts(rows) => first_full(rows, |row| writer.row(&show.contact(&row)))?,
            Rows::Agents(rows) => first_full(rows, |row| writer.row(&show.agent(&row)))?,
            Rows::Table(rows) => first_full(rows, |(_, row)| writer.row(&show.row(&row)))?,
        };
        Ok(full)
    }

    fn part(&mut self) -> Result<Option<Bytes>, Unwritable> {
        if let Some(whole) = self.whole.take() {
            return Ok(Some(whole));
        }
        match self.fill()? {
            Some(full) => Ok(Some(full)),
            None => self.writer.take().map(SnapshotWriter::finish).transpose(),
        }
    }
}

fn first_full<T>(
    rows: &mut IntoIter<T>,
    mut write: impl FnMut(T) -> Result<Option<Bytes>, Unwritable>,
) -> Result<Option<Bytes>, Unwritable> {
    for row in rows {
        if let Some(full) = write(row)? {
            return Ok(Some(full));
        }
    }
    Ok(None)
}

fn single(
    show: &Show,
    encoding: Encoding,
    head: SnapshotHead<'static>,
    contact: &ContactSeen,
) -> Result<Bytes, Unwritable> {
    encoding.encode(&push::Snapshot::<'_, (), _> {
        sub: head.sub,
        epoch: head.epoch,
        as_of: head.as_of,
        columns: None,
        rows: None,
        data: Some(show.contact(contact)),
        part: 1,
        last: true,
    })
}

impl Parts for Draining {
    fn next_part(&mut self) -> Option<Bytes> {
        match self.part() {
            Ok(part) => part,
            Err(unwritable) => {
                tracing::error!(%unwritable, "a snapshot ends before its last part");
                self.writer = None;
                None
            }
        }
    }
}
