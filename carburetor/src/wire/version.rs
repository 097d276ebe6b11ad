//! The version that a message begins with.

use super::VERSION;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The member `carburetor` of a message of this version; another one is not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Version),
            other => Err(D::Error::custom(refused("message", other))),
        }
    }
}

/// Why a message of another version is refused; `what` is how the sentence calls it.
pub(super) fn refused(what: &str, other: u32) -> String {
    format!(
        "the {what} is of version {other} of the protocol, this library reads version {VERSION}: update the older side"
    )
}
