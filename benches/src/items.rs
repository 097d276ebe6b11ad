//! The tables of six columns on PostgreSQL that most groups read.

use carburetor::group::TrackTables;
use carburetor::{SyncGroup, SyncTable};
use carburetor_tests::{Cluster, Database};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::AsyncPgConnection;

macro_rules! items {
    ($($model:ident $table:ident),*) => {$(
        diesel::table! {
            $table (id) {
                id -> Integer,
                title -> Text,
                note -> Nullable<Text>,
                amount -> BigInt,
                done -> Bool,
                updated_at -> Timestamptz,
            }
        }

        /// A row of six columns.
        #[derive(Debug, Queryable, Selectable, SyncTable)]
        #[diesel(table_name = $table)]
        #[sync(backends(postgres))]
        #[allow(dead_code, reason = "rows are read, their fields are not")]
        pub struct $model {
            #[sync(id)]
            pub id: i32,
            title: String,
            note: Option<String>,
            amount: i64,
            done: bool,
            #[sync(last_synced_at)]
            pub updated_at: DateTime<Utc>,
        }
    )*};
}

items!(Item items, Second second_items, Third third_items);

/// The names of the columns.
pub const COLUMNS: &str = "id, title, note, amount, done, updated_at";

/// A database of its own with nothing in it.
pub fn database() -> Database {
    Cluster::shared().database()
}

/// Makes a table of `rows` rows that were written a day ago.
pub fn fill(database: &Database, table: &str, rows: usize) {
    database.psql(&format!(
        "create table {table} (
           id int primary key, title text not null, note text, amount bigint not null, done boolean not null,
           updated_at timestamptz not null default now()
         ) with (autovacuum_enabled = off);
         insert into {table}
         select n, 'item number ' || n, case when n % 3 > 0 then 'what is to know of ' || n end, n::bigint * 37, n % 2 = 0,
           now() - interval '1 day' + n * interval '1 microsecond'
         from generate_series(1, {rows}) n;"
    ));
}

/// Tracks the tables of a group, whose indexes are then the ones that both sides use.
pub fn track<T: TrackTables<Pg>>(database: &Database) {
    SyncGroup::<T>::tracking::<Pg>()
        .install(&mut database.connect())
        .expect("the tables can be tracked");
}

/// Puts the tables at rest, so that no lap pays for what was written before.
pub fn settle(database: &Database, tables: &[&str]) {
    database.psql(&format!("vacuum analyze {}", tables.join(", ")));
    database.psql("checkpoint");
}

/// A database whose table of items is tracked.
pub fn tracked_items(rows: usize) -> Database {
    let database = database();
    fill(&database, "items", rows);
    track::<(Item,)>(&database);
    settle(&database, &["items"]);
    database
}

/// The server's process behind a connection.
pub fn process(conn: &mut PgConnection) -> i32 {
    diesel::select(sql::<sql_types::Integer>("pg_backend_pid()"))
        .get_result(conn)
        .expect("every connection has a process")
}

/// The server's process behind an asynchronous connection.
pub async fn process_async(conn: &mut AsyncPgConnection) -> i32 {
    let query = diesel::select(sql::<sql_types::Integer>("pg_backend_pid()"));
    let process = diesel_async::RunQueryDsl::get_result(query, conn).await;
    process.expect("every connection has a process")
}
