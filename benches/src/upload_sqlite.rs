//! Uploads to an SQLite file, beside a bare upsert of the same rows by `json_each`.

use crate::Options;
use crate::race::{Runner, race};
use crate::sqlite::{File, Item, fill, open};
use crate::upload::{BATCH, Row, batches, laps};
use carburetor::SyncGroup;
use carburetor::outcome::Verdict;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::collections::VecDeque;

/// `upload` on SQLite beside a bare upsert.
pub fn upload(options: &Options) {
    let rows = (options.rows / 10).max(BATCH);
    let file = File::new();
    let ours = &mut open(&file.0);
    fill(ours, rows);
    ours.batch_execute("pragma cache_size = -65536")
        .expect("the setting is known");
    let floor = &mut open(&file.0);
    floor
        .batch_execute(
            "pragma synchronous = off; pragma cache_size = -65536;
             create table bare (
               id integer primary key, title text not null, note text, amount bigint not null, done boolean not null,
               updated_at text not null
             );
             insert into bare select id, title, note, amount, done, updated_at from items;
             create index bare_stamp on bare (updated_at, id)",
        )
        .expect("the table can be made");
    let mut their_laps: VecDeque<_> = (1..=options.runs + 1)
        .map(|lap| batches(rows, rows, lap))
        .collect();
    let mut our_laps = laps(rows, 1, options.runs + 1);
    race(
        options.runs,
        Runner::new("bare upsert by json_each, no triggers", || {
            for batch in their_laps.pop_front().expect("there is one per lap") {
                json_each(floor, &batch);
            }
        }),
        Runner::new("upload, batches of 1000", || {
            for sent in our_laps.pop_front().expect("there is one per lap") {
                let outcomes = SyncGroup::<(Item,)>::upload(ours, &sent).expect("the upload runs");
                let applied = outcomes
                    .outcomes
                    .iter()
                    .filter(|outcome| outcome.verdict == Verdict::Applied);
                assert_eq!(applied.count(), sent.changes.len());
            }
        }),
    )
    .speed("sqlite_upload/json_each", rows, "at least 0.4");
}

/// All of a batch in one statement.
fn json_each(conn: &mut SqliteConnection, rows: &[Row]) {
    let json: Vec<_> = rows
        .iter()
        .map(|row| (row.id, &row.title, &row.note, row.amount, row.done))
        .collect();
    let json = serde_json::to_string(&json).expect("rows are JSON");
    let written = diesel::sql_query(
        "insert into bare (id, title, note, amount, done, updated_at)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')
         from json_each(?) where true
         on conflict (id) do update set title = excluded.title, note = excluded.note, amount = excluded.amount,
           done = excluded.done, updated_at = excluded.updated_at",
    )
    .bind::<Text, _>(json)
    .execute(conn);
    assert_eq!(written, Ok(rows.len()));
}
