//! The cutoff: the instant up to which a download is complete, read before the rows.
//!
//! Truthful: no row with a stamp below it can become visible after the download. How that is made true differs per backend.

#[cfg(feature = "postgres-backend")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use crate::backend::SyncBackend;
use crate::connection::{Flow, TakeRows};
use crate::download::DownloadError;
use crate::origin::{Origin, Standing};
use crate::table::TableDefinition;
use chrono::{DateTime, Utc};
use diesel::row::Row;
use std::time::Duration;

/// What a cutoff on PostgreSQL relies on besides the server itself. Assumptions may be added: name those that are to be others, and take
/// `..Assumptions::default()` for the rest.
///
/// ```
/// use carburetor::Assumptions;
/// use std::time::Duration;
/// let steady = Assumptions { slack: Duration::ZERO, ..Assumptions::default() };
/// assert_eq!(Assumptions::default().slack, Duration::from_millis(250));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumptions {
    /// Tracked tables: the server's clock never steps back by more than this. Default 250 ms, for a clock that is kept by slewing it. Rows of about this
    /// time come again with each download; a server whose clock may step by more while it runs needs more.
    pub slack: Duration,
    /// Untracked tables: no statement takes longer than this from its arrival to its start, and no stamp is older than
    /// its transaction's start by more. Default 2 s.
    pub margin: Duration,
    /// Untracked tables: no transaction stays open for longer than this before `PREPARE TRANSACTION`. Default 1 h.
    pub prepare_grace: Duration,
}

impl Default for Assumptions {
    fn default() -> Self {
        Assumptions {
            slack: Duration::from_millis(250),
            margin: Duration::from_secs(2),
            prepare_grace: Duration::from_secs(3600),
        }
    }
}

/// The cutoffs of a group's tables, in its order.
#[derive(Debug, Clone)]
pub(crate) struct Cutoffs {
    /// The server's clock when the cutoffs were read.
    pub(crate) clock: DateTime<Utc>,
    pub(crate) origin: Origin,
    /// How what was asked with stands to the database.
    pub(crate) standing: Standing,
    pub(crate) tables: Vec<TableCutoff>,
}

impl Cutoffs {
    /// What is assumed while the cutoffs are on their way: that the token, if there is one, still fits.
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub(crate) fn assumed(generations: Vec<Option<i64>>, origin: Origin) -> Self {
        let table = |generation| TableCutoff {
            cutoff: DateTime::UNIX_EPOCH,
            generation,
            horizon: None,
        };
        Cutoffs {
            clock: DateTime::<Utc>::MAX_UTC,
            origin,
            standing: Standing::Same,
            tables: generations.into_iter().map(table).collect(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct TableCutoff {
    pub(crate) cutoff: DateTime<Utc>,
    /// `None` where the table is not tracked.
    pub(crate) generation: Option<i64>,
    /// The horizon, where it may lie ahead of the cutoff.
    pub(crate) horizon: Option<DateTime<Utc>>,
}

/// Takes the rows of the cutoff statements: one per table of the group.
///
/// The columns: place in the group, clock, cutoff, generation, origin, problem, detail of the problem, horizon, and a value if the database has gone back
/// behind what it was asked with. Instants are microseconds.
pub(crate) struct CutoffRows<'a> {
    definitions: &'a [&'static TableDefinition],
    found: Vec<Option<TableCutoff>>,
    clock: Option<DateTime<Utc>>,
    /// What was asked with.
    known: &'a Origin,
    origin: Option<Origin>,
    has_gone_back: bool,
}

impl<'a> CutoffRows<'a> {
    pub(crate) fn new(definitions: &'a [&'static TableDefinition], known: &'a Origin) -> Self {
        CutoffRows {
            definitions,
            found: vec![None; definitions.len()],
            clock: None,
            known,
            origin: None,
            has_gone_back: false,
        }
    }

    /// All cutoffs, after every statement has run.
    pub(crate) fn finish(self) -> Result<Cutoffs, DownloadError> {
        let missing = || DownloadError::NoCutoff;
        let origin = self.origin.unwrap_or_default();
        Ok(Cutoffs {
            clock: self.clock.ok_or_else(missing)?,
            standing: match self.has_gone_back {
                true => Standing::Other,
                false => origin.standing(self.known),
            },
            origin: origin.after(self.known),
            tables: self
                .found
                .into_iter()
                .map(|table| table.ok_or_else(missing))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl<DB: SyncBackend> TakeRows<DB> for CutoffRows<'_> {
    type Error = DownloadError;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, DownloadError> {
        let place = DB::integer(row, 0)?.and_then(|place| usize::try_from(place).ok());
        let (Some(place), Some(clock)) = (place, instant::<DB>(row, 1)?) else {
            return Ok(Flow::Next);
        };
        let definition = self.definitions.get(place).ok_or(DownloadError::NoCutoff)?;
        if let Some(problem) = DB::text(row, 5)? {
            let detail = DB::text(row, 6)?.unwrap_or_default();
            return Err(DownloadError::circumstance(&problem, definition, detail));
        }
        let cutoff = instant::<DB>(row, 2)?.ok_or(DownloadError::NoCutoff)?;
        self.clock = Some(self.clock.map_or(clock, |earlier| earlier.min(clock)));
        if let Some(origin) = DB::text(row, 4)? {
            self.origin = Some(Origin::read(&origin));
        }
        self.has_gone_back |= DB::integer(row, 8)?.is_some();
        self.found[place] = Some(TableCutoff {
            cutoff,
            generation: DB::integer(row, 3)?,
            horizon: instant::<DB>(row, 7)?,
        });
        Ok(Flow::Next)
    }
}

/// What is wrong where the tracking's clock has no row, and what to do.
pub(crate) const NO_CLOCK: &str = "the clock of the tracking has no row, as in a database that was restored in part or emptied: install the tracking again, by `install` or the migration that `Group::tracking()` prints";

/// What is wrong with a table whose triggers are gone or switched off, and what to do.
pub(crate) fn no_trigger(table: &str) -> String {
    format!(
        "triggers of the tracking of {table} are missing or not enabled always, so that writes would be missed: install the tracking again, by `install` or the migration that `Group::tracking()` prints"
    )
}

fn instant<'r, DB: SyncBackend>(
    row: &impl Row<'r, DB>,
    column: usize,
) -> Result<Option<DateTime<Utc>>, DownloadError> {
    Ok(DB::integer(row, column)?.and_then(DateTime::from_timestamp_micros))
}
