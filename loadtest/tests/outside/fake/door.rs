//! The sockets and the HTTP route of the fake server.

use std::collections::HashMap;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::{Fault, Seat, Shared, Table, me, now_ms, turn};

/// A kept connection is closed after so many requests, as any server may do in a pause.
const REQUESTS: usize = 5;

/// Serves a listener for ever.
pub async fn accept(listener: TcpListener, floor: Shared) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let floor = floor.clone();
        tokio::spawn(async move {
            let mut first = [0; 4];
            let _ = stream.peek(&mut first).await;
            if &first == b"POST" {
                let _ = http(stream, floor).await;
            } else {
                let _ = socket(stream, floor).await;
            }
        });
    }
}

async fn http(stream: TcpStream, floor: Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    for _ in 0..REQUESTS {
        let mut headers = HashMap::new();
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
                None if line == "\r\n" => break,
                None => None,
            };
        }
        assert_eq!(headers["authorization"], "Bearer connector");
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        stream.read_exact(&mut body).await?;
        let result = turn(&floor)
            .submit(&serde_json::from_slice(&body).unwrap())
            .to_string();
        let answer = format!(
            "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{result}",
            result.len()
        );
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

#[allow(clippy::result_large_err, reason = "the library's signature")]
async fn socket(
    stream: TcpStream,
    floor: Shared,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut binary = false;
    let pick = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let asked = request.headers()["sec-websocket-protocol"].clone();
        binary = asked.as_bytes().ends_with(b"msgpack");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", asked);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, pick).await?;
    let (line, mut out) = unbounded_channel::<Value>();
    let mut user = String::new();
    loop {
        tokio::select! {
            message = out.recv() => {
                let Some(message) = message else { return Ok(()) };
                if message["type"] == "hang_up" {
                    socket.close(None).await?;
                    return Ok(());
                }
                let frame = match binary {
                    true => Message::Binary(rmp_serde::to_vec_named(&message)?.into()),
                    false => Message::Text(message.to_string().into()),
                };
                socket.send(frame).await?;
            }
            frame = socket.next() => {
                let Some(frame) = frame else { return Ok(()) };
                let message: Value = match frame? {
                    Message::Text(text) => serde_json::from_str(&text)?,
                    Message::Binary(bytes) => rmp_serde::from_slice(&bytes)?,
                    _ => continue,
                };
                hear(&floor, &message, &mut user, &line);
            }
        }
    }
}

fn hear(floor: &Shared, message: &Value, user: &mut String, line: &UnboundedSender<Value>) {
    let mut floor = turn(floor);
    let say = |message: Value| {
        let _ = line.send(message);
    };
    match message["type"].as_str().unwrap() {
        "hello" => {
            message["token"].as_str().unwrap().clone_into(user);
            say(
                json!({"type":"welcome","id":message["id"],"session":"s","epoch":"1","seq":floor.seq,
                "now":now_ms(),"user":{"id":user,"name":user,"roles":[]},"limits":{},"subs":[]}),
            );
            say(json!({"type":"ping","at":now_ms(),"positions":[["me",1]]}));
        }
        "pong" => assert!(message["client_now"].is_i64() || message["client_now"].is_u64()),
        "subscribe" => {
            let topic = message["topic"].as_str().unwrap();
            let sub = if topic == "connector" {
                topic.to_owned()
            } else {
                format!("v-{topic}")
            };
            say(json!({"type":"reply","id":message["id"],"seq":floor.seq,"result":{"sub":sub}}));
            if topic == "connector" {
                floor.connectors.push(line.clone());
                say(
                    json!({"type":"snapshot","sub":sub,"epoch":"1","as_of":floor.seq,"data":{"contacts":[]},"part":1,"last":true}),
                );
            } else {
                assert_eq!(message["params"]["hz"], 4);
                let key = if topic == "stats.queues" {
                    "queue-001"
                } else {
                    "agent-00001"
                };
                say(
                    json!({"type":"snapshot","sub":sub,"epoch":"1","as_of":floor.seq,"columns":["id","waiting","oldest"],
                    "rows":[[key,0,null]],"part":1,"last":true}),
                );
                floor.tables.push(Table {
                    line: line.clone(),
                    sub,
                    key: key.to_owned(),
                });
            }
        }
        "request" => {
            let id = &message["id"];
            let (seq, method) = (floor.seq, message["method"].as_str().unwrap());
            match answer(&mut floor, user, method, &message["params"], line) {
                Ok(result) => {
                    say(json!({"type":"reply","id":id,"seq":floor.seq.max(seq),"result":result}))
                }
                Err(error) => say(json!({"type":"reply","id":id,"seq":seq,"error":error})),
            }
        }
        other => panic!("a client said {other}"),
    }
}

fn answer(
    floor: &mut super::Floor,
    user: &str,
    method: &str,
    params: &Value,
    line: &UnboundedSender<Value>,
) -> Result<Value, Value> {
    let text = |key: &str| params[key].as_str().unwrap();
    match method {
        "agent.sign_in" => {
            Ok(json!({"sub":me(user),"agent":{"id":user},"offers":[],"contacts":[],"taken":[]}))
        }
        "agent.set_state" => {
            let seat = Seat {
                line: line.clone(),
                offers: Vec::new(),
                contacts: Vec::new(),
            };
            floor.seats.insert(user.to_owned(), seat);
            floor.tell(
                user,
                "agent.state_changed",
                user,
                &json!({"id":user,"state":"available","reason":null}),
            );
            Ok(json!({"agent":{"id":user}}))
        }
        "contact.accept" => floor.accept(user, text("offer")),
        "contact.end" => {
            floor.end(user, text("contact"));
            if floor.fault == Fault::HangUp && floor.offers > 20 {
                let _ = line.send(json!({"type":"hang_up"}));
            }
            Ok(json!({"contact":params["contact"]}))
        }
        "contact.wrap_up" => {
            assert_eq!(params["done"], true);
            floor.wrap_up(user, text("contact"));
            Ok(json!({"contact":params["contact"]}))
        }
        "media.report" => {
            floor.report(text("command"));
            Ok(json!({"command":params["command"]}))
        }
        "contact.submit" => Ok(floor.submit(params)),
        other => Err(json!({"code":"method_not_found","message":other,"retry":false})),
    }
}
