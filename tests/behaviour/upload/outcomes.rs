//! What changes are answered with.

use super::super::device::{On, stamp};
use super::super::{Device, changes, rejection, run, verdicts};
use super::models::{FieldsRow, fields_rows};
use super::{Conn, Everything, Server};
use carburetor::change::Change;
use carburetor::outcome::Code;
use carburetor::upload::{Transactions, UploadError, UploadOptions};
use carburetor::{Everyone, SyncGroup};
use diesel::prelude::*;
use serde_json::json;

type Fields = SyncGroup<(FieldsRow,)>;

#[test]
fn an_insert_an_edit_and_a_deletion_are_applied() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let sent = [
        device.insert("fields_rows", json!({"id": 1, "a": "one", "b": null})),
        device.insert("fields_rows", json!({"id": 2, "a": "two", "b": "x"})),
        device.update("fields_rows", 1, json!({"a": "uno"})),
        device.delete("fields_rows", 2),
    ];
    let outcomes = Fields::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied"; 4]);
    let rows: Vec<(i32, String)> = fields_rows::table
        .select((fields_rows::id, fields_rows::a))
        .load(conn)
        .unwrap();
    assert_eq!(rows, [(1, "uno".into())]);
}

#[test]
fn what_was_sent_again_is_answered_alike_and_not_written_again() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let sent = changes([
        device.insert("fields_rows", json!({"id": 1, "a": "one"})),
        device.insert("nowhere", json!({"id": 1})),
    ]);
    let first = Fields::upload(conn, &sent).unwrap();
    run(conn, "update fields_rows set a = 'by hand'");
    let second = Fields::upload(conn, &sent).unwrap();
    assert_eq!(first.outcomes, second.outcomes);
    assert_eq!(verdicts(&second), ["applied", "invalid"]);
    let a: String = fields_rows::table
        .select(fields_rows::a)
        .first(conn)
        .unwrap();
    assert_eq!(a, "by hand");
}

#[test]
fn edits_of_different_columns_both_survive() {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let first = Fields::upload(
        conn,
        &changes([ann.insert("fields_rows", json!({"id": 1, "a": "a", "b": "b"}))]),
    )
    .unwrap();
    let seen = stamp(&first.outcomes[0]);
    ann.observe(first.clock);
    bob.observe(first.clock);
    let of_bob = bob
        .update("fields_rows", 1, json!({"b": "bob"}))
        .on_stamp(seen);
    let of_ann = ann
        .update("fields_rows", 1, json!({"a": "ann"}))
        .on_stamp(seen);
    let outcomes = Fields::upload(conn, &changes([of_ann])).unwrap();
    assert_eq!(verdicts(&outcomes), ["applied"]);
    let outcomes = Fields::upload(conn, &changes([of_bob])).unwrap();
    assert_eq!(verdicts(&outcomes), ["merged"]);
    let row = outcomes.outcomes[0].row.as_ref().unwrap();
    assert_eq!((&row["a"], &row["b"]), (&json!("ann"), &json!("bob")));
}

#[test]
fn one_bad_change_leaves_the_others_alone() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    run(
        conn,
        "insert into people (id, name, email, team, kind) values ('z', 'Zoe', 'zoe@x', 'red', 'k')",
    );
    let person = |id: &str, email: &str| json!({"id": id, "name": id, "email": email, "team": "red", "kind": "k"});
    let sent = [
        // Before its parent.
        device.insert(
            "tasks",
            json!({"id": 1, "person": "ann", "title": "t", "points": 1}),
        ),
        device.insert("people", person("ann", "ann@x")),
        device.insert("people", person("bob", "zoe@x")),
        device.insert(
            "tasks",
            json!({"id": 2, "person": "bob", "title": "t", "points": 1}),
        ),
        device.insert(
            "tasks",
            json!({"id": 3, "person": "ann", "title": "t", "points": -1}),
        ),
        device.insert(
            "tasks",
            json!({"id": 4, "person": "nobody", "title": "t", "points": 1}),
        ),
        device.insert(
            "tasks",
            json!({"id": 5, "person": "ann", "title": "t", "points": 5}),
        ),
    ];
    let outcomes = Everything::upload(conn, &changes(sent)).unwrap();
    assert_eq!(
        verdicts(&outcomes),
        [
            "applied",
            "applied",
            "constraint",
            "needs_parent",
            "constraint",
            "constraint",
            "applied"
        ]
    );
    assert_eq!(
        rejection(&outcomes, 4),
        (Code::Constraint, Some("tasks_points"))
    );
}

#[test]
fn an_answer_has_its_bound_change_by_change_too() {
    let long = "z".repeat(1000);
    for (transactions, written) in [(Transactions::One, 1), (Transactions::PerChange, 2)] {
        let server = Server::new();
        let conn = &mut server.connect();
        run(
            conn,
            &format!("insert into fields_rows (id, a) values (1, '{long}')"),
        );
        let mut device = Device::new(1);
        let mut sent = vec![device.insert("fields_rows", json!({"id": 2, "a": "good"}))];
        sent.extend((0..3).map(|_| device.update("fields_rows", 1, json!({"a": null}))));
        let options = UploadOptions {
            transactions,
            answer: 2500,
            ..UploadOptions::default()
        };
        let send = |conn: &mut Conn, sent: &[Change], options: &UploadOptions| {
            Fields::scoped(&Everyone).upload_with(conn, &changes(sent.to_vec()), options)
        };
        let error = send(conn, &sent, &options).unwrap_err();
        assert!(
            matches!(error, UploadError::LongAnswer { limit: 2500 }),
            "{error}"
        );
        let rows: i64 = fields_rows::table.count().get_result(conn).unwrap();
        assert_eq!(rows, written);
        // What was written is answered when it comes again in parts.
        let told: Vec<String> = [&sent[..2], &sent[2..]]
            .iter()
            .flat_map(|part| verdicts(&send(conn, part, &options).unwrap()))
            .collect();
        assert_eq!(told, ["applied", "invalid", "invalid", "invalid"]);
        // One alone has no bound.
        let one = UploadOptions {
            answer: 10,
            ..options
        };
        let alone = send(conn, &sent[1..2], &one).unwrap();
        assert_eq!(verdicts(&alone), ["invalid"]);
    }
}
