//! What a change says, in eight bytes: whether two changes of one clock are the same.

use crate::change::{Change, Edit};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The digest of `change`, in hexadecimal. Its base is left out: a replica may have seen more when it sends again.
pub(super) fn digest(change: &Change) -> String {
    let mut hasher = Writer(Sha256::new());
    let (kind, columns) = match &change.edit {
        Edit::Insert(columns) => ("insert", Some(columns)),
        Edit::Update(columns) => ("update", Some(columns)),
        Edit::Delete => ("delete", None),
    };
    // Writing to a hasher doesn't fail.
    let _ = serde_json::to_writer(
        &mut hasher,
        &(&change.table, &change.id, kind, columns.map(Sorted)),
    );
    let hash = hasher.0.finalize();
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
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

struct Writer(Sha256);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
