//! Tracking on PostgreSQL, seen from the database: the SQL is run as a migration would run it.

mod changed;
mod deletions;
mod given_registers;
mod installed;
mod partitions;
mod refusals;
mod register_tables;
mod register_values;
mod registers;
mod removals;
mod roles;
mod stamps;
mod upkeep;
mod verified;

use carburetor::table::{ColumnDefinition, Storage, TableDefinition};
use carburetor::tracking::postgres;
use carburetor_tests::{Cluster, Database};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl};

/// A definition with ids, a stamp `updated_at`, and what scopes look at.
fn definition(name: &str, ids: &[&str], visible_by: &[&str]) -> TableDefinition {
    let (schema, table) = match name.split_once('.') {
        Some((schema, table)) => (Some(schema.to_owned()), table),
        None => (None, name),
    };
    let mut columns: Vec<_> = ids
        .iter()
        .map(|id| ColumnDefinition {
            id: true,
            ..ColumnDefinition::new(*id)
        })
        .collect();
    for name in visible_by {
        match columns.iter_mut().find(|column| column.name == *name) {
            Some(column) => column.visible_by = true,
            None => columns.push(ColumnDefinition {
                visible_by: true,
                ..ColumnDefinition::new(*name)
            }),
        }
    }
    columns.push(ColumnDefinition {
        last_synced_at: true,
        storage: Storage::Timestamptz,
        ..ColumnDefinition::new("updated_at")
    });
    TableDefinition {
        wire_name: table.to_owned(),
        schema,
        table: table.to_owned(),
        columns,
        ..TableDefinition::default()
    }
}

/// Users with a team that scopes look at.
fn users() -> TableDefinition {
    definition("users", &["id"], &["team"])
}

const USERS: &str =
    "create table users (id text primary key, name text not null default '', team text,
    updated_at timestamptz not null default now())";

/// A database with tracked users.
fn tracked_users() -> PgConnection {
    let mut conn = Cluster::shared().database().connect();
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    conn
}

fn database() -> Database {
    Cluster::shared().database()
}

fn run(conn: &mut PgConnection, statements: &str) {
    conn.batch_execute(statements)
        .unwrap_or_else(|error| panic!("{error} in:\n{statements}"));
}

/// Runs `statements` in a transaction, as a migration does.
fn migrate(conn: &mut PgConnection, statements: &str) -> QueryResult<()> {
    conn.transaction(|conn| conn.batch_execute(statements))
}

fn install(conn: &mut PgConnection, definitions: &[&TableDefinition]) {
    let up = postgres::up(definitions).to_string();
    migrate(conn, &up).unwrap_or_else(|error| panic!("{error} in:\n{up}"));
}

/// The message with which the installation is refused.
fn refusal(conn: &mut PgConnection, definition: &TableDefinition) -> String {
    let up = postgres::up(&[definition]).to_string();
    migrate(conn, &up).expect_err("refused").to_string()
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What `query` returns, a row as text each.
fn lines(conn: &mut PgConnection, query: &str) -> Vec<String> {
    let query = format!("select trim(both '()' from q::text) as line from ({query}) q");
    let lines: Vec<Line> = diesel::sql_query(&query)
        .load(conn)
        .unwrap_or_else(|error| panic!("{error} in:\n{query}"));
    lines.into_iter().map(|line| line.line).collect()
}

/// The only row of `query`.
fn line(conn: &mut PgConnection, query: &str) -> String {
    let lines = lines(conn, query);
    assert_eq!(lines.len(), 1, "{query}");
    lines.into_iter().next().expect("one line")
}

/// Problems and remedies as `verify` tells them.
fn problems(conn: &mut PgConnection, definitions: &[&TableDefinition]) -> Vec<[String; 2]> {
    #[derive(QueryableByName)]
    struct Problem {
        #[diesel(sql_type = Text)]
        problem: String,
        #[diesel(sql_type = Text)]
        remedy: String,
    }
    let problems: Vec<Problem> = diesel::sql_query(postgres::verify(definitions))
        .load(conn)
        .expect("a query that runs");
    problems
        .into_iter()
        .map(|Problem { problem, remedy }| [problem, remedy])
        .collect()
}
