//! What is SQLite's own.

use super::SyncBackend;
use super::column::{field, read};
use crate::cutoff::Assumptions;
use crate::origin::Origin;
use crate::stamp::StampBind;
use crate::statement::{Fragment, Statement};
use crate::table::{Storage, TableDefinition, literal, quoted};
use crate::wire::sqlite::micros;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::AstPass;
use diesel::row::{Field, Row};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, SingleValue, Text};

impl SyncBackend for diesel::sqlite::Sqlite {
    const PLACEHOLDER: char = '?';
    const ELEMENTS: [&'static str; 2] = ["select value from json_each(", "))"];
    const REGISTRY: &'static str = "carburetor_synced_table";
    const CLOCK: &'static str = "carburetor_clock";
    // The snapshot is taken by the first read, after the cutoff: a later stamp is then greater than the cutoff all the same.
    const ONE_INSTANT: &'static str = "";
    // Nothing in SQLite's SQL says whether this transaction has written.
    const JUDGES_TRANSACTIONS: bool = false;
    const IS_TESTING: &'static str = "select name from carburetor_flag where name = 'testing'";
    const ALLOW_TESTING: &'static str =
        "insert or ignore into carburetor_flag (name) values ('testing')";
    const REMOVAL_STORAGE: Storage = Storage::Integer;
    const IN_ORDER: &'static str = "";
    const HOLDS_ANSWERS: bool = false;
    type StampBind = StampBind;

    fn limit_statements(_time: std::time::Duration) -> Option<String> {
        None
    }

    fn removal_table(definition: &TableDefinition) -> String {
        quoted(&format!("carburetor_removal_{}", definition.table))
    }

    fn micros(expression: &str, storage: Storage) -> String {
        match storage {
            Storage::Integer => expression.into(),
            _ => format!(
                "cast(strftime('%s', substr({expression}, 1, 19)) as integer) * 1000000 + cast(substr({expression}, 21, 6) as integer)"
            ),
        }
    }

    fn version(parts: &[String], _table: Option<&str>) -> String {
        let parts: Vec<String> = parts.iter().map(|part| format!("quote({part})")).collect();
        parts.join(" || ' ' || ")
    }

    fn since(stamp: &str) -> [String; 2] {
        [format!("{stamp} >= "), String::new()]
    }

    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn cutoff(
        definitions: &[&'static TableDefinition],
        _assumptions: &Assumptions,
        _in_transaction: bool,
        known: &Origin,
    ) -> Vec<Statement<'static, Self>> {
        vec![crate::cutoff::sqlite::statement(definitions, known)]
    }

    fn circumstance(_in_transaction: bool) -> Option<String> {
        None
    }

    fn integer<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<i64>> {
        read::<BigInt, _, _>(row, column)
    }

    fn text<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<String>> {
        read::<Text, _, _>(row, column)
    }

    fn instant<'r>(
        row: &impl Row<'r, Self>,
        column: usize,
        storage: Storage,
    ) -> QueryResult<Option<i64>> {
        match storage {
            Storage::Integer => Self::integer(row, column),
            _ => Ok(field(row, column)?.value().and_then(micros)),
        }
    }

    // A column's collation stands in the table's SQL only, and a type that is not text may turn text into a number.
    fn is_exact(definition: &TableDefinition, name: &str) -> String {
        format!(
            "exists (select 1 from sqlite_master t join pragma_table_info(t.name) c \
             where lower(t.name) = lower({}) and instr(lower(t.sql), 'collate') = 0 and lower(c.name) = lower({}) \
             and instr(lower(c.type), 'int') = 0 \
             and (instr(lower(c.type), 'text') > 0 or instr(lower(c.type), 'char') > 0 or instr(lower(c.type), 'blob') > 0))",
            literal(&definition.table),
            literal(name)
        )
    }

    fn push_text<'b>(text: &'b str, mut out: AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Text, str>(text)
    }

    fn push_integer<'b>(integer: &'b i64, mut out: AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(integer)
    }

    // Binds have no type here: the column's affinity and collation decide.
    fn push_as_column<'b, ST, T>(value: &'b T, mut out: AstPass<'_, 'b, Self>) -> QueryResult<()>
    where
        ST: SingleValue,
        Self: HasSqlType<ST>,
        T: ToSql<ST, Self>,
    {
        out.push_bind_param::<ST, T>(value)
    }

    // Diesel shows the values that it hands to SQLite by their Debug only, which prints what is stored.
    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn bound(fragment: &Fragment<'_, Self>) -> QueryResult<Vec<u8>> {
        let mut collector = <Self as Backend>::BindCollector::default();
        fragment.collect_binds(&mut collector, &mut (), &diesel::sqlite::Sqlite)?;
        Ok(format!("{collector:?}").into_bytes())
    }

    fn bind_stamp(storage: Storage, instant: DateTime<Utc>) -> StampBind {
        StampBind::sqlite(storage, instant)
    }
}
