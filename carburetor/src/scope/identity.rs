//! What tells scopes apart.

use super::Visibility;
use crate::backend::SyncBackend;
use crate::download::DownloadError;
use crate::hex::hex;
use sha2::{Digest, Sha256};

/// The same for scopes that show the same rows of the same tables, whatever the rows are; another one for all others.
pub(crate) fn identity<'v, DB: SyncBackend>(
    visibilities: impl Iterator<Item = &'v Visibility<'v, DB>>,
) -> Result<String, DownloadError> {
    let mut hash = Sha256::new();
    for visibility in visibilities {
        let description = visibility.description()?;
        let keys = visibility.keys()?.unwrap_or_default();
        let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        keys.sort_unstable();
        let name = &visibility.definition().wire_name;
        hash.update(format!("{name:?} {} {keys:?};", description.len()));
        hash.update(description);
    }
    Ok(hex(&hash.finalize()))
}
