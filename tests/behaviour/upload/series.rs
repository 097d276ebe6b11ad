//! Several changes of one row in one upload: none of them conflicts with the one before it.

use super::super::device::{Device, On, changes, stamp};
use super::super::verdicts;
use super::contents::lines;
use super::peers::upload;
use super::repeats::upload_as;
use super::{Conn, Everything, Server};
use carburetor::change::Change;
use carburetor::upload::Transactions;
use serde_json::json;

/// The tables where a conflict is not decided by the clocks.
const TABLES: [&str; 2] = ["server_rows", "custom_rows"];

fn texts(conn: &mut Conn, table: &str) -> Vec<String> {
    lines(
        conn,
        &format!("select a || ' ' || coalesce(b, '') as line from {table} order by id"),
    )
}

/// A change that the database refuses, so that those of its upload are tried apart.
fn refused(device: &mut Device) -> Change {
    let row = json!({"id": 1, "person": "nobody", "title": "t", "points": 1});
    device.insert("tasks", row)
}

#[test]
fn a_refused_change_among_them_makes_no_conflict_between_an_insert_and_its_edits() {
    for mode in [Transactions::One, Transactions::PerChange] {
        for table in TABLES {
            for place in 0..4 {
                let server = Server::new();
                let conn = &mut server.connect();
                let mut device = Device::ago(1, 60);
                let mut sent = vec![
                    device.insert(table, json!({"id": 1, "a": "one", "b": "one"})),
                    device.update(table, 1, json!({"a": "two"})),
                    device.update(table, 1, json!({"b": "three"})),
                ];
                sent.insert(place, refused(&mut device));
                let told = upload_as(conn, &changes(sent), mode).unwrap();
                let mut expected = vec!["applied"; 3];
                expected.insert(place, "constraint");
                assert_eq!(
                    texts(conn, table),
                    ["two three"],
                    "{table} {mode:?} {place}"
                );
                assert_eq!(verdicts(&told), expected, "{table} {mode:?} {place}");
            }
        }
    }
}

#[test]
fn a_refused_change_among_them_makes_no_conflict_between_edits_of_one_stamp() {
    for mode in [Transactions::One, Transactions::PerChange] {
        for table in TABLES {
            for place in 0..4 {
                let server = Server::new();
                let conn = &mut server.connect();
                let row = json!({"id": 1, "a": "one", "b": "one"});
                let seen = upload(conn, Device::ago(2, 120).insert(table, row));
                let seen = stamp(&seen.outcomes[0]);
                let mut device = Device::ago(1, 60);
                let mut sent = vec![
                    device.update(table, 1, json!({"a": "two"})).on_stamp(seen),
                    device
                        .update(table, 1, json!({"b": "three"}))
                        .on_stamp(seen),
                    device.delete(table, 1).on_stamp(seen),
                ];
                sent.insert(place, refused(&mut device));
                let told = upload_as(conn, &changes(sent), mode).unwrap();
                let mut expected = vec!["applied"; 3];
                expected.insert(place, "constraint");
                assert_eq!(verdicts(&told), expected, "{table} {mode:?} {place}");
                assert_eq!(texts(conn, table), [""; 0], "{table} {mode:?} {place}");
            }
        }
    }
}

#[test]
fn an_edit_that_comes_with_those_whose_answer_was_lost_does_not_conflict_with_them() {
    for table in TABLES {
        let server = Server::new();
        let conn = &mut server.connect();
        let row = json!({"id": 1, "a": "one", "b": "one"});
        let seen = upload(conn, Device::ago(2, 120).insert(table, row));
        let seen = stamp(&seen.outcomes[0]);
        let mut device = Device::ago(1, 60);
        let mut sent = vec![device.update(table, 1, json!({"a": "two"})).on_stamp(seen)];
        let lost = Everything::upload(conn, &changes(sent.clone())).unwrap();
        assert_eq!(verdicts(&lost), ["applied"]);
        sent.push(
            device
                .update(table, 1, json!({"b": "three"}))
                .on_stamp(seen),
        );
        let told = Everything::upload(conn, &changes(sent)).unwrap();
        assert_eq!(texts(conn, table), ["two three"], "{table}");
        assert_eq!(verdicts(&told), ["applied"; 2], "{table}");
    }
}
