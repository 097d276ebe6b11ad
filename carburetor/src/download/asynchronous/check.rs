//! Whether tables can be downloaded at all.

use super::cutoffs;
use crate::backend::SyncBackend;
use crate::connection::SharedConnection;
use crate::cutoff::Assumptions;
use crate::download::DownloadError;
use crate::download::check::{Nothing, nothing_of};
use crate::origin::Origin;
use crate::table::TableDefinition;

/// Reads the cutoffs of the tables, and from each of them nothing: it fails where the tracking is not as it has to be, or a table, a column or a right to them is missing.
pub(crate) async fn check<X, DB>(
    conn: &X,
    definitions: &[&'static TableDefinition],
) -> Result<(), DownloadError>
where
    DB: SyncBackend,
    X: SharedConnection<DB>,
{
    let (assumptions, origin) = (Assumptions::default(), Origin::default());
    cutoffs(conn, definitions, &assumptions, false, &origin).await?;
    for definition in definitions {
        conn.run(nothing_of(definition), &mut Nothing).await?;
    }
    Ok(())
}
