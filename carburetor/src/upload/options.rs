//! How an upload runs.

use std::time::Duration;

/// How an upload runs. The default suits a server: one transaction, each change on its own, clocks at most 60 seconds ahead. Options may be added: name
/// those that are to be others, and take `..UploadOptions::default()` for the rest.
///
/// ```
/// use carburetor::upload::{Transactions, UploadOptions};
/// let options = UploadOptions { transactions: Transactions::AllOrNothing, ..UploadOptions::default() };
/// assert_eq!(options.limit, 10_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadOptions {
    /// Which changes stand and fall together.
    pub transactions: Transactions,
    /// How far a change's clock may be ahead of the database's time.
    pub drift: Duration,
    /// How many changes one upload may have.
    pub limit: usize,
    /// How long each statement may take, the wait for a row's lock included: then the upload fails, and nothing is written. PostgreSQL is told so, for
    /// a transaction of the upload's own; a limit of the session's that is shorter stays. No limit by default: what waits for a lock goes on waiting
    /// on the server when nobody waits for the answer any more.
    pub time: Option<Duration>,
    /// How many bytes the rows may have that several changes are answered with; more of them fail the upload with
    /// [`UploadError::LongAnswer`](super::UploadError::LongAnswer), and nothing is written; with [`Transactions::PerChange`] nothing but what came
    /// before, which is answered alike when it comes again. No limit by default.
    pub answer: usize,
}

impl Default for UploadOptions {
    fn default() -> Self {
        UploadOptions {
            transactions: Transactions::default(),
            drift: crate::clock::DEFAULT_DRIFT,
            limit: 10_000,
            time: None,
            answer: usize::MAX,
        }
    }
}

/// Which changes of an upload stand and fall together.
///
/// ```
/// use carburetor::upload::Transactions;
/// assert_eq!(Transactions::default(), Transactions::One);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transactions {
    /// One transaction, in which a change that is rejected leaves the others alone.
    #[default]
    One,
    /// A transaction per change: those before a lost connection stay.
    PerChange,
    /// One transaction that is rolled back if any change is rejected: [`UploadError::Refused`](super::UploadError::Refused).
    AllOrNothing,
}
