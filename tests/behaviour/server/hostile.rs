//! Requests that mean harm.

use super::super::program::Program;
use super::Server;
use carburetor::clock::Clock;
use carburetor::server::Limits;
use chrono::Utc;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What breaks out of quotes, of comments and of binds.
const SQL: [&str; 14] = [
    "'",
    "\"",
    "''; drop table notes; --",
    "\"; drop table notes; --",
    "') or 1=1 --",
    "x' union select sql from sqlite_master --",
    "/* ",
    "$1",
    "?1",
    "$$; drop table notes; $$",
    "\\'; drop table notes; --",
    "{}%s%",
    "\u{0}",
    "\u{feff}\u{202e}'",
];

fn clock(counter: u16) -> String {
    let millis = u64::try_from(Utc::now().timestamp_millis()).unwrap();
    Clock::new(millis, counter, 7).to_string()
}

/// What `place` says stands in the middle of a change that is otherwise in order.
fn change(place: &str, counter: u16, put: &Value) -> Value {
    let id = format!("n{counter}");
    let mut change = json!({
        "table": "notes", "id": id, "clock": clock(counter), "base": null,
        "insert": {"id": id, "title": "t", "team": "red"},
    });
    match place {
        "column" => {
            let name = put.as_str().map_or_else(|| put.to_string(), str::to_owned);
            change["insert"][name] = json!("x");
        }
        "was" => change["was"] = json!({ "title": put }),
        "title" | "team" => change["insert"][place] = put.clone(),
        "both" => {
            change["id"] = put.clone();
            change["insert"]["id"] = put.clone();
        }
        _ => change[place] = put.clone(),
    }
    change
}

const PLACES: [&str; 11] = [
    "table", "id", "clock", "base", "insert", "update", "column", "title", "team", "was", "both",
];

fn says_nothing(text: &str) {
    let text = text.to_lowercase();
    for word in [
        "syntax",
        "select ",
        "insert into",
        "pg_catalog",
        "sqlite",
        "unterminated",
        "drop table",
    ] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

fn is_alive(server: &Server, program: &Program) {
    let (status, page) = program.get(&program.client("red"), "web/download");
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(server.notes("blue").len(), 1);
    let ours = server.notes("red");
    assert!(
        ours.iter().any(|(id, title)| id == "a" && title == "one"),
        "{ours:?}"
    );
}

#[test]
fn sql_in_any_field_of_a_change_is_only_text() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let mut counter = 0;
    for place in PLACES {
        for sql in SQL {
            counter += 1;
            let sent = change(place, counter, &json!(sql));
            let body = json!({"carburetor": 1, "changes": [sent]}).to_string();
            let (status, said) = program.post(red, "web/upload", body.into());
            assert!(
                [200, 400].contains(&status.as_u16()),
                "{place} {sql:?}: {said}"
            );
            // What it was told may come back, nothing else.
            if !sql.contains("drop") && !sql.contains("select") {
                says_nothing(&said.to_string());
            }
            // A value is kept as it was sent.
            if ["title", "both"].contains(&place) && said["outcomes"][0]["verdict"] == "applied" {
                let kept = server.notes("red");
                assert!(
                    kept.iter().any(|(id, title)| id == sql || title == sql),
                    "{kept:?}"
                );
            }
        }
    }
    let confirmed = json!({"carburetor": 1, "confirmed": "' or 1=1 --", "changes": []});
    let (status, _) = program.post(red, "web/upload", confirmed.to_string().into());
    assert_eq!(status, StatusCode::BAD_REQUEST);
    is_alive(&server, &program);
}

#[test]
fn sql_in_a_question_or_a_token_is_only_text() {
    use base64::Engine;
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let (_, page) = program.get(red, "web/download");
    let token = page["next"].as_str().unwrap();
    let engine = base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let whole: Value = serde_json::from_slice(&engine.decode(token).unwrap()).unwrap();
    let ask = |question: &[(&str, &str)]| {
        let mut url = reqwest::Url::parse(&program.url("web/download")).unwrap();
        url.query_pairs_mut().extend_pairs(question);
        let (status, said) = program.runtime.block_on(async {
            let answer = red.get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        });
        assert!([200, 400].contains(&status), "{question:?}: {said}");
        said
    };
    for sql in SQL {
        for name in ["since", "limit", "other", sql] {
            says_nothing(&ask(&[(name, sql)]).replace(sql, ""));
        }
        for path in ["v", "l", "t"] {
            let mut forged = whole.clone();
            forged[path] = json!(sql);
            ask(&[("since", &engine.encode(forged.to_string()))]);
        }
        for member in ["n", "s", "f", "g", "a", "k"] {
            for put in [
                json!(sql),
                json!([sql]),
                json!([[sql, sql]]),
                json!({ sql: sql }),
            ] {
                let mut forged = whole.clone();
                forged["t"][0][member] = put;
                ask(&[
                    ("since", &engine.encode(forged.to_string())),
                    ("limit", "1"),
                ]);
            }
        }
    }
    // Instants and generations out of all bounds.
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        for member in ["s", "g"] {
            let mut forged = whole.clone();
            forged["t"][0][member] = json!(number);
            ask(&[("since", &engine.encode(forged.to_string()))]);
        }
    }
    is_alive(&server, &program);
}

#[test]
fn deep_json_is_refused_wherever_it_stands() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let depth = 500_000;
    let deep = [
        format!("{}1{}", "[".repeat(depth), "]".repeat(depth)),
        format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
        "[".repeat(depth),
    ];
    let marker = "\"here\"";
    for put in &deep {
        let mut bodies: Vec<String> = PLACES
            .into_iter()
            .map(|place| {
                let change = change(place, 1, &json!("here")).to_string();
                let change = match place {
                    "column" => change.replace("\"here\":\"x\"", "\"here\":\"here\""),
                    _ => change,
                };
                format!("{{\"carburetor\":1,\"changes\":[{change}]}}").replacen(marker, put, 1)
            })
            .collect();
        bodies.extend([
            put.clone(),
            format!("{{\"carburetor\":{put},\"changes\":[]}}"),
            format!("{{\"carburetor\":1,\"changes\":{put}}}"),
            format!("{{\"carburetor\":1,\"changes\":[{put}]}}"),
            format!("{{\"carburetor\":1,\"changes\":[],\"confirmed\":{put}}}"),
        ]);
        for body in bodies {
            let start = body[..60.min(body.len())].to_owned();
            let (status, said) = program.post(red, "web/upload", body.into());
            assert_eq!(
                (status.as_u16(), &said["code"]),
                (400, &json!("message")),
                "{start}: {said}"
            );
            assert!(said.to_string().len() < 1000, "{said}");
        }
    }
    is_alive(&server, &program);
}

#[test]
fn what_is_no_text_is_refused() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let whole = json!({"carburetor": 1, "changes": [change("id", 1, &json!("here"))]}).to_string();
    for bad in [
        &b"\xff"[..],
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\ud800",
        b"\x00",
    ] {
        let at = whole.find("here").unwrap();
        let body = [&whole.as_bytes()[..at], bad, &whole.as_bytes()[at + 4..]].concat();
        let (status, said) = program.post(red, "web/upload", body);
        assert_eq!(
            (status.as_u16(), &said["code"]),
            (400, &json!("message")),
            "{said}"
        );
    }
    is_alive(&server, &program);
}

#[test]
fn a_body_that_trickles_is_cut_off() {
    let server = Server::new();
    let limits = Limits {
        time: Duration::from_secs(2),
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    for head in ["content-length: 100000", "transfer-encoding: chunked"] {
        let mut stream = TcpStream::connect(program.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let request = format!(
            "POST /sync/web/upload HTTP/1.1\r\nhost: x\r\nx-team: red\r\ncontent-type: application/json\r\n{head}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let started = Instant::now();
        let mut said = Vec::new();
        let mut buffer = [0; 4096];
        let is_closed = loop {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "it reads for ever"
            );
            let piece = if head.contains("chunked") {
                &b"1\r\n \r\n"[..]
            } else {
                b" "
            };
            let is_gone = stream.write_all(piece).is_err();
            match stream.read(&mut buffer) {
                Ok(0) => break true,
                Ok(count) => said.extend_from_slice(&buffer[..count]),
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(_) => break true,
            }
            if is_gone {
                break true;
            }
        };
        assert!(is_closed);
        assert!(started.elapsed() >= Duration::from_secs(2));
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
        assert!(
            said.contains("application/problem+json") && said.contains("\"code\":\"slow\""),
            "{said}"
        );
    }
    is_alive(&server, &program);
}

#[test]
fn what_is_foreign_is_repeated_in_part_only() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let long = "n".repeat(3 << 20);
    let clock = |counter: u16| {
        let millis = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
        carburetor::clock::Clock::new(millis, counter, 7).to_string()
    };
    let changes = [
        json!({"table": &long, "id": "a", "clock": clock(0), "delete": true}),
        json!({"table": "notes", "id": "a", "clock": clock(1), "update": {&long: 1}}),
    ];
    for change in changes {
        let body = json!({"carburetor": 1, "changes": [change]}).to_string();
        // The stored outcome is as short as the first one.
        for _ in 0..2 {
            let (status, said) = program.post(red, "web/upload", body.clone().into());
            assert_eq!(status.as_u16(), 200);
            assert_eq!(said["outcomes"][0]["code"], "invalid");
            assert!(said.to_string().len() < 10_000);
        }
    }
    for (body, path) in [
        (
            json!({"carburetor": 1, "changes": [{"table": "notes", "id": "a", "clock": &long, "delete": true}]}),
            "web/upload",
        ),
        (json!({"carburetor": &long, "changes": []}), "web/upload"),
    ] {
        let (status, said) = program.post(red, path, body.to_string().into());
        assert_eq!(status.as_u16(), 400);
        assert!(said.to_string().len() < 10_000);
    }
}
