//! A workspace that drains takes nothing new, finishes what it has, and goes on draining when the
//! server starts again.

use super::client::{Client, Encoding};
use super::contacts::chat;
use super::crash::program::{Access, FILE, Program};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

async fn open(program: &Program, user: &str) -> Client {
    let Access { address, token } = program.access(user);
    let mut client = Client::connect(address, Encoding::Json).await;
    let welcome = client.hello(json!({"token": token})).await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    client
}

fn is_warning(message: &Value) -> bool {
    message["type"] == "warning" && message["code"] == "draining"
}

/// Runs `switchroom drain`; what it said.
fn drain(folder: &Path, program: &Program, more: &[&str]) -> String {
    let address = program.address().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_switchroom"))
        .args(["drain", "-c", FILE, "--address", &address])
        .args(more)
        .current_dir(folder)
        .env_remove("SWITCHROOM_DATA")
        .env_remove("SWITCHROOM_CONFIG")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn a_drained_workspace_finishes_its_work_and_takes_nothing_new_until_that_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    assert!(program.page("/readyz").ends_with("ready\n"));
    let mut site = open(&program, "site").await;
    let first = site.result("contact.submit", chat("x-1")).await;
    let said = drain(folder.path(), &program, &[]);
    assert_eq!(said, "workspace main drains: no new contacts are taken\n");
    site.expect("a warning", is_warning).await;

    for _ in 0..2 {
        let ready = program.page("/readyz");
        assert!(
            ready.starts_with("HTTP/1.1 503") && ready.ends_with("draining\n"),
            "{ready}"
        );
        let error = site.error("contact.submit", chat("x-2")).await;
        assert_eq!(
            (&error["code"], &error["retry"]),
            (&json!("unavailable"), &json!(true))
        );
        let again = site.result("contact.submit", chat("x-1")).await;
        assert_eq!(
            again["contact"], first["contact"],
            "what is known is answered"
        );
        program.kill();
        program = Program::start(folder.path());
        site = open(&program, "site").await;
        site.expect("a warning", is_warning).await;
    }
    // What waits is served: agents may still come.
    let mut agent = open(&program, "a1").await;
    agent.result("agent.sign_in", json!({})).await;
    let made = agent.event("offer.made").await;
    let offer = json!({"offer": made["data"]["offer"]});
    agent.result("contact.accept", offer).await;
    agent.event("leg.connected").await;
    let contact = json!({"contact": first["contact"]});
    agent.result("contact.end", contact).await;
    let error = agent
        .error("workspace.drain", json!({"cancel": true}))
        .await;
    assert_eq!(error["code"], "forbidden");

    let said = drain(folder.path(), &program, &["--cancel"]);
    assert_eq!(said, "workspace main takes new contacts again\n");
    assert!(program.page("/readyz").ends_with("ready\n"));
    site.result("contact.submit", chat("x-2")).await;
    let said = drain(folder.path(), &program, &["--user", "a1"]);
    assert!(said.contains("workspace.drain"), "{said}");
}
