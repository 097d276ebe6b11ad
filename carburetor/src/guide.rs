//! The guide: pages of text whose programs are compiled and run with the library's tests.

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
