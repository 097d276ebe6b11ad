//! A download read back from its message, and written from structs.

use super::message::{closing, opening};
use super::readable::Readable;
use super::section::{self, Unreadable};
use super::version::refused;
use super::{VERSION, WireError};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::download::news::{gone, travels};
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
use std::marker::PhantomData;

/// A tuple of tables whose rows can be read from JSON and written to it, as `DB` maps them.
///
#[doc = include_str!("../../docs/examples/wire_tables.md")]
pub trait WireTables<DB: SyncBackend>: SyncTables {
    #[doc(hidden)]
    fn decode(message: &Message<'_>, next: &mut Token) -> Result<Self::News, WireError>;

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
    /// Unknown tables and columns are skipped; a table that the message lacks has no news. A row with a value that the model can't read is told among
    /// [`unreadable`](crate::TableNews::unreadable), and the token asks for it again.
    ///
    #[doc = include_str!("../../docs/examples/read_json.md")]
    ///
    /// # Errors
    ///
    /// Text that is not a message of this version, or a row that lacks a column which the model needs: the error names table and column.
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
        let mut next = next.map_err(|error| WireError::new(format!("not a download: {error}")))?;
        let tables = T::decode(&message, &mut next)?;
        Ok(Response::new(tables, message.clock, next))
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
    next: &mut Token,
) -> Result<TableNews<M>, WireError> {
    let Some(section) = message.tables.get(M::NAME) else {
        return Ok(TableNews::default());
    };
    let section: Section = serde_json::from_str(section.get())
        .map_err(|error| WireError::new(error.to_string()).at(M::NAME, ""))?;
    let told = section.unreadable.into_iter();
    let mut read = Readable::<M, DB> {
        rows: Vec::with_capacity(section.rows.len()),
        removed: Vec::with_capacity(section.removed.len()),
        unreadable: told.map(|told| told.into_error(M::NAME)).collect(),
        cutoff: section.cutoff,
        state: next.tables.iter_mut().find(|state| state.name == M::NAME),
        backend: PhantomData,
    };
    for id in section.removed {
        read.removal(id);
    }
    for row in section.rows {
        read.row(row)?;
    }
    Ok(TableNews {
        reset: section.reset,
        left: section.left,
        removed: read.removed,
        rows: read.rows,
        unreadable: read.unreadable,
        cutoff: read.cutoff,
        gone: gone::<M, DB>,
        travels: travels::<M, DB>,
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
    section::close(&news.unreadable, false, news.cutoff, out)
}

macro_rules! wire {
    ($($T:ident $place:tt),+) => {
        impl<DB: SyncBackend, $($T: GroupTable<Model: TableOn<DB>>),+> WireTables<DB> for ($($T,)+) {
            fn decode(message: &Message<'_>, next: &mut Token) -> Result<Self::News, WireError> {
                Ok(($(decode::<$T::Model, DB>(message, next)?,)+))
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
