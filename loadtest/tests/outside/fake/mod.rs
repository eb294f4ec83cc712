//! A small server that follows the wire contract, or breaks one promise of it on purpose.
//!
//! One queue, one contact at a time per agent, first come first served. It is written with generic
//! values and no regard for speed: it is here to be judged, not to be measured.

mod door;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

/// The promise that the server breaks, at every tenth contact where that makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None.
    None,
    /// A contact rings at two agents.
    TwoAgents,
    /// A contact is taken and forgotten.
    Forget,
    /// A contact closes for a reason that is no proper end.
    WrongEnd,
    /// A contact closes twice.
    CloseTwice,
    /// Two submits get one contact.
    OneForTwo,
    /// The contact that came last is served first.
    LastFirst,
    /// An event names a predecessor that was never sent.
    Gap,
    /// An event comes twice.
    Repeat,
    /// A table goes back.
    RowsBack,
    /// A second call is offered to an agent who is on one.
    NoRoom,
    /// An email is offered to an agent who has a chat.
    Interrupt,
    /// An offer names another queue.
    OtherQueue,
    /// An offer is shown again.
    ShowAgain,
    /// An offer is withdrawn that was never shown.
    WithdrawUnknown,
    /// A leg is connected without an offer.
    NoOffer,
    /// Contacts wait beside idle agents.
    Dawdle,
    /// A table shows work when there is none.
    Unsettled,
    /// An agent's socket is closed.
    HangUp,
    /// An accept is refused.
    RefuseAccept,
}

struct Seat {
    line: UnboundedSender<Value>,
    offers: Vec<(String, usize)>,
    contacts: Vec<usize>,
}

struct Contact {
    id: String,
    external: String,
    channel: String,
    first_entry: i64,
}

struct Table {
    line: UnboundedSender<Value>,
    sub: String,
    key: String,
}

/// What the server knows.
pub struct Floor {
    fault: Fault,
    seq: u64,
    last: HashMap<String, u64>,
    seats: BTreeMap<String, Seat>,
    connectors: Vec<UnboundedSender<Value>>,
    tables: Vec<Table>,
    contacts: Vec<Contact>,
    waiting: VecDeque<usize>,
    offers: usize,
    dawdled: bool,
    ticks: u64,
}

/// The floor, shared by all sockets.
pub type Shared = Arc<Mutex<Floor>>;

/// Starts a server; answers its address.
pub async fn start(fault: Fault) -> String {
    let floor = Arc::new(Mutex::new(Floor {
        fault,
        seq: 100,
        last: HashMap::new(),
        seats: BTreeMap::new(),
        connectors: Vec::new(),
        tables: Vec::new(),
        contacts: Vec::new(),
        waiting: VecDeque::new(),
        offers: 0,
        dawdled: false,
        ticks: 0,
    }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(door::accept(listener, floor.clone()));
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            turn(&floor).tables();
        }
    });
    address.to_string()
}

fn turn(floor: &Shared) -> MutexGuard<'_, Floor> {
    floor.lock().unwrap()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn me(agent: &str) -> String {
    format!("me-{agent}")
}

impl Floor {
    fn step(&mut self, sub: &str) -> (u64, u64) {
        self.seq += 1;
        let prev = self.last.insert(sub.to_owned(), self.seq).unwrap_or(0);
        (self.seq, prev)
    }

    fn event(&mut self, sub: &str, event: &str, key: &str, data: &Value) -> Value {
        let (seq, prev) = self.step(sub);
        json!({"type":"event","sub":sub,"seq":seq,"prev":prev,"at":now_ms(),"event":event,"key":key,"data":data})
    }

    fn tell(&mut self, agent: &str, event: &str, key: &str, data: &Value) {
        let mut message = self.event(&me(agent), event, key, data);
        let tenth = self.seq.is_multiple_of(10);
        if self.fault == Fault::Gap && tenth {
            self.seq += 5;
            message["seq"] = json!(self.seq);
            message["prev"] = json!(self.seq - 1);
            self.last.insert(me(agent), self.seq);
        }
        let Some(seat) = self.seats.get(agent) else {
            return;
        };
        if self.fault == Fault::Repeat && tenth && event != "offer.made" && event != "leg.connected"
        {
            let _ = seat.line.send(json!({"type":"event","sub":me(agent),"seq":message["seq"],
                "prev":message["prev"],"at":now_ms(),"event":"notice.sent","key":agent,"data":{"text":"twice"}}));
        }
        let _ = seat.line.send(message);
    }

    fn announce(&mut self, event: &str, contact: usize, mut data: Value) {
        let id = self.contacts[contact].id.clone();
        data["contact"] = json!(id);
        let message = if event.starts_with("media.") {
            let last = self.last.get("connector");
            json!({"type":"event","sub":"connector","seq":last,"prev":last,"at":now_ms(),"event":event,"key":id,"data":data})
        } else {
            self.event("connector", event, &id, &data)
        };
        for line in &self.connectors {
            let _ = line.send(message.clone());
        }
    }

    /// A contact comes in; answers the result of its submit.
    pub fn submit(&mut self, params: &Value) -> Value {
        let number = self.contacts.len();
        let twin = self.fault == Fault::OneForTwo && number % 10 == 9;
        let id = format!("{:032x}", number + 1 - usize::from(twin));
        let text = |key: &str| params[key].as_str().unwrap().to_owned();
        let first_entry = now_ms();
        self.contacts.push(Contact {
            id: id.clone(),
            external: text("external_id"),
            channel: text("channel"),
            first_entry,
        });
        let result = json!({"contact":id,"channel":text("channel"),"external_id":text("external_id"),
            "queue":"queue-001","first_entry":first_entry});
        self.announce("contact.entered", number, json!({"queue":"queue-001"}));
        if self.fault != Fault::Forget || number % 10 != 9 {
            self.waiting.push_back(number);
        }
        self.assign();
        result
    }

    fn assign(&mut self) {
        if self.fault == Fault::Dawdle && !self.dawdled {
            return;
        }
        loop {
            let free = self.seats.iter().find(|(_, seat)| seat.contacts.is_empty());
            let Some(agent) = free.map(|(name, _)| name.clone()) else {
                break;
            };
            let next = match self.fault {
                Fault::LastFirst => self.waiting.pop_back(),
                _ => self.waiting.pop_front(),
            };
            let Some(contact) = next else {
                break;
            };
            self.offer(&agent, contact);
            if self.fault == Fault::TwoAgents && contact % 10 == 9 {
                let other = self
                    .seats
                    .keys()
                    .find(|name| **name != agent)
                    .unwrap()
                    .clone();
                self.offer(&other, contact);
            }
        }
        self.crowd();
    }

    /// Gives an agent more than there is room for, if that is the fault.
    fn crowd(&mut self) {
        let (has, gets) = match self.fault {
            Fault::NoRoom => ("voice", "voice"),
            Fault::Interrupt => ("chat", "email"),
            _ => return,
        };
        let Some(place) = self
            .waiting
            .iter()
            .position(|contact| self.contacts[*contact].channel == gets)
        else {
            return;
        };
        let busy = self.seats.iter().find(|(_, seat)| {
            matches!(seat.contacts[..], [contact] if self.contacts[contact].channel == has)
                && !seat.offers.is_empty()
        });
        if let Some(agent) = busy.map(|(name, _)| name.clone()) {
            let contact = self.waiting.remove(place).unwrap();
            self.offer(&agent, contact);
        }
    }

    fn offer(&mut self, agent: &str, contact: usize) {
        self.offers += 1;
        let offer = format!("o{}", self.offers);
        let seat = self.seats.get_mut(agent).unwrap();
        seat.contacts.push(contact);
        seat.offers.push((offer.clone(), contact));
        let Contact {
            id,
            external,
            channel,
            ..
        } = &self.contacts[contact];
        let other = self.fault == Fault::OtherQueue && contact % 10 == 9;
        let queue = if other { "queue-002" } else { "queue-001" };
        let data = json!({"offer":offer,"contact":id,"channel":channel,"queue":queue,"deadline":now_ms() + 20_000,
            "auto_accept":false,"may_decline":true,"card":{"customer":{"id":"c","name":"R\"osa"},"external_id":external}});
        let id = id.clone();
        self.tell(agent, "offer.made", &offer, &data);
        let tenth = self.offers.is_multiple_of(10);
        if self.fault == Fault::ShowAgain && tenth {
            self.tell(agent, "offer.made", &offer, &data);
        }
        if self.fault == Fault::WithdrawUnknown && tenth {
            self.tell(
                agent,
                "offer.withdrawn",
                "o0",
                &json!({"offer":"o0","contact":id,"why":"moved"}),
            );
        }
        if self.fault == Fault::NoOffer && tenth {
            let other = self
                .seats
                .keys()
                .find(|name| *name != agent)
                .unwrap()
                .clone();
            self.tell(
                &other,
                "leg.connected",
                &id,
                &json!({"contact":id,"state":"connected"}),
            );
        }
    }

    fn accept(&mut self, agent: &str, offer: &str) -> Result<Value, Value> {
        let seat = self.seats.get_mut(agent).unwrap();
        let Some(place) = seat.offers.iter().position(|(id, _)| id == offer) else {
            return Err(
                json!({"code":"offer_expired","message":"this offer has ended","retry":false}),
            );
        };
        let (_, contact) = seat.offers.remove(place);
        if self.fault == Fault::RefuseAccept && self.offers.is_multiple_of(10) {
            return Err(json!({"code":"internal","message":"no","retry":false}));
        }
        let id = self.contacts[contact].id.clone();
        if self.contacts[contact].channel == "voice" {
            self.tell(
                agent,
                "leg.connecting",
                &id,
                &json!({"contact":id,"state":"connecting"}),
            );
            let command = format!("m{contact}");
            self.announce(
                "media.connect",
                contact,
                json!({"command":command,"agent":agent}),
            );
        } else {
            self.connect(agent, contact);
        }
        Ok(json!({"contact":id,"offer":offer,"state":"connecting"}))
    }

    fn connect(&mut self, agent: &str, contact: usize) {
        let id = self.contacts[contact].id.clone();
        let sub = format!("contact-{id}-{agent}");
        let data = json!({"contact":id,"state":"connected","sub":sub});
        self.tell(agent, "leg.connected", &id, &data);
        let seat = &self.seats[agent].line;
        let _ = seat.send(
            json!({"type":"snapshot","sub":sub,"epoch":"1","as_of":self.seq,
            "data":{"contact":id,"state":"active"},"part":1,"last":true}),
        );
        let message = self.event(&sub, "leg.connected", &id, &data);
        let _ = self.seats[agent].line.send(message);
        self.announce("leg.connected", contact, json!({"agent":agent}));
    }

    fn report(&mut self, command: &str) {
        let contact: usize = command.trim_start_matches('m').parse().unwrap();
        let at = self
            .seats
            .iter()
            .find(|(_, seat)| seat.contacts.contains(&contact));
        if let Some(agent) = at.map(|(name, _)| name.clone()) {
            self.connect(&agent, contact);
        }
    }

    fn end(&mut self, agent: &str, id: &str) {
        self.tell(
            agent,
            "leg.wrap_up",
            id,
            &json!({"contact":id,"state":"wrap_up"}),
        );
    }

    fn wrap_up(&mut self, agent: &str, id: &str) {
        let own = &mut self.seats.get_mut(agent).unwrap().contacts;
        let Some(place) = own
            .iter()
            .position(|contact| self.contacts[*contact].id == id)
        else {
            return;
        };
        let contact = own.remove(place);
        self.tell(
            agent,
            "leg.ended",
            id,
            &json!({"contact":id,"state":"ended"}),
        );
        let tenth = contact % 10 == 9;
        let reason = if self.fault == Fault::WrongEnd && tenth {
            "failed"
        } else {
            "completed"
        };
        self.announce("contact.closed", contact, json!({"reason":reason}));
        if self.fault == Fault::CloseTwice && tenth {
            self.announce("contact.closed", contact, json!({"reason":reason}));
        }
        self.assign();
    }

    /// Sends what changed in the tables.
    fn tables(&mut self) {
        let oldest = self
            .waiting
            .front()
            .map(|contact| self.contacts[*contact].first_entry);
        if self.fault == Fault::Dawdle
            && !self.dawdled
            && oldest.is_some_and(|at| now_ms() - at > 1_800)
        {
            self.dawdled = true;
            self.assign();
        }
        self.ticks += 1;
        let back = 50 * (self.ticks % 2) * u64::from(self.fault == Fault::RowsBack);
        let waiting = self.waiting.len() + usize::from(self.fault == Fault::Unsettled);
        for table in &self.tables {
            let _ = table.line.send(
                json!({"type":"update","sub":table.sub,"as_of":self.seq - back,"at":now_ms(),
                "set":[[table.key,1,waiting,2,null]],"remove":[]}),
            );
        }
    }
}
