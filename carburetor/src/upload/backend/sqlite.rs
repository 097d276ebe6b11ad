//! Uploads on SQLite: rows of VALUES, one bind per cell, so that every value arrives as it is.

use super::UploadBackend;
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, literal, quoted};
use crate::tracking::sqlite::stamp_expression;
use crate::upload::Types;
use crate::upload::sent::{Cells, Sent};
use crate::wire::SqliteValue;
use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Binary, Double, Nullable, Text};
use diesel::sqlite::Sqlite;

/// How many binds a statement may have, whatever SQLite was compiled with since 3.32.
const MOST_BINDS: usize = 32_766;

/// How many rows a statement has that is kept for the next batch.
const ROWS: usize = 250;

#[allow(
    private_interfaces,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
impl UploadBackend for Sqlite {
    // Takes the lock that writing takes: of two transactions that read first, one would have to give up. And moves the clock to the instant of the
    // upload's stamps.
    const LOCK_ALL: &'static str = "update carburetor_clock set now = max(now + 1, cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000)";
    const LOCK_ROWS: Option<[&'static str; 2]> = None;
    const CHECK_DEFERRED: Option<&'static str> = None;
    const REGISTERS_TYPE: &'static str = "text";
    const EXISTENCE: &'static str = " ->> '$.\"\"'";
    const CLOCK_TABLE: &'static str = "carburetor_clock";
    const OUTCOME_TABLE: &'static str = "carburetor_outcome";
    const NOW: &'static str = "(select now from carburetor_clock)";
    const WRITES_STAMPS: bool = true;

    fn most_rows(columns: usize) -> usize {
        (MOST_BINDS / columns.max(1)).min(ROWS)
    }

    fn push_sent<'v>(
        sent: Sent<'v, Self>,
        _types: &Types,
        statement: &mut Statement<'v, Self>,
    ) -> usize {
        let binds = sent.rows * sent.columns.len();
        statement.sql("values ");
        for row in 0..sent.rows {
            for (place, column) in sent.columns.iter().enumerate() {
                statement.sql(match (row, place) {
                    (0, 0) => "(",
                    (_, 0) => "), (",
                    _ => ", ",
                });
                match &column.cells {
                    Cells::Numbers(numbers) => statement.bind(Number(numbers[row])),
                    Cells::Texts(texts) => statement.bind(Owned(texts[row].clone())),
                    Cells::Flags(flags) => statement.bind(Number(flags[row].into())),
                    Cells::Values(_, values) => statement.bind(Cell(values[row])),
                };
            }
        }
        statement.sql(")");
        binds
    }

    fn register_table(definition: &TableDefinition) -> String {
        quoted(&format!("carburetor_register_{}", definition.table))
    }

    fn conflict_table(definition: &TableDefinition) -> String {
        quoted(&format!("carburetor_conflict_{}", definition.table))
    }

    fn lock_replica(_replica: u64) -> Option<String> {
        None
    }

    fn surroundings(definitions: &[&'static TableDefinition]) -> Vec<Statement<'static, Self>> {
        let tables: Vec<String> = definitions
            .iter()
            .enumerate()
            .map(|(place, table)| {
                format!(
                    "({place}, {}, {})",
                    literal(&table.table),
                    literal(&table.key())
                )
            })
            .collect();
        let tables = tables.join(", ");
        vec![Statement::of(
            include_str!("sqlite.sql").replace("{tables}", &tables),
        )]
    }

    fn instant(storage: Storage) -> String {
        match storage {
            Storage::Boolean => "1".into(),
            _ => stamp_expression(storage, "(select now from carburetor_clock)"),
        }
    }
}

struct Number(i64);

impl QueryFragment<Sqlite> for Number {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(&self.0)
    }
}

struct Owned(String);

impl QueryFragment<Sqlite> for Owned {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(&self.0)
    }
}

struct Cell<'v>(Option<&'v SqliteValue>);

impl QueryFragment<Sqlite> for Cell<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self.0 {
            None => out.push_bind_param::<Nullable<Text>, _>(&None::<String>),
            Some(SqliteValue::Integer(integer)) => out.push_bind_param::<BigInt, _>(integer),
            Some(SqliteValue::Real(real)) => out.push_bind_param::<Double, _>(real),
            Some(SqliteValue::Text(text)) => out.push_bind_param::<Text, _>(text),
            Some(SqliteValue::Blob(blob)) => out.push_bind_param::<Binary, _>(blob),
        }
    }
}
