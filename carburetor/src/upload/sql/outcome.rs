//! The stored outcomes, and the greatest clock that was ahead.

use crate::backend::SyncBackend;
use crate::change::Change;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::statement::{Statement, Text};
use crate::table::literal;
use crate::upload::UploadBackend;
use crate::upload::error::UploadError;
use crate::upload::receipt::{self, Receipt};
use crate::upload::session::Session;
use crate::wire::WireError;
use diesel::QueryResult;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// From so many changes on, planning a statement is nothing beside a plan that was made while a table was empty: that reads the whole table for every
/// row, until the statistics are taken again.
const BULK: usize = 100;

/// Keeps other uploads of the same replicas, or all writers, away until this transaction ends, of which each statement may take so long.
pub(in crate::upload) async fn lock<R: Runner>(
    runner: &mut R,
    changes: &[Change],
    time: Option<Duration>,
) -> QueryResult<()> {
    let limit = time.and_then(R::Backend::limit_statements);
    let plan_again = R::Backend::PLAN_AGAIN.filter(|_| changes.len() >= BULK);
    let replicas = by_replica(changes.iter().map(|change| change.clock));
    let locks = replicas.into_keys().filter_map(R::Backend::lock_replica);
    let durable = R::Backend::DURABLE;
    let once = R::Backend::LOCK_ALL.into_iter().chain(durable);
    let once = once.chain(plan_again).map(str::to_owned);
    let statements: Vec<String> = limit.into_iter().chain(once).chain(locks).collect();
    if statements.is_empty() {
        return Ok(());
    }
    // In one message.
    runner.execute(&statements.join("; ")).await
}

/// What changes with the clocks of `changes` were answered with.
pub(in crate::upload) async fn receipts<R: Runner>(
    runner: &mut R,
    changes: &[Change],
) -> Result<HashMap<Clock, Receipt>, UploadError> {
    let mut known = HashMap::new();
    for (replica, (first, last)) in by_replica(changes.iter().map(|change| change.clock)) {
        let question = Statement::of(format!(
            "select outcomes from {} where replica = '{replica:016x}' and last >= '{first}' and first <= '{last}'",
            R::Backend::OUTCOME_TABLE
        ));
        for text in runner.ask(question.uncached()).await?.values() {
            // What can't be read was never answered: the changes are decided once more, by the clocks of what they wrote.
            let receipts = receipt::read(&text).unwrap_or_default();
            known.extend(receipts.into_iter().map(|receipt| (receipt.clock, receipt)));
        }
    }
    Ok(known)
}

impl<R: Runner> Session<'_, '_, R> {
    /// Stores `receipts` of changes that were taken within `scope`, forgets what the replica has confirmed and no network can repeat any more, and remembers the greatest clock that is ahead.
    pub(in crate::upload) async fn keep(
        &mut self,
        receipts: Vec<Receipt>,
        scope: &str,
        confirmed: Option<Clock>,
    ) -> Result<(), UploadError> {
        let table = R::Backend::OUTCOME_TABLE;
        let greatest = receipts.iter().map(|receipt| receipt.clock).max();
        for (replica, (first, last)) in by_replica(receipts.iter().map(|receipt| receipt.clock)) {
            let own = receipts
                .iter()
                .filter(|receipt| receipt.clock.replica() == replica);
            let text = receipt::write(scope, own);
            let text = text.map_err(|error| WireError::new(error.to_string()))?;
            let mut statement = Statement::of(format!(
                "insert into {table} (replica, first, last, outcomes, at) select '{replica:016x}', '{first}', '{last}', "
            ));
            statement
                .bind(Text(text))
                .sql(format!(", {}", R::Backend::NOW));
            self.runner.ask(statement.uncached()).await?;
        }
        if let Some(confirmed) = confirmed {
            self.runner
                .execute(&format!(
                    "delete from {table} where replica = '{:016x}' and last <= '{confirmed}' and at < {}",
                    confirmed.replica(),
                    R::Backend::WHILE_AGO
                ))
                .await?;
            self.forget_relayed(confirmed).await?;
        }
        if let Some(ahead) = greatest.filter(|clock| *clock > self.around.now()) {
            // Every download shows it, and nobody may learn from it which replicas others have.
            let ahead = literal(&ahead.successor().to_string());
            // What is no clock outweighs none.
            let noted = &self.around.noted;
            let or_garbled = match noted.is_empty() || noted.parse::<Clock>().is_ok() {
                true => String::new(),
                false => format!(" or ahead = {}", literal(noted)),
            };
            self.runner
                .execute(&format!(
                    "update {} set ahead = {ahead} where ahead < {ahead}{or_garbled}",
                    R::Backend::CLOCK_TABLE
                ))
                .await?;
        }
        Ok(())
    }
}

/// The first and the last clock of each replica.
fn by_replica(clocks: impl Iterator<Item = Clock>) -> BTreeMap<u64, (Clock, Clock)> {
    let mut replicas = BTreeMap::new();
    for clock in clocks {
        let (first, last) = replicas.entry(clock.replica()).or_insert((clock, clock));
        *first = clock.min(*first);
        *last = clock.max(*last);
    }
    replicas
}
