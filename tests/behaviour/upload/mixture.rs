//! A batch that is answered in every way.

use super::super::device::{On, stamp};
use super::super::{Device, changes, run};
use super::{Conn, Everything};
use carburetor::change::Changes;
use carburetor::clock::Clock;
use serde_json::json;

/// What the changes of [`mixture`] are answered with.
pub(super) const VERDICTS: [&str; 12] = [
    "merged",
    "merged",
    "superseded",
    "merged",
    "merged",
    "applied",
    "applied",
    "applied",
    "constraint",
    "needs_parent",
    "invalid",
    "not_found",
];

const TABLES: [&str; 5] = [
    "fields_rows",
    "later_rows",
    "server_rows",
    "client_rows",
    "custom_rows",
];

/// Writes the rows that the batch is about; the batch was made without having seen the last write of each.
pub(super) fn mixture(conn: &mut Conn) -> Changes {
    run(
        conn,
        "insert into people (id, name, email, team, kind) values ('zoe', 'Zoe', 'zoe@x', 'red', 'k')",
    );
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let rows = TABLES.map(|table| {
        ann.insert(
            table,
            json!({"id": 1, "a": "before", "b": "before", "c": "before"}),
        )
    });
    let first = Everything::upload(conn, &changes(rows)).unwrap();
    ann.observe(first.clock);
    let edits = TABLES.map(|table| {
        ann.update(
            table,
            1,
            match table {
                "later_rows" => json!({"a": "ann", "b": "ann"}),
                _ => json!({"a": "ann"}),
            },
        )
    });
    let edits = edits.into_iter().zip(&first.outcomes);
    let edits: Vec<_> = edits
        .map(|(edit, seen)| edit.on_stamp(stamp(seen)))
        .collect();
    let second = Everything::upload(conn, &changes(edits)).unwrap();
    bob.observe(second.clock.max(Clock::of_database(chrono::Utc::now())));
    let seen: Vec<_> = first.outcomes.iter().map(stamp).collect();
    let person = |id: &str, email: &str| json!({"id": id, "name": id, "email": email, "team": "red", "kind": "k"});
    let task =
        |id: i32, person: &str| json!({"id": id, "person": person, "title": "t", "points": 1});
    changes([
        bob.update(TABLES[0], 1, json!({"b": "bob"}))
            .on_stamp(seen[0]),
        bob.update(TABLES[1], 1, json!({"a": "bob", "b": "bob"}))
            .on_stamp(seen[1]),
        bob.update(TABLES[2], 1, json!({"a": "bob"}))
            .on_stamp(seen[2]),
        bob.update(TABLES[3], 1, json!({"a": "bob"}))
            .on_stamp(seen[3]),
        bob.update(TABLES[4], 1, json!({"a": "bob"}))
            .on_stamp(seen[4]),
        bob.insert("people", person("ben", "ben@x")),
        bob.insert("tasks", task(1, "ben")),
        bob.delete(TABLES[0], 7),
        bob.insert("people", person("eve", "zoe@x")),
        bob.insert("tasks", task(2, "eve")),
        bob.insert("nowhere", json!({"id": 1})),
        bob.update(TABLES[0], 99, json!({"a": "nobody's"})),
    ])
}
