//! A scope of the form column-in-set.

#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
use super::concern::Concern;
use crate::backend::SyncBackend;
use crate::statement::Fragment;
use crate::table::Storage;
use crate::wire::{Codec, WireError, WireType, encode};
use diesel::Column;
use diesel::dsl::EqAny;
use diesel::expression::array_comparison::AsInExpression;
use diesel::expression_methods::ExpressionMethods;
use diesel::query_builder::QueryFragment;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, SingleValue, SqlType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;

/// The key column of a scope.
pub(crate) struct KeyColumn<DB: SyncBackend> {
    pub(crate) name: &'static str,
    /// How it travels.
    pub(crate) codec: Codec<DB>,
}

impl<DB: SyncBackend> KeyColumn<DB> {
    /// Whether values that SQL holds to be equal travel as the same JSON, whatever the column is in the database.
    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.codec.storage, Storage::Integer | Storage::Boolean)
    }
}

// By hand, because the derived ones would ask the same of `DB`.
impl<DB: SyncBackend> Clone for KeyColumn<DB> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<DB: SyncBackend> Copy for KeyColumn<DB> {}

/// The rows whose key column holds one of the values.
pub(crate) struct Keys<DB: SyncBackend> {
    pub(crate) column: KeyColumn<DB>,
    /// The values as they travel, in the order of `condition`'s.
    pub(crate) values: Result<Vec<Value>, WireError>,
    /// The condition for some of the values, by place.
    pub(crate) condition: Box<Condition<DB>>,
}

type Condition<DB> = dyn Fn(&[usize]) -> Box<Fragment<'static, DB>> + Send + Sync;

/// What a change of the values means for the rows.
pub(crate) struct KeyChange<DB: SyncBackend> {
    /// The values that are no longer visible.
    pub(crate) left: Option<Left>,
    /// Rows that hold one of them can be told from others without the database.
    pub(crate) exact: bool,
    /// A condition for the rows that have become visible.
    pub(crate) joined: Option<Box<Fragment<'static, DB>>>,
}

impl<DB: SyncBackend> Keys<DB> {
    pub(crate) fn new<C, V>(column: C, values: Vec<V>) -> Self
    where
        C: Column + ExpressionMethods + Copy + Send + Sync + 'static,
        C::SqlType: WireType<DB> + SqlType + SingleValue,
        DB: HasSqlType<C::SqlType>,
        V: ToSql<C::SqlType, DB> + Clone + Send + Sync + 'static,
        Vec<V>: AsInExpression<C::SqlType>,
        EqAny<C, Vec<V>>: QueryFragment<DB> + Send + Sync + 'static,
    {
        let encoded = values
            .iter()
            .map(|value| encode::<C::SqlType, V, DB>(&C::SqlType::CODEC, value));
        Keys {
            column: KeyColumn {
                name: C::NAME,
                codec: C::SqlType::CODEC,
            },
            values: encoded.collect(),
            condition: Box::new(move |places| {
                let some: Vec<V> = places.iter().map(|place| values[*place].clone()).collect();
                Box::new(column.eq_any(some))
            }),
        }
    }

    /// Which rows it concerns.
    #[cfg(all(
        feature = "axum",
        any(feature = "async-postgres", feature = "async-sqlite")
    ))]
    pub(super) fn concern(&self) -> Result<Concern<DB>, WireError> {
        let values = self.values.as_ref().map_err(Clone::clone)?;
        let values = values.iter().map(Value::to_string).collect();
        Ok(Concern::Keys(self.column, values))
    }

    /// The places of all values.
    pub(crate) fn places(&self) -> Vec<usize> {
        (0..self.values.as_ref().map_or(0, Vec::len)).collect()
    }

    /// What changed since the values were `old`.
    pub(crate) fn since(&self, old: &[Value]) -> Result<KeyChange<DB>, WireError> {
        let new = self.values.as_ref().map_err(Clone::clone)?;
        let [before, now] =
            [old, new.as_slice()].map(|values| values.iter().collect::<HashSet<_>>());
        let left: Vec<Value> = old
            .iter()
            .filter(|value| !now.contains(value))
            .cloned()
            .collect();
        let joined: Vec<usize> = self
            .places()
            .into_iter()
            .filter(|place| !before.contains(&new[*place]))
            .collect();
        let left = (!left.is_empty()).then(|| Left {
            column: self.column.name.into(),
            values: left,
        });
        let joined = (!joined.is_empty()).then(|| (self.condition)(&joined));
        Ok(KeyChange {
            left,
            joined,
            exact: self.column.is_exact(),
        })
    }
}

/// Values of a scope's key column that it no longer shows: rows that hold one of them have to go.
///
/// ```
/// use carburetor::Left;
/// let left = Left { column: "team".into(), values: vec!["red".into()] };
/// assert_eq!(serde_json::to_string(&left)?, r#"{"column":"team","values":["red"]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// The column.
    pub column: String,
    /// The values, as they travel.
    pub values: Vec<Value>,
}
