//! Each change on its own within one transaction: what fails is rolled back to a savepoint, and what doesn't fail alone is tried again.

use super::UploadBackend;
use super::admit::Admitted;
use super::decide::Kind;
use super::error::UploadError;
use super::judged::kept;
use super::rejection::{is_constraint, is_of_rows, is_reference, rejection};
use super::session::{Failure, Session, Transaction};
use super::sieve::{Refused, Sieved};
use crate::connection::runner::Runner;
use crate::outcome::{Rejection, Verdict};
use chrono::{DateTime, Utc};
use diesel::result::Error;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settled {
    pub(super) verdict: Verdict,
    /// The row's stamp after the write.
    pub(super) stamp: Option<DateTime<Utc>>,
    /// See [`Outcome::met`](crate::outcome::Outcome::met).
    pub(super) met: Option<Map<String, Value>>,
    /// See [`Outcome::lost`](crate::outcome::Outcome::lost).
    pub(super) lost: bool,
}

impl Settled {
    pub(super) fn applied(stamp: Option<DateTime<Utc>>) -> Self {
        Settled {
            stamp,
            ..Settled::of(Verdict::Applied)
        }
    }

    pub(super) fn superseded() -> Self {
        Settled::of(Verdict::Superseded)
    }

    pub(super) fn rejected(rejection: Rejection) -> Self {
        Settled::of(Verdict::Rejected(rejection))
    }

    fn of(verdict: Verdict) -> Self {
        Settled {
            verdict,
            stamp: None,
            met: None,
            lost: false,
        }
    }
}

/// What became of the changes of an upload, by their places; none where that isn't known yet.
pub(super) type Answers = Vec<Option<Settled>>;

/// How often the same changes are tried when other writers insert the same rows in between.
const TRIES: usize = 5;

enum Attempt<'a, 'c, R: Runner> {
    Done,
    /// Some were rejected; the others are tried without them.
    Again(Vec<&'a Admitted<'c, R::Backend>>),
    Failed(Error),
    /// Some fail for sure.
    Sieved(Sieved<'a, 'c, R>),
}

/// The changes that failed alone, with what the database said.
pub(super) type Failed<'a, 'c, R> = Vec<(&'a Admitted<'c, <R as Runner>::Backend>, Error)>;

impl<'s, R: Runner> Session<'_, 's, R> {
    /// Applies `changes`, in the order of their clocks, and says what became of each.
    pub(super) async fn settle<'a, 'c>(
        &mut self,
        changes: Vec<&'a Admitted<'c, R::Backend>>,
        answers: &mut Answers,
    ) -> Result<(), UploadError> {
        let mut changes = changes;
        let overwritten = self.overwritten(&mut changes);
        // Of most uploads nothing is left.
        let all = match overwritten.is_empty() {
            true => Vec::new(),
            false => changes.clone(),
        };
        let failed = self.settle_most(changes, answers).await?;
        let mut left = self.not_overwritten(overwritten, &all, answers);
        if left.is_empty() {
            self.reject(failed, answers);
            return Ok(());
        }
        // A row that is still there may have kept others away.
        let is_left: HashSet<usize> = left.iter().map(|change| change.at).collect();
        let (again, failed): (Vec<_>, Vec<_>) = failed
            .into_iter()
            .filter(|(change, _)| !is_left.contains(&change.at))
            .partition(|(_, error)| is_constraint(error));
        left.extend(again.into_iter().map(|(change, _)| change));
        left.sort_by_key(|change| change.clock());
        self.reject(failed, answers);
        let failed = self.settle_most(left, answers).await?;
        self.reject(failed, answers);
        Ok(())
    }

    /// Applies `changes`; returns those that fail whatever else is applied.
    async fn settle_most<'a, 'c>(
        &mut self,
        changes: Vec<&'a Admitted<'c, R::Backend>>,
        answers: &mut Answers,
    ) -> Result<Failed<'a, 'c, R>, UploadError> {
        let all = changes.len();
        let (first, last) = self.deletions_last(changes);
        self.deletes_later = !last.is_empty();
        let mut failed = self.settle_apart(first, answers).await?;
        self.deletes_later = false;
        failed.extend(self.settle_apart(last, answers).await?);
        // What failed may have waited for changes that came later, a parent for example, or for each other.
        loop {
            let before = failed.len();
            if before < all {
                failed = self.settle_again(failed, answers).await?;
            }
            if failed.len() == before {
                failed = self.settle_rings(failed, answers).await?;
            }
            if failed.len() == before {
                break;
            }
        }
        Ok(failed)
    }

    /// Applies what failed by a constraint, now that others are applied.
    async fn settle_again<'a, 'c>(
        &mut self,
        failed: Failed<'a, 'c, R>,
        answers: &mut Answers,
    ) -> Result<Failed<'a, 'c, R>, UploadError> {
        let (again, mut failed): (Vec<_>, Vec<_>) = failed
            .into_iter()
            .partition(|(_, error)| is_constraint(error));
        if !again.is_empty() {
            let again = again.into_iter().map(|(change, _)| change).collect();
            failed.extend(self.settle_apart(again, answers).await?);
        }
        Ok(failed)
    }

    /// Applies together what failed because rows refer to each other.
    async fn settle_rings<'a, 'c>(
        &mut self,
        mut failed: Failed<'a, 'c, R>,
        answers: &mut Answers,
    ) -> Result<Failed<'a, 'c, R>, UploadError> {
        let referring = failed.iter().filter(|(_, error)| is_reference(error));
        for ring in self.rings(referring.map(|(change, _)| *change)) {
            self.attempt(&ring, answers).await?;
        }
        failed.retain(|(change, _)| answers[change.at].is_none());
        Ok(failed)
    }

    /// Applies `changes`, fewer at once if they fail together; returns those that fail alone.
    async fn settle_apart<'a, 'c>(
        &mut self,
        changes: Vec<&'a Admitted<'c, R::Backend>>,
        answers: &mut Answers,
    ) -> Result<Failed<'a, 'c, R>, UploadError> {
        let mut failed = Vec::new();
        // As many as pass together are tried together: fewer after each failure, more after each success.
        let mut most = changes.len();
        let mut waiting = changes;
        let mut apart = Vec::new();
        let mut again = HashSet::new();
        while !waiting.is_empty() || !apart.is_empty() {
            if waiting.is_empty() {
                waiting = std::mem::take(&mut apart);
                most = 1;
            }
            let rest = waiting.split_off(most.clamp(1, waiting.len()));
            let tried = waiting;
            waiting = match self.attempt(&tried, answers).await? {
                Attempt::Done => {
                    most = most.saturating_mul(2);
                    Vec::new()
                }
                Attempt::Again(others) => others,
                Attempt::Sieved(sieved) => sieved.take(&mut failed, &mut apart),
                Attempt::Failed(error) => match tried.as_slice() {
                    [change] => {
                        let (error, passes) = self.told_alone(*change, error).await?;
                        match passes && again.insert(change.at) {
                            // What was in its way is gone.
                            true => tried,
                            false => {
                                failed.push((*change, error));
                                Vec::new()
                            }
                        }
                    }
                    _ => match self.sieve(&tried).await? {
                        Some(sieved) => sieved.take(&mut failed, &mut apart),
                        None => {
                            most = tried.len() / 2;
                            tried
                        }
                    },
                },
            };
            waiting.extend(rest);
        }
        Ok(failed)
    }

    async fn attempt<'a, 'c>(
        &mut self,
        changes: &[&'a Admitted<'c, R::Backend>],
        answers: &mut Answers,
    ) -> Result<Attempt<'a, 'c, R>, UploadError> {
        let mut take = |outcomes: Vec<(usize, Settled)>| {
            for (at, settled) in outcomes {
                answers[at] = Some(settled);
            }
            Ok(Attempt::Done)
        };
        if self.transaction == Transaction::Whole {
            return take(self.apply(changes).await.map_err(Failure::into_error)?);
        }
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let grants = self.own.grants();
            self.runner.begin().await?;
            let failure = match self.apply(changes).await {
                Ok(outcomes) => {
                    self.runner.commit().await?;
                    return take(outcomes);
                }
                Err(failure) => failure,
            };
            self.own.revoke(grants);
            let back = self.runner.rollback().await;
            match failure {
                Failure::Upload(UploadError::Query(error)) if is_of_rows(&error) => {
                    back?;
                    return Ok(Attempt::Failed(error));
                }
                Failure::Upload(error) => return Err(error),
                Failure::Raced(table, raced) => {
                    back?;
                    let definition = self.tables[table].definition;
                    if !raced.is_empty() && self.refuses_races(table, tries) {
                        let rejection = kept(
                            definition,
                            "whenever the row was inserted, another one of its id was there: a trigger of the table inserts it",
                        );
                        let refused = raced.into_iter().map(|at| (at, rejection.clone()));
                        return Ok(self.without(changes, &refused.collect::<Vec<_>>(), answers));
                    }
                    // Where locks can be given back, the rows are locked in their order from the start.
                    if tries == 0 || self.transaction != Transaction::Callers {
                        let table = definition.key();
                        return Err(UploadError::Busy { table });
                    }
                }
                Failure::Unmet(unmet) => {
                    back?;
                    let by_place: HashMap<usize, &'a Admitted<'c, R::Backend>> =
                        changes.iter().map(|change| (change.at, *change)).collect();
                    let unmet = unmet.into_iter().filter_map(|(at, error)| {
                        let change = by_place.get(&at)?;
                        Some(((change.table, change.key.as_slice()), error))
                    });
                    let refused: Refused<'a> = unmet.collect();
                    return Ok(Attempt::Sieved(Sieved::new(changes, refused)));
                }
                Failure::Refused(refused) => {
                    back?;
                    return Ok(self.without(changes, &refused, answers));
                }
            }
        }
    }

    /// Whether rows that are there when they are inserted are no other writer's: where the database is locked as a whole, or by now.
    fn refuses_races(&self, table: usize, tries: usize) -> bool {
        let is_late = match self.transaction {
            Transaction::Callers => tries == 0,
            _ => self.refuses_races,
        };
        R::Backend::LOCK_ROWS.is_none() || is_late && !self.around.has_no_others(table)
    }

    /// Rejects the changes at the places of `refused`. Of a row with several changes it isn't known which of them is at fault: they are tried apart.
    fn without<'a, 'c>(
        &self,
        changes: &[&'a Admitted<'c, R::Backend>],
        refused: &[(usize, Rejection)],
        answers: &mut Answers,
    ) -> Attempt<'a, 'c, R> {
        let of_row = |change: &Admitted<'c, R::Backend>| {
            let mut same = changes
                .iter()
                .filter(|other| other.table == change.table && other.key == change.key);
            same.nth(1).is_none()
        };
        let mut rest = Vec::new();
        let mut rejected = false;
        let refused: HashMap<usize, &Rejection> = refused
            .iter()
            .map(|(at, rejection)| (*at, rejection))
            .collect();
        for change in changes {
            match refused.get(&change.at).filter(|_| of_row(change)) {
                Some(rejection) => {
                    answers[change.at] = Some(Settled::rejected((*rejection).clone()));
                    rejected = true;
                }
                None => rest.push(*change),
            }
        }
        match rejected {
            true => Attempt::Again(rest),
            false => Attempt::Failed(Error::NotFound),
        }
    }

    fn reject(&self, failed: Failed<'_, '_, R>, answers: &mut Answers) {
        // Parents before their children, so that a child is told that its parent was rejected.
        let mut failed = failed;
        let place = |table: usize| self.order.iter().position(|other| *other == table);
        failed.sort_by_key(|(change, _)| (place(change.table), change.at));
        let mut rejected: Vec<&Admitted<'_, R::Backend>> = Vec::new();
        for (change, error) in failed {
            let rejection = match is_reference(&error) {
                true => self
                    .lost_parent(change, &rejected)
                    .unwrap_or_else(|| self.unmet(change, &error, self.blurs(change))),
                false => {
                    let table = &self.tables[change.table].definition.wire_name;
                    rejection(table, &error)
                }
            };
            answers[change.at] = Some(Settled::rejected(rejection));
            rejected.push(change);
        }
    }

    /// Whether the name of the foreign key that the row of `change` fails by would tell what the scope doesn't: which of several it is depends on what is
    /// there.
    fn blurs(&self, change: &Admitted<'_, R::Backend>) -> bool {
        let references: Vec<_> = self.around.references(change.table).collect();
        let mut parents = references.iter().filter_map(|reference| reference.parent);
        change.kind != Kind::Delete
            && references.len() > 1
            && parents.any(|parent| !self.tables[parent].visibility.is_everything())
    }
}
