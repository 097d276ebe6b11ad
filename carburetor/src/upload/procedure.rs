//! An upload from beginning to end.

use super::UploadTable;
use super::admit::{Admitted, admit, invalid};
use super::digest::Digest;
use super::error::UploadError;
use super::options::{Transactions, UploadOptions};
use super::order::parents_first;
use super::own::OwnWrites;
use super::receipt::Receipt;
use super::rejection::is_reference;
use super::session::{Failure, Session, Transaction};
use super::settle::{Answers, Settled};
use super::sql::{Room, lock, receipts, relayed};
use super::surroundings::Surroundings;
use crate::backend::SyncBackend;
use crate::change::{Change, Changes};
use crate::clock::Clock;
use crate::connection::ended::is_deadlock;
use crate::connection::runner::Runner;
use crate::download::fingerprint;
use crate::outcome::{Outcomes, Rejection, Verdict};
use crate::token;
use diesel::result::{DatabaseErrorKind, Error};
use std::collections::HashMap;
use std::sync::Arc;

/// How often an upload in a transaction of its own is tried when other writers get in its way.
const TRIES: usize = 20;

/// How often rows that others inserted at the same time are looked for anew, before they are taken for those of a trigger, which is in the way for
/// ever.
const RACES: usize = 10;

/// Applies `changes` on the tables of a group and answers each one.
pub(super) async fn upload<R: Runner>(
    runner: &mut R,
    tables: &[UploadTable<'_, R::Backend>],
    changes: &Changes,
    options: &UploadOptions,
) -> Result<Outcomes, UploadError> {
    if changes.changes.len() > options.limit {
        return Err(UploadError::TooMany {
            changes: changes.changes.len(),
            limit: options.limit,
        });
    }
    let (confirmed, scope): (_, &Arc<str>) = (changes.confirmed, &scope(tables)?.into());
    let origin = changes.origin.as_deref();
    let batch = |changes, room| Batch {
        changes,
        confirmed,
        origin,
        options,
        scope,
        room,
    };
    // One alone is answered whatever its row is.
    let mut room = match changes.changes.len() {
        0 | 1 => Room::default(),
        _ => Room::of(options.answer),
    };
    let own = &mut OwnWrites::default();
    match options.transactions {
        Transactions::PerChange => {
            // Before anything is applied.
            let around = Surroundings::read(runner, tables).await?;
            bounded(&changes.changes, around.now(), options)?;
            let mut answers = Outcomes::new(Clock::ZERO, Vec::new());
            for change in &changes.changes {
                let one = batch(std::slice::from_ref(change), room);
                let answered = again(runner, tables, &one, own).await?;
                room = room.without(&answered);
                answers.add(answered);
            }
            Ok(answers)
        }
        _ => again(runner, tables, &batch(&changes.changes, room), own).await,
    }
}

/// What one transaction takes.
struct Batch<'b> {
    changes: &'b [Change],
    confirmed: Option<Clock>,
    origin: Option<&'b str>,
    options: &'b UploadOptions,
    scope: &'b Arc<str>,
    /// For the rows of the answer.
    room: Room,
}

/// What tells the scope of `tables` from others, as a download within it says it.
fn scope<DB: SyncBackend>(tables: &[UploadTable<'_, DB>]) -> Result<String, UploadError> {
    let mut parts = Vec::with_capacity(tables.len());
    for table in tables {
        let keys = table.visibility.keys()?;
        let fingerprint = fingerprint::of(&table.visibility)?;
        parts.push((&*table.definition.wire_name, fingerprint, keys));
    }
    let parts = parts.iter();
    Ok(token::scope(parts.map(|(name, fingerprint, keys)| {
        (*name, fingerprint.as_str(), keys.as_deref())
    })))
}

/// One transaction, once more if it gave way to another one.
async fn again<R: Runner>(
    runner: &mut R,
    tables: &[UploadTable<'_, R::Backend>],
    batch: &Batch<'_>,
    own: &mut OwnWrites,
) -> Result<Outcomes, UploadError> {
    let mut transaction = match runner.in_transaction()? {
        true => Transaction::Callers,
        // Of everything that is refused, what the commit would refuse is named too.
        false => match batch.options.transactions {
            Transactions::One => Transaction::Whole,
            Transactions::PerChange => Transaction::Own,
            Transactions::AllOrNothing => Transaction::Checked,
        },
    };
    let mut tries = TRIES;
    let grants = own.grants();
    loop {
        tries -= 1;
        // What a try before this one wrote is not there.
        own.revoke(grants);
        runner.begin().await?;
        let refuses_races = tries + RACES < TRIES;
        let answered = once(runner, tables, batch, own, transaction, refuses_races).await;
        match runner.end(answered).await {
            Err(error) if tries > 0 => {
                if transaction == Transaction::Whole && matches!(error, UploadError::Query(_)) {
                    // Nothing that this upload wrote is there.
                    *own = OwnWrites::default();
                    transaction = Transaction::Own;
                } else if is_of_commit(&error) && transaction == Transaction::Own {
                    transaction = Transaction::Checked;
                } else if !gave_way(&error, transaction) {
                    return Err(error);
                }
            }
            ended => return ended,
        }
    }
}

/// Whether a row refers to none, which is told by the commit only.
fn is_of_commit(error: &UploadError) -> bool {
    matches!(error, UploadError::Query(error) if is_reference(error))
}

/// Whether a transaction ended so that another one could go on. To the caller's the upload is a savepoint, whose locks are given back with it.
fn gave_way(error: &UploadError, transaction: Transaction) -> bool {
    match error {
        UploadError::Query(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _))
        | UploadError::Busy { .. } => true,
        UploadError::Query(error) => transaction != Transaction::Callers && is_deadlock(error),
        _ => false,
    }
}

async fn once<R: Runner>(
    runner: &mut R,
    tables: &[UploadTable<'_, R::Backend>],
    batch: &Batch<'_>,
    own: &mut OwnWrites,
    transaction: Transaction,
    refuses_races: bool,
) -> Result<Outcomes, UploadError> {
    let Batch {
        changes,
        confirmed,
        origin,
        options,
        scope,
        room,
    } = *batch;
    // Within a transaction of the caller's, how long its statements may take is his affair.
    let time = options.time.filter(|_| transaction != Transaction::Callers);
    lock(runner, changes, time).await?;
    let around = Surroundings::read(runner, tables).await?;
    bounded(changes, around.now(), options)?;
    let changes = &*around.based(changes, origin);
    let mut answers: Answers = vec![None; changes.len()];
    let mut known = receipts(runner, changes).await?;
    let digests: Vec<Digest> = changes.iter().map(Digest::of).collect();
    if around.relays() {
        relayed(runner, changes, &digests, scope, &mut known).await?;
    }
    let first = repeated(changes, &digests, &known, scope, &mut answers)?;
    for (change, answer) in changes.iter().zip(&answers) {
        if let Some(answer) = answer {
            own.keep_answered(tables, change, answer);
        }
    }
    let mut admitted = Vec::with_capacity(changes.len());
    for (at, change) in changes.iter().enumerate() {
        if answers[at].is_some() || first[at] != at {
            continue;
        }
        match admit(tables, at, change) {
            Ok(change) => admitted.push(change),
            Err(rejection) => {
                answers[at] = Some(Settled::rejected(rejection));
            }
        }
    }
    let fresh: Vec<usize> = (0..changes.len())
        .filter(|at| first[*at] == *at && !known.contains_key(&changes[*at].clock))
        .collect();
    admitted.sort_by_key(Admitted::clock);
    for change in &admitted {
        around.tracked(change.table, tables)?;
    }
    let mut session = Session {
        runner,
        tables,
        order: parents_first(tables.len(), &around.points()),
        around: &around,
        own,
        transaction,
        broken: None,
        has_deleted: false,
        deletes_later: false,
        remade: HashMap::new(),
        locked: vec![None; changes.len()],
        refuses_races,
    };
    if matches!(transaction, Transaction::Checked | Transaction::Callers) {
        session.begin_deferred().await?;
    }
    session
        .lock_rows(&admitted)
        .await
        .map_err(|failure| match failure {
            Failure::Raced(table, _) => UploadError::Busy {
                table: tables[table].definition.key(),
            },
            other => other.into_error(),
        })?;
    session
        .settle(admitted.iter().collect(), &mut answers)
        .await?;
    session
        .take_along(&admitted, &mut answers)
        .await
        .map_err(Failure::into_error)?;
    session.hold(changes, &fresh, &mut answers).await?;
    let answers: Vec<Settled> = first
        .iter()
        .map(|at| {
            answers[*at]
                .clone()
                .unwrap_or_else(|| Settled::rejected(invalid("not answered".into(), None)))
        })
        .collect();
    if options.transactions == Transactions::AllOrNothing {
        all(&answers)?;
    }
    let receipts = fresh.into_iter().map(|at| Receipt {
        clock: changes[at].clock,
        digest: digests[at],
        verdict: answers[at].verdict.clone(),
        stamp: answers[at].stamp,
        met: answers[at].met.clone(),
        lost: answers[at].lost,
        scope: scope.clone(),
    });
    session.keep(receipts.collect(), scope, confirmed).await?;
    let mut outcomes = session.outcomes(changes, answers, room).await?;
    outcomes.origin = around.origin().map(str::to_owned);
    // A row that was written within another scope may never have been in this one, and is then no removal of it: the replica has to begin anew.
    let mut repeated = changes.iter().filter_map(|change| known.get(&change.clock));
    let is_of_another = repeated.any(|receipt| receipt.scope != *scope);
    outcomes.scope = Some(match is_of_another {
        true => String::new(),
        false => scope.to_string(),
    });
    Ok(outcomes)
}

/// Refuses clocks that are too far ahead, before anything is applied.
fn bounded(changes: &[Change], now: Clock, options: &UploadOptions) -> Result<(), UploadError> {
    let drift = u64::try_from(options.drift.as_millis()).unwrap_or(u64::MAX);
    let bound = now.millis().saturating_add(drift);
    let ahead = changes
        .iter()
        .map(|change| change.clock)
        .find(|clock| clock.millis() > bound);
    match ahead {
        None => Ok(()),
        Some(clock) => Err(UploadError::ClockAhead {
            clock,
            server: now.instant(),
        }),
    }
}

/// Answers what was answered before; returns for each change the place of the first one of its clock.
fn repeated(
    changes: &[Change],
    digests: &[Digest],
    known: &HashMap<Clock, Receipt>,
    scope: &Arc<str>,
    answers: &mut Answers,
) -> Result<Vec<usize>, UploadError> {
    let mut first: HashMap<Clock, usize> = HashMap::with_capacity(changes.len());
    let mut places = Vec::with_capacity(changes.len());
    for (at, change) in changes.iter().enumerate() {
        let place = *first.entry(change.clock).or_insert(at);
        let receipt = known.get(&change.clock);
        let is_other = digests[place] != digests[at]
            || receipt.is_some_and(|receipt| receipt.digest != digests[at]);
        if is_other {
            return Err(UploadError::Copied {
                clock: change.clock,
            });
        }
        if let Some(receipt) = receipt {
            answers[at] = Some(Settled {
                verdict: receipt.verdict.clone(),
                stamp: receipt.stamp,
                // Another scope may not show them.
                met: receipt.met.clone().filter(|_| receipt.scope == *scope),
                lost: receipt.lost,
            });
        }
        places.push(place);
    }
    Ok(places)
}

/// Fails if any change was rejected.
fn all(answers: &[Settled]) -> Result<(), UploadError> {
    let rejections: Vec<(usize, Rejection)> = answers
        .iter()
        .enumerate()
        .filter_map(|(at, answer)| match &answer.verdict {
            Verdict::Rejected(rejection) => Some((at, rejection.clone())),
            _ => None,
        })
        .collect();
    match rejections.is_empty() {
        true => Ok(()),
        false => Err(UploadError::Refused(rejections)),
    }
}
