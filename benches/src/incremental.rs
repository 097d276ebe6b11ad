//! What changed in three tables, beside the three queries alone.

use crate::Options;
use crate::items::{self, Item, Second, Third, process, second_items, third_items};
use crate::race::{Runner, race};
use carburetor::SyncGroup;
use carburetor::table::TableOn;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;

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
    let definitions = [
        <Item as TableOn<Pg>>::definition(),
        <Second as TableOn<Pg>>::definition(),
        <Third as TableOn<Pg>>::definition(),
    ];
    items::track(&database, &definitions);
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
            let delivered = news.0.rows.len() + news.1.rows.len() + news.2.rows.len();
            assert_eq!(delivered, 3 * CHANGED);
        })
        .served_by(downloader),
    )
    .latency("incremental/queries", "at most 2.0");
}

fn queries(conn: &mut PgConnection, since: DateTime<Utc>) -> usize {
    let first: Vec<Item> = items::items::table
        .filter(items::items::updated_at.ge(since))
        .select(Item::as_select())
        .load(conn)
        .expect("the query runs");
    let second: Vec<Second> = second_items::table
        .filter(second_items::updated_at.ge(since))
        .select(Second::as_select())
        .load(conn)
        .expect("the query runs");
    let third: Vec<Third> = third_items::table
        .filter(third_items::updated_at.ge(since))
        .select(Third::as_select())
        .load(conn)
        .expect("the query runs");
    first.len() + second.len() + third.len()
}
