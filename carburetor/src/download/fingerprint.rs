//! What a table's timestamps were made with.

use crate::backend::SyncBackend;
use crate::scope::Visibility;
use sha2::{Digest, Sha256};

/// Differs whenever the visible rows or the travelling columns could: a token with another one resets the table.
pub(crate) fn of<DB: SyncBackend>(visibility: &Visibility<'_, DB>) -> String {
    let mut hash = Sha256::new();
    hash.update(visibility.description());
    for column in visibility.definition().downloaded() {
        hash.update("\n");
        hash.update(&column.name);
    }
    if let Some(deleted) = visibility.definition().deleted() {
        hash.update("\ndeleted by ");
        hash.update(&deleted.name);
    }
    hash.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
