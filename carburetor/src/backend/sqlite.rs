//! What is SQLite's own.

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

impl SyncBackend for diesel::sqlite::Sqlite {
    const PLACEHOLDER: char = '?';
    const REGISTRY: &'static str = "carburetor_synced_table";
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
    ) -> Vec<Statement<'static, Self>> {
        vec![crate::cutoff::sqlite::statement(definitions)]
    }

    fn integer<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<i64>> {
        read::<BigInt, _, _>(row, column)
    }

    fn text<'r>(row: &impl Row<'r, Self>, column: usize) -> QueryResult<Option<String>> {
        read::<Text, _, _>(row, column)
    }

    fn bind_stamp(storage: Storage, instant: DateTime<Utc>) -> StampBind {
        StampBind::sqlite(storage, instant)
    }
}
