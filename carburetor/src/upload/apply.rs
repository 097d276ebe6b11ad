//! Some changes applied together: read, decided, written, checked.

use super::admit::Admitted;
use super::plan::RowPlan;
use super::session::{Failure, Session, Transaction};
use super::settle::Settled;
use super::sql::Stored;
use crate::connection::runner::Runner;
use crate::outcome::Verdict;

/// The changes of one table that are not written yet: by rows, those of a row in the order of their clocks.
type Waiting<'a, 'c, DB> = Vec<&'a Admitted<'c, DB>>;

/// The plans of one table's rows.
pub(super) struct TablePlan<'a, 'c, DB: crate::wire::WireBackend> {
    pub(super) table: usize,
    pub(super) rows: Vec<RowPlan<'a, 'c, DB>>,
    /// What is known of rows that were written, by their places.
    pub(super) stored: Vec<(usize, Stored)>,
}

impl<R: Runner> Session<'_, '_, R> {
    /// Applies `changes`, all or none, and says by their places what became of each.
    pub(super) async fn apply<'a, 'c>(
        &mut self,
        changes: &[&'a Admitted<'c, R::Backend>],
    ) -> Result<Vec<(usize, Settled)>, Failure> {
        let mut waiting: Vec<(usize, Waiting<'a, 'c, R::Backend>)> = self
            .order
            .iter()
            .map(|table| (*table, Waiting::new()))
            .collect();
        for change in changes {
            if let Some((_, rows)) = waiting.iter_mut().find(|(table, _)| *table == change.table) {
                rows.push(*change);
            }
        }
        for (_, rows) in &mut waiting {
            rows.sort_by(|one, other| one.key.cmp(&other.key));
        }
        let mut settled = Vec::with_capacity(changes.len());
        while waiting.iter().any(|(_, rows)| !rows.is_empty()) {
            let mut plans = Vec::with_capacity(waiting.len());
            for (table, rows) in waiting.iter_mut().filter(|(_, rows)| !rows.is_empty()) {
                plans.push(self.plan(*table, rows).await?);
            }
            self.write(&mut plans).await?;
            // Nobody else asks what was written by a transaction that is tried as a whole.
            let is_asked = self.transaction != Transaction::Whole
                || waiting.iter().any(|(_, rows)| !rows.is_empty());
            settled.extend(self.checked(plans, is_asked).await?);
        }
        // Otherwise the commit tells.
        if self.transaction != Transaction::Whole {
            self.check_deferred().await?;
        }
        Ok(settled)
    }

    /// Decides on what can be written next, and leaves the rest in `rows`.
    async fn plan<'a, 'c>(
        &mut self,
        table: usize,
        rows: &mut Waiting<'a, 'c, R::Backend>,
    ) -> Result<TablePlan<'a, 'c, R::Backend>, Failure> {
        let definition = self.tables[table].definition;
        let expired = self.around.expired(table);
        let by_row = || rows.chunk_by(|one, other| one.key == other.key);
        let first: Vec<_> = by_row().map(|changes| changes[0]).collect();
        let found = self.find(table, &first).await?;
        let mut plans = Vec::with_capacity(first.len());
        let mut rest = Vec::new();
        for (place, (changes, mut found)) in by_row().zip(found).enumerate() {
            self.own.hide(table, &changes[0].key, &mut found);
            let plan = RowPlan::new(definition, place, found, changes, expired);
            rest.extend_from_slice(&changes[plan.judged.len()..]);
            plans.push(plan);
        }
        *rows = rest;
        Ok(TablePlan {
            table,
            rows: plans,
            stored: Vec::new(),
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
            plan.stored = self.insert(plan).await?;
            plan.stored.extend(self.update(plan).await?);
        }
        for plan in plans.iter().rev() {
            self.delete(plan).await?;
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
        let mut hidden = Vec::new();
        for mut plan in plans {
            let stored = self.check(&plan).await?;
            let stored: Vec<_> = plan.stored.drain(..).chain(stored).collect();
            let mut remade = Vec::new();
            for (place, stored) in stored {
                let row = &mut plan.rows[place];
                if !stored.is_ours {
                    return Err(Failure::Raced(plan.table));
                }
                if !stored.is_visible {
                    hidden.extend(row.judged.iter().map(|judged| judged.change.at));
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
            if hidden.is_empty() {
                self.register_again(&plan, &remade).await?;
            }
            for row in plan.rows {
                for judged in row.judged {
                    let stamp = (judged.verdict == Verdict::Applied)
                        .then_some(row.found.stamp)
                        .flatten();
                    let verdict = judged.verdict;
                    settled.push((judged.change.at, Settled { verdict, stamp }));
                }
            }
        }
        match hidden.is_empty() {
            true => Ok(settled),
            false => Err(Failure::Hidden(hidden)),
        }
    }
}
