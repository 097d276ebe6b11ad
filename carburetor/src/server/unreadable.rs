//! Rows that can't travel, told to whoever runs the server.

use super::meter;
use crate::hex::hex;
use crate::wire::WireError;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How many rows are remembered, so that each is told once and not to every device again.
const MOST: usize = 1000;

/// What a server has told of rows that can't travel.
#[derive(Debug, Default)]
pub(super) struct Warnings(Mutex<HashSet<String>>);

impl Warnings {
    /// Tells of those that haven't been told before.
    pub(super) fn tell(&self, group: &str, unreadable: &[WireError]) {
        for error in unreadable {
            if self.is_new(error) {
                tracing::warn!(group, table = %error.table, column = %error.column, "a row is left out of downloads: {error}");
                meter::unreadable(group, &error.table);
            }
        }
    }

    fn is_new(&self, error: &WireError) -> bool {
        // Ids may be long.
        let place = format!("{:?} {:?} {:?}", error.table, error.column, error.id);
        let name = hex(&Sha256::digest(place)[..16]);
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST && !told.contains(&name) {
            told.clear();
        }
        told.insert(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_told_once_and_no_more_are_remembered_than_a_bound() {
        let warnings = Warnings::default();
        let error = |id: usize| WireError::new("no").at("notes", "due").of(id.into());
        assert!(warnings.is_new(&error(1)));
        assert!(!warnings.is_new(&error(1)));
        assert!(warnings.is_new(&WireError::new("no").at("notes", "start").of(1.into())));
        for id in 2..3 * MOST {
            assert!(warnings.is_new(&error(id)));
            assert!(warnings.0.lock().unwrap().len() <= MOST);
        }
    }
}
