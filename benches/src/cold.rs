//! A replica's first sync, from PostgreSQL over HTTP into an SQLite file.

use crate::Options;
use crate::bare;
use crate::items::{self, Item as Stored};
use crate::json::values;
use crate::process::memory_growth;
use crate::race::{figure_line, median, ratio_line, runtime};
use crate::serving::{pool, serve};
use crate::sqlite::{File, Item};
use carburetor::replica::{Http, Replica};
use carburetor::server::{Database as Served, Limits, ServedGroup, Sync};
use carburetor::{Everyone, SyncGroup};
use diesel::prelude::*;
use std::process::Command;
use std::time::Instant;
use tokio::runtime::Runtime;

/// The argument with which this program is the replica.
pub const REPLICA: &str = "--replicate";

/// How many rows the floor writes with one statement, and how many a page has.
const PAGE: usize = 10_000;

/// How many connections its server has.
pub const CONNECTIONS: usize = 4;

/// The first sync of a whole table beside reading it by COPY, and beside writing it by `json_each`.
pub fn cold(options: &Options) {
    let rows = options.rows;
    let database = items::tracked_items(rows);
    let runtime = &runtime();
    let client = &runtime.block_on(database.client());
    let texts = texts(rows);
    let serving = Runtime::new().expect("the runtime starts");
    let address = serve_items(&serving, pool(&database, CONNECTIONS));
    let rate = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        rows as f64 / begun.elapsed().as_secs_f64()
    };
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    let (mut server_mib, mut replica_mib) = (0_f64, 0_f64);
    for run in 0..=options.runs {
        let read = rate(&mut || assert_eq!(runtime.block_on(values(client)), rows));
        let written = rate(&mut || write(&texts, rows));
        let mut synced = Synced::default();
        let growth = memory_growth(|| synced = replicate(&address, rows));
        println!(
            "  COPY {read:.0} rows/s, json_each {written:.0}, first sync {:.0}",
            synced.rate
        );
        server_mib = server_mib.max(growth);
        replica_mib = replica_mib.max(synced.mib);
        // The first one warms up.
        if run > 0 {
            rates.push(synced.rate);
            ratios.push(synced.rate / read.min(written));
        }
    }
    figure_line(
        "cold_sync_rows_per_s",
        median(rates.into_iter()),
        "at least 300000",
    );
    ratio_line(
        "cold_sync/floor",
        median(ratios.into_iter()),
        "at least 0.7",
    );
    figure_line("cold_sync_server_mib", server_mib, "at most 64");
    figure_line("cold_sync_replica_mib", replica_mib, "at most 128");
}

/// Serves the table of items to everyone, and says where.
pub fn serve_items<D>(runtime: &Runtime, database: D) -> String
where
    D: Served,
    SyncGroup<(Stored,)>: ServedGroup<D::Connection, Scope = Everyone>,
{
    let sync = Sync::with_limits(database, Limits::default());
    let app = sync.group::<SyncGroup<(Stored,)>, Everyone>("all").router();
    let address = serve(runtime, |listener| async {
        axum::serve(listener, app).await.expect("it serves");
    });
    format!("http://{address}/all")
}

/// What a first sync was like.
#[derive(Default)]
struct Synced {
    rate: f64,
    mib: f64,
}

/// A first sync by a process of its own.
fn replicate(address: &str, rows: usize) -> Synced {
    let itself = std::env::current_exe().expect("this program has a path");
    let said = Command::new(itself)
        .args([REPLICA, address])
        .output()
        .expect("the replica starts");
    let said = String::from_utf8(said.stdout).expect("it says numbers");
    let said: Vec<f64> = said
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [synced, seconds, mib] = said[..] else {
        panic!("the replica failed: {said:?}");
    };
    assert_eq!(synced as usize, rows);
    Synced {
        rate: rows as f64 / seconds,
        mib,
    }
}

/// The replica.
pub fn client(mut arguments: impl Iterator<Item = String>) {
    let address = arguments.next().expect("an address");
    let file = File::new();
    let runtime = Runtime::new().expect("the runtime starts");
    let transport = Http::new(&address).expect("the address is one");
    let replica = Replica::<SyncGroup<(Item,)>>::open(&file.0, transport).expect("the file opens");
    let begun = Instant::now();
    let growth = memory_growth(|| {
        runtime
            .block_on(replica.sync())
            .expect("the server answers");
    });
    let seconds = begun.elapsed().as_secs_f64();
    let conn = &mut replica.connection().expect("the file opens");
    let rows: i64 = crate::sqlite::items::table
        .count()
        .get_result(conn)
        .expect("the table is there");
    println!("{rows} {seconds} {growth}");
}

/// What the floor writes, as JSON.
fn texts(rows: usize) -> Vec<String> {
    let row = |n: usize| {
        let note = (!n.is_multiple_of(3)).then(|| format!("what is to know of {n}"));
        (
            n,
            format!("item number {n}"),
            note,
            n * 37,
            n.is_multiple_of(2),
            "2026-01-31 23:59:59.123456+00:00",
        )
    };
    let starts = (1..=rows).step_by(PAGE);
    starts
        .map(|start| {
            let page: Vec<_> = (start..=rows.min(start + PAGE - 1)).map(row).collect();
            serde_json::to_string(&page).expect("rows are JSON")
        })
        .collect()
}

/// Writes all rows into a new file, a page a statement, in one transaction.
fn write(texts: &[String], rows: usize) {
    let file = File::new();
    let conn = &mut bare::create(&file.0);
    let written = conn.transaction(|conn| {
        let mut written = 0;
        for text in texts {
            written += bare::insert(conn, text)?;
        }
        diesel::QueryResult::Ok(written)
    });
    assert_eq!(written, Ok(rows));
}
