//! Reports over HTTP: what happened, in three formats, page by page, and no byte of it for whom
//! it is not.

use super::client::{Encoding, PATIENCE};
use super::contacts::{available, chat};
use super::house::{House, SMALL};
use super::http::{Answered, post, request};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use switchroom::journal::erase::{Erased, Whose, erase};
use switchroom::journal::history::{FILE, History};
use tempfile::TempDir;

/// More people: who supervises the other team, who audits nothing, who sees agents by
/// pseudonyms alone, and who agent of the other team is.
const PEOPLE: &str = r#"
[workspace.main.users.ted]
roles = ["supervisor"]
teams = ["other"]
supervises = { teams = ["other"], queues = ["sales"] }
[workspace.main.users.oli]
roles = ["agent"]
teams = ["other"]
[workspace.main.users.veil]
grants = [
  { privilege = "session.open", scope = "own" },
  { privilege = "report.view", scope = "all" },
  { privilege = "audit.view", scope = "all" },
  { privilege = "dashboard.agents", scope = "all" },
]
roles = []
"#;

/// Chats of one queue are to be answered within seven seconds.
const TERMS: [&str; 2] = ["terms.chat = { ", "terms.chat = { target = \"7s\", "];

async fn get(house: &House, user: &str, path: &str, accept: Option<&str>) -> Answered {
    let bearer = format!("Bearer {}", house.token(user));
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(accept.map(|accept| ("accept", accept)));
    request(house, &format!("GET /v1/reports/{path}"), &headers, "").await
}

/// The rows of a report, as a user sees them.
async fn rows(house: &House, user: &str, path: &str) -> Vec<Value> {
    let answered = get(house, user, path, None).await;
    assert_eq!(answered.status, 200, "{user} {path}: {answered:?}");
    answered.json()["rows"].as_array().unwrap().clone()
}

/// Waits until the history has taken in that so many contacts are closed.
async fn closed(folder: &Path, wanted: i64) {
    let file = folder.join(FILE);
    let look = async {
        loop {
            let file = Connection::open(&file).unwrap();
            let count = "SELECT count(*) FROM contacts WHERE closed_at IS NOT NULL";
            if file.query_row(count, [], |row| row.get(0)) == Ok(wanted) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, look).await;
    done.expect("the history takes it in");
}

/// Two contacts in support, one answered by ana and closed and one abandoned; one in sales that
/// oli answers.
async fn day(house: &House, folder: &Path) -> [String; 3] {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut contacts = Vec::new();
    for (user, queue) in [("ana", "support"), ("oli", "sales")] {
        let mut agent = available(house, user, Encoding::Json).await;
        let mut new = chat(&format!("x-{user}"));
        new["queue"] = json!(queue);
        let submitted = post(house, "site", "/v1/contacts", &new).await.json();
        let made = agent.event("offer.made").await;
        let offer = json!({"offer": made["data"]["offer"]});
        agent.result("contact.accept", offer).await;
        agent.event("leg.connected").await;
        agent
            .result(
                "agent.set_state",
                json!({"state": "not_ready", "reason": "lunch"}),
            )
            .await;
        contacts.push(text(&submitted["contact"]));
    }
    let left = post(house, "site", "/v1/contacts", &chat("x-left")).await;
    let left = text(&left.json()["contact"]);
    for contact in [&contacts[0], &left] {
        let path = "/v1/methods/contact.abandon";
        let gone = post(house, "site", path, &json!({"contact": contact})).await;
        assert_eq!(gone.status, 200, "{gone:?}");
    }
    closed(folder, 2).await;
    [contacts.remove(0), contacts.remove(0), left]
}

async fn open(folder: &Path) -> (House, History) {
    let small = SMALL.replace(TERMS[0], TERMS[1]);
    House::keeping(&format!("{small}{PEOPLE}"), folder).await
}

async fn close((house, history): (House, History), folder: TempDir) {
    house.engine.stop().await;
    tokio::task::spawn_blocking(|| history.stop())
        .await
        .unwrap();
    drop(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_read_in_every_format_and_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let (house, history) = open(folder.path()).await;
    let [served, in_sales, left] = day(&house, folder.path()).await;

    let contacts = rows(&house, "max", "contacts").await;
    let of = |contact: &str| {
        contacts
            .iter()
            .find(|row| row["contact"] == contact)
            .unwrap()
    };
    assert_eq!(of(&served)["answered_by"], "ana");
    assert_eq!(of(&served)["answered_team"], "service");
    assert_eq!(of(&served)["outcome"], "completed");
    assert_eq!(of(&served)["customer_id"], "c-9");
    assert_eq!(of(&left)["outcome"], "short_abandoned");
    assert_eq!(of(&left)["answered_at"], Value::Null);
    assert_eq!(of(&in_sales)["closed_at"], Value::Null);

    // Page by page, by the link of each, it is the same.
    let mut paged = Vec::new();
    let mut path = "contacts?limit=1".to_owned();
    loop {
        let page = get(&house, "max", &path, None).await;
        let link = page.header("link").map(str::to_owned);
        let json = page.json();
        assert_eq!(json["next"].is_null(), link.is_none());
        paged.extend(json["rows"].as_array().unwrap().clone());
        let Some(link) = link else { break };
        let link = link.strip_prefix("</v1/reports/").unwrap();
        path = link.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(paged, contacts);

    let lines = get(&house, "max", "contacts", Some("application/x-ndjson")).await;
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<Value> = lines
        .body
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines, contacts);
    let table = get(&house, "max", "contacts?format=csv&queue=sales", None).await;
    assert_eq!(
        table.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let mut table = table.body.split("\r\n");
    assert!(table.next().unwrap().contains(",waited_s,answered_by,"));
    assert!(
        table
            .next()
            .unwrap()
            .starts_with(&format!("{in_sales},x-oli,c-9,chat,sales,"))
    );
    assert_eq!(table.next(), Some(""));

    for (query, count) in [
        ("contacts?from=2020-01-01&to=2021-01-01", 0),
        ("contacts?from=2020-01-01T00:00:00Z", 3),
        ("contacts?agent=ana", 1),
        ("contacts?channel=voice", 0),
        ("contacts?queue=nobody", 0),
        ("segments?agent=ana", 2),
        ("queue_intervals?queue=sales&agent=ana", 0),
    ] {
        assert_eq!(rows(&house, "max", query).await.len(), count, "{query}");
    }
    let half_hours = rows(&house, "max", "queue_intervals?queue=support").await;
    let chats = half_hours.iter().filter(|row| row["channel"] == "chat");
    let within: Vec<&Value> = chats.map(|row| &row["threshold_ms"]).collect();
    assert!(
        !within.is_empty() && within.iter().all(|ms| **ms == 7_000),
        "{within:?}"
    );
    let sum = |name: &str| {
        half_hours
            .iter()
            .map(|row| row[name].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(
        ["entered", "answered", "short_abandoned", "handled"].map(sum),
        [2, 1, 1, 1]
    );
    let states = rows(&house, "max", "agent_states?agent=ana").await;
    assert_eq!(states.last().unwrap()["reason"], "lunch");
    let acts = rows(&house, "max", "audit?agent=ana").await;
    assert!(
        acts.iter()
            .any(|row| row["action"] == "agent.signed_in" && row["user"] == "ana")
    );

    for (query, status, pointer) in [
        ("contact", 404, None),
        ("contacts?limit=0", 422, Some("/limit")),
        ("contacts?from=yesterday", 422, Some("/from")),
        ("contacts?cursor=AAAA", 422, Some("/cursor")),
        ("contacts?format=xml", 422, Some("/format")),
        ("contacts?queue=a&queue=b", 422, Some("/queue")),
        ("contacts?queues=a", 422, Some("")),
    ] {
        let answered = get(&house, "max", query, None).await;
        assert_eq!(answered.status, status, "{query}");
        assert_eq!(answered.problem()["pointer"].as_str(), pointer, "{query}");
    }
    let bearer = format!("Bearer {}", house.token("max"));
    let headers = [("authorization", bearer.as_str())];
    let posted = request(&house, "POST /v1/reports/contacts", &headers, "").await;
    assert_eq!(
        (posted.status, posted.header("allow")),
        (405, Some("GET, HEAD"))
    );
    close((house, history), folder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_shown_a_row_outside_of_his_scopes_nor_an_agent_through_a_veil() {
    let folder = tempfile::tempdir().unwrap();
    let (house, history) = open(folder.path()).await;
    let [served, in_sales, left] = day(&house, folder.path()).await;

    for (user, report) in [("ana", "contacts"), ("site", "contacts"), ("wall", "audit")] {
        let refused = get(&house, user, report, None).await;
        assert_eq!(refused.status, 403, "{user} {report}");
    }
    // Each supervisor sees what is of the own team and queue, whatever is asked for.
    for (user, mine, not_mine) in [
        (
            "sue",
            vec![&served, &left, &"ana".to_owned()],
            [&in_sales, "oli", "x-oli"],
        ),
        (
            "ted",
            vec![&in_sales, &"oli".to_owned()],
            [&served, "\"ana\"", "x-ana"],
        ),
    ] {
        let mut all = String::new();
        for report in [
            "contacts",
            "segments",
            "agent_states",
            "queue_intervals",
            "agent_intervals",
        ] {
            for filter in ["", "?queue=support", "?agent=oli", "?agent=ana&limit=1"] {
                all += &get(&house, user, &format!("{report}{filter}"), None)
                    .await
                    .body;
            }
        }
        let audit = get(&house, user, "audit", None).await.body;
        for text in mine {
            assert!(all.contains(text), "{user} sees {text}");
        }
        for text in not_mine {
            assert!(!all.contains(text), "{user} is shown {text}");
            assert!(!audit.contains(text), "{user} is shown {text}");
        }
    }
    // Through the veil nothing tells who an agent is.
    let mut all = String::new();
    for report in [
        "contacts",
        "segments",
        "queue_intervals",
        "contacts?format=csv",
        "segments?format=ndjson",
    ] {
        let answered = get(&house, "veil", report, None).await;
        assert_eq!(answered.status, 200, "{report}");
        all += &answered.body;
    }
    assert!(all.contains(&served) && all.contains(&in_sales));
    for hidden in [
        "\"ana\"",
        "\"oli\"",
        ",ana,",
        ",oli,",
        "\"leg\"",
        "\"service\"",
        ",service,",
    ] {
        assert!(!all.contains(hidden), "{hidden} is told");
    }
    for report in [
        "agent_states",
        "agent_intervals",
        "audit",
        "contacts?agent=ana",
        "segments?agent=ana",
    ] {
        let refused = get(&house, "veil", report, None).await;
        assert_eq!(refused.status, 403, "{report}");
    }
    close((house, history), folder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_erased_beside_a_running_server_and_counts_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (house, history) = open(folder.path()).await;
    let [served, in_sales, _] = day(&house, folder.path()).await;
    let before = rows(&house, "max", "queue_intervals").await;

    let path = folder.path().to_path_buf();
    let whose = Whose::Customer("c-9".into());
    let erased = tokio::task::spawn_blocking(move || erase(&path, &whose)).await;
    let erased = erased.unwrap().unwrap();
    let wanted = Erased {
        contacts: 2,
        texts: 2,
        alive: 1,
        copied: true,
    };
    assert_eq!(erased, wanted, "the contact in conversation is left");
    let contacts = rows(&house, "max", "contacts").await;
    for row in &contacts {
        let gone = row["contact"] != in_sales;
        assert_eq!(row["customer_id"].is_null(), gone, "{row}");
        assert_eq!(row["external_id"].is_null(), gone, "{row}");
    }
    assert_eq!(rows(&house, "max", "queue_intervals").await, before);

    // It goes on, and what is over later is erased later.
    let end = json!({"contact": in_sales});
    post(&house, "site", "/v1/methods/contact.abandon", &end).await;
    let of = json!({"agent": "oli", "contact": in_sales});
    let ended = post(&house, "max", "/v1/methods/agent.end_wrap_up", &of).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    closed(folder.path(), 3).await;
    close((house, history), TempDir::new().unwrap()).await;
    let erased = erase(folder.path(), &Whose::Customer("c-9".into())).unwrap();
    assert_eq!((erased.contacts, erased.texts, erased.alive), (1, 1, 0));
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for text in ["Rosa Luz", "rosa@example.org"] {
            let found = bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes());
            assert!(!found, "{text} is still in {}", path.display());
        }
    }
    // A history that is made anew knows no more.
    let file = folder.path().join(FILE);
    std::fs::remove_file(&file).unwrap();
    let (house, history) = open(folder.path()).await;
    closed(folder.path(), 3).await;
    let contacts = rows(&house, "max", "contacts").await;
    for row in &contacts {
        assert_eq!(
            (&row["external_id"], &row["customer_id"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert!(contacts.iter().any(|row| row["contact"] == served));
    close((house, history), folder).await;
}

#[tokio::test]
async fn without_a_log_on_disk_there_is_no_history() {
    let house = House::small().await;
    let answered = get(&house, "max", "contacts", None).await;
    assert_eq!(answered.status, 503);
    let problem = answered.problem();
    assert_eq!(problem["code"], "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("in memory"));
}
