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
