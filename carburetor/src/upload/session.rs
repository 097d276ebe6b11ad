//! One upload on one connection.

use super::UploadTable;
use super::deletions::Remade;
use super::error::UploadError;
use super::found::Found;
use super::own::OwnWrites;
use super::surroundings::Surroundings;
use crate::connection::runner::Runner;
use crate::outcome::Rejection;
use crate::scope::ScopeError;
use crate::wire::WireError;
use diesel::result::Error;
use std::collections::HashMap;

/// One upload on one connection, within its transaction.
pub(super) struct Session<'u, 's, R: Runner> {
    pub(super) runner: &'u mut R,
    pub(super) tables: &'u [UploadTable<'s, R::Backend>],
    /// What the database says of the tables.
    pub(super) around: &'u Surroundings,
    /// The places of the tables, parents before children.
    pub(super) order: Vec<usize>,
    pub(super) transaction: Transaction,
    /// How many rows referred to none before the upload; none where the commit may tell that.
    pub(super) broken: Option<u64>,
    /// What this upload wrote, in transactions before this one too.
    pub(super) own: &'u mut OwnWrites,
    /// Something was deleted in this transaction, or was tried to be.
    pub(super) has_deleted: bool,
    /// Deletions come after what is applied, maybe of the same rows.
    pub(super) deletes_later: bool,
    /// The deletions whose rows are written anew, by the places of the inserts that do so.
    pub(super) remade: HashMap<usize, Remade>,
    /// What was read of rows when they were locked, by the place of the first change of each and until it is used.
    pub(super) locked: Vec<Option<Found>>,
    /// Others, or a trigger, inserted the same rows so often that their changes are refused.
    pub(super) refuses_races: bool,
}

/// The transaction that an upload runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    /// It has no savepoints, which cost something, and begins anew as [`Own`](Self::Own) when anything of it fails.
    Whole,
    /// It may begin anew, and what waits for its commit is left to that.
    Own,
    /// It may begin anew, and what waits for its commit is checked before, since a commit failed or would tell too late.
    Checked,
    /// It can't begin anew, and its commit is not the upload's.
    Callers,
}

/// Why some changes could not be applied together.
pub(super) enum Failure {
    /// The changes at these places can't be applied: they lead outside of the scope, or the database made nothing of them.
    Refused(Vec<(usize, Rejection)>),
    /// The rows of the changes at these places refer to rows that the scope doesn't show: what the database would say if those weren't there.
    Unmet(Vec<(usize, Error)>),
    /// Another writer inserted rows of this table at the same time: those of the changes at these places.
    Raced(usize, Vec<usize>),
    Upload(UploadError),
}

impl Failure {
    /// As the failure of the upload, where the rest of it is not tried.
    pub(super) fn into_error(self) -> UploadError {
        match self {
            Failure::Upload(error) => error,
            Failure::Refused(_) | Failure::Unmet(_) | Failure::Raced(..) => {
                UploadError::Query(Error::NotFound)
            }
        }
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        Failure::Upload(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Upload(UploadError::Query(error))
    }
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        Failure::Upload(UploadError::Wire(error))
    }
}

impl From<ScopeError> for Failure {
    fn from(error: ScopeError) -> Self {
        Failure::Upload(UploadError::Scope(error))
    }
}
