//! A value in a statement, which asks for what its type must be only where the statement runs: a type that doesn't fit
//! its column is then blamed once, and not again by everything that Diesel builds on it.

use crate::backend::SyncBackend;
use crate::table::SyncField;
use diesel::dsl::{Eq, SqlTypeOf};
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping,
    is_aggregate,
};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{SingleValue, SqlType};
use diesel::{Column, ExpressionMethods, QueryResult};
use std::borrow::Borrow;
use std::marker::PhantomData;

/// A `T`, owned or borrowed, in a column of type `ST`.
#[derive(Debug, Clone, Copy)]
pub struct Given<ST, T, V> {
    value: V,
    column: PhantomData<(ST, T)>,
}

/// Column `C` takes a `T`, owned or borrowed.
pub type Set<C, T, V> = Eq<C, Given<SqlTypeOf<C>, T, V>>;

/// `column` takes `value`.
pub fn set<C, T, V>(column: C, value: V) -> Set<C, T, V>
where
    C: Column<SqlType: SingleValue + TypedExpressionType>,
    V: Borrow<T>,
{
    column.eq(Given {
        value,
        column: PhantomData,
    })
}

impl<ST: SqlType + TypedExpressionType, T, V> Expression for Given<ST, T, V> {
    type SqlType = ST;
}

impl<QS, ST, T, V> AppearsOnTable<QS> for Given<ST, T, V> where Self: Expression {}

impl<QS, ST, T, V> SelectableExpression<QS> for Given<ST, T, V> where Self: Expression {}

impl<ST, T, V> ValidGrouping<()> for Given<ST, T, V> {
    type IsAggregate = is_aggregate::Never;
}

impl<ST: QueryId, T, V> QueryId for Given<ST, T, V> {
    type QueryId = Given<ST::QueryId, (), ()>;
    const HAS_STATIC_QUERY_ID: bool = ST::HAS_STATIC_QUERY_ID;
}

impl<ST, T, V, DB> QueryFragment<DB> for Given<ST, T, V>
where
    DB: SyncBackend,
    T: SyncField<ST, DB>,
    V: Borrow<T>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.value.borrow().bind(out)
    }
}
