//! An error of the database's in words of the library's.

use diesel::result::DatabaseErrorInformation;

/// What the database told of an error.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) message: String,
    pub(super) constraint: Option<String>,
    pub(super) column: Option<String>,
}

impl DatabaseErrorInformation for Told {
    fn message(&self) -> &str {
        &self.message
    }

    fn details(&self) -> Option<&str> {
        None
    }

    fn hint(&self) -> Option<&str> {
        None
    }

    fn table_name(&self) -> Option<&str> {
        None
    }

    fn column_name(&self) -> Option<&str> {
        self.column.as_deref()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}
