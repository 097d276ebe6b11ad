//! The types that a table's columns have in the database, where that isn't what the model says.

use std::collections::BTreeMap;

/// The types of one table's columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Types(pub(super) BTreeMap<String, ColumnType>);

/// The type of one column; of a domain, the type below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnType {
    /// Of an array, that of its elements.
    pub(super) oid: u32,
    /// The quoted name of the type with that oid.
    pub(super) name: String,
    pub(super) shape: Shape,
    /// Values that are equal in SQL are the same value.
    pub(super) is_comparable: bool,
    /// It holds whatever it is given, to the last digit.
    pub(super) is_exact: bool,
}

/// How many values of a type get into a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An array of them is taken apart by the database.
    Plain,
    /// They are arrays: there are no arrays of arrays.
    Array,
    /// The database would take each value apart as well.
    Composite,
}

impl Types {
    /// Of a table of which the database says nothing.
    pub(super) const NONE: Types = Types(BTreeMap::new());

    pub(super) fn of(&self, column: &str) -> Option<&ColumnType> {
        self.0.get(column)
    }

    pub(super) fn is_exact(&self, column: &str) -> bool {
        self.of(column).is_none_or(|found| found.is_exact)
    }

    pub(super) fn is_comparable(&self, column: &str) -> bool {
        self.of(column).is_none_or(|found| found.is_comparable)
    }
}
