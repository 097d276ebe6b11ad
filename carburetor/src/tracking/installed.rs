//! The definitions whose tracking is installed.

use super::runner::{Blocking, Runner, complete};
use super::{TrackingBackend, TrackingError};
use crate::connection::SyncConnection;
use crate::statement::Statement;
use crate::table::TableDefinition;
use std::str::FromStr;

/// What a line of `up.sql` that holds definitions begins with.
const LINE: &str = "-- carburetor: ";

/// The definitions whose tracking is installed: read from a checked-in `up.sql`, or from the database.
///
/// ```
/// use carburetor::tracking::Installed;
/// let up = "-- carburetor: [{\"table\":\"users\"}]\ncreate schema ..";
/// assert_eq!(up.parse::<Installed>()?.definitions()[0].table, "users");
/// assert!("create table users ()".parse::<Installed>().is_err());
/// # Ok::<(), carburetor::tracking::TrackingError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    definitions: Vec<TableDefinition>,
}

impl Installed {
    /// Reads them from the database; where no tracking is installed, there are none.
    ///
    /// It reads the tables of all groups: see [`since`](super::Tracking::since).
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use carburetor::tracking::Installed;
    /// use diesel::{Connection, SqliteConnection};
    /// let mut conn = SqliteConnection::establish(":memory:")?;
    /// assert!(Installed::read(&mut conn)?.definitions().is_empty());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A failed query, or a definition of another version that can't be read.
    pub fn read<C: SyncConnection>(conn: &mut C) -> Result<Self, TrackingError> {
        complete(Self::read_by(&mut Blocking(conn)))
    }

    /// Reads them on either kind of connection.
    pub(super) async fn read_by<R: Runner>(runner: &mut R) -> Result<Self, TrackingError> {
        let registered = runner.ask(Statement::of(R::Backend::REGISTERED)).await?;
        if registered.value().is_none() {
            return Ok(Installed::default());
        }
        let texts = runner.ask(Statement::of(R::Backend::DEFINITIONS)).await?;
        let definitions = texts
            .values()
            .map(|text| serde_json::from_str(&text))
            .collect::<Result<_, _>>();
        Ok(Installed {
            definitions: definitions.map_err(|error| TrackingError::NotTracking(Some(error)))?,
        })
    }

    /// The definitions.
    ///
    /// ```
    /// assert!(carburetor::tracking::Installed::default().definitions().is_empty());
    /// ```
    pub fn definitions(&self) -> &[TableDefinition] {
        &self.definitions
    }
}

/// The text of an `up.sql`. Of several, put one after another, the last one counts.
impl FromStr for Installed {
    type Err = TrackingError;

    fn from_str(text: &str) -> Result<Self, TrackingError> {
        let line = text.lines().rev().find_map(|line| line.strip_prefix(LINE));
        let json = line.ok_or(TrackingError::NotTracking(None))?;
        serde_json::from_str(json)
            .map(|definitions| Installed { definitions })
            .map_err(|error| TrackingError::NotTracking(Some(error)))
    }
}

#[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
/// The line from which `definitions` are read back.
pub(super) fn line(definitions: &[TableDefinition]) -> String {
    let json = serde_json::to_string(definitions).unwrap_or_default();
    format!("{LINE}{json}\n")
}
