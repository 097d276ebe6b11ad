//! Uploads in batches, beside a bare upsert of the same rows and beside a loop of single upserts.

use crate::Options;
use crate::items::{self, Item, process};
use crate::race::{Runner, race};
use carburetor::SyncGroup;
use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use carburetor_tests::Database;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use serde_json::{Map, Value, json};

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
    let began = u64::try_from(base.timestamp_millis()).expect("it is after 1970") + lap as u64;
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
        Change {
            table: "items".into(),
            id: json!(row.id),
            clock,
            base,
            edit,
            was: Map::new(),
        }
    };
    Changes::new(rows.iter().enumerate().map(change).collect())
}

/// `upload` on PostgreSQL beside a bare upsert by UNNEST, and beside single upserts.
pub fn upload(options: &Options) {
    let rows = (options.rows / 10).max(BATCH);
    let database = tables(rows);
    let (ours, floor) = (&mut database.connect(), &mut database.connect());
    let [ours_process, floor_process] = [process(ours), process(floor)];
    let (mut our_lap, mut their_lap) = (0, 0);
    race(
        options.runs,
        Runner::new("bare upsert by UNNEST, no triggers", || {
            their_lap += 1;
            for batch in batches(rows, rows, their_lap) {
                unnest(floor, &batch);
            }
        })
        .served_by(floor_process),
        Runner::new("upload, batches of 1000", || {
            our_lap += 1;
            send(ours, rows, our_lap);
        })
        .served_by(ours_process),
    )
    .speed("upload/unnest", rows, "at least 0.5");

    let few = rows / 10;
    race(
        options.runs.min(5),
        Runner::new("INSERT .. ON CONFLICT, row by row", || {
            their_lap += 1;
            for row in batches(rows, few, their_lap).concat() {
                single(floor, &row);
            }
        })
        .served_by(floor_process),
        Runner::new("upload, batches of 1000", || {
            our_lap += 1;
            send(ours, few, our_lap);
        })
        .served_by(ours_process),
    )
    .speed("upload/row_loop", few, "at least 10");
}

fn send(conn: &mut PgConnection, changed: usize, lap: usize) {
    // Every edit was made on what the lap before wrote.
    let base = Utc::now();
    for (place, batch) in batches(changed, changed, lap).into_iter().enumerate() {
        let sent = changes(&batch, base, lap, place);
        let outcomes = SyncGroup::<(Item,)>::upload(conn, &sent).expect("the upload runs");
        let applied = outcomes
            .outcomes
            .iter()
            .filter(|outcome| outcome.verdict == Verdict::Applied);
        assert_eq!(applied.count(), batch.len());
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
