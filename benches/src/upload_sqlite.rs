//! Uploads to an SQLite file, beside a bare upsert of the same rows by `json_each`.

use crate::Options;
use crate::race::{Runner, race};
use crate::sqlite::{File, Item, fill, open};
use crate::upload::{BATCH, Row, batches, changes};
use carburetor::SyncGroup;
use carburetor::outcome::Verdict;
use chrono::Utc;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// `upload` on SQLite beside a bare upsert.
pub fn upload(options: &Options) {
    let rows = (options.rows / 10).max(BATCH);
    let file = File::new();
    let ours = &mut open(&file.0);
    fill(ours, rows);
    let floor = &mut open(&file.0);
    floor
        .batch_execute(
            "pragma synchronous = off;
             create table bare (
               id integer primary key, title text not null, note text, amount bigint not null, done boolean not null,
               updated_at text not null
             );
             insert into bare select id, title, note, amount, done, updated_at from items;
             create index bare_stamp on bare (updated_at, id)",
        )
        .expect("the table can be made");
    let (mut our_lap, mut their_lap) = (0, 0);
    race(
        options.runs,
        Runner::new("bare upsert by json_each, no triggers", || {
            their_lap += 1;
            for batch in batches(rows, rows, their_lap) {
                json_each(floor, &batch);
            }
        }),
        Runner::new("upload, batches of 1000", || {
            our_lap += 1;
            let base = Utc::now();
            for (place, batch) in batches(rows, rows, our_lap).into_iter().enumerate() {
                let sent = changes(&batch, base, our_lap, place);
                let outcomes = SyncGroup::<(Item,)>::upload(ours, &sent).expect("the upload runs");
                let applied = outcomes
                    .outcomes
                    .iter()
                    .filter(|outcome| outcome.verdict == Verdict::Applied);
                assert_eq!(applied.count(), batch.len());
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
