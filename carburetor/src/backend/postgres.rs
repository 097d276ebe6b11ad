//! What is PostgreSQL's own.

use super::SyncBackend;
use super::as_column::{AsColumn, Unknown};
use super::column::{field, read};
use crate::cutoff::Assumptions;
use crate::origin::Origin;
use crate::stamp::StampBind;
use crate::statement::{Fragment, Statement};
use crate::table::{Storage, TableDefinition, literal, quoted};
use crate::wire::postgres::{Lookup, micros};
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::query_builder::AstPass;
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::row::{Field, Row};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, SingleValue, Text};

impl SyncBackend for diesel::pg::Pg {
    const PLACEHOLDER: char = '$';
    const ELEMENTS: [&'static str; 2] = [
        "select pg_catalog.jsonb_array_elements_text(cast(",
        " as pg_catalog.jsonb)))",
    ];
    const REGISTRY: &'static str = "carburetor.synced_table";
    const CLOCK: &'static str = "carburetor.clock";
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

    // A limit of the session's own that is shorter stays. Zero is none.
    fn limit_statements(time: std::time::Duration) -> Option<String> {
        let millis = time.as_millis().clamp(1, i32::MAX.unsigned_abs().into());
        let own = "pg_catalog.date_part('epoch', pg_catalog.current_setting('statement_timeout')::pg_catalog.interval) * 1000";
        Some(format!(
            "select pg_catalog.set_config('statement_timeout', '{millis}', true) where {own} not between 1 and {millis}"
        ))
    }

    fn removal_table(definition: &TableDefinition) -> String {
        format!("carburetor.{}", quoted(&definition.removal_name()))
    }

    fn micros(expression: &str, _storage: Storage) -> String {
        format!("(extract(epoch from {expression}) * 1000000)::bigint")
    }

    /// Behind a subselect the planner doesn't look at the instant, so that it keeps one plan instead of making a new one for each download,
    /// which takes longer than reading a few rows. The upper bound tells it that they are few: without one it would expect a third of the table.
    fn version(parts: &[String], table: Option<&str>) -> String {
        let writer = table.map(|table| format!(", {table}.xmin"));
        format!(
            "row({}{})::text",
            parts.join(", "),
            writer.unwrap_or_default()
        )
    }

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
        in_transaction: bool,
        _known: &Origin,
    ) -> Vec<Statement<'static, Self>> {
        crate::cutoff::postgres::statements(definitions, assumptions, in_transaction)
    }

    fn circumstance(in_transaction: bool) -> Option<String> {
        Some(crate::cutoff::postgres::circumstance(in_transaction))
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
        _storage: Storage,
    ) -> QueryResult<Option<i64>> {
        Ok(field(row, column)?.value().and_then(micros))
    }

    // `char(n)`, `citext`, numbers with a scale, domains and collations that ignore case hold different texts to be equal.
    fn is_exact(_definition: &TableDefinition, name: &str) -> String {
        format!(
            "exists (select from pg_catalog.pg_attribute a left join pg_catalog.pg_collation c on c.oid = a.attcollation \
             where a.attrelid = carburetor_header.relation and a.attname = {} \
             and a.atttypid in (16, 17, 20, 21, 23, 25, 1043, 1082, 2950) and c.collisdeterministic is distinct from false)",
            literal(name)
        )
    }

    fn push_text<'b>(text: &'b str, mut out: AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<Text, str>(text)
    }

    fn push_integer<'b>(integer: &'b i64, mut out: AstPass<'_, 'b, Self>) -> QueryResult<()> {
        out.push_bind_param::<BigInt, _>(integer)
    }

    fn push_as_column<'b, ST, T>(value: &'b T, mut out: AstPass<'_, 'b, Self>) -> QueryResult<()>
    where
        ST: SingleValue,
        Self: HasSqlType<ST>,
        T: ToSql<ST, Self>,
    {
        let value: &'b (dyn AsColumn<ST> + 'b) = value;
        out.push_bind_param::<Unknown<ST>, _>(value)
    }

    #[allow(
        private_interfaces,
        reason = "the trait is sealed: nobody else calls it"
    )]
    fn bound(fragment: &Fragment<'_, Self>) -> QueryResult<Vec<u8>> {
        let mut collector = RawBytesBindCollector::<Self>::new();
        fragment.collect_binds(&mut collector, &mut Lookup, &diesel::pg::Pg)?;
        let mut bytes = Vec::new();
        for bind in collector.binds {
            // The lengths keep two values from reading as two others; NULL has one that no value has.
            let length = bind.as_ref().map_or(u64::MAX, |bind| bind.len() as u64);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend(bind.unwrap_or_default());
        }
        Ok(bytes)
    }

    fn bind_stamp(storage: Storage, instant: DateTime<Utc>) -> StampBind {
        StampBind::postgres(storage, instant)
    }
}
