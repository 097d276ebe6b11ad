//! Inserts that meet a row of somebody else's under their id.

use super::super::device::{Device, changes};
use super::super::{run, verdicts};
use super::{Conn, Everything, Server};
use carburetor::change::Change;
use carburetor::outcome::{Outcome, Outcomes};
use carburetor::upload::ConflictsOf;
use serde_json::{Value, json};

const TABLES: [&str; 4] = ["fields_rows", "later_rows", "client_rows", "custom_rows"];

fn row(id: i32, a: &str) -> Value {
    json!({"id": id, "a": a, "b": null, "c": "same"})
}

fn upload(conn: &mut Conn, sent: Change) -> Outcomes {
    Everything::upload(conn, &changes([sent])).unwrap()
}

fn met(outcome: &Outcome) -> Value {
    json!(outcome.met)
}

#[test]
fn an_insert_over_another_replicas_row_is_told_with_both_values() {
    let server = Server::new();
    let conn = &mut server.connect();
    for table in TABLES {
        let [mut ann, mut bob, mut late] = [
            Device::ahead(1, 10),
            Device::ahead(2, 20),
            Device::ago(3, 5),
        ];
        let first = upload(conn, ann.insert(table, row(8, "ann")));
        assert_eq!(
            (verdicts(&first), met(&first.outcomes[0])),
            (vec!["applied".to_owned()], Value::Null)
        );
        let sent = bob.insert(table, row(8, "bob"));
        let second = upload(conn, sent.clone());
        assert_eq!(verdicts(&second), ["merged"], "{table}");
        assert_eq!(met(&second.outcomes[0]), json!({"a": "ann"}), "{table}");
        let stands = second.outcomes[0].row.as_ref().unwrap()["a"].clone();
        let merged = if table == "custom_rows" {
            "ann+bob"
        } else {
            "bob"
        };
        assert_eq!(stands, merged, "{table}");
        // The answer was lost.
        assert_eq!(upload(conn, sent).outcomes, second.outcomes);
        let third = upload(conn, late.insert(table, row(8, "late")));
        assert_eq!(met(&third.outcomes[0]), json!({"a": merged}), "{table}");
        let logged = Everything::scoped(&carburetor::Everyone)
            .conflicts(
                conn,
                &ConflictsOf {
                    sender: Some(2),
                    ..ConflictsOf::default()
                },
            )
            .unwrap();
        let logged: Vec<_> = logged.iter().filter(|entry| entry.table == table).collect();
        assert!(
            logged.iter().any(|entry| entry.lost["a"] == "ann"),
            "{logged:?}"
        );
    }
}

#[test]
fn what_the_server_itself_has_inserted_is_met_too() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into fields_rows (id, a, c) values (8, 'sql', 'same')",
    );
    let older = upload(
        conn,
        Device::ago(1, 5).insert("fields_rows", row(8, "older")),
    );
    assert_eq!(verdicts(&older), ["superseded"]);
    assert_eq!(met(&older.outcomes[0]), json!({"a": "sql"}));
    let later = upload(
        conn,
        Device::ahead(2, 20).insert("fields_rows", row(8, "later")),
    );
    assert_eq!(
        (verdicts(&later), met(&later.outcomes[0])),
        (vec!["merged".to_owned()], json!({"a": "sql"}))
    );
}

#[test]
fn an_insert_over_a_row_of_ones_own_or_an_equal_one_is_a_plain_success() {
    let server = Server::new();
    let conn = &mut server.connect();
    for table in TABLES {
        let [mut ann, mut bob] = [Device::ahead(1, 10), Device::ahead(2, 20)];
        upload(conn, ann.insert(table, row(8, "one")));
        let equal = upload(conn, bob.insert(table, row(8, "one")));
        assert_eq!(met(&equal.outcomes[0]), Value::Null, "{table}");
        upload(conn, ann.insert(table, row(9, "one")));
        upload(conn, bob.update(table, 9, json!({"a": "two", "b": null})));
        // Its answer was lost, and the server has forgotten it.
        let again = upload(conn, ann.insert(table, row(9, "one")));
        assert_eq!(met(&again.outcomes[0]), Value::Null, "{table}");
        // Whoever has seen the row writes it, however it is said.
        let seen = upload(conn, bob.update(table, 9, json!({"c": "seen"})));
        let stamp = seen.outcomes[0]
            .row
            .as_ref()
            .map(|row| row["at"].as_str().unwrap().parse().unwrap());
        let mut sent = bob.insert(table, row(9, "three"));
        sent.base = stamp.or(seen.outcomes[0].stamp);
        assert_eq!(met(&upload(conn, sent).outcomes[0]), Value::Null, "{table}");
    }
}
