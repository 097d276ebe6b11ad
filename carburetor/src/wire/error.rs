//! What can be wrong with a message.

use serde_json::Value;

/// How many characters of a wrong value an error shows.
const SHOWN: usize = 80;

/// A value that can't be read or can't travel, or a message that can't be read; it names the table, the column, and the row where it is one's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireError {
    /// The table, or empty where it isn't known yet.
    pub table: String,
    /// The column, or empty where the message as a whole is wrong.
    pub column: String,
    /// The id of the row as it travels: its value, or an array of values. None where the error is of no row, or of its id.
    pub id: Option<Value>,
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
            id: None,
            message: message.into(),
        }
    }

    /// A JSON value that isn't what its column takes.
    ///
    /// ```
    /// # use carburetor::wire::WireError;
    /// let error = WireError::unexpected("a string", &12.into());
    /// assert_eq!(error.to_string(), "expected a string, got 12");
    /// ```
    pub fn unexpected(expected: &str, got: &Value) -> Self {
        WireError::new(format!("expected {expected}, got {}", shown(got)))
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

    /// The same error, of the row with this id.
    ///
    /// ```
    /// # use carburetor::wire::WireError;
    /// let error = WireError::new("expected a string").at("users", "name").of(7.into());
    /// assert_eq!(error.to_string(), "users.name of 7: expected a string");
    /// ```
    pub fn of(self, id: Value) -> Self {
        WireError {
            id: Some(id),
            ..self
        }
    }
}

/// A value as an error shows it.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let shown: String = text.chars().take(SHOWN).collect();
    let rest = if shown.len() < text.len() { "…" } else { "" };
    shown + rest
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.table.as_str(), self.column.as_str()) {
            ("", "") => return f.write_str(&self.message),
            (table, "") => write!(f, "{table}")?,
            (table, column) => write!(f, "{table}.{column}")?,
        }
        if let Some(id) = &self.id {
            write!(f, " of {}", shown(id))?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for WireError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_shown_in_part() {
        let error = WireError::unexpected("a number", &Value::String("ä".repeat(100)));
        assert_eq!(
            error.to_string(),
            format!("expected a number, got \"{}…", "ä".repeat(79))
        );
    }
}
