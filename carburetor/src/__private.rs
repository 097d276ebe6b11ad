pub use diesel;

/// What [`__codec`](crate::__codec) stands on.
pub mod probe {
    pub use crate::wire::probe::*;
}
