//! Cutoffs on PostgreSQL: what commits late is never lost, and where that can't be promised the download is an error.
//!
//! Where a naive way is compared, it runs in the same test on the same rows, and must lose some.

mod circumstances;
mod crash;
mod order;
mod pgbouncer;
mod pipeline;
mod standby;
mod tracked;
mod untracked;

use carburetor::table::TableOn;
use carburetor::{Assumptions, DownloadError, Everyone, SyncGroup, SyncTable, TableNews};
use carburetor_tests::{Cluster, Database};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Timestamptz};
use std::collections::BTreeMap;
use std::time::Duration;

diesel::table! { notes (id) { id -> Integer, body -> Text, updated_at -> Timestamptz, } }
diesel::table! { memos (id) { id -> Integer, body -> Text, updated_at -> Timestamptz, } }

/// Tracked.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[sync(backends(postgres))]
struct Note {
    id: i32,
    body: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

/// Stamped by `now()`: a default for inserts, and a trigger for updates.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[sync(untracked, backends(postgres))]
struct Memo {
    id: i32,
    body: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

const TABLES: &str = "
create table notes (id int primary key, body text not null default '', updated_at timestamptz not null default now());
create table memos (id int primary key, body text not null default '', updated_at timestamptz not null default now());
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$;
create trigger touch before update on memos for each row execute function touch();
";

/// A database of the shared cluster with both tables.
fn database() -> Database {
    prepared(Cluster::shared().database())
}

fn prepared(database: Database) -> Database {
    database.psql(TABLES);
    SyncGroup::<(Note,)>::tracking::<Pg>()
        .install(&mut database.connect())
        .unwrap();
    database
}

/// No margins: what is shown must not depend on a second more or less.
fn exact() -> Assumptions {
    Assumptions {
        slack: Duration::ZERO,
        margin: Duration::ZERO,
        ..Assumptions::default()
    }
}

/// What a replica keeps between two downloads, and the bodies of the rows that it has.
#[derive(Debug, Default)]
struct Replica {
    since: Option<DateTime<Utc>>,
    rows: BTreeMap<i32, String>,
}

/// A row of either table, taken apart.
trait Parts: TableOn<Pg> {
    fn parts(self) -> (i32, String);
}

impl Parts for Note {
    fn parts(self) -> (i32, String) {
        (self.id, self.body)
    }
}

impl Parts for Memo {
    fn parts(self) -> (i32, String) {
        (self.id, self.body)
    }
}

impl Replica {
    /// A replica that has downloaded the whole table `M`.
    fn of<M: Parts>(conn: &mut PgConnection) -> Self {
        let mut replica = Replica::default();
        replica.download::<M>(conn).unwrap();
        replica
    }

    fn download<M: Parts>(&mut self, conn: &mut PgConnection) -> Result<(), DownloadError> {
        self.download_assuming::<M>(exact(), conn)
    }

    /// Downloads, and returns an error instead of a reset after the first time: a reset would hide what is lost.
    fn download_assuming<M: Parts>(
        &mut self,
        assumptions: Assumptions,
        conn: &mut PgConnection,
    ) -> Result<(), DownloadError> {
        let group = SyncGroup::<(M,)>::scoped(&Everyone).assuming(assumptions);
        let (news,) = group.download(conn, (self.since,))?.into_tables();
        self.apply(news);
        Ok(())
    }

    fn apply<M: Parts>(&mut self, news: TableNews<M>) {
        assert_eq!(
            news.reset,
            self.since.is_none(),
            "only the first download is a reset"
        );
        for id in news.removed.iter().map(|id| format!("{id:?}")) {
            self.rows.retain(|row, _| row.to_string() != id);
        }
        self.rows.extend(news.rows.into_iter().map(Parts::parts));
        self.since = Some(news.cutoff);
    }

    fn ids(&self) -> Vec<i32> {
        self.rows.keys().copied().collect()
    }
}

/// A replica that takes `clock` as its next timestamp, read before the rows.
struct Naive {
    table: &'static str,
    clock: &'static str,
    since: Option<DateTime<Utc>>,
    ids: Vec<i32>,
}

impl Naive {
    fn new(table: &'static str, clock: &'static str) -> Self {
        Naive {
            table,
            clock,
            since: None,
            ids: Vec::new(),
        }
    }

    fn download(&mut self, conn: &mut PgConnection) {
        let since = self
            .since
            .map_or("-infinity".to_owned(), |since| since.to_rfc3339());
        let next = diesel::select(sql::<Nullable<Timestamptz>>(self.clock))
            .get_result(conn)
            .unwrap();
        let rows = format!(
            "array(select id from {} where updated_at >= '{since}')",
            self.table
        );
        let ids: Vec<i32> = diesel::select(sql::<Array<Integer>>(&rows))
            .get_result(conn)
            .unwrap();
        self.ids.extend(ids);
        self.ids.sort();
        self.ids.dedup();
        self.since = self.since.max(next);
    }
}

/// Runs statements on a connection, without Diesel's transactions.
fn run(conn: &mut PgConnection, statements: &str) {
    conn.batch_execute(statements)
        .unwrap_or_else(|error| panic!("{error} in:\n{statements}"));
}

/// The stamp of a row.
fn stamp(conn: &mut PgConnection, table: &str, id: i32) -> DateTime<Utc> {
    diesel::select(sql::<Timestamptz>(&format!(
        "(select updated_at from {table} where id = {id})"
    )))
    .get_result(conn)
    .unwrap()
}

/// A role of this database's own, which may read the tables and what a download needs.
fn reader(database: &Database) -> String {
    let role = format!("reader_of_{}", database.name());
    let grants = SyncGroup::<(Note,)>::tracking::<Pg>().grants_sql(&role);
    database.psql(&format!(
        "create role {role} login; grant select on notes, memos to {role}; {grants}"
    ));
    role
}
