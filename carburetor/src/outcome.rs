//! Outcomes: the server's answers to changes.

use crate::clock::Clock;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The server's answer to one change.
///
/// ```
/// use carburetor::outcome::{Outcome, Verdict};
/// let outcome: Outcome = serde_json::from_str(r#"{"clock":"018bcfe568000001000000000000002a","verdict":"applied"}"#)?;
/// assert_eq!(outcome.verdict, Verdict::Applied);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The clock of the change.
    pub clock: Clock,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The row's stamp after a change was applied: the base of the next edit.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::stamp::serialize"
    )]
    pub stamp: Option<DateTime<Utc>>,
    /// The server's row as the scope shows it, unless the change was applied as it is; none where the scope shows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Map<String, Value>>,
}

/// The answers to an upload, in the order of its changes.
///
/// ```
/// use carburetor::outcome::Outcomes;
/// let outcomes: Outcomes = serde_json::from_str(r#"{"carburetor":1,"clock":"018bcfe568000001000000000000002a","outcomes":[]}"#)?;
/// assert!(outcomes.outcomes.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// The version of the protocol.
    #[serde(rename = "carburetor")]
    pub version: u32,
    /// Not below the clock of anything that the outcomes show: whoever observes it makes later edits.
    pub clock: Clock,
    /// One per change.
    pub outcomes: Vec<Outcome>,
}

impl Default for Outcomes {
    fn default() -> Self {
        Outcomes {
            version: crate::wire::VERSION,
            clock: Clock::ZERO,
            outcomes: Vec::new(),
        }
    }
}

impl Outcomes {
    /// Appends the answers to the following changes.
    pub(crate) fn add(&mut self, more: Outcomes) {
        self.clock = self.clock.max(more.clock);
        self.outcomes.extend(more.outcomes);
    }
}

/// What became of a change.
///
/// ```
/// use carburetor::outcome::Verdict;
/// assert_eq!(serde_json::to_string(&Verdict::Merged)?, r#"{"verdict":"merged"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The server holds what was sent.
    Applied,
    /// Some of it counts, or what the server made of it; the row says what.
    Merged,
    /// A later write, or the server's row, won.
    Superseded,
    /// Not written, for a reason that the sender can act on.
    Rejected(Rejection),
}

/// Why a change was not written.
///
/// ```
/// use carburetor::outcome::{Code, Rejection};
/// let rejection = Rejection { code: Code::Immutable, message: "users.id is written by an insert only".into(), field: Some("id".into()) };
/// assert_eq!(rejection.to_string(), "users.id is written by an insert only");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The reason, for programs.
    pub code: Code,
    /// The reason and the remedy, for people.
    pub message: String,
    /// The column, or the constraint, that is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why a change was not written, for programs.
///
/// ```
/// use carburetor::outcome::Code;
/// assert_eq!(serde_json::to_string(&Code::NeedsParent)?, r#""needs_parent""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// There is no such row.
    NotFound,
    /// The row, as it is or as it would be, is outside of the scope.
    Forbidden,
    /// The change can't be read, or the database refuses its values.
    Invalid,
    /// The column is written by an insert only.
    Immutable,
    /// The column, or the table, takes no uploads.
    ReadOnly,
    /// A constraint of the database; its name is the field.
    Constraint,
    /// It is older than what the server still knows of deletions.
    Expired,
    /// The row that it points to was rejected.
    NeedsParent,
}
