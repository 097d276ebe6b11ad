//! Definitions out of what `diesel::table!` knows.

use crate::backend::SyncBackend;
use crate::table::{ColumnDefinition, StampType, TableDefinition, split_name};
use crate::wire::Codec;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::sql_types::{SqlType, is_nullable};
use diesel::{Column, Expression, Table};

/// `table` under its name in the database, without columns.
pub fn base<T, DB>(table: T, backend: &DB, wire_name: &str) -> TableDefinition
where
    T: Table + QueryFragment<DB>,
    DB: SyncBackend,
    DB::QueryBuilder: Default,
{
    let mut rendered = DB::QueryBuilder::default();
    let (schema, name) = match table.to_sql(&mut rendered, backend) {
        Ok(()) => split_name(&rendered.finish()),
        Err(_) => (None, wire_name.to_owned()),
    };
    TableDefinition {
        wire_name: wire_name.to_owned(),
        schema,
        table: name,
        ..TableDefinition::default()
    }
}

/// Column `C`, which travels by `codec`.
pub fn column<C, DB>(codec: &Codec<DB>) -> ColumnDefinition
where
    C: Column<SqlType: SqlType<IsNull: Nullability>>,
    DB: SyncBackend,
{
    ColumnDefinition {
        storage: codec.storage,
        ..plain::<C>()
    }
}

/// Column `C`, an instant that doesn't travel.
pub fn dates<C, DB>() -> ColumnDefinition
where
    C: Column<SqlType: SqlType<IsNull: Nullability> + StampType<DB>>,
    DB: SyncBackend,
{
    ColumnDefinition {
        storage: <C::SqlType as StampType<DB>>::STORAGE,
        ..plain::<C>()
    }
}

/// Column `C`, of which the library needs no more than the name.
pub fn plain<C>() -> ColumnDefinition
where
    C: Column<SqlType: SqlType<IsNull: Nullability>>,
{
    ColumnDefinition {
        nullable: nullable::<C>(),
        ..ColumnDefinition::new(C::NAME)
    }
}

/// Whether column `C` may hold NULL.
pub const fn nullable<C>() -> bool
where
    C: Expression<SqlType: SqlType<IsNull: Nullability>>,
{
    <<C::SqlType as SqlType>::IsNull as Nullability>::NULLABLE
}

/// What Diesel says of an SQL type, as a value.
pub trait Nullability {
    /// May values be NULL?
    const NULLABLE: bool;
}

impl Nullability for is_nullable::IsNullable {
    const NULLABLE: bool = true;
}

impl Nullability for is_nullable::NotNull {
    const NULLABLE: bool = false;
}
