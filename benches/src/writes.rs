//! What tracking costs a writer, with registers and without, beside the trigger that many tables have anyway and beside none.

use crate::Options;
use crate::items::{self, process};
use crate::process::cpu;
use crate::race::{figure_line, median, ratio_line};
use carburetor::SyncTable;
use carburetor::table::{TableDefinition, TableOn};
use carburetor::tracking::Tracking;
use carburetor_tests::Database;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use std::time::{Duration, Instant};

diesel::table! { tracked (id) { id -> Integer, amount -> BigInt, updated_at -> Timestamptz, } }
diesel::table! {
    registered (id) { id -> Integer, title -> Text, note -> Nullable<Text>, amount -> BigInt, done -> Bool, updated_at -> Timestamptz, }
}
diesel::table! { triggered (id) { id -> Integer, amount -> BigInt, } }
diesel::table! { plain (id) { id -> Integer, amount -> BigInt, updated_at -> Timestamptz, } }

/// The part of the tracked table that its tracking depends on.
#[derive(Debug, SyncTable)]
#[diesel(table_name = tracked)]
#[sync(backends(postgres))]
#[allow(dead_code, reason = "only the definition is needed")]
struct Tracked {
    #[sync(id)]
    id: i32,
    amount: i64,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

/// All columns, because each is compared for its register.
#[derive(Debug, SyncTable)]
#[diesel(table_name = registered)]
#[sync(backends(postgres))]
#[allow(dead_code, reason = "only the definition is needed")]
struct Registered {
    #[sync(id)]
    id: i32,
    title: String,
    note: Option<String>,
    amount: i64,
    done: bool,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

/// The tables: with the common trigger, stamped only, with neither, and stamped with registers.
const TABLES: [&str; 4] = ["triggered", "tracked", "plain", "registered"];

/// Single updates and updates of many rows, of tracked tables with registers and without, of one with a `now()` trigger, and of one where the statement sets the stamp.
pub fn writes(options: &Options) {
    let rows = (options.rows / 10).max(1000);
    let database = tables(rows);
    let conn = &mut database.connect();
    single(conn, rows, options.runs);
    bulk(&database, conn, rows, options.runs);
}

/// The tables, with the same rows and indexes.
fn tables(rows: usize) -> Database {
    let database = items::database();
    for table in TABLES {
        items::fill(&database, table, rows);
    }
    let stamped = TableDefinition {
        read_only: true,
        ..<Tracked as TableOn<Pg>>::definition().clone()
    };
    let definitions = [stamped, <Registered as TableOn<Pg>>::definition().clone()];
    Tracking::<Pg>::of(definitions)
        .install(&mut database.connect())
        .expect("the tables can be tracked");
    database.psql(
        "create index on triggered (updated_at, id);
         create index on plain (updated_at, id);
         create function touch() returns trigger language plpgsql as 'begin new.updated_at := now(); return new; end';
         create trigger touch before insert or update on triggered for each row execute function touch()",
    );
    items::settle(&database, &TABLES);
    database
}

/// How many single updates a lap has.
const SINGLE: usize = 500;

fn single(conn: &mut PgConnection, rows: usize, runs: usize) {
    let mut latencies = [const { Vec::new() }; TABLES.len()];
    let mut times = [const { Vec::new() }; TABLES.len()];
    let server = process(conn).to_string();
    for run in 0..runs * 4 {
        for turn in 0..TABLES.len() {
            let table = (run + turn) % TABLES.len();
            let before = cpu(&server);
            for number in 0..SINGLE {
                // A prime step, so that neighbours are on other pages.
                let id = (run * SINGLE + number) * 7919 % rows + 1;
                let began = Instant::now();
                update(conn, table, i32::try_from(id).expect("ids are small"));
                latencies[table].push(began.elapsed().as_secs_f64() * 1e6);
            }
            let took = cpu(&server) - before;
            times[table].push(took.as_secs_f64() * 1e6 / SINGLE as f64);
        }
    }
    let medians = latencies.map(|latencies| median(latencies.into_iter()));
    let times = times.map(|times| median(times.into_iter()));
    for ((table, latency), time) in TABLES.into_iter().zip(medians).zip(times) {
        println!(
            "  update of one row, {table:<10} {latency:>7.1} us, of the server's processor {time:.1} us, median of {}",
            runs * 4 * SINGLE
        );
    }
    ratio_line("write_latency", medians[1] / medians[0], "at most 1.15");
    ratio_line(
        "write_register_latency",
        medians[3] / medians[1],
        "of that of the stamp alone",
    );
    ratio_line(
        "write_register_latency_plain",
        medians[3] / medians[2],
        "of that without a trigger",
    );
}

/// One row of the table of this number.
fn update(conn: &mut PgConnection, table: usize, id: i32) {
    let updated = match TABLES[table] {
        "triggered" => diesel::update(triggered::table.find(id))
            .set(triggered::amount.eq(triggered::amount + 1))
            .execute(conn),
        "tracked" => diesel::update(tracked::table.find(id))
            .set(tracked::amount.eq(tracked::amount + 1))
            .execute(conn),
        "registered" => diesel::update(registered::table.find(id))
            .set(registered::amount.eq(registered::amount + 1))
            .execute(conn),
        _ => diesel::update(plain::table.find(id))
            .set((
                plain::amount.eq(plain::amount + 1),
                plain::updated_at.eq(diesel::dsl::now),
            ))
            .execute(conn),
    };
    assert_eq!(updated, Ok(1));
}

fn bulk(database: &Database, conn: &mut PgConnection, rows: usize, runs: usize) {
    let mut walls = [const { Vec::new() }; TABLES.len()];
    let mut times = [const { Vec::new() }; TABLES.len()];
    let server = process(conn).to_string();
    let per_row = |took: Duration| took.as_secs_f64() * 1e6 / rows as f64;
    for run in 0..runs {
        for turn in 0..TABLES.len() {
            let table = (run + turn) % TABLES.len();
            let stamp = if TABLES[table] == "plain" {
                ", updated_at = now()"
            } else {
                ""
            };
            items::settle(database, &[TABLES[table]]);
            let (before, began) = (cpu(&server), Instant::now());
            conn.batch_execute(&format!(
                "update {} set amount = amount + 1{stamp}",
                TABLES[table]
            ))
            .expect("rows can be updated");
            walls[table].push(per_row(began.elapsed()));
            times[table].push(per_row(cpu(&server) - before));
        }
    }
    for (place, table) in TABLES.into_iter().enumerate() {
        println!(
            "  update of {rows} rows, {table:<12} {:>6.2} us a row, of the server's processor {:.2} us, median of {runs}",
            median(walls[place].iter().copied()),
            median(times[place].iter().copied()),
        );
    }
    let extra = |of: &[Vec<f64>; TABLES.len()], one: usize, than: usize| {
        median(
            of[one]
                .iter()
                .zip(&of[than])
                .map(|(tracked, other)| tracked - other),
        )
    };
    figure_line("write_bulk_us", extra(&walls, 1, 0), "extra, at most 1.5");
    figure_line(
        "write_bulk_processor_us",
        extra(&times, 1, 0),
        "extra, of the server's processor",
    );
    figure_line(
        "write_bulk_us_without_trigger",
        extra(&walls, 1, 2),
        "extra",
    );
    figure_line(
        "write_register_bulk_us",
        extra(&walls, 3, 1),
        "more than the stamp alone, at most 2",
    );
    figure_line(
        "write_register_bulk_processor_us",
        extra(&times, 3, 1),
        "more, of the server's processor",
    );
}
