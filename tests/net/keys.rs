//! Idempotency keys outlive the process: after it was killed a repeat gets the first answer.

use super::client::{Client, Encoding};
use super::crash::program::Program;
use serde_json::{Value, json};
use std::path::Path;

/// A server that was started on a folder, and a socket of its connector.
async fn start(folder: &Path) -> (Program, Client) {
    let program = Program::start(folder);
    let access = program.access("site");
    let mut client = Client::connect(access.address, Encoding::Json).await;
    let welcome = client.hello(json!({"token": access.token})).await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    (program, client)
}

async fn ask(client: &mut Client, key: &str, method: &str, params: &Value) -> Value {
    let request = json!({"type": "request", "method": method, "params": params, "key": key});
    client.ask(request).await
}

#[tokio::test]
async fn after_a_kill_a_key_gets_the_first_answer_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, mut site) = start(folder.path()).await;
    let chat = json!({"channel": "chat", "queue": "support", "external_id": "x-1"});
    let submitted = ask(&mut site, "s", "contact.submit", &chat).await;
    let contact = json!({"contact": submitted["result"]["contact"]});
    assert!(contact["contact"].is_string(), "{submitted}");
    let left = ask(&mut site, "a", "contact.abandon", &contact).await;
    assert!(left["result"].is_object(), "{left}");
    let refused = ask(&mut site, "b", "contact.abandon", &contact).await;
    let nobody = json!({"contact": "01890000-0000-7000-8000-000000000000"});
    let unknown = ask(&mut site, "n", "contact.abandon", &nobody).await;
    assert_eq!(unknown["error"]["code"], "not_found", "{unknown}");
    program.kill();

    for _ in 0..2 {
        let (mut program, mut site) = start(folder.path()).await;
        let cases = [
            ("s", "contact.submit", &chat, &submitted),
            ("a", "contact.abandon", &contact, &left),
            ("b", "contact.abandon", &contact, &refused),
            ("n", "contact.abandon", &nobody, &unknown),
        ];
        for (key, method, params, first) in cases {
            let again = ask(&mut site, key, method, params).await;
            assert_eq!(again["result"], first["result"], "{key}");
            assert_eq!(again["error"], first["error"], "{key}");
        }
        let anew = ask(&mut site, "c", "contact.abandon", &contact).await;
        assert_eq!(
            anew["error"]["code"], refused["error"]["code"],
            "the contact was abandoned once, by its first key: {anew}"
        );
        let other = ask(&mut site, "a", "contact.abandon", &nobody).await;
        assert_eq!(other["error"]["code"], "idempotency_mismatch", "{other}");
        program.kill();
    }
}
