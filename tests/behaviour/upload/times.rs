//! Replicas whose time is long past or a little ahead, and what others write meanwhile.

use super::super::device::{Device, change, system};
use super::super::run;
use super::contents::lines;
use super::models::FieldsRow;
use super::peers::{told, upload};
use super::{Conn, DB, Everything, Server};
use carburetor::SyncGroup;
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use serde_json::{Value, json};
use std::time::Duration;

/// The texts of every row.
fn texts(conn: &mut Conn) -> Vec<String> {
    let query = "select a || ' ' || coalesce(b, '') || ' ' || coalesce(c, '') as line from fields_rows order by id";
    lines(conn, query)
}

/// An instant in September 2001.
fn past(replica: u64) -> Device {
    Device::standing(replica, 1_000_000_000_000)
}

/// An edit of a row by a replica whose time is so many seconds ahead.
fn ahead(replica: u64, seconds: u64, edit: Edit) -> Change {
    let clock = Clock::new(system() + seconds * 1000, 0, replica);
    change("fields_rows", json!(1), clock, edit)
}

fn update(columns: Value) -> Edit {
    let Value::Object(columns) = columns else {
        panic!("{columns}")
    };
    Edit::Update(columns)
}

fn insert(a: &str) -> Edit {
    match update(json!({"id": 1, "a": a, "b": a, "c": a})) {
        Edit::Update(columns) => Edit::Insert(columns),
        other => other,
    }
}

/// The clock with which whoever downloads now goes on.
fn seen(conn: &mut Conn) -> Clock {
    SyncGroup::<(FieldsRow,)>::download(conn, (None,))
        .unwrap()
        .clock()
}

#[test]
fn a_replica_in_the_year_2001_loses_against_everybody_until_it_has_seen_the_time() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut old = past(1);
    let row = json!({"id": 1, "a": "old", "b": "old", "c": "old"});
    assert_eq!(told(conn, old.insert("fields_rows", row)), "applied");
    // Its own are in order.
    let edit = old.update("fields_rows", 1, json!({"c": "older"}));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(texts(conn), ["old old older"]);
    // Others write one column each: a server's statement, and a replica with the right time.
    run(conn, "update fields_rows set a = 'by hand'");
    let edit = Device::new(2).update("fields_rows", 1, json!({"b": "other"}));
    assert_eq!(told(conn, edit), "merged");
    let edit = old.update("fields_rows", 1, json!({"a": "x", "b": "x", "c": "oldest"}));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(texts(conn), ["by hand other oldest"]);
    // It deletes nothing that came into being since.
    run(conn, "insert into fields_rows (id, a) values (2, 'new')");
    assert_eq!(told(conn, old.delete("fields_rows", 2)), "superseded");
    old.observe(seen(conn));
    let edit = old.update("fields_rows", 1, json!({"a": "seen", "b": "seen"}));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(told(conn, old.delete("fields_rows", 2)), "applied");
    assert_eq!(texts(conn), ["seen seen oldest"]);
}

#[test]
fn what_was_deleted_does_not_come_back_from_the_year_2001() {
    let server = Server::new();
    let conn = &mut server.connect();
    let row = json!({"id": 1, "a": "old"});
    let mut old = past(1);
    assert_eq!(
        told(conn, old.insert("fields_rows", row.clone())),
        "applied"
    );
    run(conn, "delete from fields_rows");
    assert_eq!(
        told(conn, old.insert("fields_rows", row.clone())),
        "superseded"
    );
    // A row of its own is never expired as long as no deletion was forgotten.
    let other = json!({"id": 2, "a": "old"});
    assert_eq!(told(conn, old.insert("fields_rows", other)), "applied");
    let year = Duration::from_secs(365 * 86_400);
    Everything::tracking::<DB>()
        .purge_deletions(conn, year)
        .unwrap();
    let other = json!({"id": 3, "a": "old"});
    assert_eq!(
        told(conn, old.insert("fields_rows", other.clone())),
        "expired"
    );
    assert_eq!(told(conn, old.insert("fields_rows", row)), "superseded");
    old.observe(upload(conn, old.clone().delete("fields_rows", 9)).clock);
    old.observe(seen(conn));
    assert_eq!(told(conn, old.insert("fields_rows", other)), "applied");
    assert_eq!(texts(conn), ["old  ", "old  "]);
}

#[test]
fn a_statement_after_an_edit_from_ahead_is_later_than_that_edit() {
    let server = Server::new();
    let conn = &mut server.connect();
    assert_eq!(told(conn, ahead(1, 40, insert("ahead"))), "applied");
    run(conn, "update fields_rows set a = 'by hand'");
    // This one is later than the statement by the clock on the wall, but not by what the server had accepted before.
    let edit = ahead(2, 20, update(json!({"a": "x", "b": "x"})));
    assert_eq!(told(conn, edit), "superseded");
    assert_eq!(texts(conn), ["by hand ahead ahead"]);
    // The statement's columns took its clock, and no others.
    let whole = seen(conn);
    assert!(whole.millis() >= system() + 30_000);
    run(conn, "update fields_rows set b = 'by hand'");
    let edit = ahead(3, 39, update(json!({"a": "x", "b": "x", "c": "x"})));
    assert_eq!(told(conn, edit), "superseded");
    // Whoever is further ahead still wins, and so does the next statement after him.
    let edit = ahead(3, 55, update(json!({"a": "further", "c": "further"})));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(texts(conn), ["further by hand further"]);
    run(conn, "update fields_rows set c = 'last'");
    let edit = ahead(2, 54, update(json!({"b": "y", "c": "y"})));
    assert_eq!(told(conn, edit), "merged");
    assert_eq!(texts(conn), ["further y last"]);
}

#[test]
fn a_deletion_by_hand_after_an_insert_from_ahead_is_later_than_that_insert() {
    let server = Server::new();
    let conn = &mut server.connect();
    assert_eq!(told(conn, ahead(1, 40, insert("ahead"))), "applied");
    run(conn, "delete from fields_rows");
    assert_eq!(told(conn, ahead(2, 20, insert("x"))), "superseded");
    let mut device = Device::new(3);
    device.observe(seen(conn));
    let row = json!({"id": 1, "a": "seen"});
    assert_eq!(told(conn, device.insert("fields_rows", row)), "applied");
    // The row is as far ahead as the deletion was; deleting it again by hand is later still.
    run(conn, "delete from fields_rows");
    assert_eq!(told(conn, ahead(2, 39, insert("x"))), "superseded");
    assert_eq!(texts(conn), [""; 0]);
}
