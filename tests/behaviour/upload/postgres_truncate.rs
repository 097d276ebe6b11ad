//! TRUNCATE, which no trigger sees row by row.

use super::super::{Device, run};
use super::contents::{lines, rows};
use super::peers::told;
use super::{Conn, Server};
use serde_json::json;

fn truncated(conn: &mut Conn) {
    run(conn, "truncate fields_rows");
}

#[test]
fn what_is_older_than_a_truncate_is_expired_and_does_not_come_back() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::ago(1, 60);
    let insert = device.insert("fields_rows", json!({"id": 1, "a": "first"}));
    assert_eq!(told(conn, insert), "applied");
    let edit = device.update("fields_rows", 1, json!({"a": "edited"}));
    let again = device.insert("fields_rows", json!({"id": 1, "a": "again"}));
    let new = device.insert("fields_rows", json!({"id": 2, "a": "new"}));
    let other = device.insert("later_rows", json!({"id": 1, "a": "other", "b": null}));
    truncated(conn);
    for sent in [edit, again, new] {
        assert_eq!(told(conn, sent), "expired");
    }
    assert_eq!(rows(conn, "fields_rows"), [""; 0]);
    // Other tables have nothing to do with it.
    assert_eq!(told(conn, other), "applied");
    // What was made afterwards is later than whatever was there.
    let mut later = Device::ahead(1, 30);
    let edit = later.update("fields_rows", 1, json!({"a": "edited"}));
    assert_eq!(told(conn, edit), "not_found");
    let insert = later.insert("fields_rows", json!({"id": 1, "a": "later"}));
    assert_eq!(told(conn, insert), "applied");
    let texts = "select a as line from fields_rows";
    assert_eq!(lines(conn, texts), ["later"]);
}

#[test]
fn a_truncate_that_is_rolled_back_expires_nothing() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, "begin");
    truncated(conn);
    run(conn, "rollback");
    let insert = Device::ago(1, 60).insert("fields_rows", json!({"id": 1, "a": "first"}));
    assert_eq!(told(conn, insert), "applied");
}

#[test]
fn a_deletion_that_was_known_before_a_truncate_is_known_after_it() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::ago(1, 60);
    let insert = device.insert("fields_rows", json!({"id": 1, "a": "first"}));
    assert_eq!(told(conn, insert), "applied");
    assert_eq!(told(conn, device.delete("fields_rows", 1)), "applied");
    truncated(conn);
    let edit = Device::ahead(2, 30).update("fields_rows", 1, json!({"a": "edited"}));
    assert_eq!(told(conn, edit), "superseded");
}
