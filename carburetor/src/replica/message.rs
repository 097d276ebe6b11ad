//! A message of a download, read and checked: what is left is to write it.

use super::error::ReplicaError;
use super::file::Store;
use super::query::Stored;
use super::section::Section;
use super::table::ReplicaTable;
use super::unreadable::{Unread, readable};
use crate::clock::Clock;
use crate::scope::Left;
use crate::wire::{Version, WireError};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// One message, of a page.
pub(super) struct Message {
    /// What is new in each of the store's tables.
    pub(super) news: Vec<Option<News>>,
    pub(super) clock: Clock,
    /// How far the server's time has come at least.
    pub(super) at: Option<DateTime<Utc>>,
    /// There are more before all is of one instant.
    pub(super) more: bool,
    /// Tells the scope from others.
    pub(super) scope: Option<String>,
    /// Tells the server's database from others.
    pub(super) origin: Option<String>,
    /// The scope's keys, where they are beside the token and others than before.
    pub(super) keys: Option<String>,
    /// The token behind it.
    pub(super) next: String,
}

/// What is new in a table, as the file stores it.
pub(super) struct News {
    pub(super) reset: bool,
    pub(super) left: Option<Left>,
    pub(super) removed: Vec<Vec<Stored>>,
    pub(super) rows: Vec<Vec<Stored>>,
    cutoff: Option<DateTime<Utc>>,
    /// Rows that can't be shown.
    pub(super) unreadable: Vec<Unread>,
    /// What was told before of unreadable rows without an id is over.
    pub(super) anew: bool,
}

#[derive(Deserialize)]
struct Page<'m> {
    #[serde(rename = "carburetor")]
    _version: Version,
    #[serde(borrow, default)]
    tables: HashMap<Cow<'m, str>, &'m RawValue>,
    #[serde(default)]
    clock: Clock,
    /// A message without it is complete.
    #[serde(default)]
    more: bool,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    origin: Option<String>,
    #[serde(default)]
    keys: Option<String>,
    next: String,
}

impl Message {
    pub(super) fn read(store: &Store, line: &[u8]) -> Result<Self, ReplicaError> {
        let page: Page<'_> = serde_json::from_slice(line)
            .map_err(|error| WireError::new(format!("not a download: {error}")))?;
        let news = store.tables.iter().map(|table| {
            let section = page.tables.get(table.definition.wire_name.as_str());
            let news = section.map(|section| News::read(table, section.get()));
            news.transpose()
        });
        let news = news.collect::<Result<Vec<Option<News>>, _>>()?;
        let at = news.iter().flatten().filter_map(|news| news.cutoff).max();
        Ok(Message {
            news,
            at,
            clock: page.clock,
            more: page.more,
            scope: page.scope,
            origin: page.origin,
            keys: page.keys,
            next: page.next,
        })
    }
}

impl News {
    fn read(table: &ReplicaTable, json: &str) -> Result<Self, ReplicaError> {
        let section = Section::read(table, json)?;
        let removed = section.removed.iter().map(|id| table.admit_id(id));
        let (rows, came) = readable(table, &section.rows)?;
        let told = section.unreadable.into_iter();
        let told = told.map(|told| Unread::told(told.into_error(&table.definition.wire_name)));
        Ok(News {
            reset: section.reset,
            left: section.left,
            cutoff: section.cutoff,
            removed: removed.collect::<Result<_, _>>()?,
            rows,
            unreadable: told.chain(came).collect(),
            anew: section.anew,
        })
    }
}
