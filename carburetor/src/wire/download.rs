//! A download read back from its message, and written from structs.

use super::message::{closing, opening};
use super::section::{self, Unreadable};
use super::version::refused;
use super::{VERSION, WireError};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::download::news::{gone, travels};
use crate::download::unreadable::id_in;
use crate::download::{Response, TableNews};
use crate::group::{SyncGroup, SyncTables, assert_named_once, each_arity};
use crate::scope::{GroupTable, Left};
use crate::table::TableOn;
use crate::token::Token;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// A tuple of tables whose rows can be read from JSON and written to it, as `DB` maps them.
///
#[doc = include_str!("../../docs/examples/wire_tables.md")]
pub trait WireTables<DB: SyncBackend>: SyncTables {
    #[doc(hidden)]
    fn decode(message: &Message<'_>) -> Result<Self::News, WireError>;

    #[doc(hidden)]
    fn encode(news: &Self::News, out: &mut Vec<u8>) -> Result<(), WireError>;
}

/// A message taken apart as far as its tables.
///
#[doc = include_str!("../../docs/examples/message.md")]
#[derive(Debug, Deserialize)]
pub struct Message<'m> {
    #[serde(rename = "carburetor")]
    version: Option<u32>,
    #[serde(borrow, default)]
    tables: HashMap<Cow<'m, str>, &'m RawValue>,
    #[serde(default)]
    clock: Clock,
    /// The scope's keys, where they are beside the token.
    #[serde(default)]
    keys: Option<Cow<'m, str>>,
    #[serde(default)]
    next: Option<Cow<'m, str>>,
}

#[derive(Deserialize)]
struct Section {
    reset: bool,
    #[serde(default)]
    left: Option<Left>,
    removed: Vec<Value>,
    rows: Vec<Map<String, Value>>,
    #[serde(default)]
    unreadable: Vec<Unreadable>,
    cutoff: DateTime<Utc>,
}

impl<T, S> SyncGroup<T, S> {
    /// Reads a download that another program wrote as JSON, the values as `DB` maps them to Rust.
    ///
    /// Unknown tables and columns are skipped; a table that the message lacks has no news.
    ///
    #[doc = include_str!("../../docs/examples/read_json.md")]
    ///
    /// # Errors
    ///
    /// Text that is not a message of this version, or a value that does not fit: the error names table and column.
    pub fn read_json<DB>(json: &[u8]) -> Result<Response<T>, WireError>
    where
        DB: SyncBackend,
        T: WireTables<DB>,
    {
        const { assert_named_once(T::NAMES) };
        let message: Message<'_> = serde_json::from_slice(json)
            .map_err(|error| WireError::new(format!("not a download: {error}")))?;
        match message.version {
            Some(VERSION) => {}
            Some(other) => {
                return Err(WireError::new(refused("download", other)));
            }
            None => {
                return Err(WireError::new(
                    "not a download: the member `carburetor` with the version is missing",
                ));
            }
        }
        let next = message.next.as_ref().ok_or_else(|| {
            WireError::new("the download ends early: the member `next` with the token is missing")
        })?;
        let next: Result<Token, _> = match &message.keys {
            Some(keys) => format!("{next}.{keys}").parse(),
            None => next.parse(),
        };
        let next = next.map_err(|error| WireError::new(format!("not a download: {error}")))?;
        Ok(Response::new(T::decode(&message)?, message.clock, next))
    }
}

impl<T: SyncTables> Response<T> {
    /// The download as JSON, the values as `DB` maps them. What the server itself sends is written by `download_json` without structs.
    ///
    #[doc = include_str!("../../docs/examples/to_json.md")]
    ///
    /// # Errors
    ///
    /// A value that can't travel: the error names table and column.
    pub fn to_json<DB>(&self) -> Result<Vec<u8>, WireError>
    where
        DB: SyncBackend,
        T: WireTables<DB>,
    {
        const { assert_named_once(T::NAMES) };
        let mut out = Vec::new();
        opening(&mut out);
        T::encode(self, &mut out)?;
        closing(self.clock(), &self.next(), &mut out)?;
        Ok(out)
    }
}

fn decode<M: TableOn<DB>, DB: SyncBackend>(
    message: &Message<'_>,
) -> Result<TableNews<M>, WireError> {
    let Some(section) = message.tables.get(M::NAME) else {
        return Ok(TableNews::default());
    };
    let section: Section = serde_json::from_str(section.get())
        .map_err(|error| WireError::new(error.to_string()).at(M::NAME, ""))?;
    Ok(TableNews {
        reset: section.reset,
        left: section.left,
        removed: section
            .removed
            .into_iter()
            .map(M::decode_id)
            .collect::<Result<_, _>>()?,
        rows: section
            .rows
            .into_iter()
            .map(decode_row::<M, DB>)
            .collect::<Result<_, _>>()?,
        unreadable: section
            .unreadable
            .into_iter()
            .map(|told| told.into_error(M::NAME))
            .collect(),
        cutoff: section.cutoff,
        gone: gone::<M, DB>,
        travels: travels::<M, DB>,
    })
}

/// A row that travelled; an error names its id.
fn decode_row<M: TableOn<DB>, DB: SyncBackend>(row: Map<String, Value>) -> Result<M, WireError> {
    let id = id_in(M::definition(), &row);
    M::decode(row).map_err(|error| match id {
        Some(id) => error.of(id),
        None => error,
    })
}

fn encode<M: TableOn<DB>, DB: SyncBackend>(
    news: &TableNews<M>,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let put = |value: &Value, out: &mut Vec<u8>| {
        serde_json::to_writer(out, value)
            .map_err(|error| WireError::new(error.to_string()).at(M::NAME, ""))
    };
    section::open(M::NAME, news.reset, news.left.as_ref(), out)?;
    for (place, id) in news.removed.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        put(&M::encode_id(id)?, out)?;
    }
    out.extend_from_slice(section::ROWS);
    for (place, row) in news.rows.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let encoded = row.encode().map_err(|error| match M::encode_id(&row.id()) {
            Ok(id) => error.of(id),
            Err(_) => error,
        });
        put(&Value::Object(encoded?), out)?;
    }
    section::close(&news.unreadable, news.cutoff, out)
}

macro_rules! wire {
    ($($T:ident $place:tt),+) => {
        impl<DB: SyncBackend, $($T: GroupTable<Model: TableOn<DB>>),+> WireTables<DB> for ($($T,)+) {
            fn decode(message: &Message<'_>) -> Result<Self::News, WireError> {
                Ok(($(decode::<$T::Model, DB>(message)?,)+))
            }

            fn encode(news: &Self::News, out: &mut Vec<u8>) -> Result<(), WireError> {
                $(
                    if $place > 0 {
                        out.push(b',');
                    }
                    encode::<$T::Model, DB>(&news.$place, out)?;
                )+
                Ok(())
            }
        }
    };
}

each_arity!(wire);
