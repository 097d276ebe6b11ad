//! Why a download or an upload is refused, whichever way it came: what a device is told is the same in its own program and over HTTP.

use crate::connection::{ended::is_ended, shortage::is_shortage};
use crate::download::DownloadError;
use crate::remedy::is_of_setup;
use crate::upload::UploadError;
use diesel::result::{DatabaseErrorKind, Error};

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The message is none.
    Message,
    /// The token is none.
    Token,
    /// The scope's keys are wanted.
    Keys,
    /// It is too much at once.
    Batch,
    ClockAhead,
    Copied,
    /// The database is not as it has to be.
    Setup,
    /// The program is not as it has to be.
    Server,
    /// Others were in the way.
    Busy,
    /// The database failed.
    Database,
}

impl Refusal {
    pub(crate) fn of_download(error: &DownloadError) -> Self {
        match error {
            DownloadError::Token(_) => Refusal::Token,
            DownloadError::Keys => Refusal::Keys,
            DownloadError::Query(query) if needs_setup(query) => Refusal::Setup,
            DownloadError::Query(_) => Refusal::Database,
            DownloadError::NotTracked { .. }
            | DownloadError::NoTrigger { .. }
            | DownloadError::LateTrigger { .. }
            | DownloadError::OtherTable { .. }
            | DownloadError::Inherited { .. }
            | DownloadError::Stamp { .. }
            | DownloadError::HiddenTransactions { .. }
            | DownloadError::ActivityNotTracked
            | DownloadError::NoClock
            | DownloadError::NoCutoff => Refusal::Setup,
            _ => Refusal::Server,
        }
    }

    /// The same of what a look at the tables has found.
    pub(crate) fn found(error: &DownloadError) -> Self {
        match error {
            DownloadError::Query(query) if is_refused(query) => Refusal::Setup,
            _ => Self::of_download(error),
        }
    }

    pub(crate) fn of_upload(error: &UploadError) -> Self {
        match error {
            UploadError::Query(query) if needs_setup(query) => Refusal::Setup,
            UploadError::Query(_) => Refusal::Database,
            UploadError::TooMany { .. } | UploadError::LongAnswer { .. } => Refusal::Batch,
            UploadError::ClockAhead { .. } => Refusal::ClockAhead,
            UploadError::Copied { .. } => Refusal::Copied,
            UploadError::NoClock
            | UploadError::NotTracked { .. }
            | UploadError::NoTrigger { .. } => Refusal::Setup,
            UploadError::Busy { .. } => Refusal::Busy,
            _ => Refusal::Server,
        }
    }

    /// The status over HTTP.
    pub(crate) fn status(self) -> u16 {
        match self {
            Refusal::Message | Refusal::Token => 400,
            Refusal::Keys | Refusal::ClockAhead | Refusal::Copied => 409,
            Refusal::Batch => 413,
            Refusal::Setup | Refusal::Server => 500,
            Refusal::Busy | Refusal::Database => 503,
        }
    }

    /// The reason, for programs.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Refusal::Message => "message",
            Refusal::Token => "token",
            Refusal::Keys => "keys",
            Refusal::Batch => "batch",
            Refusal::ClockAhead => "clock_ahead",
            Refusal::Copied => "copied",
            Refusal::Setup => "setup",
            Refusal::Server => "server",
            Refusal::Busy => "busy",
            Refusal::Database => "database",
        }
    }
}

/// Whether the database refuses a statement for what it finds in itself, and not because it is short of something or was told to stop. Of a statement without rows
/// that is a person's to mend.
pub(crate) fn is_refused(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::Unknown, _)
        if !is_ended(error) && !is_shortage(error))
}

/// Whether an error says that the database and its roles have to be set right.
fn needs_setup(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if is_of_setup(information.message()))
}
