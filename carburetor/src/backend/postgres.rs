//! What is PostgreSQL's own.

use super::SyncBackend;
use super::column::read;
use crate::cutoff::Assumptions;
use crate::stamp::StampBind;
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, quoted};
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Text};

impl SyncBackend for diesel::pg::Pg {
    const PLACEHOLDER: char = '$';
    const REGISTRY: &'static str = "carburetor.synced_table";
    const ONE_INSTANT: &'static str = "set transaction isolation level repeatable read, read only";
    const JUDGES_TRANSACTIONS: bool = true;
    const IS_TESTING: &'static str =
        "select 'on' where current_setting('carburetor.testing', true) = 'on'";
    const ALLOW_TESTING: &'static str = "select set_config('carburetor.testing', 'on', true)";
    const REMOVAL_STORAGE: Storage = Storage::Timestamptz;
    // Workers of a parallel plan would mix the lines; a function that is restricted to the leader forbids such a plan.
    const IN_ORDER: &'static str = " and pg_catalog.random() >= 0";
    const HOLDS_ANSWERS: bool = true;
    type StampBind = StampBind;

    fn removal_table(definition: &TableDefinition) -> String {
        format!("carburetor.{}", quoted(&definition.removal_name()))
    }

    fn micros(expression: &str, _storage: Storage) -> String {
        format!("(extract(epoch from {expression}) * 1000000)::bigint")
    }

    /// Behind a subselect the planner doesn't look at the instant, so that it keeps one plan instead of making a new one for each download,
    /// which takes longer than reading a few rows. The upper bound tells it that they are few: without one it would expect a third of the table.
    fn since(stamp: &str) -> [String; 2] {
        [
            format!("{stamp} >= (select "),
            format!(") and {stamp} <= 'infinity'"),
        ]
    }

    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn cutoff(
        definitions: &[&'static TableDefinition],
        assumptions: &Assumptions,
    ) -> Vec<Statement<'static, Self>> {
        crate::cutoff::postgres::statements(definitions, assumptions)
    }

    fn integer<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<i64>> {
        read::<BigInt, _, _>(row, column)
    }

    fn text<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<String>> {
        read::<Text, _, _>(row, column)
    }

    fn bind_stamp(storage: Storage, instant: DateTime<Utc>) -> StampBind {
        StampBind::postgres(storage, instant)
    }
}
