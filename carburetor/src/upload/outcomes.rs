//! The answers with the server's rows.

use super::error::UploadError;
use super::session::{Failure, Session};
use super::settle::Settled;
use super::sql::Room;
use crate::change::Change;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::outcome::{Outcome, Outcomes};

impl<R: Runner> Session<'_, '_, R> {
    /// The outcomes of `changes`, whose rows have `room`: all but those that count as they were sent with the row that the scope shows now.
    pub(super) async fn outcomes(
        &mut self,
        changes: &[Change],
        answers: Vec<Settled>,
        mut room: Room,
    ) -> Result<Outcomes, UploadError> {
        let mut clock = self.around.ahead;
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(changes.len());
        for (change, answer) in changes.iter().zip(answers) {
            clock = answer
                .stamp
                .map_or(clock, |stamp| clock.max(Clock::of_database(stamp)));
            // What was accepted may itself be ahead, and is then told as it is noted.
            clock = clock.max(match change.clock > self.around.now() {
                true => change.clock.successor(),
                false => change.clock,
            });
            outcomes.push(Outcome {
                clock: change.clock,
                stamp: answer.stamp,
                verdict: answer.verdict,
                row: None,
                met: answer.met,
                unreadable: None,
                lost: answer.lost,
            });
        }
        for (table, upload) in self.tables.iter().enumerate() {
            let mut places = Vec::new();
            let mut ids = Vec::new();
            for (place, change) in changes.iter().enumerate() {
                let is_shown =
                    !outcomes[place].is_as_sent() && change.table == upload.definition.wire_name;
                // An id that can't be read has no row.
                if let Some(Ok(id)) = is_shown.then(|| super::admit::id(upload, &change.id)) {
                    places.push(place);
                    ids.push(id);
                }
            }
            let ids: Vec<_> = ids.iter().map(Vec::as_slice).collect();
            let rows = self.rows(table, &ids, &mut room).await;
            let rows = rows.map_err(Failure::into_error)?;
            for (place, shown) in places.into_iter().zip(rows) {
                if let Some(shown) = shown {
                    let stamp = shown.stamp;
                    clock = stamp.map_or(clock, |stamp| clock.max(Clock::of_database(stamp)));
                    // A part of a row would be taken for the whole.
                    outcomes[place].row = Some(shown.row).filter(|_| shown.unreadable.is_none());
                    outcomes[place].unreadable = shown.unreadable;
                }
            }
        }
        Ok(Outcomes::new(clock, outcomes))
    }
}
