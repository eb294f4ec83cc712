//! The connector: connects and parts the media of calls, and hears how every contact ends.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::plan::CONNECTOR;
use crate::promise::Promise;
use crate::session::{Client, Out, Run};
use crate::socket::Welcome;
use crate::view::Views;
use crate::wire::{Happened, Incoming, Kind, Place, Report, Request, Subscribe};

/// The socket of the integration identity that carries media.
pub struct Connector {
    run: Run,
    views: Views,
    ready: bool,
}

impl Connector {
    /// The connector of a run.
    pub fn new(run: Run) -> Self {
        Self {
            run,
            views: Views::default(),
            ready: false,
        }
    }

    fn event(&mut self, message: &Incoming<'_>, out: &mut Out) -> Result<()> {
        let (Some(sub), Some(seq)) = (message.sub.as_deref(), message.seq) else {
            bail!("an event without `sub` or `seq`");
        };
        let data = message.data.as_ref();
        let contact = data
            .and_then(|data| data.contact.as_deref())
            .or(message.key.as_deref());
        let reason = data.and_then(|data| data.reason.as_deref());
        let event = match message.kind {
            Kind::Entered => Happened::ContactEntered,
            Kind::Welcome
            | Kind::Reply
            | Kind::Event
            | Kind::Left
            | Kind::Snapshot
            | Kind::Update
            | Kind::Ping
            | Kind::Reset
            | Kind::Goaway
            | Kind::Other => message.event.unwrap_or(Happened::Other),
        };
        {
            let mut ledger = self.run.ledger.turn();
            let prev = message.prev.unwrap_or(u64::MAX);
            let beside = message.is_beside();
            if let Err(flaw) = self.views.step(sub, seq, prev, beside) {
                ledger
                    .broken
                    .note(Promise::Positions, || format!("{CONNECTOR}: {flaw}"));
            }
            ledger.heard(event, contact.unwrap_or_default(), seq, reason);
        }
        let result = match event {
            Happened::MediaConnect => "connected",
            Happened::MediaDisconnect => "done",
            Happened::OfferMade
            | Happened::OfferWithdrawn
            | Happened::OfferMissed
            | Happened::OfferDeclined
            | Happened::OfferFailed
            | Happened::LegConnecting
            | Happened::LegConnected
            | Happened::LegWrapUp
            | Happened::LegEnded
            | Happened::ContactEntered
            | Happened::ContactRequeued
            | Happened::ContactReturned
            | Happened::ContactClosed
            | Happened::ContactPosition
            | Happened::Other => return Ok(()),
        };
        let Some(command) = data.and_then(|data| data.command.as_deref()) else {
            bail!("a media command without an id");
        };
        let id = format!("report {command}");
        out.say(&Request::new(
            &id,
            "media.report",
            Report { command, result },
        ))
    }
}

impl Client for Connector {
    fn name(&self) -> &str {
        CONNECTOR
    }

    fn start(&mut self, _welcome: Welcome, out: &mut Out) -> Result<()> {
        out.say(&Subscribe::new("connector", "connector", None))
    }

    fn take(
        &mut self,
        message: &Incoming<'_>,
        _at: Instant,
        _place: Place<'_>,
        out: &mut Out,
    ) -> Result<()> {
        match message.kind {
            Kind::Reply => {
                if let Some(error) = &message.error {
                    let id = message.id.as_deref().unwrap_or_default();
                    let text = format!(
                        "{CONNECTOR}: {id} was refused: {} {}",
                        error.code, error.message
                    );
                    if !self.ready {
                        bail!(text);
                    }
                    self.run.ledger.turn().broken.note(Promise::Served, || text);
                }
                Ok(())
            }
            Kind::Snapshot => {
                if let (Some(sub), Some(as_of)) = (message.sub.as_deref(), message.as_of) {
                    self.views.start(sub, as_of);
                }
                if message.last != Some(false) && !self.ready {
                    self.ready = true;
                    let _ = self.run.ready.send(Ok(()));
                }
                Ok(())
            }
            Kind::Event | Kind::Entered | Kind::Left => self.event(message, out),
            Kind::Goaway => bail!("the server says goaway"),
            Kind::Welcome | Kind::Update | Kind::Ping | Kind::Reset | Kind::Other => Ok(()),
        }
    }
}
