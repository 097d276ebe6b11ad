//! What must be on the server: worked out from every write that it took, by rules of its own. Nothing that the server stores is taken for granted but
//! the instants of its own writes.

use super::along::Along;
use super::held::{Effect, Held, Live, at};
use super::models::{Member, Table};
use super::rejection;
use super::rows::{Key, Rows};
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Code, Outcome, Verdict};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every row that there ever was.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) held: BTreeMap<Key, Held>,
    /// The changes that were answered before, and whether they were taken.
    known: BTreeMap<(Clock, Key), bool>,
    /// How many of them the server accepted.
    pub(super) accepted: usize,
    /// What doesn't hold.
    pub(super) breaches: Vec<String>,
}

/// An upload that the server took: what it answered, and what it holds now.
pub(super) struct Taken<'t> {
    pub(super) member: &'t Member,
    pub(super) changes: &'t [Change],
    pub(super) outcomes: Option<&'t [Outcome]>,
    pub(super) rows: &'t Rows,
    pub(super) deletions: &'t [(Key, String)],
    pub(super) now: i64,
}

fn key(change: &Change) -> Key {
    let table = Table::of(&change.table).name;
    (table, change.id.as_str().unwrap_or_default().to_owned())
}

impl Ledger {
    /// The server took an upload.
    pub(super) fn taken(&mut self, taken: &Taken<'_>) {
        let Taken {
            member, changes, ..
        } = *taken;
        let outcomes = match taken.outcomes {
            Some(outcomes) if outcomes.len() != changes.len() => {
                let problem = format!("{} outcomes of {}", outcomes.len(), changes.len());
                return self.breaches.push(problem);
            }
            outcomes => outcomes.unwrap_or_default(),
        };
        let before: BTreeMap<Key, Held> = self.held.clone();
        let is_new = |change: &Change| !self.known.contains_key(&(change.clock, key(change)));
        let along = Along::of(taken, is_new);
        let mut doubts = Vec::new();
        for (place, (change, outcome)) in changes.iter().zip(outcomes).enumerate() {
            // What a later one of the same upload overwrote may count as superseded.
            let mut later = changes[place + 1..].iter();
            let is_last = !later.any(|other| other.table == change.table && other.id == change.id);
            let goes = along.takes(&self.held, &key(change));
            let took = along.took(&self.held, &key(change));
            let done = self.one(member, change, outcome, &before, (is_last, took));
            // It may have been in the way of what came after it.
            if let Ok(Some(code)) = &done
                && !(goes && *code == Code::NotFound)
            {
                doubts.push((change, outcome, *code));
            }
            if let Err(problem) = done {
                self.breaches.push(format!(
                    "{problem}: {change:?} was answered {outcome:?}, in the upload of {changes:?}"
                ));
            }
        }
        for (change, outcome, code) in doubts {
            if !rejection::is_due(&self.held, member, change, &key(change), code) {
                self.breaches.push(format!(
                    "nothing speaks against {change:?}: it was answered {outcome:?}, in the upload of {changes:?}, answered {outcomes:?}"
                ));
            }
        }
        let gone = self.take_along(&along);
        if let Err(problem) = gone.and_then(|()| self.compare(taken.rows, taken.deletions)) {
            self.breaches.push(format!(
                "{problem}, after the upload of {changes:?}, answered {outcomes:?}"
            ));
        }
    }

    /// Takes what was answered; if nothing speaks for its rejection, that is returned.
    fn one(
        &mut self,
        member: &Member,
        change: &Change,
        outcome: &Outcome,
        before: &BTreeMap<Key, Held>,
        (is_last, took): (bool, bool),
    ) -> Result<Option<Code>, String> {
        let table = Table::of(&change.table);
        let key = key(change);
        if outcome.clock != change.clock {
            return Err("another change is answered".into());
        }
        let is_rejected = matches!(outcome.verdict, Verdict::Rejected(_));
        let known = self.known.insert((change.clock, key.clone()), !is_rejected);
        if let Verdict::Rejected(rejection) = &outcome.verdict {
            let is_due = [&self.held, before]
                .iter()
                .any(|held| rejection::is_due(held, member, change, &key, rejection.code));
            return Ok((known.is_none() && !is_due).then_some(rejection.code));
        }
        // It is answered alike for ever, and counts once.
        if known == Some(true) {
            return Ok(None);
        }
        // Where the database refused it and its row went along meanwhile, it has come to nothing.
        let is_refused = [&self.held, before]
            .iter()
            .any(|held| rejection::is_due(held, member, change, &key, Code::Constraint));
        let is_lost = outcome.verdict == Verdict::Superseded && outcome.row.is_none();
        let is_gone = self.held.get(&key).is_none_or(|held| held.live.is_none());
        if took && is_lost && is_refused {
            return Ok(None);
        }
        self.accepted += usize::from(outcome.verdict != Verdict::Superseded);
        let effect = self.apply(table, key, change)?;
        let is_due = match effect {
            // Of what went along before there is nothing left to delete.
            Effect::Loses if took && change.edit == Edit::Delete => true,
            Effect::Loses => outcome.verdict == Verdict::Superseded,
            Effect::Counts => !is_last || outcome.verdict != Verdict::Superseded,
            Effect::Known => true,
        };
        let is_edit = change.edit != Edit::Delete;
        if is_edit && effect == Effect::Loses && is_last && !took && outcome.lost != is_gone {
            return Err(format!("its row is gone: {is_gone}"));
        }
        match is_due {
            true => Ok(None),
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
                held.delete(&key, deletions, at(now), is_replaced)?;
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
                    live.compare(Table::of(key.0), row, held.deleted)
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
