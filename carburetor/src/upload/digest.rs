//! What a change says, in eight bytes: whether two changes of one clock are the same.

use crate::change::{Change, Edit};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The digest of `change`, in hexadecimal. Its base is left out: a replica may have seen more when it sends again.
pub(super) fn digest(change: &Change) -> String {
    let (kind, columns) = match &change.edit {
        Edit::Insert(columns) => ("insert", Some(columns)),
        Edit::Update(columns) => ("update", Some(columns)),
        Edit::Delete => ("delete", None),
    };
    let mut text = Vec::with_capacity(256);
    // Writing JSON values to memory doesn't fail.
    let said = (&change.table, &change.id, kind, columns.map(Sorted));
    let _ = serde_json::to_writer(&mut text, &said);
    let hash = Sha256::digest(&text);
    let first = hash
        .iter()
        .take(8)
        .fold(0_u64, |first, byte| first << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// The columns in the order of their names, whatever order the features of serde_json keep.
struct Sorted<'c>(&'c serde_json::Map<String, Value>);

impl serde::Serialize for Sorted<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns: Vec<_> = self.0.iter().collect();
        columns.sort_by_key(|(name, _)| *name);
        serializer.collect_map(columns)
    }
}
