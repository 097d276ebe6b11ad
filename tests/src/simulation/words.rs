//! Texts that models can't read: whoever writes by SQL may store some.

use super::models::ALL;
use super::rows::{Key, Row, Rows};
use carburetor::wire::WireError;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use std::collections::BTreeSet;

/// What a text begins with that no model can read.
pub(super) const ODD: &str = "odd";

/// The table and the column of such texts.
const COLUMN: (&str, &str) = ("remarks", "words");

/// A text that the model can read.
#[derive(Debug, Clone, PartialEq, diesel::AsExpression, diesel::FromSqlRow)]
#[diesel(sql_type = Text)]
pub(super) struct Words(String);

impl<B: Backend> FromSql<Text, B> for Words
where
    String: FromSql<Text, B>,
{
    fn from_sql(value: B::RawValue<'_>) -> deserialize::Result<Self> {
        let words = String::from_sql(value)?;
        match words.starts_with(ODD) {
            true => Err("it is odd".into()),
            false => Ok(Words(words)),
        }
    }
}

impl<B: Backend> ToSql<Text, B> for Words
where
    String: ToSql<Text, B>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, B>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

/// Whether no model can read a row.
pub(super) fn is_odd((key, row): (&Key, &Row)) -> bool {
    let words = || row.values.get(COLUMN.1).and_then(|words| words.as_str());
    key.0 == COLUMN.0 && words().is_some_and(|words| words.starts_with(ODD))
}

/// Rows that no model can read.
pub(super) fn odd(rows: &Rows) -> BTreeSet<Key> {
    let odd = rows.iter().filter(|row| is_odd(*row));
    odd.map(|(key, _)| key.clone()).collect()
}

/// Rows of which a replica tells that it can't show them.
pub(super) fn told(errors: &[WireError]) -> BTreeSet<Key> {
    let key = |error: &WireError| {
        let table = ALL.iter().find(|table| table.name == error.table)?;
        let id = error.id.as_ref()?.as_str()?;
        Some((table.name, id.to_owned()))
    };
    errors.iter().filter_map(key).collect()
}
