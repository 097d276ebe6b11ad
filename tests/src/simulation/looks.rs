//! What a device's tables must show: what its program has written and not been answered, and below that what the server shows.

use super::desk::Desk;
use super::open::{Existence, Handed};
use super::rows::{Key, Row, Rows, differ};
use super::words;
use std::collections::BTreeSet;

impl Desk {
    /// Whether the tables show what was written and not answered.
    pub(super) fn stands(&mut self, rows: &Rows) -> Result<(), String> {
        let (mut went, mut came) = (Vec::new(), Vec::new());
        let of_devices = |key: &Key| self.relayed.contains(key);
        let was_gone =
            |key: &Key| self.gone_before.contains(key) || self.swept_before.contains(key.0);
        for (key, open) in self.open.iter().filter(|(key, _)| !of_devices(key)) {
            let row = rows.get(key);
            match (&open.existence, row) {
                // The deletion had nothing left to delete, and another row has come under the id, or the server went back.
                (Some(Existence::Deleted { .. }), Some(_)) if was_gone(key) => {
                    came.push(key.clone());
                }
                (Some(Existence::Deleted { .. }), Some(row)) => {
                    return Err(format!("{key:?} was deleted and shows {row:?}"));
                }
                (Some(Existence::Inserted { .. }), None) => {
                    return Err(format!("{key:?} was inserted and is not there: {open:?}"));
                }
                // The server says that the row is gone, and will say what becomes of the edits.
                (None, None) if self.gone.contains(key) || self.swept.contains(key.0) => {
                    went.push(key.clone());
                }
                (None, None) => {
                    return Err(format!("{key:?} was edited and is not there: {open:?}"));
                }
                _ => {}
            }
            for (column, edited) in &open.columns {
                let shown = row.map(|row| &row.values[*column]);
                if shown.is_some_and(|shown| *shown != edited.value) {
                    return Err(format!(
                        "{key:?}: {column} was set to {} and shows {shown:?}",
                        edited.value
                    ));
                }
            }
        }
        for key in came {
            self.open.remove(&key);
        }
        for key in went {
            let open = self.open.remove(&key).unwrap_or_default();
            let unsent = open
                .columns
                .into_iter()
                .filter(|(_, edited)| edited.way.is_none());
            let unsent = unsent.map(|(column, edited)| Handed {
                key: key.clone(),
                column,
                value: edited.value,
                of: edited.of,
            });
            self.handed.extend(unsent);
        }
        Ok(())
    }

    /// Whether the tables show `truth`, under what is open.
    pub(super) fn agree(
        &self,
        mut truth: Rows,
        before: &Rows,
        rows: &Rows,
        unreadable: &BTreeSet<Key>,
    ) -> Result<(), String> {
        let is_known = |key: &Key| !self.relayed.contains(key);
        let odd = words::odd(&truth);
        for key in odd.symmetric_difference(unreadable) {
            // What the program deletes or edits hides whether it can be read.
            if is_known(key) && !self.open.contains_key(key) {
                let (odd, told) = (odd.contains(key), unreadable.contains(key));
                return Err(format!("{key:?} is odd: {odd}, and told as that: {told}"));
            }
        }
        for key in odd.iter().filter(|key| is_known(key)) {
            // The last version that could be read stays, or comes if none has been shown.
            let (was, is) = (before.get(key), rows.get(key));
            let staged = self.staged.get(key).map_or(&[][..], Vec::as_slice);
            let stays = |row: &Row| was == Some(row) || was.is_none() && staged.contains(row);
            if !is.is_none_or(stays) && !self.touched.contains(key) {
                return Err(format!("{key:?} is odd: it was {was:?} and shows {is:?}"));
            }
        }
        for (key, open) in &self.open {
            match open.existence {
                Some(Existence::Deleted { .. }) => {
                    truth.remove(key);
                    continue;
                }
                // All of it is the program's own, as `stands` has looked at.
                Some(Existence::Inserted { .. }) => {
                    truth.extend(rows.get(key).map(|row| (key.clone(), row.clone())));
                }
                None => {}
            }
            if let Some(row) = truth.get_mut(key) {
                for (column, edited) in &open.columns {
                    row.values
                        .insert((*column).to_owned(), edited.value.clone());
                }
                row.stamp = rows.get(key).and_then(|row| row.stamp);
            }
        }
        if self.is_hub {
            own_stamps(&mut truth, rows);
        }
        let matters = |key: &Key| is_known(key) && !odd.contains(key);
        differ("the server shows", &truth, rows, matters)
    }

    /// Whether a sync that has shown nothing has left alone what it isn't about.
    pub(super) fn untouched(&self, before: &Rows, after: &Rows) -> Result<(), String> {
        let is_other = |key: &Key| !self.touched.contains(key);
        let mut before = before.clone();
        if self.is_hub {
            own_stamps(&mut before, after);
        }
        differ("before the sync there was", &before, after, is_other)
    }
}

/// The stamps of a hub are of its own.
fn own_stamps(should: &mut Rows, rows: &Rows) {
    for (key, row) in should {
        row.stamp = rows.get(key).and_then(|row| row.stamp);
    }
}
