//! What a sync does for one row doesn't grow with the table: the plans of the statements that it runs.

use super::Server;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// What those connections run, on whatever thread.
static RUN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

thread_local! {
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps what the connections run that are made by a thread that watches them.
fn watched() -> Option<Box<dyn Instrumentation>> {
    IS_WATCHED.get().then(|| {
        Box::new(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let text = text.split("-- binds").next().unwrap_or_default();
                RUN.lock().unwrap().insert(text.trim().to_owned());
            }
        }) as Box<dyn Instrumentation>
    })
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Integer)]
    #[allow(dead_code, reason = "a step's number is of no interest")]
    id: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The steps that read all of a table that grows with the number of rows. What reads the whole outbox on purpose, once per sync, to send or to count it, is
/// left out.
fn scans(conn: &mut SqliteConnection, text: &str) -> Vec<String> {
    let statements = text.split(";\n").flat_map(|part| part.split("; "));
    let statements = statements.filter(|one| {
        let first = one.split_whitespace().next().unwrap_or_default();
        ["select", "insert", "update", "delete"].contains(&first)
            && !one.ends_with("limit 1")
            && !one.contains("count(")
            && !one.contains("carburetor_sent <> 1 and carburetor_stretch <=")
    });
    let mut found = Vec::new();
    for statement in statements {
        let plan: Vec<Step> = diesel::sql_query(format!("explain query plan {statement}"))
            .load(conn)
            .unwrap_or_else(|error| panic!("{error} in:\n{statement}"));
        let scan = plan.iter().find(|step| {
            let known = [
                "notes",
                "seats",
                "kept",
                "entry",
                "below",
                "shown",
                "upstream",
                "carburetor_outbox_notes",
                "carburetor_outbox_seats",
                "carburetor_below_notes",
                "carburetor_below_seats",
            ];
            let mut words = step.detail.split_whitespace();
            words.next() == Some("SCAN") && words.next().is_some_and(|name| known.contains(&name))
        });
        found.extend(scan.map(|step| format!("{}:\n{statement}", step.detail)));
    }
    found
}

#[test]
fn rows_that_go_are_looked_up_however_they_go() {
    let server = Server::new();
    server.run(
        "insert into notes (id, title, team) values ('a', 'one', 'red'), ('b', 'two', 'red'), ('c', 'three', 'red');
insert into seats (room, place, guest, kind) values ('x', 1, 'ann', 'sofa'), ('x', 2, 'bob', 'sofa'), ('x', 3, 'cy', 'sofa')",
    );
    set_default_instrumentation(watched).unwrap();
    IS_WATCHED.set(true);
    let mut device = server.device();
    IS_WATCHED.set(false);
    RUN.lock().unwrap().clear();
    // An outcome for a row that is gone, and a removal, each beside an edit that waits.
    server.run("delete from notes where id in ('a', 'b'); delete from seats where place < 3");
    device.run(
        "update notes set title = 'uno' where id = 'a';
update seats set guest = 'zoe' where room = 'x' and place = 1",
    );
    device.between(
        "update notes set title = 'drei' where id = 'c';
update seats set guest = 'zoe' where room = 'x' and place = 3",
    );
    device.sync();
    assert_eq!((device.notes().len(), device.guests().len()), (1, 1));
    // Rows that come, and an outcome with a row.
    server.run("update notes set title = 'tre', body = 'x' where id = 'c'");
    device.sync();
    // A row that was given an id that can't travel. The download after it reads all on purpose.
    device.run("update notes set id = cast(x'ff' as text) where id = 'c'");
    device.faults.set_offline(true);
    assert!(device.try_sync().is_err());
    assert_eq!(device.replica.rejected().unwrap().len(), 4);
    let run = std::mem::take(&mut *RUN.lock().unwrap());
    for table in ["notes", "seats"] {
        let delete = format!("delete from \"{table}\"");
        assert!(run.iter().any(|text| text.contains(&delete)), "{run:#?}");
    }
    let mut conn = device.replica.connection().unwrap();
    let found: Vec<String> = run.iter().flat_map(|text| scans(&mut conn, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
