//! Plans that were made while a table was empty.

use super::super::{Device, changes, run, verdicts};
use super::models::FieldsRow;
use super::{Conn, Server};
use carburetor::SyncGroup;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::json;

type Fields = SyncGroup<(FieldsRow,)>;

const BATCH: i32 = 200;

fn insert(conn: &mut Conn, device: &mut Device, first: i32) {
    let row = |id: i32| device.insert("fields_rows", json!({"id": id, "a": "a"}));
    let outcomes = Fields::upload(conn, &changes((first..first + BATCH).map(row))).unwrap();
    assert_eq!(verdicts(&outcomes), vec!["applied"; BATCH as usize]);
}

#[test]
fn deletions_by_the_thousand_slow_no_connection_that_knew_none() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, "vacuum analyze carburetor.register_fields_rows");
    let mut device = Device::new(1);
    // As often as the server tries plans of one use before it keeps one.
    for batch in 0..8 {
        insert(conn, &mut device, batch * BATCH);
    }
    run(
        conn,
        "insert into carburetor.register_fields_rows (id, carburetor_clock) select g, repeat('0', 32) from generate_series(100000, 105000) g",
    );
    let read = conn
        .transaction(|conn| {
            insert(conn, &mut device, 8 * BATCH);
            diesel::select(diesel::dsl::sql::<BigInt>(
                "(select seq_tup_read from pg_stat_xact_user_tables where relname = 'register_fields_rows')",
            ))
            .get_result::<i64>(conn)
        })
        .unwrap();
    assert!(read <= 10_000, "{read} rows of deletions were looked at");
}
