//! Requests that are refused say why, and nothing else.

use super::Server;
use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::server::Limits;
use chrono::Utc;
use diesel::connection::SimpleConnection;
use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use serde_json::{Value, json};
use std::time::Duration;

fn delete(millis: u64, counter: u16) -> Change {
    Change::new("notes", "a", Clock::new(millis, counter, 7), Edit::Delete)
}

fn body(changes: Vec<Change>) -> Vec<u8> {
    serde_json::to_vec(&Changes::new(changes)).unwrap()
}

fn now() -> u64 {
    u64::try_from(Utc::now().timestamp_millis()).unwrap()
}

#[test]
fn a_request_that_can_not_be_read_is_refused_with_the_remedy() {
    let server = Server::new();
    let limits = Limits {
        body: 2000,
        batch: 3,
        page: 50,
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    let red = &program.client("red");
    let refused = |(status, problem): (StatusCode, Value), expected: u16, code: &str| {
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (expected, &json!(code)),
            "{problem}"
        );
        for member in ["type", "title", "detail", "remedy"] {
            assert!(!problem[member].as_str().unwrap().is_empty(), "{problem}");
        }
    };
    refused(
        program.get(red, "web/download?since=nonsense"),
        400,
        "token",
    );
    refused(program.get(red, "web/download?limit=0"), 400, "query");
    refused(program.get(red, "web/download?limit=many"), 400, "query");
    for nonsense in ["", "{}", "[1]", "{\"carburetor\":2,\"changes\":[]}"] {
        refused(
            program.post(red, "web/upload", nonsense.into()),
            400,
            "message",
        );
    }
    refused(
        program.post(red, "web/upload", vec![0xff, 0xfe]),
        400,
        "message",
    );
    let deep = format!("{}1{}", "[".repeat(900), "]".repeat(900));
    refused(program.post(red, "web/upload", deep.into()), 400, "message");
    refused(
        program.post(red, "web/upload", vec![b' '; 2001]),
        413,
        "body",
    );
    let four = (0..4).map(|counter| delete(now(), counter)).collect();
    refused(program.post(red, "web/upload", body(four)), 413, "batch");
    let ahead = program.post(red, "web/upload", body(vec![delete(now() + 3_600_000, 0)]));
    assert!(ahead.1["server_time"].is_string(), "{}", ahead.1);
    refused(ahead, 409, "clock_ahead");
    assert_eq!(server.notes("red").len(), 2);
}

#[test]
fn whoever_does_not_say_who_he_is_is_refused_by_the_program() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let nobody = {
        let _inside = program.runtime.enter();
        reqwest::Client::new()
    };
    let (status, said) = program.get(&nobody, "web/download");
    assert_eq!(
        (status, &said["code"]),
        (StatusCode::UNAUTHORIZED, &json!("who"))
    );
    let (status, _) = program.post(&nobody, "web/upload", body(vec![delete(now(), 0)]));
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, all) = program.get(&nobody, "admin/download");
    assert_eq!(status, StatusCode::OK);
    assert_eq!(all["tables"]["notes"]["rows"].as_array().unwrap().len(), 3);
}

#[test]
fn a_server_without_its_tables_says_nothing_of_them() {
    let server = Server::new();
    let limits = Limits {
        time: Duration::from_secs(5),
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    let red = &program.client("red");
    assert_eq!(program.get(red, "health").1, json!({"status": "ok"}));
    let conn = &mut server.connect();
    conn.batch_execute("drop table notes").unwrap();
    let answers = [
        program.get(red, "web/download"),
        program.post(red, "web/upload", body(vec![delete(now(), 0)])),
    ];
    for (status, problem) in answers {
        assert!(status.is_server_error(), "{problem}");
        let text = problem.to_string().to_lowercase();
        for word in ["select", "notes", "relation", "table", "carburetor"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[test]
fn a_page_says_whether_there_are_more() {
    let server = Server::new();
    // What was written a moment ago comes again, here with every page.
    std::thread::sleep(Duration::from_millis(500));
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let mut path = "web/download?limit=1".to_owned();
    let mut ids = Vec::new();
    for _ in 0..10 {
        let (status, page) = program.get(red, &path);
        assert_eq!(status, StatusCode::OK);
        let rows = page["tables"]["notes"]["rows"].as_array().unwrap();
        ids.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        if page["more"] == json!(false) {
            ids.dedup();
            assert_eq!(ids, ["a", "b"]);
            return;
        }
        path = format!(
            "web/download?limit=1&since={}",
            page["next"].as_str().unwrap()
        );
    }
    panic!("there is always more, after {ids:?}");
}

#[test]
fn whoever_asks_for_more_than_a_page_gets_a_page() {
    let server = Server::new();
    let limits = Limits {
        page: 1,
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    let (status, page) = program.get(&program.client("red"), "web/download?limit=1000");
    assert_eq!(status, StatusCode::OK);
    assert_eq!(page["tables"]["notes"]["rows"].as_array().unwrap().len(), 1);
    assert_eq!(page["more"], json!(true));
}

#[test]
fn a_page_that_is_known_is_not_sent_again() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let ask = |team: &str, known: Option<&HeaderValue>| {
        let request = program.client(team).get(program.url("web/download"));
        let request = known.into_iter().fold(request, |request, known| {
            request.header(IF_NONE_MATCH, known)
        });
        let response = program.runtime.block_on(request.send()).unwrap();
        assert_eq!(response.headers()[CACHE_CONTROL], "private, no-store");
        (response.status(), response.headers()[ETAG].clone())
    };
    let (status, tag) = ask("red", None);
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        ask("red", Some(&tag)),
        (StatusCode::NOT_MODIFIED, tag.clone())
    );
    assert_eq!(ask("blue", Some(&tag)).0, StatusCode::OK, "another's page");
    let mut conn = server.connect();
    conn.batch_execute("update notes set title = 'news' where id = 'a'")
        .unwrap();
    assert_eq!(ask("red", Some(&tag)).0, StatusCode::OK, "there is news");
}

#[test]
fn pages_smaller_than_what_is_of_one_instant_come_to_an_end() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let (_, first) = program.get(red, "web/download");
    let inserts = (0..9).map(|number| {
        let id = format!("n{number}");
        let row = [("id", &*id), ("title", "same"), ("team", "red")];
        let row = row.map(|(name, value)| (name.into(), value.into()));
        let edit = Edit::Insert(row.into_iter().collect());
        Change::new("notes", id, Clock::new(now(), number, 7), edit)
    });
    let (status, said) = program.post(red, "web/upload", body(inserts.collect()));
    assert_eq!(status, StatusCode::OK, "{said}");
    let mut next = first["next"].clone();
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let since = next.as_str().unwrap();
        let (_, page) = program.get(red, &format!("web/download?limit=2&since={since}"));
        let rows = page["tables"]["notes"]["rows"].as_array().unwrap();
        ids.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        if page["more"] == json!(false) {
            assert!(ids.len() >= 9, "{ids:?}");
            return;
        }
        // Until the cutoff has passed them, they come again with each page.
        std::thread::sleep(Duration::from_millis(100));
        next = page["next"].clone();
    }
    panic!("there is always more, after {ids:?}");
}
