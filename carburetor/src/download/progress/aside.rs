//! Rows that can't be read: set aside, told, and asked for again.

use super::Progress;
use crate::backend::SyncBackend;
use crate::download::DownloadError;
use crate::download::reading::Reading;
use crate::table::TableOn;
use crate::token::Aside;
use crate::wire::WireError;
use chrono::{DateTime, Utc};
use serde_json::Value;

impl<Id: Clone + Send + Sync + 'static> Progress<Id> {
    /// Takes what earlier downloads set aside; since when the table is to be read because of it, if it is time.
    pub(super) fn remind<M, DB>(
        &mut self,
        mut known: Aside,
        is_unfinished: bool,
    ) -> Option<DateTime<Utc>>
    where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let is_half_read = known.is_half_read();
        let due = match is_unfinished {
            true => None,
            false => known.due(self.clock.timestamp_micros()),
        };
        self.anew = due.is_some() && !is_half_read;
        for id in &known.ids {
            match M::decode_id(id.clone()) {
                Ok(readable) if !is_unfinished => self.again.push(readable),
                // It can't be asked for yet, or what follows is of others.
                _ => self.aside.add(Some(id), None),
            }
        }
        if let Some(since) = known.since {
            self.aside.add(None, Some(since));
        }
        self.aside.follow(&known);
        self.known = known;
        due.map(|since| DateTime::from_timestamp_micros(since).unwrap_or_default())
    }

    /// The ids to be asked for again.
    pub(in crate::download) fn asked_again(&self) -> &[Id] {
        &self.again
    }

    /// A row that nobody has got, because no message can name it, has gone. What was told of such rows is to be told anew, of those that are there.
    pub(in crate::download) fn nameless_went(&mut self) {
        self.aside.hasten();
    }

    /// Notes a row that can't be read, or a removal. What it is told as, unless it was told before.
    pub(in crate::download) fn set_aside(
        &mut self,
        error: WireError,
        id: Option<Value>,
        stamp: Option<i64>,
        is_row: bool,
    ) -> Result<Option<WireError>, DownloadError> {
        let error = match &id {
            Some(id) => error.of(id.clone()),
            None => error,
        };
        if self.refuses_unreadable {
            return Err(error.into());
        }
        if !is_row {
            return Ok(Some(error));
        }
        // A stamp that is no instant is later than all, or the row is never asked for by it.
        let stamp = stamp.or((!self.latest.has_stamps()).then_some(0));
        self.aside.add(id.as_ref(), stamp);
        let stamp = stamp.and_then(DateTime::from_timestamp_micros);
        if let Some(stamp) = stamp {
            let earliest = self.earliest.map_or(stamp, |earliest| earliest.min(stamp));
            self.earliest = Some(earliest);
        }
        let is_known = id.is_some_and(|id| self.known.contains(&id));
        Ok((!is_known).then_some(error))
    }

    /// What the next download is told of what was set aside.
    pub(super) fn aside_next(&self) -> Option<Aside> {
        let again = match &self.reading {
            Reading::SincePage(page) if !self.finished => {
                let rows = page.places.rows(page.beginning);
                rows.filter(|rows| *rows < page.beginning.since)
            }
            _ => None,
        };
        let again = again.map(|again| again.timestamp_micros());
        self.aside.dated(self.clock.timestamp_micros(), again)
    }

    /// The instant up to which what was delivered so far is complete for whoever goes on from it without a token: nothing that was set aside is
    /// older, unless it lies behind the horizon, from where each download would begin again.
    pub(in crate::download) fn told_until(&self) -> DateTime<Utc> {
        let complete = self.complete_until();
        let is_within =
            |earliest: &DateTime<Utc>| self.horizon.is_none_or(|horizon| *earliest >= horizon);
        let earliest = self.earliest.filter(is_within);
        earliest.map_or(complete, |earliest| earliest.min(complete))
    }
}
