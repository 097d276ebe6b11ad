//! The program on a device: it edits its replica whenever it likes, also while a sync waits for the network.

use super::desk::Desk;
use super::disk;
use super::models::{ALL, Table};
use super::rows::{Rows, query, rows};
use super::server::Server;
use super::statement::{Dialect, Odd, Statement, family};
use carburetor::change::Changes;
use carburetor::testing::set_replica_time;
use chrono::DateTime;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use fastrand::Rng;
use std::sync::Arc;

/// A line that breaks so often in a row may bear no more than a part of what was committed together.
const BREAKS: u32 = 5;

/// Ten years, in milliseconds.
const YEARS: i64 = 10 * 365 * 86_400_000;

/// A program with its connection to the replica's file.
pub(super) struct Program {
    conn: SqliteConnection,
    server: Arc<Server>,
    rng: Rng,
    number: usize,
    /// How often it has edited.
    edits: u64,
    /// By how many milliseconds the device's clock is wrong.
    offset: i64,
    pub(super) desk: Desk,
    /// How many uploads in a row were not answered.
    lost: u32,
    /// What is odd about its edits. It stores no values that it can't read.
    odd: Odd,
    /// The file can't grow.
    is_full: bool,
    /// What doesn't hold.
    pub(super) breaches: Vec<String>,
}

impl Program {
    pub(super) fn new(
        conn: SqliteConnection,
        server: Arc<Server>,
        number: usize,
        seed: u64,
    ) -> Self {
        let odd = Odd {
            values: false,
            ..server.odd
        };
        Program {
            conn,
            server,
            rng: Rng::with_seed(seed),
            number,
            edits: 0,
            offset: 0,
            desk: Desk::of(number as u64 + 1),
            lost: 0,
            odd,
            is_full: false,
            breaches: Vec::new(),
        }
    }

    /// The device's clock jumps, by up to two hours either way, or years ahead.
    pub(super) fn jump(&mut self, is_far: bool) {
        self.offset = match self.rng.u8(0..4) {
            // What devices write of what it serves is not dated by it.
            _ if self.desk.is_hub => 0,
            0 if is_far && self.rng.bool() => self.rng.i64(0..YEARS),
            0 => self.rng.i64(-7_200_000..7_200_000),
            1 => self.rng.i64(-30_000..30_000),
            _ => 0,
        };
    }

    /// The file can grow no more, or again. A hub's always can: others would not know why it fails.
    pub(super) fn disk(&mut self) {
        match self.is_full {
            true => self.make_room(),
            false if !self.desk.is_hub => {
                let full = disk::full(&mut self.rng);
                self.run(&full);
                self.is_full = true;
            }
            false => {}
        }
    }

    /// The file can grow.
    pub(super) fn make_room(&mut self) {
        self.run(disk::ROOM);
        self.is_full = false;
    }

    /// The file's time is what the device's clock shows.
    pub(super) fn set_time(&mut self) {
        let now = self.server.now();
        if self.desk.is_hub {
            let clock = format!("update carburetor_clock set now = max(now, {now})");
            self.conn
                .batch_execute(&clock)
                .expect("the hub's clock moves");
        }
        let now = now + self.offset * 1000;
        let now = DateTime::from_timestamp_micros(now);
        set_replica_time(&mut self.conn, now).expect("the time is set");
    }

    pub(super) fn rows(&mut self) -> Rows {
        let of = |table: &'static Table| {
            let sql = query(table, "json_object", "null");
            let lines = diesel::sql_query(sql).load(&mut self.conn);
            rows(table, lines.expect("the table is read")).collect::<Vec<_>>()
        };
        ALL.iter().flat_map(of).collect()
    }

    /// Edits a few rows in one transaction, or gives it up. It sees rows of `teams`.
    pub(super) fn edit(&mut self, teams: &[String]) {
        // What it edits while there is no room fails, and it knows.
        if self.is_full {
            return;
        }
        self.set_time();
        self.run("begin immediate");
        let mut desk = self.desk.clone();
        desk.transact();
        let mut before = self.rows();
        for statement in self.statements(teams) {
            self.run(&statement.sql);
            let after = self.rows();
            desk.edited(&before, &after);
            before = after;
        }
        match self.rng.u8(0..8) {
            0 => self.run("rollback"),
            _ => {
                self.run("commit");
                self.desk = desk;
            }
        }
        let rows = self.rows();
        let stands = self.desk.stands(&rows);
        self.breaches.extend(stands.err());
    }

    /// What the program does in one transaction.
    fn statements(&mut self, teams: &[String]) -> Vec<Statement> {
        let mut word = || {
            self.edits += 1;
            format!("{}.{}", self.number, self.edits)
        };
        if self.rng.u8(0..4) == 0 {
            return family(&mut self.rng, teams, &word());
        }
        let (number, odd) = (self.rng.usize(1..4), self.odd);
        (0..number)
            .map(|_| Statement::any(&mut self.rng, Dialect::Sqlite, teams, (&word(), odd)))
            .collect()
    }

    /// A message is about to leave.
    pub(super) fn send(&mut self, changes: &Changes) {
        self.breaches.extend(self.desk.send(changes).err());
    }

    /// An upload was answered, or not.
    pub(super) fn heard(&mut self, is_answered: bool) {
        self.lost = match is_answered {
            true => 0,
            false => self.lost + 1,
        };
        if self.lost >= BREAKS {
            self.desk.may_cut();
        }
    }

    fn run(&mut self, sql: &str) {
        self.conn
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{error} in:\n{sql}"));
    }
}
