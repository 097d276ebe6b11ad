//! The guide: pages of text whose programs are compiled and run with the library's tests. In the order in which to read:
//!
//! * [`devices`]: from nothing to a server and a device.
//! * [`tracked`]: what the tracking adds to a database, and tables without it.
//! * [`scopes`]: which rows a replica gets.
//! * [`groups`]: one group or several.
//! * [`uploads`]: what a replica edited reaches the server.
//! * [`ids`]: who makes the ids of rows that devices insert.
//! * [`conflicts`]: which edit wins.
//! * [`testing`]: tests of a server's program and of a device's.
//! * [`operating`]: keeping a tracked database in order.
//! * [`evolving`]: what becomes of a device's file when the tables change.

#[doc = include_str!("../docs/guide/devices.md")]
pub mod devices {}

#[doc = include_str!("../docs/guide/tracked.md")]
pub mod tracked {}

#[doc = include_str!("../docs/guide/scopes.md")]
pub mod scopes {}

#[doc = include_str!("../docs/guide/groups.md")]
pub mod groups {}

#[doc = include_str!("../docs/guide/uploads.md")]
pub mod uploads {}

#[doc = include_str!("../docs/guide/ids.md")]
pub mod ids {}

#[doc = include_str!("../docs/guide/conflicts.md")]
pub mod conflicts {}

#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guide/operating.md")]
pub mod operating {}

#[doc = include_str!("../docs/guide/evolving.md")]
pub mod evolving {}
