//! Rows that a download set aside because they couldn't be read: what the next one has to know of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many rows of a table are named, and how many bytes their ids may take: the token travels in a URL.
const MOST: usize = 32;
const BYTES: usize = 1024;

/// How long a table is not read again because of rows that are too many to be named: an hour, in microseconds. Each time would keep a copy
/// from ever being complete in one page.
const INTERVAL: i64 = 3_600_000_000;

/// That doubles as long as it is in vain, up to a day.
const LONGEST: i64 = 24 * INTERVAL;

/// The rows of one table that were set aside. A stamp does not move when a value can be read again, by a newer model for instance: so they are
/// asked for again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Aside {
    /// The ids of those that are asked for by name with each download, as they travel.
    #[serde(rename = "i", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ids: Vec<Value>,
    /// The least stamp of the others, in microseconds since 1970; zero where one has none.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
    /// When the table was last read from there on.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    tried: Option<i64>,
    /// From where it is read on, where a page ended before all of that was read.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    again: Option<i64>,
    /// The least stamp when it was last read from there on: nothing has come of it if that is still the least one.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    least: Option<i64>,
    /// How many times in a row nothing has come of it.
    #[serde(rename = "v", default, skip_serializing_if = "is_zero")]
    vain: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Aside {
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.since.is_none() && self.again.is_none()
    }

    pub(crate) fn contains(&self, id: &Value) -> bool {
        self.ids.contains(id)
    }

    /// One more; `stamp` is that of the row, if it has one.
    pub(crate) fn add(&mut self, id: Option<&Value>, stamp: Option<i64>) {
        if let Some(id) = id {
            if self.contains(id) {
                return;
            }
            let bytes = |id: &Value| id.to_string().len();
            let taken: usize = self.ids.iter().map(bytes).sum();
            if self.ids.len() < MOST && taken + bytes(id) <= BYTES {
                return self.ids.push(id.clone());
            }
        }
        if let Some(stamp) = stamp {
            self.since = Some(self.since.map_or(stamp, |since| since.min(stamp)));
        }
    }

    /// Where to read rows from because of those that have no name, if it is time; they are then met anew.
    pub(crate) fn due(&mut self, now: i64) -> Option<i64> {
        if let Some(again) = self.again.take() {
            return Some(again);
        }
        let tried = self.tried.filter(|tried| *tried <= now)?;
        if now.saturating_sub(tried) < self.interval() {
            return None;
        }
        self.tried = None;
        self.vain = match self.least == self.since {
            true => self.vain.saturating_add(1),
            false => 0,
        };
        self.least = self.since;
        self.since.take()
    }

    fn interval(&self) -> i64 {
        match self.least == self.since {
            true => LONGEST.min(INTERVAL << self.vain.min(5)),
            false => INTERVAL,
        }
    }

    /// A row that has no name has gone, or has got one: the next download reads from the least stamp on, whatever the interval is.
    pub(crate) fn hasten(&mut self) {
        self.tried = Some(0);
    }

    /// Where it is read again because of those that have no name, a page has told of some of them.
    pub(crate) fn is_half_read(&self) -> bool {
        self.again.is_some()
    }

    /// Takes over how the table was last read because of those that have no name.
    pub(crate) fn follow(&mut self, known: &Aside) {
        (self.tried, self.least, self.vain) = (known.tried, known.least, known.vain);
    }

    /// The same on its way to the next download, `now` being the database's time, and `again` from where rows are still to be read.
    pub(crate) fn dated(&self, now: i64, again: Option<i64>) -> Option<Self> {
        let is_dated = self.since.is_some() || again.is_some();
        let dated = Aside {
            tried: self.tried.or(Some(now)).filter(|_| is_dated),
            again,
            least: self.least.filter(|_| is_dated),
            vain: if is_dated { self.vain } else { 0 },
            ..self.clone()
        };
        (!dated.is_empty()).then_some(dated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_are_named_and_the_others_have_a_least_stamp() {
        let mut aside = Aside::default();
        for id in 0..100 {
            aside.add(Some(&id.into()), Some(1000 - id));
            aside.add(Some(&id.into()), Some(1000 - id));
        }
        assert_eq!(aside.ids.len(), MOST);
        assert_eq!(aside.since, Some(901));
        let mut long = Aside::default();
        for id in 0..3 {
            long.add(Some(&format!("{id}{}", "x".repeat(500)).into()), Some(7));
        }
        assert_eq!((long.ids.len(), long.since), (2, Some(7)));
    }

    #[test]
    fn the_table_is_read_again_once_an_hour() {
        let mut aside = Aside::default();
        aside.add(None, Some(5));
        let mut dated = aside.dated(10, None).unwrap();
        assert_eq!(dated.due(10 + INTERVAL - 1), None);
        assert_eq!(dated.dated(20, None), aside.dated(10, None));
        assert_eq!(dated.due(10 + INTERVAL), Some(5));
        assert_eq!(dated.dated(20, None), None);
    }

    #[test]
    fn the_table_is_read_again_at_once_when_a_row_without_a_name_has_gone() {
        let mut aside = Aside::default();
        aside.add(None, Some(5));
        aside.hasten();
        let mut dated = aside.dated(10 + INTERVAL, None).unwrap();
        assert_eq!(dated.due(10 + LONGEST), Some(5));
        let mut none = Aside::default();
        none.hasten();
        assert_eq!(none.dated(10, None), None);
    }

    /// The hours between the times that it is read again, if each finds this least stamp.
    fn hours(found: impl Fn(usize) -> i64) -> Vec<i64> {
        let (mut hours, mut now) = (Vec::new(), 0);
        let mut aside = Aside::default();
        aside.add(None, Some(found(0)));
        for time in 1..9 {
            let tried = now;
            let mut dated = aside.dated(now, None).unwrap();
            while dated.due(now).is_none() {
                now += INTERVAL;
            }
            hours.push((now - tried) / INTERVAL);
            aside = Aside::default();
            aside.follow(&dated);
            aside.add(None, Some(found(time)));
        }
        hours
    }

    #[test]
    fn the_interval_grows_while_nothing_comes_of_it() {
        assert_eq!(hours(|_| 5), [1, 1, 2, 4, 8, 16, 24, 24]);
        assert_eq!(
            hours(|time| 5 + i64::from(time > 3)),
            [1, 1, 2, 4, 1, 1, 2, 4]
        );
    }

    #[test]
    fn pages_read_on_from_where_the_last_one_ended() {
        let mut aside = Aside::default();
        aside.add(None, Some(5));
        let mut page = aside.dated(10, Some(7)).unwrap();
        assert_eq!((page.due(11), page.since), (Some(7), Some(5)));
        assert_eq!(page.due(11), None);
        assert!(Aside::default().dated(10, Some(7)).is_some());
    }
}
