//! From a commit in PostgreSQL to the changed rows in a replica's file, where any reader sees them.

use crate::Options;
use crate::bare;
use crate::cold::{CONNECTIONS, serve_items};
use crate::followed::{Watching, jitter};
use crate::items::{self, Item as Stored};
use crate::race::{figure_line, percentile_ms, runtime};
use crate::serving::pool;
use crate::sqlite::{File, Item};
use carburetor::SyncGroup;
use carburetor::replica::{Http, Replica};
use carburetor::server::Notified;
use carburetor_tests::Database;
use diesel::pg::Pg;
use diesel::prelude::*;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// The rows of the table, and how many of them a commit changes.
const ROWS: usize = 10_000;
const CHANGED: usize = 100;

/// Commits of a hundred rows, and when they are in the file of a replica that follows; beside reading and writing them by hand.
pub fn arrival(options: &Options) {
    for watching in [Watching::Polling, Watching::Notified] {
        let database = items::tracked_items(ROWS);
        let serving = Runtime::new().expect("the runtime starts");
        let pool = pool(&database, CONNECTIONS);
        let address = match watching {
            Watching::Polling => serve_items(&serving, pool),
            Watching::Notified => {
                let tracking = SyncGroup::<(Stored,)>::tracking::<Pg>();
                database.psql(&tracking.notify_sql());
                serve_items(&serving, Notified(pool))
            }
        };
        let file = File::new();
        let transport = Http::new(&address).expect("the address is one");
        let replica = Replica::<SyncGroup<(Item,)>>::open(&file.0, transport);
        let replica = replica.expect("the file opens");
        let reader = &mut replica.connection().expect("the file opens");
        let following = Runtime::new().expect("the runtime starts");
        following.spawn(async move { replica.run().await.map(drop) });
        wait(|| crate::sqlite::items::table.count().get_result(reader) == Ok(rows(ROWS)));
        laps(options, &database, reader, &file.0, watching.name());
    }
}

fn rows(rows: usize) -> i64 {
    i64::try_from(rows).expect("a few")
}

fn laps(
    options: &Options,
    database: &Database,
    reader: &mut SqliteConnection,
    file: &Path,
    name: &str,
) {
    let conn = &mut database.connect();
    let runtime = runtime();
    let client = runtime.block_on(database.client());
    let floor = &mut bare::create(&file.with_file_name("floor.sqlite"));
    let (mut arrivals, mut floors) = (Vec::new(), Vec::new());
    // The first ones warm up.
    for lap in 0..options.laps() + 10 {
        for by_hand in [false, true] {
            std::thread::sleep(Duration::from_micros(20_000 + jitter(10_000)));
            let amount = rows(2 * lap + usize::from(by_hand));
            let changed = diesel::sql_query(format!(
                "update items set amount = -{amount} where id <= {CHANGED}"
            ))
            .execute(conn);
            let committed = Instant::now();
            assert_eq!(changed, Ok(CHANGED));
            if by_hand {
                runtime.block_on(take(&client, floor, -amount));
                floors.push(committed.elapsed());
            }
            let arrived = wait(|| {
                use crate::sqlite::items::dsl;
                let changed = dsl::items.filter(dsl::amount.eq(-amount));
                let ours = dsl::id.le(i32::try_from(CHANGED).expect("a few"));
                changed.filter(ours).count().get_result(reader) == Ok(rows(CHANGED))
            });
            if !by_hand {
                arrivals.push(arrived.saturating_duration_since(committed));
            }
        }
    }
    let measured = |times: Vec<Duration>| {
        let mut times = times[10..].to_vec();
        times.sort_unstable();
        times
    };
    let (arrivals, floors) = (measured(arrivals), measured(floors));
    figure_line(
        &format!("arrival_{name}_p50_ms"),
        percentile_ms(&arrivals, 50),
        "at most 10",
    );
    figure_line(
        &format!("arrival_{name}_p99_ms"),
        percentile_ms(&arrivals, 99),
        "no target",
    );
    figure_line(
        &format!("arrival_{name}_floor_p50_ms"),
        percentile_ms(&floors, 50),
        "tokio-postgres and json_each",
    );
}

/// When `seen` became true.
fn wait(mut seen: impl FnMut() -> bool) -> Instant {
    let begun = Instant::now();
    while !seen() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the rows arrive");
        std::thread::sleep(Duration::from_micros(100));
    }
    Instant::now()
}

/// Reads the changed rows, and writes them.
async fn take(client: &tokio_postgres::Client, conn: &mut SqliteConnection, amount: i64) {
    let changed = client
        .query(
            "select id, title, note, amount, done, updated_at::text from items where id <= $1 and amount = $2",
            &[&i32::try_from(CHANGED).expect("a few"), &amount],
        )
        .await
        .expect("the query runs");
    let changed: Vec<_> = changed
        .iter()
        .map(|row| {
            (
                row.get::<_, i32>(0),
                row.get::<_, String>(1),
                row.get::<_, Option<String>>(2),
                row.get::<_, i64>(3),
                row.get::<_, bool>(4),
                row.get::<_, String>(5),
            )
        })
        .collect();
    assert_eq!(changed.len(), CHANGED);
    let text = serde_json::to_string(&changed).expect("rows are JSON");
    assert_eq!(bare::replace(conn, &text), Ok(CHANGED));
}
