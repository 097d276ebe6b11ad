//! What must be on the server: worked out from every write that it took, by rules of its own. Nothing that the server stores is taken for granted but
//! the instants of its own writes.

use super::models::{Member, Table};
use super::rejection;
use super::rows::{Key, Row, Rows, written};
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Outcome, Verdict};
use chrono::DateTime;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Every row that there ever was.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) held: BTreeMap<Key, Held>,
    /// The changes that were answered before, and whether they were taken.
    known: BTreeMap<(Clock, Key), bool>,
    /// How many of them the server accepted.
    pub(super) accepted: usize,
    /// What doesn't hold.
    pub(super) breaches: Vec<String>,
}

/// What is known of an id.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) live: Option<Live>,
    /// The greatest clock of its deletions.
    pub(super) deleted: Option<Clock>,
    /// The team that it was of when it was deleted.
    pub(super) team: Option<Value>,
}

/// A row that exists.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) values: BTreeMap<String, Value>,
    /// The clock of the last write of each column.
    clocks: BTreeMap<&'static str, Clock>,
    existence: Clock,
    stamp: i64,
    /// It was written since its stamp was looked at.
    is_news: bool,
}

/// What becomes of a change.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    /// Later writes won.
    Loses,
    /// What it says was there.
    Known,
    /// Some of it counts.
    Counts,
}

impl Live {
    fn last(&self) -> Clock {
        let clocks = self.clocks.values().copied();
        clocks.fold(self.existence, Clock::max)
    }

    /// The clock that an edit of the column must exceed.
    fn clock(&self, table: &Table, column: &str) -> Clock {
        match table.is_unit {
            true => self.clocks.values().copied().fold(Clock::ZERO, Clock::max),
            false => self.clocks[column],
        }
    }

    /// A row whose columns are all of one write, after the stamp `last`.
    fn new(table: &Table, values: BTreeMap<String, Value>, clock: Clock, last: i64) -> Self {
        Live {
            values,
            clocks: table.columns.iter().map(|name| (*name, clock)).collect(),
            existence: clock,
            stamp: last,
            is_news: true,
        }
    }

    fn write(
        &mut self,
        table: &'static Table,
        columns: &Map<String, Value>,
        clock: Clock,
    ) -> Effect {
        let before: Vec<Clock> = table
            .columns
            .iter()
            .map(|column| self.clock(table, column))
            .collect();
        let mut effect = Effect::Known;
        for (column, value) in written(table, columns) {
            let place = table.columns.iter().position(|name| *name == column);
            let held = before[place.unwrap_or_default()];
            if clock > held {
                let before = self.values.insert(column.to_owned(), value.clone());
                self.clocks.insert(column, clock);
                self.is_news |= before.as_ref() != Some(value);
                effect = Effect::Counts;
            } else if clock < held && effect == Effect::Known {
                effect = Effect::Loses;
            }
        }
        effect
    }
}

fn at(micros: i64) -> Clock {
    Clock::of_database(DateTime::from_timestamp_micros(micros).expect("a stamp is an instant"))
}

impl Ledger {
    /// The server took an upload: what it answered, and what it holds now.
    pub(super) fn taken(
        &mut self,
        member: &Member,
        changes: &[Change],
        outcomes: Option<&[Outcome]>,
        rows: &Rows,
        deletions: &[(Key, String)],
    ) {
        let outcomes = match outcomes {
            Some(outcomes) if outcomes.len() != changes.len() => {
                let problem = format!("{} outcomes of {}", outcomes.len(), changes.len());
                return self.breaches.push(problem);
            }
            outcomes => outcomes.unwrap_or_default(),
        };
        let before: BTreeMap<Key, Held> = self.held.clone();
        for (place, (change, outcome)) in changes.iter().zip(outcomes).enumerate() {
            // What a later one of the same upload overwrote may count as superseded.
            let mut later = changes[place + 1..].iter();
            let is_last = !later.any(|other| other.table == change.table && other.id == change.id);
            if let Err(problem) = self.one(member, change, outcome, &before, is_last) {
                self.breaches
                    .push(format!("{problem}: {change:?} was answered {outcome:?}"));
            }
        }
        if let Err(problem) = self.compare(rows, deletions) {
            self.breaches.push(format!(
                "{problem}, after the upload of {changes:?}, answered {outcomes:?}"
            ));
        }
    }

    fn one(
        &mut self,
        member: &Member,
        change: &Change,
        outcome: &Outcome,
        before: &BTreeMap<Key, Held>,
        is_last: bool,
    ) -> Result<(), String> {
        let table = Table::of(&change.table);
        let key = (
            table.name,
            change.id.as_str().unwrap_or_default().to_owned(),
        );
        if outcome.clock != change.clock {
            return Err("another change is answered".into());
        }
        let is_rejected = matches!(outcome.verdict, Verdict::Rejected(_));
        let known = self.known.insert((change.clock, key.clone()), !is_rejected);
        if let Verdict::Rejected(rejection) = &outcome.verdict {
            let is_due = [&self.held, before]
                .iter()
                .any(|held| rejection::is_due(held, member, change, &key, rejection.code));
            return match known.is_none() && !is_due {
                true => Err("nothing speaks against it".into()),
                false => Ok(()),
            };
        }
        // It is answered alike for ever, and counts once.
        if known == Some(true) {
            return Ok(());
        }
        self.accepted += usize::from(outcome.verdict != Verdict::Superseded);
        let effect = self.apply(table, key, change)?;
        let is_due = match effect {
            Effect::Loses => outcome.verdict == Verdict::Superseded,
            Effect::Counts => !is_last || outcome.verdict != Verdict::Superseded,
            Effect::Known => true,
        };
        match is_due {
            true => Ok(()),
            false => Err(format!("it {effect:?}")),
        }
    }

    fn apply(
        &mut self,
        table: &'static Table,
        key: Key,
        change: &Change,
    ) -> Result<Effect, String> {
        let held = self.held.entry(key).or_default();
        let clock = change.clock;
        Ok(match (&mut held.live, &change.edit) {
            (Some(live), Edit::Delete) if clock > live.existence => {
                held.team = live.values.get("team").cloned();
                held.live = None;
                held.deleted = Some(clock);
                Effect::Counts
            }
            (Some(_), Edit::Delete) => Effect::Loses,
            // Of what never was nothing is noted.
            (None, Edit::Delete) => {
                held.deleted = held.deleted.map(|deleted| deleted.max(clock));
                Effect::Counts
            }
            (Some(live), Edit::Update(columns)) => live.write(table, columns, clock),
            (Some(live), Edit::Insert(columns)) => {
                let effect = live.write(table, columns, clock);
                match clock > live.existence {
                    true => {
                        live.existence = clock;
                        effect.max(Effect::Known)
                    }
                    false => effect,
                }
            }
            (None, Edit::Insert(columns)) if held.deleted.is_none_or(|deleted| clock > deleted) => {
                let values = table.columns.iter().map(|name| {
                    let value = columns.get(*name).cloned();
                    ((*name).to_owned(), value.unwrap_or(Value::Null))
                });
                held.live = Some(Live::new(table, values.collect(), clock, 0));
                Effect::Counts
            }
            (None, Edit::Update(_)) if held.deleted.is_none() => {
                return Err("an update of a row that never was isn't accepted".into());
            }
            (None, _) => Effect::Loses,
        })
    }

    /// Somebody has written by SQL: the difference is what he wrote. The row `replaced` is another one than before.
    pub(super) fn written(
        &mut self,
        rows: &Rows,
        deletions: &[(Key, String)],
        replaced: Option<&Key>,
        now: i64,
    ) -> Result<(), String> {
        let keys: BTreeSet<Key> = self.held.keys().chain(rows.keys()).cloned().collect();
        for key in keys {
            let row = rows.get(&key);
            let held = self.held.entry(key.clone()).or_default();
            let is_replaced = replaced == Some(&key);
            let is_gone = held.live.is_some() && (row.is_none() || is_replaced);
            let last = held.live.as_ref().map_or(0, |live| live.stamp);
            if is_gone {
                held.delete(&key, deletions, now, is_replaced)?;
            }
            let Some(row) = row else { continue };
            let stamp = row.stamp.ok_or("a row of the server has no stamp")?;
            // A row that comes after a deletion is later than that, whatever clock the deletion had.
            let least = held.deleted.map_or(Clock::ZERO, Clock::successor);
            let Some(live) = &mut held.live else {
                let table = Table::of(key.0);
                let clock = at(stamp).max(least);
                held.live = Some(Live::new(table, row.values.clone(), clock, last));
                continue;
            };
            // Whoever writes by SQL has seen what is there: even what a replica's clock says is still to come.
            let last = live.last();
            let clock = match last == least {
                true => at(stamp).max(last),
                false => at(stamp).max(last.successor()),
            };
            let table = Table::of(key.0);
            for column in table.columns {
                if live.values[*column] != row.values[*column] {
                    let value = row.values[*column].clone();
                    live.values.insert((*column).to_owned(), value);
                    live.clocks.insert(column, clock);
                    live.is_news = true;
                }
            }
        }
        self.compare(rows, deletions)
    }

    /// Whether the server holds what must be there.
    fn compare(&mut self, rows: &Rows, deletions: &[(Key, String)]) -> Result<(), String> {
        if let Some(key) = rows.keys().find(|key| !self.held.contains_key(*key)) {
            return Err(format!("{key:?} is there, and nobody wrote it"));
        }
        for (key, held) in &mut self.held {
            match (&mut held.live, rows.get(key)) {
                (Some(live), Some(row)) => {
                    let least = held.deleted.map_or(Clock::ZERO, Clock::successor);
                    live.compare(Table::of(key.0), row, least)
                        .map_err(|problem| format!("{key:?}: {problem}"))?;
                }
                (Some(live), None) => return Err(format!("{key:?} is gone: {live:?}")),
                (None, Some(row)) => return Err(format!("{key:?} is back: {row:?}")),
                (None, None) => {}
            }
            let mut known = deletions.iter().filter(|(deleted, _)| deleted == key);
            let known = known.next().map(|(_, clock)| clock.clone());
            let deleted = held.deleted.map(|clock| clock.to_string());
            if held.live.is_none() && known != deleted {
                return Err(format!("{key:?} was deleted at {deleted:?}, not {known:?}"));
            }
        }
        Ok(())
    }
}

impl Live {
    /// Clocks below `least` count as that.
    fn compare(&mut self, table: &Table, row: &Row, least: Clock) -> Result<(), String> {
        let stamp = row.stamp.ok_or("there is no stamp")?;
        if self.is_news && stamp <= self.stamp {
            return Err(format!(
                "it was written, and its stamp went from {} to {stamp}: {self:?}",
                self.stamp
            ));
        }
        (self.stamp, self.is_news) = (stamp, false);
        let registers = match &row.registers {
            Some(registers) => {
                crate::registers(registers).map_err(|error| format!("registers: {error}"))?
            }
            // All is as old as the stamp.
            None => BTreeMap::from([(String::new(), at(stamp))]),
        };
        let existence = registers.get("").copied().unwrap_or(Clock::ZERO).max(least);
        if existence != self.existence {
            return Err(format!(
                "it exists since {}, not {existence}",
                self.existence
            ));
        }
        for column in table.columns {
            let (value, stored) = (&self.values[*column], &row.values[*column]);
            let clock = self.clocks[column];
            if value != stored {
                return Err(format!(
                    "{column} was last set to {value} at {clock}, and is {stored}"
                ));
            }
            let register = registers
                .get(*column)
                .copied()
                .unwrap_or(existence)
                .max(least);
            if register != clock {
                return Err(format!(
                    "{column} was last written at {clock}, not {register}"
                ));
            }
        }
        Ok(())
    }
}

impl Held {
    /// Its row was deleted by SQL; the server tells when, which has to be between its last write and `now`. A row that was replaced by another one of
    /// its id need not count as deleted.
    fn delete(
        &mut self,
        key: &Key,
        deletions: &[(Key, String)],
        now: i64,
        is_replaced: bool,
    ) -> Result<(), String> {
        let Some(live) = self.live.take() else {
            return Ok(());
        };
        self.team = live.values.get("team").cloned();
        let known = deletions.iter().find(|(deleted, _)| deleted == key);
        let known = known.and_then(|(_, clock)| clock.parse::<Clock>().ok());
        let least = self
            .deleted
            .unwrap_or_default()
            .max(live.last().successor());
        if is_replaced && known.is_none_or(|known| known < least) {
            return Ok(());
        }
        let known = known.ok_or_else(|| format!("{key:?}: the deletion was not noted"))?;
        // The row may remember a clock of a column that was overwritten since.
        if known < least || known > least.successor().max(at(now)) {
            return Err(format!(
                "{key:?} was deleted between {least} and {}, not at {known}",
                at(now)
            ));
        }
        self.deleted = Some(known);
        Ok(())
    }
}
