//! Whether the tables are what the server said: each change at the end, against its row and the clocks.

#[cfg(test)]
mod tests;

use super::journal::{Entry, Fate, Quality, Table};
use super::site::{Ground, Row};
use carburetor::change::Edit;
use carburetor::clock::Clock;
use carburetor::outcome::{Code, Verdict};
use serde_json::Value;
use std::collections::HashMap;

/// Knows what the tables hold, and what was sent and answered.
pub(super) struct Judge<'g> {
    ground: &'g Ground,
    sent: HashMap<Clock, &'g Entry>,
}

impl<'g> Judge<'g> {
    pub(super) fn new(ground: &'g Ground, journal: &'g [Entry]) -> Self {
        let sent = journal.iter().map(|entry| (entry.change.clock, entry));
        Judge {
            ground,
            sent: sent.collect(),
        }
    }

    /// What is wrong with each change, in words.
    pub(super) fn faults(&self, entry: &Entry) -> Vec<String> {
        let mut faults: Vec<String> = self.misjudged(entry).into_iter().collect();
        if let Some(key) = entry.key() {
            match (&entry.change.edit, entry.is_accepted()) {
                (Edit::Delete, true) => faults.extend(self.undeleted(entry, key)),
                (_, true) => faults.extend(self.lost(entry, key)),
                (_, false) => faults.extend(self.written(entry, key)),
            }
            if entry.fate == Fate::Answered(Verdict::Superseded) {
                faults.extend(self.superseded_by_nothing(entry, key));
            }
        }
        let held = entry.key().map(|key| self.held(key)).unwrap_or_default();
        let of = |fault: String| {
            let base = entry.change.base.map(|base| base.to_rfc3339());
            format!(
                "{} {}, {fault}; sent {:?} on {base:?} between {} and {}; {held}",
                entry.change.table, entry.change.id, entry.change.edit, entry.began, entry.ended
            )
        };
        faults.into_iter().map(of).collect()
    }

    /// What there is of a row.
    fn held(&self, key: (Table, i64)) -> String {
        let row = self.ground.rows.get(&key);
        let row = row.map(|row| (&row.columns, row.is_deleted, row.stamp, &row.registers));
        format!(
            "there is {row:?}, deleted at {:?}",
            self.ground.deletions.get(&key)
        )
    }

    /// Registers that the database's next write could fall behind.
    pub(super) fn untimely(&self) -> Vec<String> {
        let late = |((table, id), row): (&(Table, i64), &Row)| {
            let last = row.clocks().max()?;
            (row.is_timely() && last > row.stamp).then(|| {
                format!(
                    "{} {id}: the clock {last} is after the stamp {}, and nothing says so",
                    table.name(),
                    row.stamp
                )
            })
        };
        self.ground.rows.iter().filter_map(late).collect()
    }

    /// Rows that are there with what a device wrote before the last deletion of their id.
    pub(super) fn outlived(&self) -> Vec<String> {
        let outlived = |((table, id), row): (&(Table, i64), &Row)| {
            let deleted = row.after?;
            let of_devices = row.clocks().filter(|clock| clock.replica() != 0);
            let earlier = of_devices.filter(|clock| *clock <= deleted).min()?;
            Some(format!(
                "{} {id}: the row holds the clock {earlier}, and was deleted at {deleted}",
                table.name()
            ))
        };
        self.ground.rows.iter().filter_map(outlived).collect()
    }

    /// Notes that tell from which change they are, while the register names another write.
    pub(super) fn disowned(&self) -> Vec<String> {
        let disowned = |((table, id), row): (&(Table, i64), &Row)| {
            let note: Clock = row.columns.get("note")?.as_str()?.parse().ok()?;
            let held = row.column("note");
            // The registers of a row that took another id are those of its stamp.
            let is_renamed = !row.registers.contains_key("note") && held.replica() == 0;
            let is_kept =
                self.leaves_note(held, (*table, *id)) && self.is_of_a_change(note, *table);
            (held != note && !is_renamed && !is_kept).then(|| {
                format!(
                    "{} {id}, column note: clock {held}, but the value is of {note}",
                    table.name()
                )
            })
        };
        self.ground.rows.iter().filter_map(disowned).collect()
    }

    /// Rejected without a reason, or not rejected in spite of one.
    fn misjudged(&self, entry: &Entry) -> Option<String> {
        let Fate::Answered(verdict) = &entry.fate else {
            return None;
        };
        let is_right = match (verdict, entry.quality) {
            (Verdict::Rejected(_), Quality::Bad) => true,
            // Edits of a row that could not be inserted find none.
            (Verdict::Rejected(rejection), Quality::Scoped) => {
                let is_edit = matches!(entry.change.edit, Edit::Update(_));
                // What is older than the known deletions is told so of a hidden row, too.
                rejection.code == Code::Forbidden
                    || rejection.code == Code::Expired && is_edit
                    || rejection.code == Code::NotFound && entry.change.base.is_none()
            }
            // Nor does a deletion of it.
            (Verdict::Rejected(rejection), Quality::Good) => {
                rejection.code == Code::Forbidden
                    && entry.change.edit == Edit::Delete
                    && entry.change.base.is_none()
            }
            (_, quality) => quality != Quality::Bad,
        };
        (!is_right).then(|| {
            format!(
                "clock {}: a change that was {:?} is {verdict:?}",
                entry.change.clock, entry.quality
            )
        })
    }

    /// What of an accepted write is neither there nor overwritten by a later one.
    fn lost(&self, entry: &Entry, key: (Table, i64)) -> Vec<String> {
        let clock = entry.change.clock;
        let is_insert = entry.is_insert();
        let Some(row) = self.ground.rows.get(&key) else {
            return match self.ground.deletions.get(&key) {
                None => vec![format!(
                    "clock {clock}: the row is gone, and no deletion is known"
                )],
                // Only a deletion that is later than the insert.
                Some(deleted) if is_insert && *deleted < clock && !self.may_be_forgotten(entry) => {
                    vec![format!(
                        "clock {clock}: an insert gave way to the deletion {deleted}"
                    )]
                }
                Some(_) => Vec::new(),
            };
        };
        let mut faults = Vec::new();
        let is_again = self.came_again(row, entry);
        let flagged = row.flagged();
        if row.is_deleted && is_insert && !is_again && flagged.is_none_or(|flagged| flagged < clock)
        {
            faults.push(format!(
                "clock {clock}: an insert gave way to the soft deletion {flagged:?}"
            ));
        }
        for (name, sent) in entry
            .columns()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "id")
        {
            let (held, value) = (
                row.column(name),
                row.columns.get(name).unwrap_or(&Value::Null),
            );
            if held == clock && value != sent {
                faults.push(format!(
                    "column {name}: clock {clock} is there, but with {value} instead of {sent}"
                ));
            }
            if held < clock && !(is_again && held >= row.existence()) {
                faults.push(format!(
                    "column {name}: clock {clock} is lost, the row has {held} with {value}"
                ));
            }
        }
        // What an insert leaves out is empty, whatever row was deleted before, or what a soft deletion has left.
        let is_left_out = is_insert
            && !entry.gives("note")
            && row.existence() == clock
            && row.column("note") == clock;
        if let Some(note @ Value::String(text)) = row.columns.get("note").filter(|_| is_left_out) {
            // What is no clock was written by SQL.
            let stood = text
                .parse()
                .map_or(true, |note| self.is_of_a_change(note, key.0));
            if !self.leaves_note(clock, key) || !stood {
                faults.push(format!(
                    "column note: clock {clock} left it out, the row has {note}"
                ));
            }
        }
        faults
    }

    /// An accepted deletion whose row is there, though nobody brought it back.
    fn undeleted(&self, entry: &Entry, key: (Table, i64)) -> Option<String> {
        let clock = entry.change.clock;
        let deleted = match self.ground.rows.get(&key) {
            None => self.ground.deletions.get(&key).copied(),
            Some(row) if row.is_deleted => Some(row.column("deleted")),
            Some(row) => {
                let flagged = row.flagged().is_some_and(|flagged| flagged > clock);
                let is_back = row.existence() > clock || flagged || self.came_again(row, entry);
                return (!is_back).then(|| {
                    format!(
                        "clock {clock}: deleted, but the row is there since {}",
                        row.existence()
                    )
                });
            }
        };
        let is_there = self
            .ground
            .rows
            .get(&key)
            .is_some_and(|row| self.came_again(row, entry));
        let is_kept = deleted.is_some_and(|deleted| deleted >= clock)
            || is_there
            || deleted.is_some() && self.may_be_forgotten(entry);
        (!is_kept).then(|| {
            format!("clock {clock}: deleted, but the clock of the deletion is {deleted:?}")
        })
    }

    /// A change that does not count, and left something nevertheless.
    fn written(&self, entry: &Entry, key: (Table, i64)) -> Option<String> {
        let clock = entry.change.clock;
        let row = self.ground.rows.get(&key);
        let deletion = self.ground.deletions.get(&key);
        let note = clock.to_string();
        let is_there = row.is_some_and(|row| {
            row.clocks().any(|held| held == clock) || row.columns.get("note") == Some(&note.into())
        });
        (is_there || deletion == Some(&clock))
            .then(|| format!("clock {clock}: {:?}, but it was written", entry.fate))
    }

    /// A superseded change of a row in which there is nothing later.
    fn superseded_by_nothing(&self, entry: &Entry, key: (Table, i64)) -> Option<String> {
        let (clock, row) = (entry.change.clock, self.ground.rows.get(&key)?);
        if row.is_deleted
            || row.flagged().is_some()
            || self.ground.deletions.contains_key(&key)
            || self.came_again(row, entry)
        {
            return None;
        }
        let older = match entry.columns() {
            None => (row.existence() < clock).then_some(("", row.existence())),
            Some(columns) => {
                let names = columns.keys().filter(|name| *name != "id");
                let mut held = names.map(|name| (name.as_str(), row.column(name)));
                held.find(|(_, held)| *held < clock)
            }
        };
        older.map(|(name, held)| {
            format!("column {name}: clock {clock} is superseded by {held}, which is earlier")
        })
    }

    /// The change with this clock is an insert of the row that may have left the note which a soft deletion had kept: it gave none, and its sender was
    /// told what is there.
    fn leaves_note(&self, clock: Clock, key: (Table, i64)) -> bool {
        key.0.keeps_deleted()
            && self.sent.get(&clock).is_some_and(|insert| {
                insert.key() == Some(key)
                    && insert.is_insert()
                    && !insert.gives("note")
                    && insert.fate == Fate::Answered(Verdict::Merged)
            })
    }

    /// Somebody's accepted change of the table gave the note that names this clock; the row may have had another id then.
    fn is_of_a_change(&self, note: Clock, table: Table) -> bool {
        self.sent.get(&note).is_some_and(|entry| {
            entry.is_accepted() && entry.gives("note") && Table::of(&entry.change) == Some(table)
        })
    }

    /// A change whose clock was ahead of the database, which a row that was replaced no longer knows.
    fn may_be_forgotten(&self, entry: &Entry) -> bool {
        self.ground.forgets && entry.change.clock > entry.ended
    }

    /// The row came into being anew after the change was sent: what was in it before is forgotten.
    fn came_again(&self, row: &Row, entry: &Entry) -> bool {
        let existence = row.existence();
        match existence.replica() {
            0 => existence > entry.began,
            _ => self
                .sent
                .get(&existence)
                .is_some_and(|insert| insert.is_insert() && insert.ended > entry.began),
        }
    }
}
