//! The server: a database, whoever writes in it by SQL, and what must be in it.

use super::aside::Aside;
use super::database::{Backend, Database};
use super::ledger::{Ledger, Taken};
use super::models::{ALL, Member, TEAMS, Table};
use super::rows::{Key, Rows, rows};
use super::statement::{Odd, Statement, family};
use super::troubles::{Trouble, Troubles};
use crate::Folder;
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::outcome::Outcomes;
use carburetor::replica::TransportError;
use diesel::QueryableByName;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Text};
use fastrand::Rng;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The database that owns the tables, and what must be in it.
pub(super) struct Server {
    pub(super) database: Mutex<Database>,
    /// A transaction that has written, and commits much later.
    slow: Mutex<Option<PgConnection>>,
    ledger: Mutex<Ledger>,
    /// An older copy.
    pub(super) aside: Mutex<Option<Aside>>,
    /// What is odd about what is written by SQL.
    pub(super) odd: Odd,
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

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    pub(super) fn start(backend: Backend, folder: &Folder, troubles: &Troubles) -> Arc<Self> {
        let server = Server {
            database: Mutex::new(Database::new(backend, folder, troubles)),
            slow: Mutex::default(),
            ledger: Mutex::default(),
            aside: Mutex::default(),
            odd: Odd {
                triggers: troubles.has(Trouble::Triggers),
                values: troubles.has(Trouble::Values),
            },
        };
        server.set_time(0);
        let there = server.look(None);
        there.expect("what is there was written by SQL");
        Arc::new(server)
    }

    pub(super) fn set_time(&self, micros: i64) {
        locked(&self.database).set_time(micros);
    }

    /// What its clock shows, in microseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        let mut database = locked(&self.database);
        let sql = database.now().to_owned();
        let found: Vec<Number> = database.load(sql);
        found[0].number
    }

    pub(super) fn rows(&self) -> Rows {
        let mut database = locked(&self.database);
        let of = |table: &'static Table| rows(table, database.lines(table));
        ALL.iter().flat_map(of).collect()
    }

    /// The deletions that it remembers.
    fn deletions(&self) -> Vec<(Key, String)> {
        let mut database = locked(&self.database);
        let of = |table: &'static Table| {
            let name = database.deletions(table);
            let sql = format!("select id, carburetor_clock as clock from {name}");
            let found: Vec<Deletion> = database.load(sql);
            let found = found.into_iter();
            found.map(|found| ((table.name, found.id), found.clock))
        };
        ALL.iter().flat_map(of).collect()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        locked(&self.ledger)
    }

    /// Somebody writes by SQL. What the constraints refuse is refused.
    pub(super) fn write(&self, rng: &mut Rng, step: u64) -> Result<(), String> {
        let word = format!("server {step}");
        if rng.bool() && self.write_slowly(rng, &word)? {
            return Ok(());
        }
        let teams = TEAMS.map(str::to_owned);
        let dialect = locked(&self.database).dialect();
        let statement = match rng.u8(0..8) {
            0 => Statement::all(family(rng, &teams, &word)),
            _ => Statement::any(rng, dialect, &teams, (&word, self.odd)),
        };
        let done = locked(&self.database).execute(&statement.sql);
        let replaced = statement.replaces.as_ref().filter(|_| done.is_ok());
        self.look(replaced)
            .map_err(|problem| format!("{problem}, after {}", statement.sql))
    }

    /// Compares what is there with what was there before a write.
    fn look(&self, replaced: Option<&Key>) -> Result<(), String> {
        let (rows, deletions, now) = (self.rows(), self.deletions(), self.now());
        self.ledger().written(&rows, &deletions, replaced, now)
    }

    /// A transaction writes rows that nobody else does, and commits when others have written and downloaded; only where writers don't wait for each
    /// other.
    fn write_slowly(&self, rng: &mut Rng, word: &str) -> Result<bool, String> {
        if locked(&self.slow).is_some() {
            self.finish()?;
            return Ok(true);
        }
        let Some(mut conn) = locked(&self.database).another() else {
            return Ok(false);
        };
        let (id, team) = (rng.u32(0..3), TEAMS[rng.usize(0..TEAMS.len())]);
        let sql = format!(
            "begin;
insert into pads (id, team, \"left\", \"right\") values ('slow {id}', '{team}', '{word}', '{word}')
  on conflict (id) do update set team = excluded.team, \"left\" = excluded.\"left\";
insert into lists (id, team, title) values ('slow {id}', '{team}', '{word}')
  on conflict (id) do update set team = excluded.team, title = excluded.title"
        );
        conn.batch_execute(&sql)
            .expect("nobody else writes these rows");
        *locked(&self.slow) = Some(conn);
        Ok(true)
    }

    /// The slow transaction, if there is one, commits.
    pub(super) fn finish(&self) -> Result<(), String> {
        let slow = locked(&self.slow).take();
        if let Some(mut conn) = slow {
            conn.batch_execute("commit").expect("it commits");
        }
        self.look(None)
            .map_err(|problem| format!("{problem}, after a slow transaction"))
    }

    /// All pages that `member` is sent.
    pub(super) async fn download(
        &self,
        member: Member,
        since: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Result<Bytes, TransportError>>, TransportError> {
        let way = locked(&self.database).way(member);
        way.download(since, limit).await
    }

    /// Takes an upload of `member`.
    pub(super) async fn take(
        &self,
        member: &Member,
        changes: Vec<u8>,
    ) -> Result<Bytes, TransportError> {
        let sent = Changes::read(&changes).expect("a replica's message can be read");
        let way = locked(&self.database).way(member.clone());
        let answer = way.upload(changes).await;
        let outcomes = answer.as_ref().ok().map(|answer| {
            let outcomes = Outcomes::read(answer).expect("a server's answer can be read");
            outcomes.outcomes
        });
        let (rows, deletions, now) = (self.rows(), self.deletions(), self.now());
        let taken = Taken {
            member,
            changes: &sent.changes,
            outcomes: outcomes.as_deref(),
            rows: &rows,
            deletions: &deletions,
            now,
        };
        self.ledger().taken(&taken);
        answer
    }
}
