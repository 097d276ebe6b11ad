//! What a change says, in eight bytes: whether two changes of one clock are the same.

use crate::change::{Change, Edit};
use crate::wire::json::{write_key, write_string};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What a change says; stored as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(pub(super) u64);

impl Digest {
    /// The digest of `change`. Its base is left out: a replica may have seen more when it sends again.
    pub(super) fn of(change: &Change) -> Self {
        let (kind, columns) = match &change.edit {
            Edit::Insert(columns) => ("insert", Some(columns)),
            Edit::Update(columns) => ("update", Some(columns)),
            Edit::Delete => ("delete", None),
        };
        let mut text = Vec::with_capacity(256);
        for name in [change.table.as_str(), kind] {
            write_string(name, &mut text);
        }
        say(&change.id, &mut text);
        // In the order of their names, whatever order the features of serde_json keep.
        let mut columns: Vec<_> = columns.into_iter().flatten().collect();
        columns.sort_by_key(|(name, _)| *name);
        for (name, value) in columns {
            write_key(name, &mut text);
            say(value, &mut text);
        }
        let hash = Sha256::digest(&text);
        let first = hash
            .iter()
            .take(8)
            .fold(0, |first, byte| first << 8 | u64::from(*byte));
        Digest(first)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Digest)
            .map_err(D::Error::custom)
    }
}

/// Appends the JSON of `value`.
fn say(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::String(value) => write_string(value, text),
        // Writing to memory doesn't fail.
        _ => {
            let _ = serde_json::to_writer(text, value);
        }
    }
}
