//! Whether tables can be downloaded at all. The twin in `asynchronous` says more.

use super::cutoffs;
use crate::connection::{SyncConnection, run};
use crate::cutoff::Assumptions;
use crate::download::DownloadError;
use crate::download::check::{Nothing, nothing_of};
use crate::origin::Origin;
use crate::table::TableDefinition;

/// Reads the cutoffs of the tables, and from each of them nothing.
pub(crate) fn check<C: SyncConnection>(
    conn: &mut C,
    definitions: &[&'static TableDefinition],
) -> Result<(), DownloadError> {
    let (assumptions, origin) = (Assumptions::default(), Origin::default());
    cutoffs(conn, definitions, &assumptions, false, &origin)?;
    for definition in definitions {
        run(conn, nothing_of(definition), &mut Nothing)?;
    }
    Ok(())
}
