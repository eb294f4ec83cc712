//! What is asked with a key is done once: the same key gets the first answer again, from memory
//! or, also after the server has started again, from the log's store.

use super::keys::{Claim, First};
use super::{Caller, Gate, Outcome, keeps_key};
use crate::engine::Note;
use crate::id::Seq;
use crate::journal::Beside;
use crate::journal::beside::KeyRow;
use crate::wire::codec::Encoding;
use crate::wire::error::{Code, WireError};
use crate::wire::method::{Answer, Call, Method};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An answer as it lies in the store.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'a> {
    Result(&'a Answer),
    Error(&'a WireError),
}

/// The same as it is read again.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Read {
    Result(Box<RawValue>),
    Error(WireError),
}

/// An answer for the store; none if it cannot be written, which is a bug and is logged.
fn written(result: &Result<Arc<Answer>, WireError>) -> Option<Vec<u8>> {
    let written = match result {
        Ok(answer) => Written::Result(answer),
        Err(error) => Written::Error(error),
    };
    serde_json::to_vec(&written)
        .inspect_err(|error| tracing::error!(%error, "an answer cannot be kept"))
        .ok()
}

fn read(method: Method, bytes: &[u8]) -> Result<Result<Arc<Answer>, WireError>, String> {
    match serde_json::from_slice(bytes).map_err(|error| error.to_string())? {
        Read::Error(error) => Ok(Err(error)),
        Read::Result(result) => {
            let bytes = Bytes::copy_from_slice(result.get().as_bytes());
            let raw = Encoding::Json.body(&bytes, bytes.len());
            let raw = raw.map_err(|error| error.to_string())?;
            let answer = Answer::read(method, &raw).map_err(|error| error.to_string())?;
            Ok(Ok(Arc::new(answer)))
        }
    }
}

/// A text that is the same for the same call, in every version of this program.
fn content(call: &Call) -> String {
    let method = call.method().word();
    match serde_json::to_string(call) {
        Ok(params) => format!("{method} {params}"),
        Err(_) => format!("{method} {call:?}"),
    }
}

impl Gate {
    /// Carries a call to its end. With a key, the same call with the same key gets the first
    /// answer again, also while the first is at work; the work goes on when the caller is gone.
    /// Where [`keeps_key`] says so the key counts for nothing.
    pub async fn ask(self: &Arc<Self>, caller: &Caller, call: Call, key: Option<&str>) -> Outcome {
        let Some(key) = key.filter(|_| keeps_key(call.method())) else {
            return self.perform(caller, call, |_| {}).await.0;
        };
        let content = content(&call);
        let identity = caller.principal.user();
        loop {
            let now = self.engine.clock().now();
            match self.keys.claim(identity, key, &content, now) {
                Claim::First(first) => return self.perform_once(caller, call, first).await,
                Claim::Again(again) => {
                    if let Some(outcome) = again.answer().await {
                        return Outcome {
                            repeated: true,
                            ..outcome
                        };
                    }
                }
                Claim::Stored(number) => return self.recalled(call.method(), number).await,
                Claim::Mismatch => {
                    let text = "this key was used before with other content";
                    return self.refused(WireError::new(Code::IdempotencyMismatch, text));
                }
            }
        }
    }

    /// The first call with a key: it is carried to its end whether or not the caller waits.
    async fn perform_once(
        self: &Arc<Self>,
        caller: &Caller,
        call: Call,
        first: First<Outcome>,
    ) -> Outcome {
        let (gate, caller) = (Arc::clone(self), caller.clone());
        let work = tokio::spawn(async move {
            if gate.recall.is_some() {
                return gate.perform_and_store(&caller, call, first).await;
            }
            let (outcome, final_word) = gate.perform(&caller, call, |_| {}).await;
            if final_word {
                first.keep(outcome.clone());
            }
            outcome
        });
        work.await.unwrap_or_else(|_| {
            let text = "the request failed inside the server";
            self.refused(WireError::new(Code::Internal, text))
        })
    }

    /// The same with a store: an answer that tells of events is durable with them, any other
    /// before it is given.
    async fn perform_and_store(
        self: &Arc<Self>,
        caller: &Caller,
        call: Call,
        first: First<Outcome>,
    ) -> Outcome {
        let carried = Arc::new(AtomicBool::new(false));
        let mut noted = None;
        let note = self.note(caller, &call, first.row().clone(), Arc::clone(&carried));
        let (outcome, final_word) = self
            .perform(caller, call, |to| {
                noted = Some(to);
                self.engine.note(to, note);
            })
            .await;
        if let Some(to) = noted {
            self.engine.forget_note(to);
        }
        if carried.load(Ordering::Relaxed) {
            first.stored(outcome.clone());
        } else if final_word && !self.store(first, &outcome).await {
            let text = "the server stopped before the answer was kept";
            return self.refused(WireError::new(Code::ShuttingDown, text));
        }
        outcome
    }

    fn note(
        self: &Arc<Self>,
        caller: &Caller,
        call: &Call,
        row: KeyRow,
        carried: Arc<AtomicBool>,
    ) -> Note {
        let (gate, principal) = (Arc::clone(self), Arc::clone(&caller.principal));
        let method = call.method();
        Note {
            row,
            carried,
            // What is refused has no events, and is kept when its final word is known.
            write: Box::new(move |result| {
                result.as_ref().ok()?;
                written(&gate.shown(&principal, method, None, result, Seq(0)).result)
            }),
        }
    }

    /// Keeps an answer that tells of no events of its own. False when the server stops first.
    async fn store(&self, first: First<Outcome>, outcome: &Outcome) -> bool {
        let Some(answer) = written(&outcome.result) else {
            return true;
        };
        let row = KeyRow {
            answer,
            seq: outcome.seq,
            ..first.row().clone()
        };
        let beside = Beside {
            keys: vec![row],
            ..Beside::default()
        };
        let kept = self.engine.keep(beside).await;
        if kept {
            first.stored(outcome.clone());
        }
        kept
    }

    /// The first answer, from the store.
    async fn recalled(&self, method: Method, number: u64) -> Outcome {
        let Some(recall) = self.recall.clone() else {
            return self.unreadable("there is no store");
        };
        let found = tokio::task::spawn_blocking(move || recall.answer(number)).await;
        let found = found.unwrap_or_else(|_| Err("reading has failed".into()));
        let read = found.and_then(|found| {
            let (bytes, seq) = found.ok_or("the answer is not there")?;
            Ok((read(method, &bytes)?, seq))
        });
        match read {
            Ok((result, seq)) => Outcome {
                result,
                seq,
                repeated: true,
            },
            Err(why) => self.unreadable(&why),
        }
    }

    fn unreadable(&self, why: &str) -> Outcome {
        tracing::error!(why, "the answer to an idempotency key cannot be read");
        let text = "this was asked before with this key, and the answer cannot be read";
        self.refused(WireError::new(Code::Internal, text))
    }
}
