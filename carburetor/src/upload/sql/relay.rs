//! The changes that a hub takes for the server above it, which decides on them.
//!
//! A replica's file that serves other devices is a hub. What it makes of their changes shows at once, and counts until the server has decided: to the
//! sender a change is held meanwhile. The replica that owns the file takes the changes from here, and writes the answers here.

use crate::change::{Change, Edit};
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::outcome::{Outcome, Verdict};
use crate::statement::{Statement, Text};
use crate::upload::UploadBackend;
use crate::upload::digest::Digest;
use crate::upload::error::UploadError;
use crate::upload::receipt::Receipt;
use crate::upload::session::Session;
use crate::upload::settle::Answers;
use crate::wire::WireError;
use std::collections::HashMap;
use std::sync::Arc;

/// Adds to `known` what is known of changes that the server above decides: that they are held, or its answers.
pub(in crate::upload) async fn relayed<R: Runner>(
    runner: &mut R,
    changes: &[Change],
    digests: &[Digest],
    scope: &Arc<str>,
    known: &mut HashMap<Clock, Receipt>,
) -> Result<(), UploadError> {
    let Some(table) = R::Backend::RELAY_TABLE else {
        return Ok(());
    };
    let sent: HashMap<Clock, (&Change, Digest)> = changes
        .iter()
        .zip(digests)
        .map(|(change, digest)| (change.clock, (change, *digest)))
        .collect();
    let clocks: Vec<Clock> = changes.iter().map(|change| change.clock).collect();
    let mut question = Statement::of(format!(
        "select clock, answer from {table} where clock in (select value from json_each("
    ));
    question.bind(Text(json(&clocks)?)).sql("))");
    for line in runner.ask(question.uncached()).await?.rows() {
        let mut texts = line.into_iter();
        let clock = texts.next().flatten().and_then(|clock| clock.parse().ok());
        let sent = clock.and_then(|clock| Some((clock, *sent.get(&clock)?)));
        let Some((clock, (change, digest))) = sent else {
            continue;
        };
        let receipt = known.entry(clock).or_insert_with(|| Receipt {
            clock,
            digest,
            verdict: Verdict::Held,
            stamp: None,
            met: None,
            lost: false,
            scope: scope.clone(),
        });
        if let Some(answer) = texts.next().flatten() {
            // One that can't be read is none.
            let Ok(answer) = serde_json::from_str::<Outcome>(&answer) else {
                continue;
            };
            receipt.stamp = receipt.stamp.filter(|_| answer.verdict == Verdict::Applied);
            receipt.lost = answer.lost;
            receipt.verdict = match answer.verdict {
                // What the hub made of it before was something else: the device needs the row as it has become.
                Verdict::Applied if receipt.stamp.is_none() && change.edit != Edit::Delete => {
                    Verdict::Merged
                }
                verdict => verdict,
            };
        }
    }
    Ok(())
}

impl<R: Runner> Session<'_, '_, R> {
    /// Hands those of the `fresh` changes that weren't rejected here to the server above, if there is one.
    pub(in crate::upload) async fn hold(
        &mut self,
        changes: &[Change],
        fresh: &[usize],
        answers: &mut Answers,
    ) -> Result<(), UploadError> {
        let Some(table) = R::Backend::RELAY_TABLE.filter(|_| self.around.relays()) else {
            return Ok(());
        };
        let mut held = Vec::new();
        for at in fresh {
            let change = &changes[*at];
            let place = self
                .tables
                .iter()
                .position(|table| table.definition.wire_name == change.table);
            let is_relayed = place.is_some_and(|place| self.around.is_relayed(place));
            let Some(answer) = answers[*at].as_mut().filter(|_| is_relayed) else {
                continue;
            };
            if matches!(answer.verdict, Verdict::Rejected(_)) {
                continue;
            }
            answer.verdict = Verdict::Held;
            answer.lost = false;
            held.push((
                change.clock,
                change.clock.millis() << 16 | u64::from(change.clock.counter()),
                &change.table,
                change.id.to_string(),
                json(change)?,
                answer.stamp.map(|stamp| stamp.timestamp_micros()),
            ));
        }
        if held.is_empty() {
            return Ok(());
        }
        let columns = ["clock", "time", "of_table", "id", "change", "stamp"];
        let values: Vec<String> = (0..columns.len())
            .map(|place| format!("value ->> {place}"))
            .collect();
        let mut statement = Statement::of(format!(
            "insert into {table} ({}, at) select {}, {} from json_each(",
            columns.join(", "),
            values.join(", "),
            R::Backend::NOW
        ));
        statement.bind(Text(json(&held)?)).sql(")");
        self.runner.ask(statement.uncached()).await?;
        Ok(())
    }

    /// Forgets the answers that a replica has heard up to `confirmed`, and no network can ask for again.
    pub(super) async fn forget_relayed(&mut self, confirmed: Clock) -> Result<(), UploadError> {
        let Some(table) = R::Backend::RELAY_TABLE.filter(|_| self.around.relays()) else {
            return Ok(());
        };
        self.runner
            .execute(&format!(
                "delete from {table} where clock <= '{confirmed}' and substr(clock, 17) = '{:016x}' and answer is not null and at < {}",
                confirmed.replica(),
                R::Backend::WHILE_AGO
            ))
            .await?;
        Ok(())
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, WireError> {
    serde_json::to_string(value).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> WireError {
    WireError::new(format!(
        "an answer of the server above can't be read: {error}"
    ))
}
