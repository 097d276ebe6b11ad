//! The serde of insert models and changesets: the wire's forms, whatever serde the fields' own types have.

use crate::wire::WireError;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// An insert model or a changeset.
pub trait Companion: Sized {
    /// What it gives, by column; what is absent stays out.
    fn encode(&self) -> Result<Map<String, Value>, WireError>;

    /// Unknown columns are skipped.
    fn decode(given: Map<String, Value>) -> Result<Self, WireError>;
}

/// Writes an object of columns.
pub fn serialize<T: Companion, S: Serializer>(
    companion: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    companion
        .encode()
        .map_err(S::Error::custom)?
        .serialize(serializer)
}

/// Reads an object of columns.
pub fn deserialize<'de, T: Companion, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::decode(Map::deserialize(deserializer)?).map_err(D::Error::custom)
}
