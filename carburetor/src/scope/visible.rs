//! What a scope or a filter shows of one table.

use super::ScopeError;
#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
use super::concern::Concern;
use super::expression::Expression;
use super::keys::{KeyChange, Keys};
use crate::backend::SyncBackend;
use crate::statement::{Fragment, Statement, Text};
use crate::table::{TableDefinition, quoted};
use crate::wire::{WireError, WireType};
use diesel::dsl::EqAny;
use diesel::expression::AppearsOnTable;
use diesel::expression::array_comparison::AsInExpression;
use diesel::expression_methods::ExpressionMethods;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::serialize::ToSql;
use diesel::sql_types::{BoolOrNullableBool, HasSqlType, SingleValue, SqlType};
use diesel::{Column, QueryResult};
use serde_json::Value;
use std::marker::PhantomData;

/// The rows of the `table!` `T` that a scope shows or a filter keeps on `DB`.
///
#[doc = include_str!("../../docs/examples/visible.md")]
pub struct Visible<'a, T, DB: SyncBackend> {
    rows: Rows<'a, DB>,
    table: PhantomData<fn() -> T>,
}

/// [`Visible`] whose table is no longer in the type.
pub(crate) enum Rows<'a, DB: SyncBackend> {
    All,
    None,
    Only(Box<Fragment<'a, DB>>),
    Keys(Keys<DB>),
}

impl<T, DB: SyncBackend> std::fmt::Debug for Visible<'_, T, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.rows {
            Rows::All => "Visible::all()",
            Rows::None => "Visible::none()",
            Rows::Only(_) => "Visible::only(..)",
            Rows::Keys(_) => "Visible::keys(..)",
        })
    }
}

impl<'a, T, DB: SyncBackend> Visible<'a, T, DB> {
    fn of(rows: Rows<'a, DB>) -> Self {
        Visible {
            rows,
            table: PhantomData,
        }
    }

    /// Every row.
    ///
    #[doc = include_str!("../../docs/examples/visible_all.md")]
    pub fn all() -> Self {
        Self::of(Rows::All)
    }

    /// No row.
    ///
    #[doc = include_str!("../../docs/examples/visible_none.md")]
    pub fn none() -> Self {
        Self::of(Rows::None)
    }

    /// The rows for which `expression` is true; false and NULL hide a row.
    ///
    /// It may look at the id and at `#[sync(visible_by)]` columns, compared with bound values. Subqueries, other tables and functions
    /// like `now()` are refused when the download runs: they would change what is visible without any row being written.
    ///
    #[doc = include_str!("../../docs/examples/visible_only.md")]
    pub fn only<E>(expression: E) -> Self
    where
        E: AppearsOnTable<T> + QueryFragment<DB> + Send + Sync + 'a,
        E::SqlType: BoolOrNullableBool,
    {
        Self::of(Rows::Only(Box::new(expression)))
    }

    /// The rows whose `column` holds one of `values`: as `only(column.eq_any(values))`, but a token that was made with other values
    /// does not reset the table. The rows of joined values then come from the beginning, and those of left values go.
    ///
    /// What left goes without a reset where values that are equal in SQL are equal on the replica too: booleans, integers, bytes, dates, UUIDs, and
    /// text (`text`, `varchar`) whose collation tells all texts apart. The database is asked. Elsewhere (`char(n)`, `citext`, `numeric`,
    /// floats, domains, a collation that ignores case; on SQLite any `collate` in the table) the table is reset.
    ///
    #[doc = include_str!("../../docs/examples/visible_keys.md")]
    pub fn keys<C, V>(column: C, values: impl IntoIterator<Item = V>) -> Self
    where
        C: Column<Table = T> + ExpressionMethods + Copy + Send + Sync + 'static,
        C::SqlType: WireType<DB> + SqlType + SingleValue,
        DB: HasSqlType<C::SqlType>,
        V: ToSql<C::SqlType, DB> + Clone + Send + Sync + 'static,
        Vec<V>: AsInExpression<C::SqlType>,
        EqAny<C, Vec<V>>: QueryFragment<DB> + Send + Sync + 'static,
    {
        Self::of(Rows::Keys(Keys::new(
            column,
            values.into_iter().collect::<Vec<V>>(),
        )))
    }

    pub(crate) fn erased(self) -> Rows<'a, DB> {
        self.rows
    }
}

/// Scope and filter of one place in a group, judged.
pub struct Visibility<'a, DB: SyncBackend> {
    definition: &'static TableDefinition,
    conditions: Vec<Condition<'a, DB>>,
    nothing: bool,
    keys: Option<Keys<DB>>,
}

struct Condition<'a, DB: SyncBackend> {
    fragment: Box<Fragment<'a, DB>>,
    sql: String,
    expression: Expression,
    /// The values of the key column, which the token carries: they are no part of the description.
    of_keys: bool,
}

impl<DB: SyncBackend> std::fmt::Debug for Visibility<'_, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visibility")
            .field("definition", self.definition)
            .finish_non_exhaustive()
    }
}

impl<'a, DB: SyncBackend> Visibility<'a, DB> {
    pub(crate) fn new(
        definition: &'static TableDefinition,
        parts: impl IntoIterator<Item = Rows<'a, DB>>,
    ) -> Result<Self, ScopeError> {
        let mut visibility = Visibility {
            definition,
            conditions: Vec::new(),
            nothing: false,
            keys: None,
        };
        for rows in parts {
            match rows {
                Rows::All => {}
                Rows::None => visibility.nothing = true,
                Rows::Only(fragment) => visibility.condition(fragment, false)?,
                Rows::Keys(keys) => {
                    let first = visibility.keys.is_none();
                    visibility.condition((keys.condition)(&keys.places()), first)?;
                    if first {
                        visibility.keys = Some(keys);
                    }
                }
            }
        }
        Ok(visibility)
    }

    fn condition(
        &mut self,
        fragment: Box<Fragment<'a, DB>>,
        of_keys: bool,
    ) -> Result<(), ScopeError> {
        let sql = rendered::<DB>(&fragment, self.definition)?;
        let expression = Expression::parse(&sql, self.definition, DB::PLACEHOLDER)?;
        self.conditions.push(Condition {
            fragment,
            sql,
            expression,
            of_keys,
        });
        Ok(())
    }

    /// The values of the key column that are visible, for the token.
    pub(crate) fn keys(&self) -> Result<Option<Vec<Value>>, WireError> {
        self.keys
            .as_ref()
            .map(|keys| keys.values.clone())
            .transpose()
    }

    /// What changed since the values of the key column were `old`; nothing without a key column.
    pub(crate) fn keys_since(&self, old: &[Value]) -> Result<KeyChange<DB>, WireError> {
        match &self.keys {
            Some(keys) => keys.since(old),
            None => Ok(KeyChange {
                left: None,
                joined: None,
                exact: true,
            }),
        }
    }

    /// Which changes of the table concern whoever sees this of it.
    #[cfg(all(
        feature = "axum",
        any(feature = "async-postgres", feature = "async-sqlite")
    ))]
    pub(crate) fn concern(&self) -> Result<Concern<DB>, WireError> {
        match &self.keys {
            _ if self.nothing => Ok(Concern::None),
            Some(keys) => keys.concern(),
            None => Ok(Concern::Any),
        }
    }

    /// Whether every row is visible.
    pub(crate) fn is_everything(&self) -> bool {
        !self.nothing && self.conditions.is_empty()
    }

    pub(crate) fn definition(&self) -> &'static TableDefinition {
        self.definition
    }

    /// Appends ` and ..` for each condition over the table itself, with its binds.
    pub(crate) fn push(&'a self, statement: &mut Statement<'a, DB>) {
        self.push_granting(statement, None);
    }

    /// The same where the rows with some more keys count as visible: a JSON array of the texts that the database makes of them.
    pub(crate) fn push_granting(
        &'a self,
        statement: &mut Statement<'a, DB>,
        granted: Option<String>,
    ) {
        if self.nothing {
            statement.sql(" and 1 = 0");
        }
        for condition in &self.conditions {
            statement.sql(" and (").fragment(&*condition.fragment);
            if let Some((granted, column)) = self.granting(condition, granted.as_ref()) {
                let [_, after] = DB::ELEMENTS;
                let key = format!("{}.{column}", self.definition.sql_name());
                statement
                    .sql(is_one_of::<DB>(&key))
                    .bind(Text(granted.clone()))
                    .sql(after);
            }
            statement.sql(")");
        }
    }

    /// The keys that count beside those of `condition`, and the quoted column that holds them.
    fn granting<'g>(
        &self,
        condition: &Condition<'a, DB>,
        granted: Option<&'g String>,
    ) -> Option<(&'g String, String)> {
        let keys = self.keys.as_ref().filter(|_| condition.of_keys)?;
        Some((granted?, quoted(keys.column.name)))
    }

    /// The column that holds the keys.
    pub(crate) fn key_column(&self) -> Option<&'static str> {
        self.keys.as_ref().map(|keys| keys.column.name)
    }

    /// ` and ..` for each condition over what goes by `alias` and has the same columns. The binds are those that
    /// [`push`](Self::push) made the first ones of the statement.
    pub(crate) fn over(&self, alias: &str) -> String {
        self.over_from(alias, 1, None)
    }

    /// The same where the binds of [`push_granting`](Self::push_granting) begin with number `first`.
    pub(crate) fn over_from(
        &self,
        alias: &str,
        mut first: usize,
        granted: Option<&String>,
    ) -> String {
        let mut sql = String::new();
        if self.nothing {
            sql.push_str(" and 1 = 0");
        }
        for condition in &self.conditions {
            let expression = condition.expression.over(alias, first, DB::PLACEHOLDER);
            sql.push_str(&format!(" and ({expression}"));
            first += condition.expression.binds();
            if let Some((_, column)) = self.granting(condition, granted) {
                let before = is_one_of::<DB>(&format!("{alias}.{column}"));
                sql.push_str(&format!(
                    "{before}{}{first}{}",
                    DB::PLACEHOLDER,
                    DB::ELEMENTS[1]
                ));
                first += 1;
            }
            sql.push(')');
        }
        sql
    }

    /// Differs whenever what is visible could: the conditions with the values bound in them, as the database gets them. A value's Debug may
    /// hide what it holds.
    pub(crate) fn description(&self) -> QueryResult<Vec<u8>> {
        let mut description = Vec::from(if self.nothing { "nothing;" } else { "" });
        if let Some(keys) = &self.keys {
            description.extend(format!("{};", keys.column.name).bytes());
        }
        for condition in self
            .conditions
            .iter()
            .filter(|condition| !condition.of_keys)
        {
            description.extend(format!("{};", condition.sql).bytes());
            description.extend(DB::bound(&condition.fragment)?);
            description.push(b';');
        }
        Ok(description)
    }
}

/// Or that `key` is one of the granted ones, up to their bind; the text of NULL may be one too.
fn is_one_of<DB: SyncBackend>(key: &str) -> String {
    format!(
        " or {key} is not null and {} in ({}",
        DB::text_of(key),
        DB::ELEMENTS[0]
    )
}

fn rendered<DB: SyncBackend>(
    fragment: &Fragment<'_, DB>,
    definition: &TableDefinition,
) -> Result<String, ScopeError> {
    let mut builder = DB::QueryBuilder::default();
    fragment
        .to_sql(&mut builder, &DB::default())
        .map_err(|error| ScopeError {
            table: definition.key(),
            culprit: "an expression".into(),
            remedy: error.to_string(),
        })?;
    Ok(builder.finish())
}
