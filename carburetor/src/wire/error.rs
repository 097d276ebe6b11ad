//! What can be wrong with a message.

/// A value that can't travel, or a message that can't be read; it names the table and the column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireError {
    /// The table, or empty where it isn't known yet.
    pub table: String,
    /// The column, or empty where the message as a whole is wrong.
    pub column: String,
    /// What is wrong, and the remedy.
    pub message: String,
}

impl WireError {
    /// An error about the message as a whole.
    ///
    /// ```
    /// # use carburetor::wire::WireError;
    /// assert_eq!(WireError::new("expected an object").to_string(), "expected an object");
    /// ```
    pub fn new(message: impl Into<String>) -> Self {
        WireError {
            table: String::new(),
            column: String::new(),
            message: message.into(),
        }
    }

    /// The same error, in `column` of `table`.
    ///
    /// ```
    /// # use carburetor::wire::WireError;
    /// assert_eq!(WireError::new("expected a string").at("users", "name").to_string(), "users.name: expected a string");
    /// ```
    pub fn at(mut self, table: &str, column: &str) -> Self {
        self.table = table.into();
        self.column = column.into();
        self
    }
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.table.as_str(), self.column.as_str()) {
            ("", "") => f.write_str(&self.message),
            (table, "") => write!(f, "{table}: {}", self.message),
            (table, column) => write!(f, "{table}.{column}: {}", self.message),
        }
    }
}

impl std::error::Error for WireError {}
