//! What changed in three tables, beside the three queries alone.

use crate::Options;
use crate::items::{
    self, Item, Second, Third, items as items_table, process, second_items, third_items,
};
use crate::race::{Runner, race, runtime};
use carburetor::{Response, SyncGroup};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

type Group = SyncGroup<(Item, Second, Third)>;

/// How many rows of each table changed.
const CHANGED: usize = 100;

/// A download of a hundred changed rows in each of three tables: cutoff, three statements, rows, removals, token.
pub fn incremental(options: &Options) {
    let database = items::database();
    let tables = ["items", "second_items", "third_items"];
    for table in tables {
        items::fill(&database, table, options.rows);
    }
    items::track::<(Item, Second, Third)>(&database);
    items::settle(&database, &tables);

    // What is asked from before the tracking began is everything.
    database.wait_until(
        "(select max(horizon) < now() - interval '2 seconds' from carburetor.synced_table)",
    );
    let (by_hand, conn) = (&mut database.connect(), &mut database.connect());
    let hour = Utc::now() - TimeDelta::hours(1);
    let quiet = Group::download(conn, (Some(hour), Some(hour), Some(hour)))
        .expect("the group can be downloaded");
    let (since, token) = (quiet.0.cutoff, quiet.next());
    for table in tables {
        database.psql(&format!(
            "update {table} set amount = amount + 1 where id % {} = 0",
            (options.rows / CHANGED).max(1)
        ));
    }
    let (loader, downloader) = (process(by_hand), process(conn));
    race(
        options.laps(),
        Runner::new("three indexed queries", || {
            assert_eq!(queries(by_hand, since), 3 * CHANGED);
        })
        .served_by(loader),
        Runner::new("download of the group", || {
            let news = Group::download(conn, &token).expect("the group can be downloaded");
            assert_eq!(delivered(&news), 3 * CHANGED);
        })
        .served_by(downloader),
    )
    .latency("incremental/queries", "at most 2.0");

    let runtime = &runtime();
    let (by_hand, conn) = (
        &mut runtime.block_on(database.connect_async()),
        &mut runtime.block_on(database.connect_async()),
    );
    race(
        options.laps(),
        Runner::new("three indexed queries, async", || {
            let found = runtime.block_on(queries_async(by_hand, since));
            assert_eq!(found, 3 * CHANGED);
        }),
        Runner::new("download_async of the group", || {
            let news = runtime
                .block_on(Group::download_async(conn, &token))
                .expect("the group can be downloaded");
            assert_eq!(delivered(&news), 3 * CHANGED);
        }),
    )
    .latency("incremental_async/queries", "at most 2.0");
}

fn delivered(news: &Response<(Item, Second, Third)>) -> usize {
    news.0.rows.len() + news.1.rows.len() + news.2.rows.len()
}

macro_rules! changed {
    ($table:ident, $model:ident, $since:ident) => {
        $table::table
            .filter($table::updated_at.ge($since))
            .select($model::as_select())
    };
}

fn queries(conn: &mut PgConnection, since: DateTime<Utc>) -> usize {
    let first: Vec<Item> = changed!(items_table, Item, since)
        .load(conn)
        .expect("the query runs");
    let second: Vec<Second> = changed!(second_items, Second, since)
        .load(conn)
        .expect("the query runs");
    let third: Vec<Third> = changed!(third_items, Third, since)
        .load(conn)
        .expect("the query runs");
    first.len() + second.len() + third.len()
}

async fn queries_async(conn: &mut AsyncPgConnection, since: DateTime<Utc>) -> usize {
    use diesel_async::RunQueryDsl;
    let first: Vec<Item> = RunQueryDsl::load(changed!(items_table, Item, since), conn)
        .await
        .expect("the query runs");
    let second: Vec<Second> = RunQueryDsl::load(changed!(second_items, Second, since), conn)
        .await
        .expect("the query runs");
    let third: Vec<Third> = RunQueryDsl::load(changed!(third_items, Third, since), conn)
        .await
        .expect("the query runs");
    first.len() + second.len() + third.len()
}
