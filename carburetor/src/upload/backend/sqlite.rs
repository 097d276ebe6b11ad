//! Uploads on SQLite: rows of VALUES, one bind per cell, so that every value arrives as it is.

use super::{Step, UploadBackend};
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, literal, quoted};
use crate::tracking::sqlite::{armed, stamp_expression};
use crate::upload::Types;
use crate::upload::sent::{Cells, Sent};
use crate::wire::SqliteValue;
use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Nullable, Text};
use diesel::sqlite::Sqlite;

/// How many binds a statement may have, whatever SQLite was compiled with since 3.32.
const MOST_BINDS: usize = 32_766;

/// How many rows a statement has at most; more are no faster.
const ROWS: usize = 256;

#[allow(
    private_interfaces,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
impl UploadBackend for Sqlite {
    // Takes the lock that writing takes: of two transactions that read first, one would have to give up. And moves the clock to the instant of the
    // upload's stamps.
    const LOCK_ALL: Option<&'static str> = Some(
        "update carburetor_clock set now = max(now + 1, cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer) * 1000)",
    );
    const LOCK_ROWS: Option<[&'static str; 2]> = None;
    // It is a setting of the connection, and can't change within a transaction.
    const DURABLE: Option<&'static str> = None;
    const PLAN_AGAIN: Option<&'static str> = None;
    const CHECK_DEFERRED: Option<&'static str> = None;
    // Looks at every row that refers to another, so that it is asked only where a constraint may wait.
    const COUNT_DEFERRED: Option<&'static str> = Some(
        "select cast(count(*) as text) from pragma_foreign_key_check \
         where (select foreign_keys from pragma_foreign_keys) = 1 \
         and ((select defer_foreign_keys from pragma_defer_foreign_keys) = 1 \
         or exists (select 1 from sqlite_schema where type = 'table' and sql like '%deferred%'))",
    );
    // Within a transaction, SQLite otherwise copies each page that a statement touches into a temporary file. Where a trigger or a table has a
    // conflict clause of its own, this one takes its place and the statement fails.
    const OR_FAIL: &'static str = " or fail";
    const REGISTERS_TYPE: &'static str = "text";
    const CLOCK_TABLE: &'static str = "carburetor_clock";
    const OUTCOME_TABLE: &'static str = "carburetor_outcome";
    const RELAY_TABLE: Option<&'static str> = Some("carburetor_relay");
    const NOW: &'static str = "(select now from carburetor_clock)";
    const WHILE_AGO: &'static str = "(select now - 3600000000 from carburetor_clock)";
    const NO_PARENT: &'static str = "FOREIGN KEY constraint failed";
    const NAMES_REFERENCES: bool = false;
    const WRITES_STAMPS: bool = true;

    fn each<'v>(
        _sent: Sent<'v, Self>,
        _types: &Types,
        _text: &str,
        _is_checked: bool,
    ) -> Option<(Statement<'v, Self>, String)> {
        None
    }

    fn most_rows(columns: usize) -> usize {
        let most = (MOST_BINDS / columns.max(1)).clamp(1, ROWS);
        1 << most.ilog2()
    }

    fn push_sent<'v>(
        sent: Sent<'v, Self>,
        _types: &Types,
        statement: &mut Statement<'v, Self>,
    ) -> usize {
        let rows = sent.rows.next_power_of_two();
        let binds = rows * sent.columns.len();
        // The first column has the places of the rows.
        statement
            .sql("select * from (")
            .bind(Values { sent, rows })
            .sql(") where column1 is not null");
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
                    "({place}, {}, {}, {})",
                    literal(&table.table),
                    literal(&table.key()),
                    literal(&text_ids(table))
                )
            })
            .collect();
        let tables = tables.join(", ");
        let armed = armed(definitions.iter().copied());
        let text = include_str!("sqlite.sql").replace("{tables}", &tables);
        vec![Statement::of(text.replace("{armed}", &armed))]
    }

    fn moment(storage: Storage) -> String {
        match storage {
            Storage::Boolean => "1".into(),
            // One value for all rows of a statement, and computed once.
            _ => format!(
                "(select {} from carburetor_clock)",
                stamp_expression(storage, "now")
            ),
        }
    }

    // Whatever the column's collation.
    fn differs(stored: &str, sent: &str, _is_comparable: bool) -> String {
        format!("{stored} is not {sent} collate binary")
    }

    // By its collation, or because the column makes numbers of texts.
    fn is_other_text(stored: &str, sent: &str) -> String {
        format!("typeof({sent}) = 'text' and cast({stored} as text) <> {sent} collate binary")
    }

    fn text_of(stored: &str) -> String {
        format!("cast({stored} as text)")
    }

    fn identity(alias: &str, definition: Option<&TableDefinition>, parts: usize) -> Vec<String> {
        let ids = definition.into_iter().flat_map(TableDefinition::ids);
        ids.map(|id| format!("{alias}.{}", id.quoted()))
            .chain(std::iter::repeat("null".to_owned()))
            .take(parts)
            .collect()
    }

    fn is_reached(alias: &str, definition: &TableDefinition) -> String {
        let ids = definition.ids().enumerate();
        let same = ids.map(|(part, id)| format!("{alias}.{} = reached.k{part}", id.quoted()));
        same.collect::<Vec<_>>().join(" and ")
    }

    fn existence(registers: &str) -> String {
        format!("iif(json_valid({registers}), {registers} ->> '$.\"\"', null)")
    }

    fn steps(steps: &[Step]) -> String {
        let steps: Vec<String> = steps
            .iter()
            .map(|step| {
                format!(
                    "select reached.n, {} from reached join {} where {}",
                    step.columns, step.source, step.condition
                )
            })
            .collect();
        steps.join(" union ")
    }
}

/// The names of the ids that are text, a line each.
fn text_ids(table: &TableDefinition) -> String {
    let texts = table.ids().filter(|id| id.storage == Storage::Text);
    let names: String = texts.map(|id| format!("{}\n", id.name)).collect();
    format!("\n{names}")
}

/// Rows as VALUES. The connection keeps each statement that it has seen, so there are few sizes: up to the next power of two, rows of NULL follow.
struct Values<'v> {
    sent: Sent<'v, Sqlite>,
    rows: usize,
}

impl QueryFragment<Sqlite> for Values<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        for row in 0..self.rows {
            out.push_sql(if row == 0 { "values " } else { ", " });
            for (place, column) in self.sent.columns.iter().enumerate() {
                out.push_sql(if place == 0 { "(" } else { ", " });
                if row >= self.sent.rows {
                    push_value(None, &mut out)?;
                    continue;
                }
                match &column.cells {
                    Cells::Numbers(numbers) => out.push_bind_param::<BigInt, _>(&numbers[row])?,
                    Cells::Texts(texts) => out.push_bind_param::<Text, _>(&texts[row])?,
                    Cells::Flags(flags) => out.push_bind_param::<Bool, _>(&flags[row])?,
                    Cells::Values(_, values) => push_value(values[row], &mut out)?,
                }
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

pub(crate) fn push_value<'b>(
    value: Option<&'b SqliteValue>,
    out: &mut AstPass<'_, 'b, Sqlite>,
) -> QueryResult<()> {
    match value {
        None => out.push_bind_param::<Nullable<Text>, _>(&None::<String>),
        Some(SqliteValue::Integer(integer)) => out.push_bind_param::<BigInt, _>(integer),
        Some(SqliteValue::Real(real)) => out.push_bind_param::<Double, _>(real),
        Some(SqliteValue::Text(text)) => out.push_bind_param::<Text, _>(text),
        Some(SqliteValue::Blob(blob)) => out.push_bind_param::<Binary, _>(blob),
    }
}
