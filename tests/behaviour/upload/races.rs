//! Uploads that race with uploads and with other writers, on connections of their own.

use super::super::device::{On, stamp};
use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::models::{FieldsRow, LaterRow, Person};
use super::{Conn, Server};
use carburetor::clock::Clock;
use carburetor::upload::ConflictsOf;
use carburetor::{Everyone, SyncGroup};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex};
use std::thread;

pub(super) type Fields = SyncGroup<(FieldsRow,)>;
pub(super) type Two = SyncGroup<(FieldsRow, LaterRow)>;
type People = SyncGroup<(Person,)>;

/// The clock of an insert, its text, and what it was told.
type Insert = (Clock, String, String);

/// Another session waits for a lock that `conn` has.
pub(super) fn blocked_by(conn: &mut Conn) -> String {
    let pid = lines(conn, "select pg_backend_pid()::text as line").remove(0);
    format!("exists (select from pg_stat_activity where {pid} = any(pg_blocking_pids(pid)))")
}

pub(super) fn fill(conn: &mut Conn, ids: std::ops::RangeInclusive<i32>) -> Device {
    let mut device = Device::new(9);
    for table in ["fields_rows", "later_rows"] {
        let row = |id| json!({"id": id, "a": "before", "b": "before"});
        let rows: Vec<_> = ids
            .clone()
            .map(|id| device.insert(table, row(id)))
            .collect();
        let told = Two::upload(conn, &changes(rows)).unwrap();
        device.observe(told.clock);
    }
    device
}

#[test]
fn of_writers_that_insert_the_same_rows_the_latest_stands_and_the_others_are_logged() {
    let server = Server::new();
    let told: Mutex<BTreeMap<i32, Vec<Insert>>> = Mutex::default();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for replica in 1..=8_u64 {
            let mut conn = server.connect();
            let (told, start) = (&told, &start);
            scope.spawn(move || {
                let mut device = Device::new(replica);
                let mut random = fastrand::Rng::with_seed(replica);
                let mut ids: Vec<i32> = (1..=40).collect();
                random.shuffle(&mut ids);
                for ids in ids.chunks(10) {
                    start.wait();
                    let row = |id| json!({"id": id, "a": format!("{id} of {replica}")});
                    let sent: Vec<_> = ids
                        .iter()
                        .map(|id| device.insert("fields_rows", row(*id)))
                        .collect();
                    let outcomes = Fields::upload(&mut conn, &changes(sent.clone())).unwrap();
                    let mut told = told.lock().unwrap();
                    for ((id, change), verdict) in ids.iter().zip(sent).zip(verdicts(&outcomes)) {
                        let text = format!("{id} of {replica}");
                        told.entry(*id)
                            .or_default()
                            .push((change.clock, text, verdict));
                    }
                }
            });
        }
    });
    let conn = &mut server.connect();
    let log = Fields::scoped(&Everyone)
        .conflicts(conn, &ConflictsOf::default())
        .unwrap();
    for (id, mut writes) in told.into_inner().unwrap() {
        writes.sort();
        let (clock, latest, verdict) = writes.pop().unwrap();
        assert_ne!(verdict, "superseded", "{id} {clock}");
        let stored = lines(
            conn,
            &format!("select a as line from fields_rows where id = {id}"),
        );
        assert_eq!(stored, [latest]);
        let of_row = || log.iter().filter(|entry| entry.id == json!(id));
        let mut lost: Vec<&Value> = of_row().map(|entry| &entry.lost["a"]).collect();
        lost.sort_by_key(|text| text.to_string());
        let mut expected: Vec<Value> = writes.into_iter().map(|(_, text, _)| json!(text)).collect();
        expected.sort_by_key(Value::to_string);
        assert_eq!(lost, expected.iter().collect::<Vec<_>>(), "{id}");
    }
}

#[test]
fn what_writers_put_into_different_columns_all_survives() {
    let server = Server::new();
    let device = fill(&mut server.connect(), 1..=10);
    thread::scope(|scope| {
        for (replica, column) in [(1, "a"), (2, "b"), (3, "c")] {
            let mut conn = server.connect();
            let seen = device.clone().tick();
            scope.spawn(move || {
                let mut device = Device::new(replica);
                device.observe(seen);
                for round in 1..=40 {
                    let mut ids: Vec<i32> = (1..=10).collect();
                    fastrand::shuffle(&mut ids);
                    let sent = ids.into_iter().map(|id| {
                        device.update("fields_rows", id, json!({column: format!("{round}")}))
                    });
                    let told = Fields::upload(&mut conn, &changes(sent)).unwrap();
                    assert_eq!(verdicts(&told), ["merged"; 10]);
                    for outcome in told.outcomes {
                        assert_eq!(outcome.row.unwrap()[column], json!(format!("{round}")));
                    }
                }
            });
        }
    });
    let rows = lines(
        &mut server.connect(),
        "select a || b || c as line from fields_rows",
    );
    assert_eq!(rows, ["404040"; 10]);
}

#[test]
fn what_others_write_beside_uploads_survives() {
    let server = Server::new();
    let device = fill(&mut server.connect(), 1..=10);
    run(
        &mut server.connect(),
        "update fields_rows set b = '0', c = '0'",
    );
    let told = thread::scope(|scope| {
        for column in ["b", "c"] {
            let mut conn = server.connect();
            scope.spawn(move || {
                for round in 0..200 {
                    let id = 1 + round % 10;
                    run(
                        &mut conn,
                        &format!(
                            "update fields_rows set {column} = {column}::int + 1 where id = {id}"
                        ),
                    );
                }
            });
        }
        let mut conn = server.connect();
        let mut device = device.clone();
        let uploads = scope.spawn(move || {
            let mut told = Vec::new();
            for round in 1..=40 {
                let text = format!("{round}");
                let edits = (1..=10).map(|id| device.update("fields_rows", id, json!({"a": text})));
                told = verdicts(&Fields::upload(&mut conn, &changes(edits)).unwrap());
            }
            told
        });
        uploads.join().unwrap()
    });
    assert!(!told.contains(&"superseded".to_owned()), "{told:?}");
    let rows = lines(
        &mut server.connect(),
        "select a || ' ' || b || ' ' || c as line from fields_rows",
    );
    assert_eq!(rows, ["40 20 20"; 10]);
}

#[test]
fn an_edit_that_races_with_a_deletion_is_told_what_became_of_the_row() {
    let server = Server::new();
    let mut device = fill(&mut server.connect(), 1..=60);
    for id in 1..=60 {
        let sent = changes([device.update("fields_rows", id, json!({"a": "edited"}))]);
        let start = Barrier::new(2);
        let told = thread::scope(|scope| {
            scope.spawn(|| {
                let conn = &mut server.connect();
                start.wait();
                run(conn, &format!("delete from fields_rows where id = {id}"));
            });
            let conn = &mut server.connect();
            start.wait();
            Fields::upload(conn, &sent).unwrap()
        });
        let outcome = &told.outcomes[0];
        match verdicts(&told)[0].as_str() {
            "superseded" => assert_eq!(outcome.row, None),
            _ => assert!(outcome.stamp.is_some() || outcome.row.is_some()),
        }
    }
    let conn = &mut server.connect();
    assert!(lines(conn, "select a as line from fields_rows").is_empty());
}

#[test]
fn of_people_who_want_one_address_one_has_it_and_the_others_are_told() {
    let server = Server::new();
    let start = Barrier::new(4);
    let told: Vec<Vec<String>> = thread::scope(|scope| {
        let uploads: Vec<_> = (1..=4_u64)
            .map(|replica| {
                let mut conn = server.connect();
                let start = &start;
                scope.spawn(move || {
                    let mut device = Device::new(replica);
                    let mut numbers: Vec<i32> = (1..=12).collect();
                    // Half of them the other way round.
                    if replica % 2 == 0 {
                        numbers.reverse();
                    }
                    let sent: Vec<_> = numbers
                        .iter()
                        .enumerate()
                        .map(|(place, number)| {
                            let id = format!("{replica}-{place:02}");
                            let email = format!("{number}@x");
                            device.insert(
                                "people",
                                json!({"id": id, "name": id, "email": email, "team": "red", "kind": "k"}),
                            )
                        })
                        .collect();
                    start.wait();
                    verdicts(&People::upload(&mut conn, &changes(sent)).unwrap())
                })
            })
            .collect();
        uploads
            .into_iter()
            .map(|upload| upload.join().unwrap())
            .collect()
    });
    let conn = &mut server.connect();
    let stored = lines(conn, "select id as line from people order by email");
    assert_eq!(stored.len(), 12);
    for (replica, told) in told.iter().enumerate() {
        for (place, told) in told.iter().enumerate() {
            let id = format!("{}-{place:02}", replica + 1);
            let expected = match stored.contains(&id) {
                true => "applied",
                false => "constraint",
            };
            assert_eq!(told, expected, "{id}");
        }
    }
}

#[test]
fn of_two_edits_made_on_one_stamp_the_second_is_told_of_the_first() {
    let server = Server::new();
    let conn = &mut server.connect();
    for round in 1..=20 {
        let row = json!({"id": round, "a": "before", "b": "before"});
        let seen = Fields::upload(conn, &changes([Device::new(9).insert("fields_rows", row)]));
        let seen = seen.unwrap();
        let start = Barrier::new(2);
        let told = thread::scope(|scope| {
            let uploads = [(1, "a"), (2, "b")].map(|(replica, column)| {
                let (server, start) = (&server, &start);
                let (clock, base) = (seen.clock, stamp(&seen.outcomes[0]));
                scope.spawn(move || {
                    let mut device = Device::new(replica);
                    device.observe(clock);
                    let edit = device.update("fields_rows", round, json!({column: "edited"}));
                    let sent = changes([edit.on_stamp(base)]);
                    let conn = &mut server.connect();
                    start.wait();
                    Fields::upload(conn, &sent).unwrap()
                })
            });
            uploads.map(|upload| upload.join().unwrap())
        });
        let mut verdicts: Vec<_> = told.iter().flat_map(verdicts).collect();
        verdicts.sort();
        assert_eq!(verdicts, ["applied", "merged"]);
        let shown = told.iter().find_map(|told| told.outcomes[0].row.as_ref());
        let shown = shown.unwrap();
        assert_eq!(
            (&shown["a"], &shown["b"]),
            (&json!("edited"), &json!("edited"))
        );
    }
}
