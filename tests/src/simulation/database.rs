//! The server's database: an SQLite file, or a database of a PostgreSQL cluster of the simulation's own.

use super::models::{Member, TABLES, Table, postgres, sqlite};
use super::rows::{Line, query};
use super::statement::Dialect;
use crate::{Cluster, Folder};
use bytes::Bytes;
use carburetor::replica::{InProcess, Transport, TransportError};
use diesel::connection::{Connection, SimpleConnection};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{ConnectionError, ConnectionResult, QueryableByName};
use futures_util::StreamExt;
use std::path::{Path, PathBuf};

/// What the server runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// An SQLite file.
    Sqlite,
    /// A cluster of the simulation's own.
    Postgres,
}

/// A database with the tracked tables, and the connection of whoever looks after it.
pub(super) enum Database {
    Sqlite {
        path: PathBuf,
        conn: SqliteConnection,
    },
    Postgres {
        url: String,
        conn: PgConnection,
    },
}

/// Where SQLite's time begins: ahead of every real clock, so that only the simulation moves it.
const BEGINNING: i64 = 4_000_000_000_000_000;

impl Database {
    pub(super) fn new(backend: Backend, folder: &Folder) -> Self {
        let mut database = match backend {
            Backend::Sqlite => {
                let path = folder.file("server");
                let conn = sqlite_connector(&path)().expect("the server's file opens");
                Database::Sqlite { path, conn }
            }
            Backend::Postgres => {
                let url = Cluster::shared().database().url();
                let conn = PgConnection::establish(&url).expect("the server is reached");
                Database::Postgres { url, conn }
            }
        };
        database.execute(TABLES).expect("the tables are made");
        match &mut database {
            Database::Sqlite { conn, .. } => sqlite::Served::tracking::<Sqlite>().install(conn),
            Database::Postgres { conn, .. } => postgres::Served::tracking::<Pg>().install(conn),
        }
        .expect("the tables are tracked");
        database
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Database::Sqlite { .. } => Dialect::Sqlite,
            Database::Postgres { .. } => Dialect::Postgres,
        }
    }

    /// Runs statements in a transaction.
    pub(super) fn execute(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            Database::Sqlite { conn, .. } => conn.transaction(|conn| conn.batch_execute(sql)),
            Database::Postgres { conn, .. } => conn.transaction(|conn| conn.batch_execute(sql)),
        }
    }

    pub(super) fn load<T>(&mut self, sql: String) -> Vec<T>
    where
        T: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static,
    {
        let found = match self {
            Database::Sqlite { conn, .. } => diesel::sql_query(sql).load(conn),
            Database::Postgres { conn, .. } => diesel::sql_query(sql).load(conn),
        };
        found.expect("the server is read")
    }

    /// The rows of a table.
    pub(super) fn lines(&mut self, table: &Table) -> Vec<Line> {
        let object = match self {
            Database::Sqlite { .. } => "json_object",
            Database::Postgres { .. } => "json_build_object",
        };
        self.load(query(table, object, "carburetor_registers"))
    }

    /// The name of the table of deletions.
    pub(super) fn deletions(&self, table: &Table) -> String {
        match self {
            Database::Sqlite { .. } => format!("carburetor_register_{}", table.name),
            Database::Postgres { .. } => format!("carburetor.register_{}", table.name),
        }
    }

    /// Moves the clock on to this many microseconds after the beginning; it never goes back. PostgreSQL's own goes on by itself.
    pub(super) fn set_time(&mut self, micros: i64) {
        if let Database::Sqlite { .. } = self {
            let now = BEGINNING + micros;
            let sql = format!("update carburetor_clock set now = max(now, {now})");
            self.execute(&sql).expect("the clock moves");
        }
    }

    /// The query for what the clock shows, in microseconds since 1970.
    pub(super) fn now(&self) -> &'static str {
        match self {
            Database::Sqlite { .. } => "select now as number from carburetor_clock",
            Database::Postgres { .. } => {
                "select (extract(epoch from clock_timestamp()) * 1000000)::bigint as number"
            }
        }
    }

    /// Another connection on PostgreSQL, where writers need not wait for each other.
    pub(super) fn another(&self) -> Option<PgConnection> {
        match self {
            Database::Sqlite { .. } => None,
            Database::Postgres { url, .. } => {
                Some(PgConnection::establish(url).expect("the server is reached"))
            }
        }
    }

    /// What `member` sees of it.
    pub(super) fn way(&self, member: Member) -> Way {
        match self {
            Database::Sqlite { path, .. } => {
                Way::Sqlite(InProcess::new(member, sqlite_connector(path)))
            }
            Database::Postgres { url, .. } => {
                let url = url.clone();
                Way::Postgres(InProcess::new(member, move || {
                    PgConnection::establish(&url)
                }))
            }
        }
    }
}

fn sqlite_connector(
    path: &Path,
) -> impl Fn() -> ConnectionResult<SqliteConnection> + Send + Sync + 'static {
    let path = path.to_string_lossy().into_owned();
    move || {
        let mut conn = SqliteConnection::establish(&path)?;
        conn.batch_execute(
            "pragma journal_mode = wal; pragma busy_timeout = 10000; pragma synchronous = off; pragma foreign_keys = on",
        )
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
}

/// A way to the server, whatever it runs on.
pub(super) enum Way {
    Sqlite(InProcess<sqlite::Served, Member, SqliteConnection>),
    Postgres(InProcess<postgres::Served, Member, PgConnection>),
}

impl Way {
    /// All pages at once: the server doesn't change while they are on their way.
    pub(super) async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Result<Bytes, TransportError>>, TransportError> {
        Ok(match self {
            Way::Sqlite(way) => way.download(since, limit).await?.collect().await,
            Way::Postgres(way) => way.download(since, limit).await?.collect().await,
        })
    }

    pub(super) async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        match self {
            Way::Sqlite(way) => way.upload(changes).await,
            Way::Postgres(way) => way.upload(changes).await,
        }
    }
}
