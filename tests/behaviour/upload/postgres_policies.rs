//! Rows that a role reads, and its policies keep from being written.

use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::models::FieldsRow;
use super::{Conn, DB, Server};
use carburetor::SyncGroup;
use carburetor::change::Changes;
use carburetor::outcome::Outcomes;
use diesel::prelude::*;
use serde_json::json;

type Fields = SyncGroup<(FieldsRow,)>;

fn alone(conn: &mut Conn, sent: &Changes) -> Outcomes {
    Fields::upload(conn, sent).unwrap()
}

fn within(conn: &mut Conn, sent: &Changes) -> Outcomes {
    conn.transaction(|conn| Fields::upload(conn, sent)).unwrap()
}

/// What a role may see and not write: the row 1, which was there before and came again, and the row 3, which never went.
const BOUND: &str = "insert into fields_rows (id, a) values (1, 'again'), (3, 'ever');
     create role bound_by_policies; grant select, insert, update, delete on fields_rows to bound_by_policies;
     alter table fields_rows enable row level security;
     create policy reads on fields_rows for select using (true);
     create policy adds on fields_rows for insert with check (true);
     create policy writes on fields_rows for update using (id not in (1, 3));
     create policy takes on fields_rows for delete using (true)";

#[test]
fn a_row_that_is_shown_and_may_not_be_written_keeps_nobody_waiting() {
    let server = Server::new();
    let owner = &mut server.connect();
    let mut device = Device::ago(1, 60);
    let gone = [
        device.insert("fields_rows", json!({"id": 1, "a": "first"})),
        device.delete("fields_rows", 1),
    ];
    alone(owner, &changes(gone));
    run(owner, BOUND);
    let grants = Fields::tracking::<DB>().upload_grants_sql("bound_by_policies");
    run(owner, &grants);
    run(owner, "set role bound_by_policies");
    for upload in [alone, within] {
        let mut device = Device::new(2);
        let sent = [
            device.update("fields_rows", 1, json!({"a": "sent"})),
            device.insert("fields_rows", json!({"id": 2, "a": "sent"})),
            device.update("fields_rows", 1, json!({"b": "sent"})),
            device.update("fields_rows", 3, json!({"a": "sent"})),
            device.delete("fields_rows", 2),
        ];
        let told = upload(owner, &changes(sent));
        assert_eq!(
            verdicts(&told),
            ["forbidden", "applied", "forbidden", "forbidden", "applied"]
        );
        for (id, a) in [(1, "again"), (3, "ever")] {
            let sent = [
                device.insert("fields_rows", json!({"id": id, "a": "sent"})),
                device.insert("fields_rows", json!({"id": 2, "a": "sent"})),
                device.delete("fields_rows", id),
                device.delete("fields_rows", 2),
            ];
            let told = upload(owner, &changes(sent));
            assert_eq!(
                verdicts(&told),
                ["forbidden", "applied", "forbidden", "applied"]
            );
            assert_eq!(told.outcomes[0].row.as_ref().unwrap()["a"], a);
        }
    }
    let stored = lines(owner, "select a as line from fields_rows order by id");
    assert_eq!(stored, ["again", "ever"]);
    run(
        owner,
        "reset role; drop owned by bound_by_policies; drop role bound_by_policies",
    );
}
