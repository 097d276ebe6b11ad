//! What travels: JSON, version 1. PROTOCOL.md says how every type looks.

mod codec;
mod error;

pub use codec::{Codec, SqliteValue, WireType};
pub use error::WireError;

/// The version of the protocol, in every message.
///
/// ```
/// assert_eq!(carburetor::wire::VERSION, 1);
/// ```
pub const VERSION: u32 = 1;
