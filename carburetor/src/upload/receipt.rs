//! Stored outcomes: what a change that comes again is answered with.

use super::digest::Digest;
use crate::clock::Clock;
use crate::outcome::{Outcome, Verdict};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The outcome of one change, as it is stored. The row is not: who asks again is shown what his scope shows then.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Receipt {
    pub(super) clock: Clock,
    /// What the change said.
    pub(super) digest: Digest,
    pub(super) verdict: Verdict,
    /// The row's stamp after the write.
    pub(super) stamp: Option<DateTime<Utc>>,
    /// See [`Outcome::met`].
    pub(super) met: Option<Map<String, Value>>,
    /// See [`Outcome::lost`].
    pub(super) lost: bool,
    /// The scope within which the change was taken.
    pub(super) scope: Arc<str>,
}

/// Clock, digest, stamp in microseconds, and the outcome unless it is `applied`, which most are.
type Stored = (Clock, Digest, Option<i64>, Option<Outcome>);

/// The text of `receipts` of one scope.
pub(super) fn write<'r>(
    scope: &str,
    receipts: impl Iterator<Item = &'r Receipt>,
) -> serde_json::Result<String> {
    let stored: Vec<Stored> = receipts
        .map(|receipt| {
            let outcome = (receipt.verdict != Verdict::Applied).then(|| Outcome {
                met: receipt.met.clone(),
                lost: receipt.lost,
                ..Outcome::new(receipt.clock, receipt.verdict.clone())
            });
            let stamp = receipt.stamp.map(|stamp| stamp.timestamp_micros());
            (receipt.clock, receipt.digest, stamp, outcome)
        })
        .collect();
    serde_json::to_string(&(scope, stored))
}

/// The receipts that a text holds.
pub(super) fn read(text: &str) -> serde_json::Result<Vec<Receipt>> {
    let (scope, stored): (String, Vec<Stored>) = serde_json::from_str(text)?;
    let scope: Arc<str> = scope.into();
    let receipt = |(clock, digest, stamp, outcome): Stored| {
        let outcome = outcome.unwrap_or_else(|| Outcome::new(clock, Verdict::Applied));
        Receipt {
            clock,
            digest,
            verdict: outcome.verdict,
            stamp: stamp.and_then(DateTime::from_timestamp_micros),
            met: outcome.met,
            lost: outcome.lost,
            scope: scope.clone(),
        }
    };
    Ok(stored.into_iter().map(receipt).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Code, Rejection};

    #[test]
    fn a_receipt_reads_back() {
        let rejected = Verdict::Rejected(Rejection {
            code: Code::Constraint,
            message: "users_email_key".into(),
            field: Some("users_email_key".into()),
        });
        let superseded = Verdict::Superseded;
        let verdicts = [Verdict::Applied, Verdict::Merged, superseded, rejected];
        let receipts = verdicts.map(|verdict| Receipt {
            clock: Clock::new(5, 6, 7),
            digest: Digest(0x00ff),
            stamp: DateTime::from_timestamp_micros(8),
            met: (verdict == Verdict::Merged).then(|| Map::from_iter([("a".into(), 1.into())])),
            lost: verdict == Verdict::Superseded,
            verdict,
            scope: "red".into(),
        });
        let text = write("red", receipts.iter()).unwrap();
        assert_eq!(read(&text).unwrap(), receipts);
    }
}
