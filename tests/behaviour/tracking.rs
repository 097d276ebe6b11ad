//! The public interface of the tracking, on real databases.

mod asynchronous;
mod columns;
mod gone;
mod migrations;
mod postgres;
mod sqlite;
mod testing;
mod untracked;
mod upkeep;
mod warned;

use carburetor::{SyncGroup, SyncTable};
use carburetor_tests::{Cluster, Database};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

diesel::table! { users (id) { id -> Text, name -> Text, team -> Text, updated_at -> Timestamptz, } }
diesel::table! { games (id) { id -> Integer, title -> Text, updated_at -> Timestamptz, } }
diesel::table! { notes (id) { id -> Integer, body -> Text, team -> Text, stamp -> BigInt, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[sync(backends(postgres))]
struct User {
    id: String,
    name: String,
    team: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

/// The same table as [`User`], by a model that filters by team.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = users)]
#[sync(backends(postgres))]
struct Member {
    id: String,
    #[sync(visible_by)]
    team: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[sync(backends(postgres))]
struct Game {
    id: i32,
    title: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[sync(backends(sqlite))]
struct Note {
    id: i32,
    body: String,
    #[sync(visible_by)]
    team: String,
    #[sync(last_synced_at)]
    stamp: i64,
}

type Mobile = SyncGroup<(User, Game)>;
type Members = SyncGroup<(Member,)>;
type Notes = SyncGroup<(Note,)>;

/// Users and games, not tracked; `games` lacks the stamp.
fn server() -> Database {
    let database = Cluster::shared().database();
    database.psql(
        "create table users (id text primary key, name text not null, team text not null, updated_at timestamptz not null default now());
         create table games (id int primary key, title text not null);",
    );
    database
}

/// Users and games, tracked, and a connection.
fn tracked_server() -> (Database, PgConnection) {
    let database = server();
    let mut conn = database.connect();
    Mobile::tracking::<Pg>().install(&mut conn).unwrap();
    (database, conn)
}

/// Notes, not tracked and without a stamp.
fn file() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.batch_execute(
        "create table notes (id integer primary key, body text not null, team text not null)",
    )
    .unwrap();
    conn
}

fn tracked_file() -> SqliteConnection {
    let mut conn = file();
    Notes::tracking::<Sqlite>().install(&mut conn).unwrap();
    conn
}

fn number<C>(conn: &mut C, expression: &str) -> i64
where
    C: carburetor::SyncConnection,
    diesel::expression::SqlLiteral<BigInt>: diesel::query_builder::QueryFragment<C::Backend>,
    for<'a> diesel::dsl::select<diesel::expression::SqlLiteral<BigInt>>:
        diesel::query_dsl::LoadQuery<'a, C, i64>,
{
    diesel::select(sql::<BigInt>(expression))
        .get_result(conn)
        .unwrap()
}

fn text(conn: &mut PgConnection, expression: &str) -> String {
    diesel::select(sql::<Text>(expression))
        .get_result(conn)
        .unwrap()
}
