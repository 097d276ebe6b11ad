//! The cutoff comes first, in a statement of its own.

use super::{Naive, Note, Replica, database, exact, run, stamp};
use carburetor::{Everyone, SyncGroup};
use diesel::connection::InstrumentationEvent;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Record, Timestamptz};
use std::thread;

/// Commits the transaction of `writer` when `conn` has finished its first query.
fn commit_after_the_first_query(conn: &mut PgConnection, writer: PgConnection) {
    let mut writer = Some(writer);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::FinishQuery { .. } = event
            && let Some(mut writer) = writer.take()
        {
            run(&mut writer, "commit");
        }
    });
}

#[test]
fn a_commit_between_the_cutoff_and_the_rows_is_delivered_at_once() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);
    run(&mut writer, "begin; insert into notes values (1)");
    let opened = stamp(&mut writer, "notes", 1);
    commit_after_the_first_query(&mut reader, writer);
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [1]);
    assert!(replica.since.unwrap() <= opened);
}

#[test]
fn a_commit_between_the_cutoff_and_the_snapshot_is_delivered_at_once() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);
    run(&mut writer, "begin; insert into notes values (1)");
    commit_after_the_first_query(&mut reader, writer);
    let group = SyncGroup::<(Note,)>::scoped(&Everyone).assuming(exact());
    let news = group
        .download_consistent(&mut reader, (replica.since,))
        .unwrap();
    replica.apply(news.into_tables().0);
    assert_eq!(replica.ids(), [1]);
}

#[test]
fn a_commit_between_two_pages_comes_at_the_latest_with_the_next_download() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);
    run(&mut writer, "begin; insert into notes values (1)");
    database.psql("insert into notes select id from generate_series(2, 9) id");
    let group = SyncGroup::<(Note,)>::scoped(&Everyone).assuming(exact());
    let mut pages = group.pages((replica.since,), 3);
    let mut writer = Some(writer);
    while let Some(page) = pages.next(&mut reader).unwrap() {
        replica.apply(page.into_tables().0);
        if let Some(mut writer) = writer.take() {
            run(&mut writer, "commit");
        }
    }
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), Vec::from_iter(1..=9));
}

/// Cutoff and rows in one statement, which waits between its snapshot and its look at the locks.
const ONE_STATEMENT: &str = "
(select row(c.cutoff, array(select n.id from notes n))
 from (select pg_advisory_xact_lock(42)) paused(pause),
   lateral (select least(statement_timestamp(), timestamptz '2020-01-01 00:00:00Z' + interval '1 microsecond' *
     min(((l.classid::bigint << 32) | l.objid::bigint) & ((1::bigint << 51) - 1))) as cutoff
     from pg_locks l where paused.pause is not null and l.locktype = 'advisory' and (l.classid::bigint >> 19) = 1441
       and l.database = (select oid from pg_database where datname = current_database())) c)";

#[test]
fn a_cutoff_in_the_statement_of_the_rows_loses_what_commits_between_snapshot_and_locks() {
    let database = database();
    let (mut reader, mut writer, mut pause) =
        (database.connect(), database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);
    run(&mut pause, "begin; select pg_advisory_xact_lock(42)");
    run(&mut writer, "begin; insert into notes values (1)");
    replica.download::<Note>(&mut reader).unwrap();
    let opened = stamp(&mut writer, "notes", 1);

    let mut naive = database.connect();
    let naive = thread::spawn(move || {
        let query = sql::<Record<(Timestamptz, Array<Integer>)>>(ONE_STATEMENT);
        diesel::select(query)
            .get_result::<(chrono::DateTime<chrono::Utc>, Vec<i32>)>(&mut naive)
            .unwrap()
    });
    database.wait_until(
        "exists (select from pg_locks where locktype = 'advisory' and objid = 42 and not granted
           and database = (select oid from pg_database where datname = current_database()))",
    );
    run(&mut writer, "commit");
    run(&mut pause, "commit");
    let (cutoff, ids) = naive.join().unwrap();
    // The row is not there, and the next download would begin after it.
    assert_eq!(ids, [] as [i32; 0]);
    assert!(cutoff > opened);

    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [1]);
}

#[test]
fn rows_before_the_clock_lose_what_commits_between_them() {
    let database = database();
    let mut reader = database.connect();
    let mut replica = Replica::of::<Note>(&mut reader);
    let mut rows_first = Naive::new("notes", "null::timestamptz");
    rows_first.download(&mut reader);
    replica.download::<Note>(&mut reader).unwrap();
    database.psql("insert into notes values (1)");
    rows_first.clock = "now()";
    rows_first.since = diesel::select(sql::<Timestamptz>("now()"))
        .get_result(&mut reader)
        .ok();
    rows_first.download(&mut reader);
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [1]);
    assert_eq!(rows_first.ids, [] as [i32; 0]);
}
