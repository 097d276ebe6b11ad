//! The program on a device: it edits its replica whenever it likes, also while a sync waits for the network.

use super::desk::Desk;
use super::models::{ALL, Table};
use super::rows::{Rows, query, rows};
use super::server::Server;
use super::statement::{Dialect, Statement};
use carburetor::testing::set_replica_time;
use chrono::DateTime;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use fastrand::Rng;
use std::sync::Arc;

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
        Program {
            conn,
            server,
            rng: Rng::with_seed(seed),
            number,
            edits: 0,
            offset: 0,
            desk: Desk::default(),
            breaches: Vec::new(),
        }
    }

    /// The device's clock jumps, by up to two hours either way.
    pub(super) fn jump(&mut self) {
        self.offset = match self.rng.u8(0..4) {
            0 => self.rng.i64(-7_200_000..7_200_000),
            1 => self.rng.i64(-30_000..30_000),
            _ => 0,
        };
    }

    /// The file's time is what the device's clock shows.
    pub(super) fn set_time(&mut self) {
        let now = self.server.now() + self.offset * 1000;
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
        self.set_time();
        self.run("begin immediate");
        let mut desk = self.desk.clone();
        let mut before = self.rows();
        for _ in 0..self.rng.usize(1..4) {
            self.edits += 1;
            let word = format!("{}.{}", self.number, self.edits);
            let statement = Statement::any(&mut self.rng, Dialect::Sqlite, teams, &word);
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

    fn run(&mut self, sql: &str) {
        self.conn
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{error} in:\n{sql}"));
    }
}
