//! What is wrong with a table or its tracking, or may surprise, and what to do.

use std::fmt;

/// One thing that is wrong, or that works and may surprise, and its remedy.
///
/// ```
/// use carburetor::tracking::Problem;
/// let problem = Problem::new("users", "the trigger is missing", "run the tracking's up.sql again");
/// assert_eq!(problem.to_string(), "users: the trigger is missing; run the tracking's up.sql again");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The table, or the object of the library's own that is concerned.
    pub table: String,
    /// What is wrong, or may surprise.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Problem {
    /// A problem of `table`.
    ///
    /// ```
    /// # use carburetor::tracking::Problem;
    /// assert_eq!(Problem::new("users", "it is a view", "sync the tables below it").table, "users");
    /// ```
    pub fn new(
        table: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Problem {
            table: table.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

impl Problem {
    /// A row of (name, problem, remedy).
    pub(super) fn of_row(row: Vec<Option<String>>) -> Self {
        let mut columns = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || columns.next().unwrap_or_default();
        Problem::new(next(), next(), next())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}
