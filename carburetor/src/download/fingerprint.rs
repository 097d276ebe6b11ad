//! What a table's timestamps were made with.

use crate::backend::SyncBackend;
use crate::hex::hex;
use crate::scope::Visibility;
use crate::table::ColumnDefinition;
use diesel::QueryResult;
use sha2::{Digest, Sha256};

/// Differs whenever the visible rows or the travelling columns could: a token with another one resets the table.
pub(crate) fn of<DB: SyncBackend>(visibility: &Visibility<'_, DB>) -> QueryResult<String> {
    let mut hash = Sha256::new();
    hash.update(visibility.description()?);
    let definition = visibility.definition();
    let columns = definition.columns.iter();
    for column in columns.filter(|column| !(column.skip || column.local) || column.deleted) {
        let ColumnDefinition {
            name,
            id,
            deleted,
            storage,
            ..
        } = column;
        hash.update(format!("\n{name:?} {id} {deleted} {storage:?}"));
    }
    Ok(hex(&hash.finalize()[..8]))
}
