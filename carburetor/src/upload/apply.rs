//! Some changes applied together: read, decided, written, checked.

use super::UploadBackend;
use super::admit::Admitted;
use super::judged::{kept, other_id, outside};
use super::plan::Act;
use super::plan::RowPlan;
use super::session::{Failure, Session, Transaction};
use super::settle::Settled;
use super::sql::{References, Stored};
use super::surroundings::When;
use crate::connection::runner::Runner;
use crate::outcome::{Rejection, Verdict};
use crate::table::TableDefinition;
use crate::wire::WireBackend;
use std::collections::{HashMap, HashSet};

/// The changes of one table that are not written yet: by rows, those of a row in the order of their clocks.
pub(super) type Waiting<'a, 'c, DB> = Vec<&'a Admitted<'c, DB>>;

/// The plans of one table's rows.
pub(super) struct TablePlan<'a, 'c, DB: WireBackend> {
    pub(super) table: usize,
    pub(super) rows: Vec<RowPlan<'a, 'c, DB>>,
    /// What is known of rows that were written, by their places.
    pub(super) stored: Vec<(usize, Stored)>,
    /// The ids that inserted rows have, by their places, where they may be others than those that were sent.
    pub(super) ids: HashMap<usize, String>,
    /// The places of rows that were not there when they were written, as far as that was looked at.
    pub(super) kept_away: HashSet<usize>,
    /// The places of rows that were deleted and are still there.
    pub(super) kept: Vec<usize>,
    /// The references that rows have and that are written once more.
    pub(super) known_references: References,
}

impl<R: Runner> Session<'_, '_, R> {
    /// Applies `changes`, all or none, and says by their places what became of each.
    pub(super) async fn apply<'a, 'c>(
        &mut self,
        changes: &[&'a Admitted<'c, R::Backend>],
    ) -> Result<Vec<(usize, Settled)>, Failure> {
        let mut waiting = self.waiting(changes);
        let mut settled = Vec::with_capacity(changes.len());
        while waiting.iter().any(|(_, rows)| !rows.is_empty()) {
            let mut plans = self.next_plans(&mut waiting).await?;
            self.write(&mut plans).await?;
            // Nobody else asks what was written by a transaction that is tried as a whole.
            let is_asked = self.transaction != Transaction::Whole
                || self.deletes_later
                || waiting.iter().any(|(_, rows)| !rows.is_empty());
            settled.extend(self.checked(plans, is_asked).await?);
        }
        // Otherwise the commit tells.
        if self.transaction != Transaction::Whole {
            self.check_deferred().await?;
        }
        Ok(settled)
    }

    /// `changes` by tables, parents first, and by rows.
    pub(super) fn waiting<'a, 'c>(
        &self,
        changes: &[&'a Admitted<'c, R::Backend>],
    ) -> Vec<(usize, Waiting<'a, 'c, R::Backend>)> {
        let order = self.order.iter();
        let mut waiting: Vec<(usize, Waiting<'a, 'c, R::Backend>)> =
            order.map(|table| (*table, Waiting::new())).collect();
        for change in changes {
            if let Some((_, rows)) = waiting.iter_mut().find(|(table, _)| *table == change.table) {
                rows.push(*change);
            }
        }
        for (_, rows) in &mut waiting {
            rows.sort_by(|one, other| one.key.cmp(&other.key));
        }
        waiting
    }

    /// Decides on what can be written next, and leaves the rest in `waiting`.
    pub(super) async fn next_plans<'a, 'c>(
        &mut self,
        waiting: &mut [(usize, Waiting<'a, 'c, R::Backend>)],
    ) -> Result<Vec<TablePlan<'a, 'c, R::Backend>>, Failure> {
        let mut plans = Vec::with_capacity(waiting.len());
        for (table, rows) in waiting.iter_mut().filter(|(_, rows)| !rows.is_empty()) {
            plans.push(self.plan(*table, rows).await?);
        }
        Ok(plans)
    }

    /// Decides on what can be written next, and leaves the rest in `rows`.
    async fn plan<'a, 'c>(
        &mut self,
        table: usize,
        rows: &mut Waiting<'a, 'c, R::Backend>,
    ) -> Result<TablePlan<'a, 'c, R::Backend>, Failure> {
        let definition = self.tables[table].definition;
        let expired = self.around.expired(table);
        let hides = !self.tables[table].visibility.is_everything();
        let by_row = || rows.chunk_by(|one, other| one.key == other.key);
        let first: Vec<_> = by_row().map(|changes| changes[0]).collect();
        let found = self.find(table, &first).await?;
        let mut plans = Vec::with_capacity(first.len());
        let mut rest = Vec::new();
        for (place, (changes, mut found)) in by_row().zip(found).enumerate() {
            self.own.hide(table, &changes[0].key, &mut found);
            let plan = RowPlan::new(definition, place, found, changes, expired, hides);
            rest.extend_from_slice(&changes[plan.judged.len()..]);
            plans.push(plan);
        }
        *rows = rest;
        Ok(TablePlan {
            table,
            rows: plans,
            stored: Vec::new(),
            ids: HashMap::new(),
            kept_away: HashSet::new(),
            kept: Vec::new(),
            known_references: References::new(),
        })
    }

    async fn write<'a, 'c>(
        &mut self,
        plans: &mut [TablePlan<'a, 'c, R::Backend>],
    ) -> Result<(), Failure> {
        for plan in plans.iter_mut() {
            self.contest(plan).await?;
        }
        for plan in plans.iter_mut() {
            plan.known_references = self.known_references(plan).await?;
            let inserted = self.insert(plan).await?;
            (plan.stored, plan.ids) = (inserted.stored, inserted.ids);
            plan.stored.extend(self.update(plan).await?);
            self.grant_inserted(plan).await?;
        }
        for plan in plans.iter() {
            self.refuse_unseen(plan, When::AtOnce).await?;
        }
        // Afterwards nobody can tell what was kept away from what a deletion took along.
        let taken_along = self.taken_along(plans);
        for plan in plans.iter_mut() {
            if taken_along.contains(&plan.table) {
                plan.kept_away = self.kept_away(plan).await?;
            }
        }
        for plan in plans.iter_mut().rev() {
            plan.kept = self.delete(plan).await?;
        }
        Ok(())
    }

    /// What became of the changes, now that the rows are as the database made them. `is_asked`: other changes may be of the same rows.
    async fn checked<'a, 'c>(
        &mut self,
        plans: Vec<TablePlan<'a, 'c, R::Backend>>,
        is_asked: bool,
    ) -> Result<Vec<(usize, Settled)>, Failure> {
        let mut settled = Vec::new();
        let (mut refused, mut raced, mut unmet) = (Vec::new(), None, Ok(()));
        let taken_along = self.taken_along(&plans);
        for mut plan in plans {
            let definition = self.tables[plan.table].definition;
            let kept_away = match R::Backend::WRITES_STAMPS {
                // A trigger that stands after the row may have done so.
                true => "a trigger of the table kept the row away, or gave it another id",
                false if self.around.has_no_others(plan.table) => {
                    "the id is stored in another form, which another row has: send it as its column has it"
                }
                false => "a trigger of the table kept the row away",
            };
            let stored = self.check(&plan).await?;
            if unmet.is_ok() {
                unmet = self.refuse_unseen(&plan, When::Late).await;
            }
            let stored: Vec<_> = plan.stored.drain(..).chain(stored).collect();
            let mut remade = Vec::new();
            for (place, stored) in stored {
                let row = &mut plan.rows[place];
                let id = plan.ids.get(&place).map(String::as_str);
                let was_there =
                    taken_along.contains(&plan.table) && !plan.kept_away.contains(&place);
                let absent = || match id {
                    // It is told at the end, when all deletions are known.
                    _ if was_there => Fate::Written,
                    Some(id) => Fate::Refused(other_id(definition, id)),
                    None => Fate::Refused(kept(definition, kept_away)),
                };
                match fate(definition, row, &stored, absent, kept_away) {
                    Fate::Written => {}
                    Fate::Raced => {
                        let (_, raced) = raced.get_or_insert((plan.table, Vec::new()));
                        raced.extend(row.places());
                        continue;
                    }
                    Fate::Refused(rejection) => {
                        refused.extend(row.places().map(|at| (at, rejection.clone())));
                        continue;
                    }
                }
                row.found.stamp = stored.stamp;
                let stamp = stored.stamp.filter(|_| is_asked);
                if let (Some(judged), Some(stamp)) = (row.judged.first(), stamp) {
                    let own = (plan.table, judged.change.key.clone());
                    self.own.keep(own, stamp, row.found.held.stamp());
                }
                if !stored.differing.is_empty() {
                    row.remake(&stored.differing);
                    remade.push(place);
                }
            }
            if refused.is_empty() && raced.is_none() {
                self.register_again(&plan, &remade).await?;
            }
            for place in std::mem::take(&mut plan.kept) {
                plan.rows[place].keep();
            }
            for row in plan.rows {
                for judged in row.judged {
                    let stamp = (judged.verdict == Verdict::Applied)
                        .then_some(row.found.stamp)
                        .flatten();
                    let settles = Settled {
                        verdict: judged.verdict,
                        stamp,
                        met: judged.met,
                        lost: judged.lost,
                    };
                    settled.push((judged.change.at, settles));
                }
            }
        }
        // What was refused may have been in the way of others.
        match raced {
            _ if !refused.is_empty() => Err(Failure::Refused(refused)),
            Some((table, places)) => Err(Failure::Raced(table, places)),
            None => unmet.map(|()| settled),
        }
    }
}

/// What the database made of a row that was to be written.
enum Fate {
    Written,
    /// Somebody else's row has the id.
    Raced,
    Refused(Rejection),
}

/// Compares the row with what was to become of it. `absent`: what it means that there is none; `kept_away`: why it is as before.
fn fate<DB: WireBackend>(
    definition: &TableDefinition,
    row: &mut RowPlan<'_, '_, DB>,
    stored: &Stored,
    absent: impl FnOnce() -> Fate,
    kept_away: &str,
) -> Fate {
    let is_untouched = stored.written.as_ref() == Some(&row.found.written);
    match row.act {
        Act::Insert | Act::Update if stored.other_id.is_some() => {
            let id = stored.other_id.as_deref().unwrap_or_default();
            Fate::Refused(other_id(definition, id))
        }
        Act::Insert | Act::Update if !stored.is_there => absent(),
        Act::Insert if !stored.is_ours => Fate::Raced,
        // Each write moves a register.
        Act::Update if is_untouched => Fate::Refused(kept(definition, kept_away)),
        Act::Delete(_) => {
            // Where nobody could keep the row, nobody has looked.
            if stored.written.is_some() && !stored.is_deleted {
                row.keep();
            }
            Fate::Written
        }
        _ if !stored.is_visible => Fate::Refused(outside(definition)),
        _ => Fate::Written,
    }
}
