//! Uploads in batches, beside a bare upsert of the same rows and beside a loop of single upserts.

use crate::Options;
use crate::items::{self, Item, process};
use crate::race::{Runner, race};
use carburetor::SyncGroup;
use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use carburetor_tests::Database;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

/// The changes of one upload.
pub const BATCH: usize = 1000;

/// A row as a replica has it.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: i32,
    pub title: String,
    pub note: Option<String>,
    pub amount: i64,
    pub done: bool,
}

/// Batches of rows whose ids lie scattered; half of the rows are in a table of `rows` rows.
pub fn batches(rows: usize, changes: usize, lap: usize) -> Vec<Vec<Row>> {
    let row = |number: usize| {
        // A prime step, so that neighbours are on other pages.
        let id = match number % 2 {
            0 => (number * 7919) % rows + 1,
            _ => lap * 1_000_000 + number,
        };
        Row {
            id: i32::try_from(id).expect("ids are small"),
            title: format!("item number {number} of lap {lap}"),
            note: (!number.is_multiple_of(3)).then(|| format!("what is to know of {number}")),
            amount: i64::try_from(number * 37 + lap).expect("amounts are small"),
            done: lap.is_multiple_of(2),
        }
    };
    let numbers: Vec<usize> = (0..changes).collect();
    numbers
        .chunks(BATCH)
        .map(|numbers| numbers.iter().map(|number| row(*number)).collect())
        .collect()
}

/// The changes of a replica that made these rows in lap `lap`: half of them are edits of every column, half are inserts.
pub fn changes(rows: &[Row], base: DateTime<Utc>, lap: usize, batch: usize) -> Changes {
    // Later than the rows, which are a day old, and than the lap before; never ahead of the server.
    let began = base - TimeDelta::days(1) - TimeDelta::hours(1);
    let began =
        u64::try_from(began.timestamp_millis()).expect("it is after 1970") + 10 * lap as u64;
    let change = |(place, row): (usize, &Row)| {
        let mut columns: Map<String, Value> = [
            ("title".to_owned(), json!(row.title)),
            ("note".to_owned(), json!(row.note)),
            ("amount".to_owned(), json!(row.amount.to_string())),
            ("done".to_owned(), json!(row.done)),
        ]
        .into_iter()
        .collect();
        let number = batch * BATCH + place;
        let counter = u16::try_from(number % 50_000).expect("it fits");
        let clock = Clock::new(began + (number / 50_000) as u64, counter, 7);
        let (base, edit) = match place % 2 {
            0 => (Some(base), Edit::Update(columns)),
            _ => {
                columns.insert("id".into(), json!(row.id));
                (None, Edit::Insert(columns))
            }
        };
        let mut change = Change::new("items", row.id, clock, edit);
        change.base = base;
        change
    };
    Changes::new(rows.iter().enumerate().map(change).collect())
}

/// `upload` on PostgreSQL beside a bare upsert by UNNEST, and beside single upserts.
pub fn upload(options: &Options) {
    let rows = (options.rows / 10).max(BATCH);
    let database = tables(rows);
    let (ours, floor) = (&mut database.connect(), &mut database.connect());
    let [ours_process, floor_process] = [process(ours), process(floor)];
    let mut their_lap = 0;
    let mut theirs = || {
        their_lap += 1;
        batches(rows, rows, their_lap)
    };
    let mut their_laps: VecDeque<_> = (0..=options.runs).map(|_| theirs()).collect();
    let mut our_laps = laps(rows, 1, options.runs + 1);
    race(
        options.runs,
        Runner::new("bare upsert by UNNEST, no triggers", || {
            for batch in their_laps.pop_front().expect("there is one per lap") {
                unnest(floor, &batch);
            }
        })
        .served_by(floor_process),
        Runner::new("upload, batches of 1000", || {
            send(ours, our_laps.pop_front().expect("there is one per lap"));
        })
        .served_by(ours_process),
    )
    .speed("upload/unnest", rows, "at least 0.5");

    // A loop of single statements waits for the disk at each of its commits; without that it would be no slower than the statements are.
    durable(&database, true);
    let few = rows / 10;
    let runs = options.runs.min(5);
    let first = options.runs + 2;
    let mut their_laps: VecDeque<_> = (first..=first + runs)
        .map(|lap| batches(few, few, lap).concat())
        .collect();
    let mut our_laps = laps(few, first, runs + 1);
    race(
        runs,
        Runner::new("INSERT .. ON CONFLICT, row by row, durable", || {
            for row in their_laps.pop_front().expect("there is one per lap") {
                single(floor, &row);
            }
        })
        .served_by(floor_process),
        Runner::new("upload, batches of 1000, durable", || {
            send(ours, our_laps.pop_front().expect("there is one per lap"));
        })
        .served_by(ours_process),
    )
    .speed("upload/row_loop", few, "at least 10");
    durable(&database, false);
}

/// Whether a commit waits until it is on the disk; the tests' servers don't.
fn durable(database: &Database, on: bool) {
    let setting = if on { "on" } else { "off" };
    database.psql(&format!("alter system set fsync = {setting}"));
    database.psql("select pg_reload_conf()");
    database.wait_until(&format!("current_setting('fsync') = '{setting}'"));
}

/// What is uploaded in each lap from number `first` on, made before anything is measured: a server has it from the wire.
pub fn laps(changed: usize, first: usize, count: usize) -> VecDeque<Vec<Changes>> {
    // No edit was made on an older row than there is.
    let base = Utc::now() + TimeDelta::days(1);
    let lap = |lap: usize| {
        let batches = batches(changed, changed, lap).into_iter().enumerate();
        batches
            .map(|(place, batch)| changes(&batch, base, lap, place))
            .collect()
    };
    (first..first + count).map(lap).collect()
}

fn send(conn: &mut PgConnection, lap: Vec<Changes>) {
    for sent in lap {
        let outcomes = SyncGroup::<(Item,)>::upload(conn, &sent).expect("the upload runs");
        let applied = outcomes
            .outcomes
            .iter()
            .filter(|outcome| outcome.verdict == Verdict::Applied);
        assert_eq!(applied.count(), sent.changes.len());
    }
}

fn tables(rows: usize) -> Database {
    let database = items::tracked_items(rows);
    items::fill(&database, "bare", rows);
    database.psql("create index on bare (updated_at, id)");
    items::settle(&database, &["bare", "items"]);
    database
}

/// All of a batch in one statement.
fn unnest(conn: &mut PgConnection, rows: &[Row]) {
    let written = diesel::sql_query(
        "insert into bare (id, title, note, amount, done, updated_at)
         select id, title, note, amount, done, now() from unnest($1, $2, $3, $4, $5) as sent (id, title, note, amount, done)
         on conflict (id) do update set title = excluded.title, note = excluded.note, amount = excluded.amount,
           done = excluded.done, updated_at = excluded.updated_at",
    )
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.title.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.note.as_deref()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.amount).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(rows.iter().map(|row| row.done).collect::<Vec<_>>())
    .execute(conn);
    assert_eq!(written, Ok(rows.len()));
}

/// One row in a statement and a transaction of its own.
fn single(conn: &mut PgConnection, row: &Row) {
    let written = diesel::sql_query(
        "insert into bare (id, title, note, amount, done, updated_at) values ($1, $2, $3, $4, $5, now())
         on conflict (id) do update set title = excluded.title, note = excluded.note, amount = excluded.amount,
           done = excluded.done, updated_at = excluded.updated_at",
    )
    .bind::<Integer, _>(row.id)
    .bind::<Text, _>(&row.title)
    .bind::<Nullable<Text>, _>(&row.note)
    .bind::<BigInt, _>(row.amount)
    .bind::<Bool, _>(row.done)
    .execute(conn);
    assert_eq!(written, Ok(1));
}
