//! From commit to subscriber: how long it takes, and what it costs those who write.

use crate::Options;
use crate::followed::{self, Program, Watching};
use crate::race::{figure_line, median, percentile_ms, ratio_line};
use carburetor_tests::Database;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How many follow at once.
const MANY: usize = 1000;

/// How many write at once.
const WRITERS: usize = 16;

/// Commits, and when they arrive at one follower and at many; writers with the feed on and off, polled and notified.
pub fn feed(options: &Options) {
    for watching in [Watching::Polling, Watching::Notified] {
        let database = followed::database(watching);
        let name = watching.name();
        latency(&database, watching, 1, 1, options.laps(), name);
        latency(
            &database,
            watching,
            MANY,
            1,
            options.runs * 5,
            &format!("{name}_1000_in_one_scope"),
        );
        latency(
            &database,
            watching,
            MANY,
            MANY,
            options.runs * 5,
            &format!("{name}_1000_in_1000_scopes"),
        );
        writers(&database, watching, options.runs);
    }
}

/// Who got which commit, and when.
struct Arrival {
    lap: usize,
    at: Instant,
}

/// Commits one row at a time, which all who follow are shown.
fn latency(
    database: &Database,
    watching: Watching,
    followers: usize,
    scopes: usize,
    laps: usize,
    name: &str,
) {
    let program = Program::start(database, watching);
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    for number in 0..followers {
        let stream = program.open(&format!("t{}", number % scopes));
        let arrived = arrived.clone();
        program.runtime.spawn(followed::follow(stream, move |line| {
            if let Some(lap) = lap_of(line) {
                // Nobody waits any more at the end.
                let _ = arrived.send(Arrival {
                    lap,
                    at: Instant::now(),
                });
            }
        }));
    }
    program.wait_for(followers);
    let conn = &mut database.connect();
    let mut waits = Vec::new();
    // Where each has a scope of his own, a commit is seen by one; everybody's scope is read for it.
    let expected = followers / scopes;
    let first = followed::unique();
    for lap in first..first + laps {
        std::thread::sleep(Duration::from_micros(20_000 + followed::jitter(10_000)));
        let team = lap % scopes;
        diesel::sql_query(format!(
            "insert into notes (id, title, team) values ('lap {lap} ', 'x', 't{team}')"
        ))
        .execute(conn)
        .expect("the row is written");
        let committed = Instant::now();
        let mut seen = 0;
        while seen < expected {
            let arrival = program.runtime.block_on(async {
                let patience = Duration::from_secs(20);
                tokio::time::timeout(patience, arrivals.recv()).await
            });
            let arrival = arrival.expect("the commit arrives").expect("they follow");
            if arrival.lap == lap {
                seen += 1;
                waits.push(arrival.at.saturating_duration_since(committed));
            }
        }
    }
    waits.sort_unstable();
    let many = followers > 1;
    figure_line(
        &format!("feed_{name}_p50_ms"),
        percentile_ms(&waits, 50),
        if many { "no target" } else { "at most 5" },
    );
    figure_line(
        &format!("feed_{name}_p99_ms"),
        percentile_ms(&waits, 99),
        if many { "at most 100" } else { "at most 30" },
    );
}

/// The last lap that a line shows.
fn lap_of(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?;
    let laps = text.split("\"lap ").skip(1);
    laps.filter_map(|rest| rest.split(' ').next()?.parse().ok())
        .max()
}

/// How much sixteen write in a second, with somebody following and without.
fn writers(database: &Database, watching: Watching, runs: usize) {
    let program = Program::start(database, watching);
    let ratios = (0..runs).map(|_| {
        let off = throughput(database);
        let stream = program.open("t0");
        let following = program.runtime.spawn(followed::follow(stream, |_| {}));
        program.wait_for(1);
        let on = throughput(database);
        following.abort();
        program.wait_for(0);
        println!(
            "  {:<44} {off:>9.0} commits/s off, {on:.0} on",
            watching.name()
        );
        on / off
    });
    let ratios: Vec<f64> = ratios.collect();
    ratio_line(
        &format!("feed_{}_writers", watching.name()),
        median(ratios.into_iter()),
        "0.9",
    );
}

/// Commits per second of all writers together, each on rows of its own.
fn throughput(database: &Database) -> f64 {
    let stop = AtomicBool::new(false);
    let commits = AtomicUsize::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (stop, commits) = (&stop, &commits);
            scope.spawn(move || {
                let conn = &mut database.connect();
                let update = format!(
                    "update notes set title = title || 'x' where id = 'writer {writer}'; update notes set title = 'x' where id = 'writer {writer}'"
                );
                while !stop.load(Ordering::Relaxed) {
                    conn.batch_execute(&update).expect("the row is written");
                    commits.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(2));
        stop.store(true, Ordering::Relaxed);
    });
    commits.into_inner() as f64 / begun.elapsed().as_secs_f64()
}
