//! Tracking on embedded SQLite: its SQL, run on real databases.

mod changes;
mod install;
mod properties;
mod refusals;
mod registers;
mod removals;
mod stamps;
mod triggers;

use carburetor::table::{ColumnDefinition, Storage, TableDefinition};
use carburetor::tracking::sqlite::{
    Surroundings, TrackedTable, missing_columns, missing_shared_columns, refusals, surroundings,
    up, verify,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// `items (id, team, ..., updated_at)`, visible by team.
fn items() -> TableDefinition {
    TableDefinition {
        wire_name: "items".into(),
        table: "items".into(),
        columns: vec![
            ColumnDefinition {
                id: true,
                ..ColumnDefinition::new("id")
            },
            ColumnDefinition {
                visible_by: true,
                nullable: true,
                ..ColumnDefinition::new("team")
            },
            ColumnDefinition {
                last_synced_at: true,
                nullable: true,
                storage: Storage::Timestamptz,
                ..ColumnDefinition::new("updated_at")
            },
        ],
        ..TableDefinition::default()
    }
}

const ITEMS: &str = "create table items (id integer primary key, team text, name text, email text unique, updated_at text);";

fn database(tables: &str) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    run(&mut conn, tables);
    conn
}

/// `items` of the schema `tables`, tracked.
fn tracked(tables: &str) -> SqliteConnection {
    let mut conn = database(tables);
    track(&mut conn, &[items()]);
    conn
}

fn run(conn: &mut SqliteConnection, sql: &str) {
    conn.batch_execute(sql)
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

fn read(conn: &mut SqliteConnection, definition: &TableDefinition) -> TrackedTable {
    let json = texts(
        conn,
        &format!(
            "select surroundings as value from ({})",
            surroundings(definition)
        ),
    )
    .remove(0);
    let surroundings: Surroundings = serde_json::from_str(&json).unwrap();
    TrackedTable {
        definition: definition.clone(),
        surroundings,
    }
}

/// What a runner does: refusals, missing columns, then `up` in a transaction.
fn track(conn: &mut SqliteConnection, definitions: &[TableDefinition]) {
    for definition in definitions {
        assert_eq!(problems(conn, &refusals(definition)), Vec::<String>::new());
    }
    install(conn, definitions);
    assert_eq!(wrong(conn, definitions), Vec::<String>::new());
}

fn add_columns(conn: &mut SqliteConnection, definitions: &[TableDefinition]) {
    let tables = definitions.iter().map(missing_columns);
    for missing in std::iter::once(missing_shared_columns()).chain(tables) {
        let statements = format!("select statement as value from ({missing})");
        for statement in texts(conn, &statements) {
            run(conn, &statement);
        }
    }
}

fn install(conn: &mut SqliteConnection, definitions: &[TableDefinition]) {
    add_columns(conn, definitions);
    let tables: Vec<TrackedTable> = definitions
        .iter()
        .map(|definition| read(conn, definition))
        .collect();
    let statements = up(&tables);
    conn.transaction(|conn| conn.batch_execute(&statements))
        .unwrap_or_else(|error| panic!("{error}\n{statements}"));
}

/// The problems that `verify` names, as `name: problem`.
fn wrong(conn: &mut SqliteConnection, definitions: &[TableDefinition]) -> Vec<String> {
    let tables: Vec<TrackedTable> = definitions
        .iter()
        .map(|definition| read(conn, definition))
        .collect();
    problems(conn, &verify(&tables))
}

fn problems(conn: &mut SqliteConnection, query: &str) -> Vec<String> {
    texts(
        conn,
        &format!("select name || ': ' || problem as value from ({query}) where remedy <> ''"),
    )
}

fn texts(conn: &mut SqliteConnection, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        value: Option<String>,
    }
    let rows: Vec<Row> = diesel::sql_query(query)
        .load(conn)
        .unwrap_or_else(|error| panic!("{error}\n{query}"));
    rows.into_iter()
        .map(|row| row.value.unwrap_or_else(|| "null".into()))
        .collect()
}

fn text(conn: &mut SqliteConnection, query: &str) -> String {
    texts(conn, &format!("select ({query}) as value")).remove(0)
}

fn number(conn: &mut SqliteConnection, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let query = format!("select ({query}) as value");
    diesel::sql_query(&query)
        .get_result::<Row>(conn)
        .unwrap_or_else(|error| panic!("{error}\n{query}"))
        .value
}

fn clock(conn: &mut SqliteConnection) -> i64 {
    number(conn, "select now from carburetor_clock")
}

/// The stamp of the item as microseconds, if it is in the canonical form.
fn stamp(conn: &mut SqliteConnection, id: i64) -> i64 {
    number(
        conn,
        &format!(
            "select strftime('%s', substr(updated_at, 1, 19)) * 1000000 + substr(updated_at, 21, 6) from items
             where id = {id} and updated_at glob '????-??-?? ??:??:??.??????+00:00'"
        ),
    )
}

/// `id/team` of every removal, sorted.
fn removals(conn: &mut SqliteConnection) -> Vec<String> {
    texts(
        conn,
        "select id || '/' || ifnull(team, '-') as value from carburetor_removal_items order by 1",
    )
}

/// Runs `sql`, and says which items got a stamp above the clock as it stood before.
fn stamped_by(conn: &mut SqliteConnection, sql: &str) -> Vec<i64> {
    let before = clock(conn);
    run(conn, sql);
    assert_eq!(number(conn, "select count(*) from carburetor_stamping"), 0);
    let ids: Vec<i64> = texts(conn, "select id as value from items order by id")
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    ids.into_iter()
        .filter(|id| stamp_or_null(conn, *id).is_some_and(|stamp| stamp > before))
        .collect()
}

fn stamp_or_null(conn: &mut SqliteConnection, id: i64) -> Option<i64> {
    let canonical = format!(
        "select count(*) from items where id = {id} and updated_at glob '????-??-?? ??:??:??.??????+00:00'"
    );
    (number(conn, &canonical) == 1).then(|| stamp(conn, id))
}

/// The generation and the horizon of `items`.
fn registry(conn: &mut SqliteConnection) -> (i64, i64) {
    let row =
        |column: &str| format!("select {column} from carburetor_synced_table where name = 'items'");
    (
        number(conn, &row("generation")),
        number(conn, &row("horizon")),
    )
}
