//! The server: tracked tables of a database, whose clock the simulation moves.

use super::ledger::Ledger;
use super::models::{ALL, Member, TABLES, Table, Web};
use super::rows::{Key, Rows, query, rows};
use super::statement::{Dialect, Statement};
use crate::Folder;
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::outcome::Outcomes;
use carburetor::replica::{InProcess, Transport, TransportError};
use diesel::connection::{Connection, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{ConnectionError, ConnectionResult, QueryableByName};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the server's time begins: ahead of every real clock, so that only the simulation moves it.
const BEGINNING: i64 = 4_000_000_000_000_000;

/// The database that owns the tables, and what must be in it.
pub(super) struct Server {
    path: PathBuf,
    ledger: Mutex<Ledger>,
}

/// A number that a query gives.
#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// When the row of an id was deleted.
#[derive(QueryableByName)]
struct Deletion {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    clock: String,
}

impl Server {
    pub(super) fn start(folder: &Folder) -> Arc<Self> {
        let server = Server {
            path: folder.file("server"),
            ledger: Mutex::default(),
        };
        let mut conn = server.connect();
        conn.batch_execute(TABLES).expect("the tables are made");
        Web::tracking::<Sqlite>()
            .install(&mut conn)
            .expect("the tables are tracked");
        server.set_time(0);
        Arc::new(server)
    }

    fn connect(&self) -> SqliteConnection {
        self.connector()().expect("the server's file opens")
    }

    fn connector(&self) -> impl Fn() -> ConnectionResult<SqliteConnection> + Send + Sync + 'static {
        let path = self.path.to_string_lossy().into_owned();
        move || {
            let mut conn = SqliteConnection::establish(&path)?;
            conn.batch_execute(
                "pragma journal_mode = wal; pragma busy_timeout = 10000; pragma synchronous = off; pragma foreign_keys = on",
            )
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(conn)
        }
    }

    /// Moves the clock on to this many microseconds after the beginning. It never goes back.
    pub(super) fn set_time(&self, micros: i64) {
        let now = BEGINNING + micros;
        self.connect()
            .batch_execute(&format!(
                "update carburetor_clock set now = max(now, {now})"
            ))
            .expect("the clock moves");
    }

    /// What its clock shows, in microseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        let sql = "select now as number from carburetor_clock";
        let found = diesel::sql_query(sql).get_result::<Number>(&mut self.connect());
        found.expect("the clock is read").number
    }

    pub(super) fn rows(&self) -> Rows {
        let conn = &mut self.connect();
        let of = |table: &'static Table| {
            let sql = query(table, "json_object", "carburetor_registers");
            let lines = diesel::sql_query(sql).load(conn);
            rows(table, lines.expect("the table is read")).collect::<Vec<_>>()
        };
        ALL.iter().flat_map(of).collect()
    }

    /// The deletions that it remembers.
    fn deletions(&self) -> Vec<(Key, String)> {
        let conn = &mut self.connect();
        let of = |table: &'static Table| {
            let sql = format!(
                "select id, carburetor_clock as clock from carburetor_register_{}",
                table.name
            );
            let found = diesel::sql_query(sql).load::<Deletion>(conn);
            let found = found.expect("the deletions are read").into_iter();
            found
                .map(|found| ((table.name, found.id), found.clock))
                .collect::<Vec<_>>()
        };
        ALL.iter().flat_map(of).collect()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody writes by SQL. What the constraints refuse is refused.
    pub(super) fn write(&self, statement: &Statement) -> Result<(), String> {
        let conn = &mut self.connect();
        let done = conn.transaction(|conn| conn.batch_execute(&statement.sql));
        let replaced = statement.replaces.as_ref().filter(|_| done.is_ok());
        self.ledger()
            .written(&self.rows(), &self.deletions(), replaced, self.now())
            .map_err(|problem| format!("{problem}, after {}", statement.sql))
    }

    pub(super) const DIALECT: Dialect = Dialect::Sqlite;

    /// What `member` sees of it.
    pub(super) fn way(&self, member: Member) -> impl Transport {
        InProcess::<Web, Member, SqliteConnection>::new(member, self.connector())
    }

    /// Takes an upload of `member`.
    pub(super) async fn take(
        &self,
        member: &Member,
        changes: Vec<u8>,
    ) -> Result<Bytes, TransportError> {
        let sent = Changes::read(&changes).expect("a replica's message can be read");
        let answer = self.way(member.clone()).upload(changes).await;
        let outcomes = answer.as_ref().ok().map(|answer| {
            let outcomes = Outcomes::read(answer).expect("a server's answer can be read");
            outcomes.outcomes
        });
        let (rows, deletions) = (self.rows(), self.deletions());
        self.ledger().taken(
            member,
            &sent.changes,
            outcomes.as_deref(),
            &rows,
            &deletions,
        );
        answer
    }
}
