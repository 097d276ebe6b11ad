//! What a change may do at all.

use super::super::{Device, changes, rejection, run, verdicts};
use super::models::{FieldsRow, Note, Person, Task, fields_rows, people};
use super::{Conn, DB, Everything, Server};
use carburetor::clock::Clock;
use carburetor::outcome::Code;
use carburetor::upload::{Transactions, UploadError, UploadOptions};
use carburetor::{Everyone, SyncGroup, SyncScope, Visible};
use diesel::prelude::*;
use serde_json::json;
use std::time::Duration;

/// The clock of whatever was written until now.
fn now() -> Clock {
    Clock::of_database(chrono::Utc::now())
}

fn person(id: &str, team: &str) -> serde_json::Value {
    json!({"id": id, "name": id, "email": null, "team": team, "kind": "k"})
}

#[test]
fn a_refused_change_names_the_column_and_the_reason() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    run(
        conn,
        "insert into people (id, name, team, kind) values ('ann', 'Ann', 'red', 'k')",
    );
    device.observe(now());
    let sent = [
        device.update("people", "ann", json!({"kind": "other"})),
        device.update("people", "ann", json!({"score": 5})),
        device.update("people", "ann", json!({"id": "bob"})),
        device.update("people", "ann", json!({"nickname": "A"})),
        device.update("people", "ann", json!({"name": 5})),
        device.update("people", "ann", json!({"name": null})),
        device.insert("people", json!({"id": "eve", "name": "Eve", "team": "red"})),
        device.update("nowhere", 1, json!({})),
        device.update("people", "zoe", json!({"name": "Zoe"})),
        device.update("people", "ann", json!({"name": "Anne"})),
    ];
    let outcomes = Everything::upload(conn, &changes(sent)).unwrap();
    let expected = [
        (Code::Immutable, Some("kind")),
        (Code::ReadOnly, Some("score")),
        (Code::Immutable, Some("id")),
        (Code::Invalid, Some("nickname")),
        (Code::Invalid, Some("name")),
        (Code::Invalid, Some("name")),
        (Code::Invalid, Some("kind")),
        (Code::Invalid, None),
        (Code::NotFound, None),
    ];
    for (place, expected) in expected.into_iter().enumerate() {
        assert_eq!(rejection(&outcomes, place), expected, "{place}");
    }
    assert_eq!(verdicts(&outcomes)[9], "merged");
}

#[test]
fn an_old_client_may_omit_a_column_with_a_default() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let sent = [
        device.insert("people", person("ann", "red")),
        device.insert(
            "tasks",
            json!({"id": 1, "person": "ann", "title": "t", "points": 1}),
        ),
    ];
    let outcomes = Everything::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied", "applied"]);
    let news = SyncGroup::<(Task,)>::download(conn, (None,)).unwrap();
    assert_eq!(news.0.rows[0].level, "low");
}

#[test]
fn a_deletion_beats_a_later_edit_and_only_a_later_insert_revives() {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let row = |a: &str| json!({"id": 1, "a": a});
    let old = ann.insert("fields_rows", row("too old"));
    let mut told = |change| {
        let outcomes = SyncGroup::<(FieldsRow,)>::upload(conn, &changes([change])).unwrap();
        ann.observe(outcomes.clock);
        bob.observe(outcomes.clock);
        (verdicts(&outcomes).remove(0), ann.clone(), bob.clone())
    };
    let (first, mut ann, mut bob) = told(Device::new(3).insert("fields_rows", row("first")));
    assert_eq!(first, "applied");
    let deletion = ann.delete("fields_rows", 1);
    assert_eq!(told(deletion).0, "applied");
    bob.observe(ann.tick());
    assert_eq!(
        told(bob.update("fields_rows", 1, json!({"a": "later"}))).0,
        "superseded"
    );
    assert_eq!(told(old).0, "superseded");
    let again = bob.insert("fields_rows", row("again"));
    assert_eq!(told(again).0, "applied");
    let a: String = fields_rows::table
        .select(fields_rows::a)
        .first(conn)
        .unwrap();
    assert_eq!(a, "again");
}

#[test]
fn a_soft_deletion_sets_the_flag_and_an_insert_clears_it() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let mut told = |changed| {
        let outcomes = SyncGroup::<(Note,)>::upload(conn, &changes([changed])).unwrap();
        let news = SyncGroup::<(Note,)>::download(conn, (None,)).unwrap();
        (verdicts(&outcomes).remove(0), news.0.rows.len())
    };
    let note = |body: &str| json!({"id": 1, "body": body, "gone": false});
    assert_eq!(
        told(device.insert("notes", note("one"))),
        ("applied".into(), 1)
    );
    assert_eq!(told(device.delete("notes", 1)), ("applied".into(), 0));
    assert_eq!(
        told(device.update("notes", 1, json!({"body": "two"}))),
        ("superseded".into(), 0)
    );
    assert_eq!(
        told(device.insert("notes", note("three"))),
        ("applied".into(), 1)
    );
}

#[test]
fn a_clock_that_is_far_ahead_refuses_everything_before_anything_is_applied() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let good = device.insert("fields_rows", json!({"id": 1, "a": "good"}));
    let mut ahead = device.insert("fields_rows", json!({"id": 2, "a": "ahead"}));
    ahead.clock = Clock::new(good.clock.millis() + 3_600_000, 0, 1);
    let error = SyncGroup::<(FieldsRow,)>::upload(conn, &changes([good, ahead])).unwrap_err();
    assert!(matches!(error, UploadError::ClockAhead { .. }), "{error}");
    assert_eq!(fields_rows::table.count().get_result(conn), Ok(0));
}

#[test]
fn the_same_clock_with_other_content_is_a_copied_replica() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let first = device.insert("fields_rows", json!({"id": 1, "a": "one"}));
    let mut copy = device.insert("fields_rows", json!({"id": 2, "a": "two"}));
    let beside = copy.clone();
    copy.clock = first.clock;
    SyncGroup::<(FieldsRow,)>::upload(conn, &changes([first])).unwrap();
    let error = SyncGroup::<(FieldsRow,)>::upload(conn, &changes([beside, copy])).unwrap_err();
    assert!(matches!(error, UploadError::Copied { .. }), "{error}");
    assert_eq!(fields_rows::table.count().get_result(conn), Ok(1));
}

#[test]
fn all_or_nothing_leaves_nothing_and_says_why() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let sent = changes([
        device.insert("fields_rows", json!({"id": 1, "a": "one"})),
        device.insert("fields_rows", json!({"id": 2})),
    ]);
    let fields = SyncGroup::<(FieldsRow,)>::scoped(&Everyone);
    let with = |transactions| UploadOptions {
        transactions,
        ..UploadOptions::default()
    };
    let error = fields
        .upload_with(conn, &sent, &with(Transactions::AllOrNothing))
        .unwrap_err();
    let UploadError::Refused(rejections) = error else {
        panic!("{error}")
    };
    assert_eq!((rejections.len(), rejections[0].0), (1, 1));
    assert_eq!(fields_rows::table.count().get_result(conn), Ok(0));
    let outcomes = fields
        .upload_with(conn, &sent, &with(Transactions::PerChange))
        .unwrap();
    assert_eq!(verdicts(&outcomes), ["applied", "invalid"]);
}

/// Sees one team.
struct Team(&'static str);

impl SyncScope<Person, DB> for Team {
    fn filter(&self) -> Visible<'_, people::table, DB> {
        Visible::only(people::team.eq(self.0))
    }
}

type Teams = SyncGroup<(Person,), Team>;

#[test]
fn nothing_outside_of_the_scope_is_written_or_shown() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    run(
        conn,
        "insert into people (id, name, team, kind) values ('ann', 'Ann', 'red', 'k'), ('bob', 'Bob', 'blue', 'k')",
    );
    device.observe(now());
    let sent = [
        device.update("people", "bob", json!({"name": "mine"})),
        device.delete("people", "bob"),
        device.insert("people", person("bob", "red")),
        device.insert("people", person("eve", "blue")),
        device.update("people", "ann", json!({"team": "blue"})),
        device.update("people", "ann", json!({"name": "Anne"})),
    ];
    let outcomes = Teams::scoped(&Team("red"))
        .upload(conn, &changes(sent))
        .unwrap();
    assert_eq!(
        verdicts(&outcomes),
        [
            "forbidden",
            "forbidden",
            "forbidden",
            "forbidden",
            "forbidden",
            "merged"
        ]
    );
    for outcome in &outcomes.outcomes[..4] {
        assert_eq!(outcome.row, None);
    }
    let rows: Vec<(String, String, String)> = people::table
        .select((people::id, people::name, people::team))
        .order(people::id)
        .load(conn)
        .unwrap();
    let row = |id: &str, name: &str, team: &str| (id.to_owned(), name.to_owned(), team.to_owned());
    assert_eq!(rows, [row("ann", "Anne", "red"), row("bob", "Bob", "blue")]);
}

#[test]
fn uploads_of_the_same_rows_in_opposite_order_do_not_deadlock() {
    let server = Server::new();
    let conn = &mut server.connect();
    let rows = |device: &mut Device| {
        (1..=20)
            .map(|id| device.insert("fields_rows", json!({"id": id, "a": "a"})))
            .collect::<Vec<_>>()
    };
    SyncGroup::<(FieldsRow,)>::upload(conn, &changes(rows(&mut Device::new(9)))).unwrap();
    std::thread::scope(|scope| {
        for replica in 1..=4 {
            let mut conn: Conn = server.connect();
            scope.spawn(move || {
                let mut device = Device::new(replica);
                for _ in 0..25 {
                    let edit = |device: &mut Device, id: i32| {
                        device.update("fields_rows", id, json!({"a": format!("{replica}")}))
                    };
                    let mut sent: Vec<_> = (1..=20).map(|id| edit(&mut device, id)).collect();
                    if replica % 2 == 0 {
                        let clocks: Vec<_> = sent.iter().map(|change| change.clock).collect();
                        sent.reverse();
                        for (change, clock) in sent.iter_mut().zip(clocks) {
                            change.clock = clock;
                        }
                    }
                    let outcomes =
                        SyncGroup::<(FieldsRow,)>::upload(&mut conn, &changes(sent)).unwrap();
                    assert!(
                        verdicts(&outcomes)
                            .iter()
                            .all(|told| told == "merged" || told == "superseded"),
                        "{outcomes:?}"
                    );
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
    });
}
