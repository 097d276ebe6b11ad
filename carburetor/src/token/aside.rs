//! Rows that a download set aside because they couldn't be read: what the next one has to know of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many rows of a table are named, and how many bytes their ids may take: the token travels in a URL.
const MOST: usize = 32;
const BYTES: usize = 1024;

/// How often a table is read again because of rows that are too many to be named: once an hour, in microseconds. Each time would keep a copy
/// from ever being complete in one page.
const INTERVAL: i64 = 3_600_000_000;

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
}

impl Aside {
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.since.is_none()
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

    /// Where to read from now on because of those that have no name, if it is time; they are then met anew.
    pub(crate) fn due(&mut self, now: i64) -> Option<i64> {
        let tried = self.tried.filter(|tried| *tried <= now)?;
        if now.saturating_sub(tried) < INTERVAL {
            return None;
        }
        self.tried = None;
        self.since.take()
    }

    /// Takes over when the table was last read because of those that have no name.
    pub(crate) fn follow(&mut self, known: &Aside) {
        self.tried = known.tried;
    }

    /// The same on its way to the next download, `now` being the database's time.
    pub(crate) fn dated(&self, now: i64) -> Option<Self> {
        let dated = Aside {
            tried: self.since.map(|_| self.tried.unwrap_or(now)),
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
        let mut dated = aside.dated(10).unwrap();
        assert_eq!(dated.due(10 + INTERVAL - 1), None);
        assert_eq!(dated.dated(20), aside.dated(10));
        assert_eq!(dated.due(10 + INTERVAL), Some(5));
        assert_eq!(dated.dated(20), None);
    }
}
