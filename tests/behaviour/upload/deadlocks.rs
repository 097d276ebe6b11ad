//! Uploads lock their rows in one order, whatever order they come in.

use super::super::{Device, changes, run, verdicts};
use super::races::{Fields, Two, fill};
use super::{Conn, Server};
use carburetor::change::Change;
use carburetor::clock::Clock;
use diesel::prelude::*;
use serde_json::json;
use std::thread;

/// Two sessions wait for locks.
const BOTH_BLOCKED: &str = "(select count(*) = 2 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";

/// How often the database broke a deadlock. What a session found is counted when it has ended.
fn deadlocks(server: &Server) -> String {
    server.0.wait_until("(select count(*) = 1 from pg_stat_activity where datname = current_database() and backend_type = 'client backend')");
    server
        .0
        .text("(select deadlocks::text from pg_stat_database where datname = current_database())")
}

/// Has `write` write the rows 1 to 20 on one connection and 20 to 1 on another, both of them halfway before either can go on.
fn cross(server: &Server, write: impl Fn(&mut Conn, u64, Vec<i32>) -> bool + Sync) -> Vec<bool> {
    let mut middle = server.connect();
    thread::scope(|scope| {
        let write = &write;
        let writers = middle
            .transaction(|middle| {
                run(
                    middle,
                    "select from fields_rows where id in (10, 11) for update",
                );
                let writers = [1, 2].map(|replica| {
                    scope.spawn(move || {
                        let mut ids: Vec<i32> = (1..=20).collect();
                        if replica == 2 {
                            ids.reverse();
                        }
                        write(&mut server.connect(), replica, ids)
                    })
                });
                server.0.wait_until(BOTH_BLOCKED);
                diesel::QueryResult::Ok(writers)
            })
            .unwrap();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    })
}

#[test]
fn where_row_by_row_writes_deadlock_uploads_do_not() {
    let server = Server::new();
    fill(&mut server.connect(), 1..=20);
    let row_by_row = |conn: &mut Conn, replica: u64, ids: Vec<i32>| {
        conn.transaction(|conn| {
            for id in ids {
                diesel::sql_query(format!(
                    "update fields_rows set a = '{replica}' where id = {id}"
                ))
                .execute(conn)?;
            }
            diesel::QueryResult::Ok(())
        })
        .is_ok()
    };
    let mut written = cross(&server, row_by_row);
    written.sort_unstable();
    assert_eq!(written, [false, true]);
    assert_eq!(deadlocks(&server), "1");
    for round in 0..10 {
        let upload = |conn: &mut Conn, replica: u64, ids: Vec<i32>| {
            let mut device = Device::new(replica);
            device.observe(Clock::of_database(chrono::Utc::now()));
            let text = format!("{replica} in {round}");
            let edits = ids
                .into_iter()
                .map(|id| device.update("fields_rows", id, json!({"a": text})));
            let told = verdicts(&Fields::upload(conn, &changes(edits)).unwrap());
            told.iter()
                .all(|told| told == "merged" || told == "superseded")
        };
        assert_eq!(cross(&server, upload), [true, true]);
    }
    assert_eq!(deadlocks(&server), "1", "only the one that was made");
}

#[test]
fn inserts_edits_and_deletions_in_any_order_do_not_deadlock() {
    let server = Server::new();
    fill(&mut server.connect(), 1..=30);
    thread::scope(|scope| {
        for replica in 1..=4_u64 {
            let mut conn = server.connect();
            scope.spawn(move || {
                let mut device = Device::new(replica);
                let mut random = fastrand::Rng::with_seed(replica);
                for round in 0..25 {
                    // Each row of both tables at most once.
                    let mut rows: Vec<(&str, i32)> = ["fields_rows", "later_rows"]
                        .into_iter()
                        .flat_map(|table| (1..=60).map(move |id| (table, id)))
                        .collect();
                    random.shuffle(&mut rows);
                    rows.truncate(40);
                    let text = format!("{replica} in {round}");
                    let both = json!({"a": text, "b": text});
                    let sent = rows.into_iter().map(|(table, id)| match random.u8(0..4) {
                        0 => device.delete(table, id),
                        1 => device.insert(table, json!({"id": id, "a": text, "b": text})),
                        _ => device.update(table, id, both.clone()),
                    });
                    let sent: Vec<Change> = sent.collect();
                    let told = Two::upload(&mut conn, &changes(sent)).unwrap();
                    device.observe(told.clock);
                    for told in verdicts(&told) {
                        assert!(
                            ["applied", "merged", "superseded", "not_found"]
                                .contains(&told.as_str()),
                            "{told}"
                        );
                    }
                }
            });
        }
    });
    assert_eq!(deadlocks(&server), "0");
}
