//! Outcomes: the server's answers to changes.

mod written;

use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::table::TableOn;
use crate::wire::object::Object;
use crate::wire::{Version, WireError, numbered};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The server's answer to one change.
///
/// ```
/// use carburetor::outcome::{Outcome, Verdict};
/// let outcome: Outcome = serde_json::from_str(
///     r#"{"clock":"018bcfe568000001000000000000002a","verdict":"applied","stamp":"2026-01-31T23:59:59.123456Z"}"#,
/// )?;
/// assert_eq!(outcome.verdict, Verdict::Applied);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "written::Outcome")]
#[non_exhaustive]
pub struct Outcome {
    /// The clock of the change.
    pub clock: Clock,
    /// What became of it.
    pub verdict: Verdict,
    /// The row's stamp after a change that was applied, or is held as it is: the `base` of the next edit. After a
    /// deletion the last one that the row had. None where there was no row, and where `row` says it.
    pub stamp: Option<DateTime<Utc>>,
    /// The server's row as the scope shows it, unless the change was applied, or is held, as it is; none where the scope shows none.
    pub row: Option<Map<String, Value>>,
    /// What differed in the row that an insert met under its id, where another replica or the server had inserted that: two rows took one id. Its values, beside
    /// those that were sent; [`row`](Self::row) says which of the two stand. None where the sender had inserted the row itself, and where all is equal.
    pub met: Option<Map<String, Value>>,
    /// The server's row is there and can't travel: whoever holds a version of it keeps that, until it comes with a download.
    pub unreadable: Option<WireError>,
    /// Nothing is left of the insert or the update, because its row was deleted; with `superseded` only. [`row`](Self::row) may show one all the same, that
    /// somebody has inserted since, or that a hub doesn't let go.
    pub lost: bool,
}

impl Outcome {
    /// The verdict on the change of this clock, and nothing of its row.
    ///
    /// ```
    /// # use carburetor::{clock::Clock, outcome::{Outcome, Verdict}};
    /// let outcome = Outcome::new(Clock::new(1, 0, 42), Verdict::Superseded);
    /// assert!(outcome.row.is_none());
    /// ```
    pub fn new(clock: Clock, verdict: Verdict) -> Self {
        Outcome {
            clock,
            verdict,
            stamp: None,
            row: None,
            met: None,
            unreadable: None,
            lost: false,
        }
    }

    /// The server's row, the values as `DB` maps them: what the replica's row has to become. None after `applied`, and where the scope
    /// shows none: then the replica's row goes.
    ///
    #[doc = include_str!("../docs/examples/outcome_row.md")]
    ///
    /// # Errors
    ///
    /// A value that does not fit the model: the error names table and column.
    pub fn row<M, DB>(&self) -> Result<Option<M>, WireError>
    where
        M: TableOn<DB>,
        DB: SyncBackend,
    {
        self.row.clone().map(M::decode).transpose()
    }

    /// The server holds what was sent, so that its sender knows the row.
    pub(crate) fn is_as_sent(&self) -> bool {
        self.verdict == Verdict::Applied || self.verdict == Verdict::Held && self.stamp.is_some()
    }
}

/// What the server answers to [`Changes`](crate::change::Changes): one outcome per change, in their order.
///
/// ```
/// use carburetor::clock::Clock;
/// use carburetor::outcome::Outcomes;
/// let outcomes = Outcomes::new(Clock::new(1, 0, 0), vec![]);
/// assert_eq!(
///     serde_json::to_string(&outcomes)?,
///     r#"{"carburetor":1,"clock":"00000000000100000000000000000000","outcomes":[]}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    carburetor: Version,
    /// Not below the clock of any change that the server took. What the replica edits from now on has a greater one.
    pub clock: Clock,
    /// Tells one scope from another: the member `scope` of a download that shows the same rows has the same text. Where it differs from that of the
    /// replica's last download, rows in here may be others than the replica's scope shows, and the next download begins from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Tells one server from another, as the member `origin` of a download does. Where it differs from that of the replica's last download, what was taken
    /// here is not known there, and the next download begins from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// One per change, in order.
    #[serde(deserialize_with = "outcomes")]
    pub outcomes: Vec<Outcome>,
}

impl Outcomes {
    /// These outcomes, of a server that has taken no change after `clock`.
    ///
    /// ```
    /// # use carburetor::{clock::Clock, outcome::Outcomes};
    /// assert_eq!(Outcomes::new(Clock::ZERO, vec![]).clock, Clock::ZERO);
    /// ```
    pub fn new(clock: Clock, outcomes: Vec<Outcome>) -> Self {
        Outcomes {
            carburetor: Version,
            clock,
            scope: None,
            origin: None,
            outcomes,
        }
    }

    /// Appends the answers to the following changes.
    pub(crate) fn add(&mut self, more: Outcomes) {
        self.clock = self.clock.max(more.clock);
        self.scope = match self.scope.take() {
            Some(scope) if more.scope.as_ref() != Some(&scope) => Some(String::new()),
            _ => more.scope,
        };
        self.origin = more.origin;
        self.outcomes.extend(more.outcomes);
    }

    /// Reads the answer that a server wrote as JSON.
    ///
    /// ```
    /// # use carburetor::outcome::Outcomes;
    /// let json = br#"{"carburetor":1,"clock":"00000000000100000000000000000000","outcomes":[{"verdict":"applied"}]}"#;
    /// let error = Outcomes::read(json).unwrap_err().to_string();
    /// assert!(error.starts_with("not the answer to an upload: outcomes[0]: missing field `clock`"));
    /// ```
    ///
    /// # Errors
    ///
    /// Text that is not a message of this version; the error tells the place of the outcome.
    pub fn read(json: &[u8]) -> Result<Self, WireError> {
        match serde_json::from_slice(json) {
            Ok(Object(outcomes)) => Ok(outcomes),
            Err(error) => Err(WireError::new(format!(
                "not the answer to an upload: {error}"
            ))),
        }
    }
}

fn outcomes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Outcome>, D::Error> {
    numbered::deserialize("outcomes", deserializer)
}

/// What became of a change.
///
/// ```
/// use carburetor::outcome::Verdict;
/// assert_ne!(Verdict::Merged, Verdict::Superseded);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Not decided yet. A hub has taken it, and shows what it makes of it, until the server above it decides: who asks again later is told the final verdict.
    Held,
}

/// Why a change was not written.
///
/// ```
/// use carburetor::outcome::{Code, Rejection};
/// let mut rejection = Rejection::new(Code::Immutable, "users.id is written by an insert only");
/// rejection.field = Some("id".into());
/// assert_eq!(rejection.to_string(), "users.id is written by an insert only");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// The reason, for programs.
    pub code: Code,
    /// The reason and the remedy, for people.
    pub message: String,
    /// The column, or the constraint, that is concerned.
    pub field: Option<String>,
}

impl Rejection {
    /// This reason, which concerns no single column or constraint.
    ///
    /// ```
    /// # use carburetor::outcome::{Code, Rejection};
    /// assert_eq!(Rejection::new(Code::NotFound, "users has no such row").field, None);
    /// ```
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Rejection {
            code,
            message: message.into(),
            field: None,
        }
    }
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
/// let later: Code = serde_json::from_str(r#""of_a_later_version""#)?;
/// assert_eq!(later, Code::Other);
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
    /// The row was deleted meanwhile, and the edit is gone with it. A replica says so of an edit that was superseded; no
    /// server does.
    Gone,
    /// A code that this version doesn't know; the message says more.
    #[serde(other)]
    Other,
}
