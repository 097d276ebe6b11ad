//! What fails says so in one form, with its code and the remedy, and tells nothing of the database.

use super::super::program::{Feed, Program};
use super::models::Note;
use super::world::{Device, routes};
use super::{CLOCK, DB, Server};
use carburetor::SyncGroup;
use carburetor::clock::Clock;
use carburetor::server::Limits;
use chrono::Utc;
use diesel::connection::SimpleConnection;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

const LIMITS: fn() -> Limits = || Limits {
    time: Duration::from_secs(20),
    ..Limits::default()
};

/// What no answer may say.
const HIDDEN: [&str; 13] = [
    "select",
    "insert into",
    "notes",
    "relation",
    "no such",
    "carburetor_",
    "schema",
    "sqlite",
    "postgres",
    "hidden",
    "127.0.0.1",
    "socket",
    "pool",
];

pub(super) fn upload() -> Vec<u8> {
    upload_at(0)
}

/// An upload by a device whose time is so many milliseconds ahead.
fn upload_at(ahead: i64) -> Vec<u8> {
    let millis = u64::try_from(Utc::now().timestamp_millis() + ahead).unwrap();
    let change = json!({
        "table": "notes", "id": "new", "clock": Clock::new(millis, 0, 7).to_string(),
        "insert": {"id": "new", "title": "t", "team": "red"},
    });
    json!({"carburetor": 1, "changes": [change]})
        .to_string()
        .into()
}

/// Asks for everything, and expects each answer to be a problem with one of `codes`.
fn fails(program: &Program, codes: &[(u16, &str)]) {
    let red = &program.client("red");
    let answers = [
        program.get(red, "web/download"),
        program.get(red, "admin/download?limit=3"),
        program.post(red, "web/upload", upload()),
    ];
    for answer in answers {
        is_problem(answer, codes);
    }
}

fn is_problem((status, problem): (StatusCode, Value), codes: &[(u16, &str)]) {
    let code = problem["code"]
        .as_str()
        .unwrap_or_else(|| panic!("{problem}"));
    assert!(
        codes.contains(&(status.as_u16(), code)),
        "{status} {problem}"
    );
    assert_eq!(problem["status"], status.as_u16());
    for member in ["type", "title", "detail", "remedy"] {
        assert!(!problem[member].as_str().unwrap().is_empty(), "{problem}");
    }
    let text = problem.to_string().to_lowercase();
    for word in HIDDEN {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_database_that_is_down_is_a_problem_of_its_own() {
    let program = Program::start(|| routes(Server::nowhere(), LIMITS()));
    fails(&program, &[(503, "database")]);
    is_problem(
        program.get(&program.client("red"), "health"),
        &[(503, "database")],
    );
}

#[test]
fn whoever_finds_no_connection_is_told_to_come_again() {
    let server = Server::new();
    let pool = server.pool(1);
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let program = Program::start(|| routes(pool.clone(), limits));
    let size = pool.status().max_size;
    let lent: Vec<_> = (0..size)
        .map(|_| program.runtime.block_on(pool.get()).unwrap())
        .collect();
    fails(&program, &[(503, "time")]);
    is_problem(
        program.get(&program.client("red"), "health"),
        &[(503, "time")],
    );
    program.runtime.block_on(async { drop(lent) });
    let (status, _) = program.get(&program.client("red"), "web/download");
    assert_eq!(status, StatusCode::OK);
}

#[test]
fn a_statement_that_fails_shows_nothing_of_itself() {
    let server = Server::new();
    let program = server.serve(2, LIMITS());
    server
        .connect()
        .batch_execute("alter table notes rename column title to hidden_title")
        .unwrap();
    fails(&program, &[(500, "setup")]);
    is_problem(
        program.get(&program.client("red"), "health"),
        &[(503, "setup")],
    );
    server
        .connect()
        .batch_execute("alter table notes rename column hidden_title to title")
        .unwrap();
    let (status, _) = program.get(&program.client("red"), "health");
    assert_eq!(status, StatusCode::OK);
}

#[test]
fn a_database_without_tracking_is_the_servers_fault() {
    let server = Server::new();
    server.connect().batch_execute(Server::UNTRACK).unwrap();
    let program = server.serve(2, LIMITS());
    fails(&program, &[(500, "setup")]);
    is_problem(
        program.get(&program.client("red"), "health"),
        &[(503, "setup")],
    );
}

#[test]
fn another_version_is_named() {
    let server = Server::new();
    let program = server.serve(2, LIMITS());
    let red = &program.client("red");
    for (body, named) in [
        ("{\"carburetor\":2,\"changes\":[]}", "version 2"),
        ("{\"carburetor\":\"1\",\"changes\":[]}", "not an upload"),
        ("{\"changes\":[]}", "missing field `carburetor`"),
    ] {
        let answer = program.post(red, "web/upload", body.into());
        let detail = answer.1["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{detail}");
        is_problem(answer, &[(400, "message")]);
    }
    is_problem(
        program.post(red, "web/download", Vec::new()),
        &[(400, "query")],
    );
    is_problem(program.get(red, "web/upload"), &[(405, "method")]);
}

#[test]
fn a_clock_without_its_row_is_told_as_a_matter_of_the_setup_and_nothing_is_lost() {
    let server = Server::new();
    let program = server.serve(2, LIMITS());
    let mut device = Device::new(&program, "red");
    program.runtime.block_on(device.replica.sync()).unwrap();
    let edit = "update notes set title = 'mine' where id = 'a'";
    device.conn.batch_execute(edit).unwrap();
    let empty = format!("delete from {CLOCK}");
    server.connect().batch_execute(&empty).unwrap();
    fails(&program, &[(500, "setup")]);
    is_problem(
        program.get(&program.client("red"), "health"),
        &[(503, "setup")],
    );
    assert!(program.runtime.block_on(device.replica.sync()).is_err());
    let tracking = SyncGroup::<(Note,)>::tracking::<DB>();
    tracking.install(&mut server.connect()).unwrap();
    program.runtime.block_on(device.replica.sync()).unwrap();
    let mine = ("a".to_owned(), "mine".to_owned());
    assert!(server.notes("red").contains(&mine));
    assert!(device.notes().contains(&mine));
    assert_eq!(device.replica.pending().unwrap(), 0);
    assert!(device.replica.rejected().unwrap().is_empty());
}

#[test]
fn a_clock_that_is_none_stops_nobody() {
    let server = Server::new();
    let program = server.serve(2, LIMITS());
    let garble = format!("update {CLOCK} set ahead = 'zzz'");
    server.connect().batch_execute(&garble).unwrap();
    let red = &program.client("red");
    let (status, page) = program.get(red, "web/download");
    assert_eq!(status, StatusCode::OK, "{page}");
    // What is accepted from ahead is told from then on.
    let ahead = upload_at(30_000);
    let (status, answer) = program.post(red, "web/upload", ahead);
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (_, page) = program.get(red, "web/download");
    assert!(page["clock"].as_str() >= answer["clock"].as_str(), "{page}");
}

#[test]
fn a_feed_whose_changes_can_not_be_read_ends_and_whoever_comes_back_is_told_why() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let (lines, events, mut socket) = program.feeds("red", "web/feed");
    let conn = &mut server.connect();
    conn.batch_execute("alter table notes rename to away")
        .unwrap();
    lines.breaks(&program);
    events.breaks(&program);
    assert_eq!(socket.closed(&program), Some(1011));
    let (status, problem) = program.get(&program.client("red"), "web/feed");
    assert_eq!((status.as_u16(), &problem["code"]), (500, &json!("setup")));
    conn.batch_execute("alter table away rename to notes; insert into notes (id, title, team) values ('c', 'three', 'red')")
        .unwrap();
    let mut lines = Feed::lines(&program, "red", "web/feed");
    while !lines.next(&program).unwrap().to_string().contains("three") {}
}
