//! What somebody holds of what a server has told him.

use serde_json::Value;
use std::collections::BTreeMap;

/// The rows, and the token with which he asks on.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) token: Option<String>,
    /// The titles, by id.
    pub(super) rows: BTreeMap<String, String>,
    pub(super) stamps: BTreeMap<String, Value>,
}

impl Held {
    /// Takes a page.
    pub(super) fn take(&mut self, page: &Value) {
        let notes = &page["tables"]["notes"];
        if notes["reset"] == true {
            self.rows.clear();
        }
        for id in notes["removed"].as_array().into_iter().flatten() {
            let id = id.as_str().unwrap_or_else(|| panic!("{page}"));
            self.rows.remove(id);
        }
        for row in notes["rows"].as_array().unwrap() {
            let id = row["id"].as_str().unwrap().to_owned();
            self.stamps.insert(id.clone(), row["at"].clone());
            self.rows.insert(id, row["title"].as_str().unwrap().into());
        }
        self.token = Some(page["next"].as_str().unwrap().to_owned());
    }
}
