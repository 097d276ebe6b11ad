//! How often a row is delivered again without having been written again.

use crate::Options;
use crate::items::{self, Item, items as table};
use crate::race::{figure_line, ratio_line};
use carburetor::{Assumptions, Everyone, SyncGroup, Token};
use carburetor_tests::Database;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

type Group = SyncGroup<(Item,)>;

const POLL: Duration = Duration::from_secs(2);
const WRITERS: usize = 16;
/// What a writer does between two transactions.
const PAUSE: Duration = Duration::from_millis(8);

/// Many writers with short transactions, and two replicas that poll: one as everybody, one that trusts the clock never to step back.
pub fn redelivery(options: &Options) {
    let rows = (options.rows / 10).max(1000);
    let database = &items::tracked_items(rows);
    let over = &AtomicBool::new(false);
    let steady = Assumptions {
        slack: Duration::ZERO,
        ..Assumptions::default()
    };
    let polls = options.runs + 1;
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || write(database, rows, writer, over));
        }
        let trusting = scope.spawn(move || follow(database, steady, polls));
        let ordinary = follow(database, Assumptions::default(), polls);
        let trusting = trusting.join().expect("the replica follows");
        over.store(true, Ordering::Relaxed);
        for (name, counts) in [("as by default", &ordinary), ("without slack", &trusting)] {
            println!(
                "  {name}: {} rows delivered, {} of them fresh, in {polls} polls {} s apart",
                counts.delivered,
                counts.fresh,
                POLL.as_secs()
            );
        }
        ratio_line("redelivery", ordinary.ratio(), "at most 1.2");
        figure_line(
            "redelivery_without_slack",
            trusting.ratio(),
            "with `Assumptions { slack: 0 }`",
        );
    });
}

fn write(database: &Database, rows: usize, writer: usize, over: &AtomicBool) {
    let conn = &mut database.connect();
    let mut number = writer;
    while !over.load(Ordering::Relaxed) {
        number += WRITERS;
        let id = i32::try_from(number * 7919 % rows + 1).expect("ids are small");
        let updated = diesel::update(table::table.find(id))
            .set(table::amount.eq(table::amount + 1))
            .execute(conn);
        assert_eq!(updated, Ok(1));
        thread::sleep(PAUSE);
    }
}

#[derive(Default)]
struct Counts {
    delivered: usize,
    fresh: usize,
}

impl Counts {
    fn ratio(&self) -> f64 {
        self.delivered as f64 / self.fresh as f64
    }
}

fn follow(database: &Database, assumptions: Assumptions, polls: usize) -> Counts {
    let conn = &mut database.connect();
    let mut known: HashMap<i32, DateTime<Utc>> = HashMap::new();
    let mut counts = Counts::default();
    let mut download = |token: Option<Token>, counted: bool| {
        let group = Group::scoped(&Everyone).assuming(assumptions);
        let news = match token {
            Some(token) => group.download(conn, token),
            None => group.download(conn, (Some(Utc::now()),)),
        }
        .expect("the table can be downloaded");
        for row in &news.0.rows {
            let fresh = known.insert(row.id, row.updated_at) != Some(row.updated_at);
            if counted {
                counts.delivered += 1;
                counts.fresh += usize::from(fresh);
            }
        }
        news.next()
    };
    let mut token = download(None, false);
    let began = Instant::now();
    for poll in 0..=polls {
        let due = POLL * u32::try_from(poll).expect("polls are few");
        thread::sleep(due.saturating_sub(began.elapsed()));
        // The first one after the beginning brings what was written before anybody counted.
        token = download(Some(token), poll > 0);
    }
    counts
}
