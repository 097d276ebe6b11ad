//! Rows that can't travel, among those that are served. Only SQLite stores text that is none.

use super::super::program::{Feed, Program};
use super::Server;
use super::models::Note;
use super::world::{Device, Team};
use carburetor::SyncGroup;
use carburetor::server::Sync;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

type Notes = SyncGroup<(Note,), Team>;

fn program(server: &Server, refuses: bool) -> Program {
    Program::start(|| {
        let sync = Sync::new(server.pool(2));
        let sync = match refuses {
            true => sync.refuse_unreadable(),
            false => sync,
        };
        sync.group::<Notes, Team>("web").router()
    })
}

const BAD: &str = "insert into notes (id, title, team) values ('bad', cast(x'ff' as text), 'red'), ('good', 'good', 'red')";

fn ids(message: &Value) -> Vec<&str> {
    let rows = message["tables"]["notes"]["rows"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn a_feed_and_its_devices_go_on_past_a_row_that_can_not_travel() {
    let server = Server::new();
    let program = program(&server, false);
    let mut device = Device::of_group(&program, "red", "web");
    program.runtime.block_on(device.replica.sync()).unwrap();
    let mut feed = Feed::lines(&program, "red", "web/feed");
    feed.next(&program).unwrap();
    let mut conn = server.connect();
    conn.batch_execute(BAD).unwrap();
    let page = feed.next(&program).unwrap();
    assert!(ids(&page).contains(&"good") && !ids(&page).contains(&"bad"));
    assert_eq!(page["tables"]["notes"]["unreadable"][0]["id"], json!("bad"));
    program.runtime.block_on(device.replica.sync()).unwrap();
    let notes = device.notes();
    assert!(notes.iter().any(|(id, _)| id == "good"));
    assert_eq!(device.replica.unreadable().unwrap().len(), 1);
    // What the device edits goes up.
    device
        .conn
        .batch_execute("update notes set title = 'mine' where id = 'good'")
        .unwrap();
    program.runtime.block_on(device.replica.sync()).unwrap();
    assert_eq!(device.replica.pending().unwrap(), 0);
    conn.batch_execute("update notes set title = 'mended' where id = 'bad'")
        .unwrap();
    program.runtime.block_on(device.replica.sync()).unwrap();
    let mended = ("bad".to_owned(), "mended".to_owned());
    assert!(device.notes().contains(&mended));
    assert!(device.replica.unreadable().unwrap().is_empty());
}

#[test]
fn a_server_may_prefer_that_the_whole_download_fails() {
    let server = Server::new();
    let program = program(&server, true);
    server.connect().batch_execute(BAD).unwrap();
    let (status, _) = program.get(&program.client("red"), "web/download");
    assert!(status.is_server_error(), "{status}");
}

/// Every place of a message where a row is named.
fn named(message: &Value) -> Vec<Value> {
    let table = &message["tables"]["notes"];
    let removed = table["removed"].as_array().unwrap().iter().cloned();
    let rows = table["rows"].as_array().unwrap().iter();
    removed.chain(rows.map(|row| row["id"].clone())).collect()
}

#[test]
fn a_row_without_an_id_is_told_and_no_page_names_one() {
    let server = Server::new();
    let program = program(&server, false);
    let mut device = Device::of_group(&program, "red", "web");
    let sync = |device: &Device| program.runtime.block_on(device.replica.sync()).unwrap();
    sync(&device);
    let mut feed = Feed::lines(&program, "red", "web/feed");
    feed.next(&program).unwrap();
    let mut conn = server.connect();
    let mut news = |statement: &str| {
        conn.batch_execute(statement).unwrap();
        let page = feed.next(&program).unwrap();
        assert!(!named(&page).contains(&Value::Null), "{page}");
        sync(&device);
        page
    };
    let page = news(
        "insert into notes (id, title, team) values (null, 'nameless', 'red'), ('good', 'good', 'red')",
    );
    assert!(ids(&page).contains(&"good"));
    let told = &page["tables"]["notes"]["unreadable"][0];
    assert_eq!((&told["id"], &told["column"]), (&Value::Null, &json!("id")));
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("give the row an id"), "{message}");
    // It goes to somebody else, comes back, and is deleted.
    let also = |number: u32| {
        format!("; insert into notes (id, title, team) values ('n{number}', 'n', 'red')")
    };
    news(&("update notes set team = 'blue' where id is null".to_owned() + &also(1)));
    news(&("update notes set team = 'red' where id is null".to_owned() + &also(2)));
    news(&("delete from notes where id is null".to_owned() + &also(3)));
    news(
        "insert into notes (id, title, team) values (null, 'nameless', 'red');
         update notes set id = 'named' where id is null",
    );
    let named = ("named".to_owned(), "nameless".to_owned());
    assert!(device.notes().contains(&named));
    sync(&device);
    assert!(device.replica.unreadable().unwrap().is_empty());
}

#[test]
fn a_row_without_an_id_is_told_as_long_as_there_is_one() {
    let server = Server::new();
    let program = program(&server, false);
    let device = Device::of_group(&program, "red", "web");
    let mut conn = server.connect();
    let mut told = |statement: &str| {
        conn.batch_execute(statement)
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
        // What goes is known with the first one, and what has remained with the second one.
        for _ in 0..2 {
            program.runtime.block_on(device.replica.sync()).unwrap();
        }
        let told = device.replica.unreadable().unwrap();
        told.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let insert = "insert into notes (id, title, team) values (null, 'first', 'red'), (null, 'second', 'red'), (cast(x'ff' as text), 'third', 'red')";
    assert_eq!(told(insert).len(), 1);
    let left = told("update notes set id = 'named' where title = 'first'");
    assert_eq!(left.len(), 1);
    let left = told("delete from notes where title = 'third'");
    assert!(left[0].contains("the id is NULL"), "{left:?}");
    assert_eq!(left.len(), 1);
    assert!(told("delete from notes where id is null").is_empty());
}

#[test]
fn pages_come_to_their_end_past_rows_without_an_id() {
    let server = Server::new();
    let program = program(&server, false);
    let nameless = vec!["(null, 'nameless', 'red')"; 50].join(", ");
    let insert = format!("insert into notes (id, title, team) values {nameless}");
    server.connect().batch_execute(&insert).unwrap();
    let red = program.client("red");
    let pages = |mut token: String| {
        let mut rows = Vec::new();
        for _ in 0..100 {
            let since = match token.as_str() {
                "" => String::new(),
                token => format!("&since={token}"),
            };
            let (status, page) = program.get(&red, &format!("web/download?limit=1{since}"));
            assert!(status.is_success(), "{page}");
            rows.extend(named(&page));
            token = page["next"].as_str().unwrap().to_owned();
            if page["more"] == json!(false) {
                return (rows, token);
            }
        }
        panic!("there is no end");
    };
    let (mut rows, token) = pages(String::new());
    rows.dedup();
    assert_eq!(rows, ["a", "b"]);
    let touch = "update notes set title = 'x' where id is null; update notes set title = 'y' where id = 'b'";
    server.connect().batch_execute(touch).unwrap();
    let (mut rows, _) = pages(token);
    rows.dedup();
    assert_eq!(rows, ["b"]);
}

#[test]
fn a_row_whose_id_no_token_can_name_is_told_and_tokens_stay_short() {
    let server = Server::new();
    let program = program(&server, false);
    let mut device = Device::of_group(&program, "red", "web");
    let mut conn = server.connect();
    for letter in ["A", "m", "z"] {
        let insert = format!(
            "insert into notes (id, title, team) values ('{}', 'long', 'red')",
            letter.repeat(1 << 20)
        );
        conn.batch_execute(&insert).unwrap();
    }
    let red = program.client("red");
    let (mut rows, mut told, mut since) = (Vec::new(), 0, String::new());
    loop {
        let (status, page) = program.get(&red, &format!("web/download?limit=1{since}"));
        assert!(status.is_success(), "{page}");
        rows.extend(named(&page));
        for row in page["tables"]["notes"]["unreadable"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert_eq!((&row["id"], &row["column"]), (&Value::Null, &json!("id")));
            assert!(
                row["message"].as_str().unwrap().contains("a shorter one"),
                "{row}"
            );
            told += 1;
        }
        let next = page["next"].as_str().unwrap();
        assert!(next.len() < 6000, "{}", next.len());
        if page["more"] == json!(false) {
            break;
        }
        since = format!("&since={next}");
    }
    rows.dedup();
    assert_eq!(rows, ["a", "b"]);
    assert!(told >= 3);
    program.runtime.block_on(device.replica.sync()).unwrap();
    assert_eq!(device.notes().len(), 2);
    // Such a row doesn't come into being by an upload, and the others of it do.
    let insert = format!(
        "insert into notes (id, title, team) values ('{}', 'long', 'red'), ('good', 'good', 'red')",
        "q".repeat(5000)
    );
    device.conn.batch_execute(&insert).unwrap();
    let synced = program.runtime.block_on(device.replica.sync()).unwrap();
    assert_eq!(synced.rejected, 1);
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected[0].rejection.field.as_deref(), Some("id"));
    assert_eq!(server.count("good"), 1);
    // What goes is told, in case somebody has it.
    conn.batch_execute("delete from notes where length(id) > 100")
        .unwrap();
    program.runtime.block_on(device.replica.sync()).unwrap();
}
