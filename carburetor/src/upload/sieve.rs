//! Which of many changes the database refuses, found without a savepoint for each.

use super::UploadBackend;
use super::admit::Admitted;
use super::apply::TablePlan;
use super::error::UploadError;
use super::rejection::{is_of_rows, is_unknown};
use super::session::{Failure, Session};
use super::settle::Failed;
use super::sql::RefusedRows;
use crate::connection::runner::Runner;
use crate::wire::WireBackend;
use diesel::result::Error;
use std::collections::HashMap;

/// Fewer changes are tried in halves, which takes no more statements.
const FEW: usize = 4;

/// Changes, sieved.
pub(super) struct Sieved<'a, 'c, R: Runner> {
    pub(super) failed: Failed<'a, 'c, R>,
    /// Several are of one row that fails: which of them is at fault isn't known.
    pub(super) apart: Vec<&'a Admitted<'c, R::Backend>>,
    pub(super) rest: Vec<&'a Admitted<'c, R::Backend>>,
}

impl<'a, 'c, R: Runner> Sieved<'a, 'c, R> {
    /// `changes`, of which those of the rows in `refused` fail.
    pub(super) fn new(changes: &[&'a Admitted<'c, R::Backend>], mut refused: Refused<'a>) -> Self {
        let mut of_row: HashMap<(usize, &[u8]), usize> = HashMap::new();
        for change in changes {
            *of_row.entry((change.table, &change.key)).or_default() += 1;
        }
        let mut sieved = Sieved {
            failed: Vec::new(),
            apart: Vec::new(),
            rest: Vec::new(),
        };
        for change in changes {
            let row = (change.table, change.key.as_slice());
            if !refused.contains_key(&row) {
                sieved.rest.push(*change);
            } else if of_row.get(&row).is_some_and(|changes| *changes > 1) {
                sieved.apart.push(*change);
            } else if let Some(error) = refused.remove(&row) {
                sieved.failed.push((*change, error));
            }
        }
        sieved
    }

    /// Puts aside those that fail and those that are tried apart; the others.
    pub(super) fn take(
        mut self,
        failed: &mut Failed<'a, 'c, R>,
        apart: &mut Vec<&'a Admitted<'c, R::Backend>>,
    ) -> Vec<&'a Admitted<'c, R::Backend>> {
        failed.append(&mut self.failed);
        apart.append(&mut self.apart);
        self.rest
    }
}

/// What is said of rows, by their tables and keys.
pub(super) type Refused<'a> = HashMap<(usize, &'a [u8]), Error>;

impl<R: Runner> Session<'_, '_, R> {
    /// Sieves `changes`, which fail together; none where nothing is found out.
    pub(super) async fn sieve<'a, 'c>(
        &mut self,
        changes: &[&'a Admitted<'c, R::Backend>],
    ) -> Result<Option<Sieved<'a, 'c, R>>, UploadError> {
        if changes.len() < FEW {
            return Ok(None);
        }
        let mut refused = self.refused(changes, false).await?;
        // Rows that satisfy a late constraint together only, values that are swapped for example, fail each by itself.
        if refused.is_empty() && R::Backend::CHECK_DEFERRED.is_some() {
            refused = self.refused(changes, true).await?;
        }
        if refused.is_empty() {
            return Ok(None);
        }
        Ok(Some(Sieved::new(changes, refused)))
    }

    /// Tries the rows of `changes` one by one, and takes everything back.
    async fn refused<'a, 'c>(
        &mut self,
        changes: &[&'a Admitted<'c, R::Backend>],
        is_checked: bool,
    ) -> Result<Refused<'a>, UploadError> {
        self.runner.begin().await?;
        let tried = self.try_each(changes, is_checked).await;
        let back = self.runner.rollback().await;
        match tried {
            Ok(refused) => {
                back?;
                Ok(refused)
            }
            Err(Failure::Upload(UploadError::Query(error))) if is_of_rows(&error) => {
                back?;
                Ok(Refused::new())
            }
            Err(Failure::Upload(error)) => Err(error),
            // The others are told when they are applied.
            Err(Failure::Refused(_) | Failure::Unmet(_) | Failure::Raced(..)) => {
                back?;
                Ok(Refused::new())
            }
        }
    }

    /// What the database says of the row of `change`, which failed alone with `error`: the same, where Diesel says what that is. And whether it takes the
    /// row by now.
    pub(super) async fn told_alone<'a, 'c>(
        &mut self,
        change: &'a Admitted<'c, R::Backend>,
        error: Error,
    ) -> Result<(Error, bool), UploadError> {
        if R::Backend::CHECK_DEFERRED.is_none() || !is_unknown(&error) {
            return Ok((error, false));
        }
        for is_checked in [false, true] {
            self.runner.begin().await?;
            let told = self.try_alone(change, is_checked).await;
            let back = self.runner.rollback().await;
            match told {
                Ok(told) => {
                    back?;
                    if let Some(told) = told {
                        return Ok((told, false));
                    }
                }
                Err(Failure::Upload(error)) => return Err(error),
                Err(Failure::Refused(_) | Failure::Unmet(_) | Failure::Raced(..)) => back?,
            }
        }
        Ok((error, true))
    }

    async fn try_alone<'a, 'c>(
        &mut self,
        change: &'a Admitted<'c, R::Backend>,
        is_checked: bool,
    ) -> Result<Option<Error>, Failure> {
        // The row was read when it was locked, before anything was tried: what fails here is not of it.
        let mut plans = self.next_plans(&mut self.waiting(&[change])).await?;
        match self.try_plans(&mut plans, is_checked).await {
            Ok(refused) => Ok(refused.into_values().next()),
            Err(Failure::Upload(UploadError::Query(error))) if is_of_rows(&error) => {
                Ok(Some(error))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn try_each<'a, 'c>(
        &mut self,
        changes: &[&'a Admitted<'c, R::Backend>],
        is_checked: bool,
    ) -> Result<Refused<'a>, Failure> {
        let mut plans = self.next_plans(&mut self.waiting(changes)).await?;
        self.try_plans(&mut plans, is_checked).await
    }

    async fn try_plans<'a, 'c>(
        &mut self,
        plans: &mut [TablePlan<'a, 'c, R::Backend>],
        is_checked: bool,
    ) -> Result<Refused<'a>, Failure> {
        for plan in plans.iter_mut() {
            self.contest(plan).await?;
        }
        let mut refused = Refused::new();
        for plan in plans.iter() {
            let told = self.write_each(plan, is_checked).await?;
            keep(&mut refused, plan, told);
        }
        for plan in plans.iter().rev() {
            let told = self.delete_each(plan, is_checked).await?;
            keep(&mut refused, plan, told);
        }
        Ok(refused)
    }
}

/// Keeps what is said of rows of `plan`.
fn keep<'a, DB: WireBackend>(
    refused: &mut Refused<'a>,
    plan: &TablePlan<'a, '_, DB>,
    told: RefusedRows,
) {
    for (place, error) in told {
        if let Some(judged) = plan.rows[place].judged.first() {
            let change: &'a Admitted<'_, DB> = judged.change;
            refused.insert((plan.table, change.key.as_slice()), error);
        }
    }
}
