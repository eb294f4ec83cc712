//! The same methods over HTTP.

use super::client::PATIENCE;
use super::contacts::chat;
use super::house::House;
use futures::future::join_all;
use serde_json::{Value, json};
use switchroom::time::Span;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answered {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], json!(self.status));
        problem
    }
}

/// Sends bytes and reads the whole answer.
pub async fn raw(house: &House, request: &[u8]) -> Answered {
    let exchange = async {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    };
    let answer = timeout(PATIENCE, exchange).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answered {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// A request with these headers and this body, on a connection of its own.
pub async fn request(house: &House, line: &str, headers: &[(&str, &str)], body: &str) -> Answered {
    let mut text = format!(
        "{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        house.address
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    raw(house, text.as_bytes()).await
}

/// A JSON request of a user.
pub async fn post(house: &House, user: &str, path: &str, body: &Value) -> Answered {
    keyed(house, user, path, body, None).await
}

pub async fn keyed(
    house: &House,
    user: &str,
    path: &str,
    body: &Value,
    key: Option<&str>,
) -> Answered {
    let bearer = format!("Bearer {}", house.token(user));
    let mut headers = vec![
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    request(house, &format!("POST {path}"), &headers, &body.to_string()).await
}

#[tokio::test]
async fn a_contact_is_created_once_and_found_after() {
    let house = House::small().await;
    let first = post(&house, "site", "/v1/contacts", &chat("x-1")).await;
    assert_eq!(first.status, 201, "{first:?}");
    let contact = first.json()["contact"].as_str().unwrap().to_owned();
    assert_eq!(
        first.header("location"),
        Some(format!("/v1/contacts/{contact}").as_str())
    );
    let again = post(&house, "site", "/v1/contacts", &chat("x-1")).await;
    assert_eq!((again.status, again.body), (200, first.body));
    let other = post(&house, "site", "/v1/contacts", &chat("x-2")).await;
    assert_eq!(other.status, 201);
    assert_ne!(other.json()["contact"], json!(contact));
}

#[tokio::test]
async fn a_hundred_parallel_duplicates_make_one_contact() {
    let house = House::small().await;
    for key in [None, Some("\"k-1\"")] {
        let body = chat(&format!("dup {key:?}"));
        let submits = (0..100).map(|_| keyed(&house, "site", "/v1/contacts", &body, key));
        let answers = join_all(submits).await;
        let created = answers.iter().filter(|answer| answer.status == 201).count();
        let found = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((created, found), (1, 99), "{key:?}");
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    }
    let list = post(&house, "site", "/v1/methods/contact.list", &json!({})).await;
    assert_eq!(list.json()["total"], 2);
}

#[tokio::test]
async fn a_batch_succeeds_or_fails_contact_by_contact() {
    let house = House::small().await;
    let mut unknown = chat("x-3");
    unknown["queue"] = json!("nowhere");
    let body =
        json!({"contacts": [chat("x-1"), chat("x-1"), unknown, {"channel": 7}, chat("x-2")]});
    let answer = post(&house, "site", "/v1/contacts:batch", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.json()["results"].clone();
    let statuses: Vec<_> = (0..5).map(|at| results[at]["status"].clone()).collect();
    assert_eq!(json!(statuses[2..]), json!([404, 422, 201]));
    let mut twins = statuses[..2].to_vec();
    twins.sort_by_key(Value::as_u64);
    assert_eq!(json!(twins), json!([200, 201]));
    assert_eq!(results[0]["body"], results[1]["body"]);
    assert_eq!(results[2]["error"]["code"], "not_found");
    assert_eq!(results[2]["error"]["data"]["pointer"], "/queue");
    assert_eq!(results[3]["error"]["data"]["pointer"], "/channel");
    for bad in [
        json!({"contacts": []}),
        json!({"contacts": 7}),
        json!({"contacts": vec![json!({}); 101]}),
    ] {
        let answer = post(&house, "site", "/v1/contacts:batch", &bad).await;
        assert_eq!(
            (answer.status, &answer.problem()["pointer"]),
            (422, &json!("/contacts"))
        );
    }
}

#[tokio::test]
async fn any_method_runs_with_the_same_params_and_errors() {
    let house = House::small().await;
    let contact = post(&house, "site", "/v1/contacts", &chat("x-1"))
        .await
        .json()["contact"]
        .clone();
    let seen = post(
        &house,
        "sue",
        "/v1/methods/contact.get",
        &json!({"contact": contact}),
    )
    .await;
    assert_eq!(
        (seen.status, &seen.json()["state"]),
        (200, &json!("waiting"))
    );
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let bearer = format!("Bearer {}", house.token("sue"));
    let without_body = request(
        &house,
        "POST /v1/methods/queue.list",
        &[("authorization", &bearer)],
        "",
    )
    .await;
    assert_eq!(without_body.status, 200, "{without_body:?}");

    let cases = [
        ("contact.acept", json!({}), 404, "method_not_found"),
        ("contact.get", json!({}), 422, "validation_failed"),
        (
            "contact.get",
            json!({"contact": "nothing"}),
            404,
            "not_found",
        ),
        ("contact.submit", chat("x"), 403, "forbidden"),
        ("agent.sign_in", json!({}), 409, "invalid_state"),
    ];
    for (method, params, status, code) in cases {
        let answer = post(&house, "sue", &format!("/v1/methods/{method}"), &params).await;
        let problem = answer.problem();
        assert_eq!(
            (answer.status, &problem["code"]),
            (status, &json!(code)),
            "{method}"
        );
        assert_eq!(
            problem["type"],
            json!(format!("urn:switchroom:error:{code}"))
        );
    }
    let answer = post(&house, "sue", "/v1/methods/contact.get", &json!({})).await;
    assert_eq!(answer.problem()["pointer"], "/contact");
}

#[tokio::test]
async fn an_idempotency_key_is_answered_again_and_refuses_other_content() {
    let house = House::small().await;
    let first = keyed(&house, "site", "/v1/contacts", &chat("x-1"), Some("k")).await;
    let again = keyed(&house, "site", "/v1/contacts", &chat("x-1"), Some("\"k\"")).await;
    assert_eq!(
        (first.status, again.status, &first.body),
        (201, 200, &again.body)
    );
    let other = keyed(&house, "site", "/v1/contacts", &chat("x-2"), Some("k")).await;
    assert_eq!(
        (other.status, &other.problem()["code"]),
        (422, &json!("idempotency_mismatch"))
    );
    let empty = keyed(&house, "site", "/v1/contacts", &chat("x-2"), Some("\"\"")).await;
    assert_eq!(empty.status, 400);
}

#[tokio::test]
async fn bad_requests_are_answered_with_problems() {
    let house = House::small().await;
    let bearer = format!("Bearer {}", house.token("site"));
    let auth = ("authorization", bearer.as_str());
    let json_type = ("content-type", "application/json");
    let large = json!({"padding": "x".repeat(300_000)}).to_string();
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let good = chat("x-1").to_string();
    let cases: [(&str, &[(&str, &str)], &str, u16); 10] = [
        ("POST /v1/contacts", &[json_type], &good, 401),
        (
            "POST /v1/contacts",
            &[("authorization", "Bearer x.y.z"), json_type],
            &good,
            401,
        ),
        (
            "POST /v1/contacts",
            &[("authorization", "Basic eDp5"), json_type],
            &good,
            401,
        ),
        (
            "POST /v1/contacts",
            &[auth, ("content-type", "text/plain")],
            &good,
            415,
        ),
        ("POST /v1/contacts", &[auth], &good, 415),
        ("POST /v1/contacts", &[auth, json_type], "{", 400),
        ("POST /v1/contacts", &[auth, json_type], &deep, 400),
        ("POST /v1/contacts", &[auth, json_type], &large, 413),
        ("POST /v1/contacts", &[auth, json_type], "[]", 422),
        ("POST /v1/nothing", &[auth, json_type], &good, 404),
    ];
    for (line, headers, body, status) in cases {
        let answer = request(&house, line, headers, body).await;
        assert_eq!(answer.status, status, "{line} {headers:?}: {answer:?}");
        answer.problem();
        if status == 401 {
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
}

#[tokio::test]
async fn bodies_are_text_and_have_a_limit() {
    let house = House::small().await;
    let padding = "x".repeat(1_100_000);
    let large = json!({"contacts": [chat("x-1")], "padding": padding});
    let answer = post(&house, "site", "/v1/contacts:batch", &large).await;
    assert_eq!(
        (answer.status, &answer.problem()["code"]),
        (413, &json!("too_large"))
    );
    for path in [
        "/v1/contacts",
        "/v1/contacts:batch",
        "/v1/methods/queue.list",
    ] {
        let body = b"{\"x\":\"\xff\xfe\"}";
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            house.address,
            house.token("site"),
            body.len()
        );
        let answer = raw(&house, &[head.as_bytes(), body].concat()).await;
        assert_eq!(
            (answer.status, &answer.problem()["code"]),
            (400, &json!("bad_request"))
        );
    }
}

#[tokio::test]
async fn a_user_who_asks_too_fast_is_told_when_to_come_back() {
    let house = House::by_hand().await;
    let path = "/v1/methods/session.workspaces";
    for _ in 0..100 {
        assert_eq!(post(&house, "ana", path, &json!({})).await.status, 200);
    }
    let refused = post(&house, "ana", path, &json!({})).await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let problem = refused.problem();
    assert_eq!(
        (&problem["code"], &problem["after_ms"]),
        (&json!("rate_limited"), &json!(20))
    );
    assert_eq!(post(&house, "bo", path, &json!({})).await.status, 200);
    house.clock.move_on(Span(20));
    assert_eq!(post(&house, "ana", path, &json!({})).await.status, 200);

    // Each contact of a batch counts.
    let batch = json!({"contacts": vec![json!({}); 100]});
    for _ in 0..40 {
        assert_eq!(
            post(&house, "site", "/v1/contacts:batch", &batch)
                .await
                .status,
            200
        );
    }
    let refused = post(&house, "site", "/v1/contacts:batch", &batch).await;
    assert_eq!(refused.status, 429, "{refused:?}");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_its_connection() {
    let house = House::by_hand().await;
    let before = house.tasks.len();
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let ask = format!("GET /metrics HTTP/1.1\r\nhost: {}\r\n\r\n", house.address);
    let (reading, mut writing) = stream.split();
    let ended = async {
        while house.tasks.len() > before {
            house.clock.move_on(Span::seconds(1));
            tokio::task::yield_now().await;
        }
    };
    // Far more answers than the kernel keeps.
    let asks = ask.repeat(10_000);
    let asked = async {
        let _ = writing.write_all(asks.as_bytes()).await;
        std::future::pending::<()>().await;
    };
    let ended = async {
        // The connection is served before it can end.
        reading.readable().await.unwrap();
        ended.await;
    };
    let ended = timeout(PATIENCE, async {
        tokio::select! {
            () = ended => {}
            () = asked => {}
        }
    });
    ended.await.expect("the connection is closed");
}

#[tokio::test]
async fn routes_answer_the_methods_they_have_and_name_them_to_others() {
    let house = House::small().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = request(&house, &format!("GET {path}"), &[], "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let head = request(&house, &format!("HEAD {path}"), &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        let wrong = request(&house, &format!("POST {path}"), &[], "").await;
        assert_eq!(
            (wrong.status, wrong.header("allow")),
            (405, Some("GET, HEAD")),
            "{path}"
        );
        wrong.problem();
    }
    for path in [
        "/v1/contacts",
        "/v1/contacts:batch",
        "/v1/methods/queue.list",
    ] {
        let wrong = request(&house, &format!("GET {path}"), &[], "").await;
        assert_eq!(
            (wrong.status, wrong.header("allow")),
            (405, Some("POST")),
            "{path}"
        );
        wrong.problem();
    }
    let plain = request(&house, "GET /v1/ws", &[], "").await;
    assert_eq!(
        (plain.status, plain.header("upgrade")),
        (426, Some("websocket"))
    );
    plain.problem();
    let metrics = request(&house, "GET /metrics", &[], "").await;
    assert!(metrics.body.contains("switchroom_"), "{}", metrics.body);
}

#[tokio::test]
async fn a_server_that_stops_is_not_ready_and_takes_nobody_in() {
    let house = House::small().await;
    let mut kept = TcpStream::connect(house.address).await.unwrap();
    let ask = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", house.address);
    let mut answer = vec![0; 1_024];
    kept.write_all(ask.as_bytes()).await.unwrap();
    let read = timeout(PATIENCE, kept.read(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 200"));
    // A request that is in hand is answered to its end.
    kept.write_all(&ask.as_bytes()[..10]).await.unwrap();
    house.stop.cancel();
    kept.write_all(&ask.as_bytes()[10..]).await.unwrap();
    let mut rest = String::new();
    timeout(PATIENCE, kept.read_to_string(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert!(
        rest.is_empty() || rest.starts_with("HTTP/1.1 503"),
        "{rest}"
    );
    assert!(TcpStream::connect(house.address).await.is_err() || house.server.is_stopping());
}

#[tokio::test]
async fn authorize_answers_in_order() {
    let house = House::small().await;
    let items = json!({"items": [
        {"privilege": "contact.accept"},
        {"operation": "contact.submit"},
        {"privilege": "agent.state.set", "object": {"agent": "ana"}},
        {"privilege": "agent.state.set", "object": {"agent": "max"}},
        {"privilege": "dashboard.queues", "object": {"queue": "support"}},
        {"privilege": "dashboard.queues", "object": {"queue": "sales"}},
        {"privilege": "no.such"},
    ]});
    let answer = post(&house, "sue", "/v1/methods/authorize", &items).await;
    let answers = answer.json()["answers"].clone();
    let allowed: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["allowed"].clone())
        .collect();
    assert_eq!(
        json!(allowed),
        json!([true, false, true, false, true, false, false]),
        "{answers}"
    );
}
