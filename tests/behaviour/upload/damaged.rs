//! What the library itself has stored, and somebody has made unreadable: it stops nobody.

use super::super::device::{On, stamp};
use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::repeats::inserts;
use super::{CARBURETOR, Conn, Everything, Server};
use carburetor::outcome::Outcomes;
use serde_json::json;

const IS_SQLITE: bool = matches!(CARBURETOR.as_bytes(), b"carburetor_");

/// Registers that are none.
const REGISTERS: &[&str] = match IS_SQLITE {
    true => &[
        "'no json'",
        "''",
        "'['",
        "'[1]'",
        "7",
        "x'00ff'",
        "'null'",
        "'{\"a\":7}'",
        "'{\"\":\"zzz\"}'",
    ],
    false => &["'[1]'", "'7'", "'null'", "'{\"a\":7}'", "'{\"\":\"zzz\"}'"],
};

fn upload(conn: &mut Conn, sent: Vec<carburetor::change::Change>) -> Outcomes {
    Everything::upload(conn, &changes(sent)).unwrap()
}

#[test]
fn registers_that_can_not_be_read_are_as_old_as_the_stamp() {
    for damaged in REGISTERS {
        let server = Server::new();
        let conn = &mut server.connect();
        let (mut ann, mut bob) = (Device::new(1), Device::ahead(2, 5));
        let made = upload(conn, inserts(&mut ann, 1..=5));
        let touched = vec![ann.update("fields_rows", 1, json!({"b": "mine"}))];
        upload(conn, touched);
        run(
            conn,
            &format!("update fields_rows set carburetor_registers = {damaged} where id <> 2"),
        );
        let on = |place: usize| stamp(&made.outcomes[place]);
        let mut old = Device::ago(3, 1);
        let outcomes = upload(
            conn,
            vec![
                old.update("fields_rows", 1, json!({"b": "old"}))
                    .on_stamp(on(0)),
                bob.update("fields_rows", 1, json!({"a": "new"}))
                    .on_stamp(on(0)),
                bob.update("fields_rows", 2, json!({"a": "new"}))
                    .on_stamp(on(1)),
                bob.delete("fields_rows", 3).on_stamp(on(2)),
                bob.insert("fields_rows", json!({"id": 4, "a": "new"})),
                bob.insert("fields_rows", json!({"id": 6, "a": "new"})),
            ],
        );
        let told = verdicts(&outcomes);
        assert_eq!(told[0], "superseded", "{damaged}");
        assert!(
            ["applied", "merged"].contains(&&*told[1]),
            "{damaged}: {told:?}"
        );
        assert_eq!(
            [&*told[2], &*told[3], &*told[5]],
            ["applied"; 3],
            "{damaged}"
        );
        assert_eq!(told[4], "merged", "{damaged}");
        let rows = lines(
            conn,
            "select id || ' ' || a || ' ' || coalesce(b, '~') as line from fields_rows order by id",
        );
        let expected = ["1 new mine", "2 new ~", "4 new ~", "5 of 5 ~", "6 new ~"];
        assert_eq!(rows, expected, "{damaged}");
        // From then on the row has registers again.
        let again = vec![
            bob.update("fields_rows", 1, json!({"b": "newer"}))
                .on_stamp(stamp(&outcomes.outcomes[1])),
            old.update("fields_rows", 1, json!({"a": "old"}))
                .on_stamp(on(0)),
        ];
        assert_eq!(
            verdicts(&upload(conn, again)),
            ["applied", "superseded"],
            "{damaged}"
        );
    }
}

#[test]
fn a_deletion_whose_clock_can_not_be_read_stops_nobody() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut ann = Device::new(1);
    upload(conn, inserts(&mut ann, 1..=3));
    let deleted = (1..=3).map(|id| ann.delete("fields_rows", id)).collect();
    upload(conn, deleted);
    run(
        conn,
        &format!(
            "update {CARBURETOR}register_fields_rows set carburetor_clock = 'zzz' where id <> 3"
        ),
    );
    let sent = vec![
        ann.insert("fields_rows", json!({"id": 1, "a": "again"})),
        ann.update("fields_rows", 2, json!({"a": "edit"})),
        ann.insert("fields_rows", json!({"id": 3, "a": "again"})),
        ann.insert("fields_rows", json!({"id": 4, "a": "new"})),
    ];
    let told = verdicts(&upload(conn, sent));
    assert_eq!(told, ["applied", "superseded", "applied", "applied"]);
}

#[test]
fn an_outcome_that_can_not_be_read_counts_as_none() {
    for stored in ["no json", "[]", "[\"red\",7]"] {
        let server = Server::new();
        let conn = &mut server.connect();
        let mut ann = Device::new(1);
        let made = upload(conn, inserts(&mut ann, 1..=3));
        let sent = vec![
            ann.update("fields_rows", 1, json!({"a": "edit"}))
                .on_stamp(stamp(&made.outcomes[0])),
            ann.delete("fields_rows", 2),
            ann.insert("fields_rows", json!({"id": 4, "a": "new"})),
        ];
        upload(conn, sent.clone());
        run(
            conn,
            &format!("update {CARBURETOR}outcome set outcomes = '{stored}'"),
        );
        let rows = "select id || ' ' || a as line from fields_rows order by id";
        let before = lines(conn, rows);
        let again = verdicts(&upload(conn, sent.clone()));
        let stands = |told: &String| ["applied", "merged", "superseded"].contains(&&**told);
        assert!(again.iter().all(stands), "{stored}: {again:?}");
        assert_eq!(lines(conn, rows), before, "{stored}");
        assert_eq!(verdicts(&upload(conn, sent)), again, "{stored}");
        let more = vec![ann.insert("fields_rows", json!({"id": 5, "a": "new"}))];
        assert_eq!(verdicts(&upload(conn, more)), ["applied"], "{stored}");
    }
}
