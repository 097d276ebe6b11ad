//! A download that came as JSON, read back.

use super::ledger::Line;
use carburetor::backend::SyncBackend;
use carburetor::table::TableOn;
use carburetor::{DownloadError, TableNews, Token};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;

#[derive(Deserialize)]
struct Message {
    tables: HashMap<String, Table>,
    next: Token,
}

#[derive(Deserialize)]
struct Table {
    reset: bool,
    removed: Vec<Value>,
    rows: Vec<Map<String, Value>>,
    cutoff: String,
}

/// The news of both tables.
type News<A, E> = (TableNews<A>, TableNews<E>);

/// The news, and the token.
pub(super) fn read<DB, A, E>(json: &[u8]) -> Result<(News<A, E>, Token), DownloadError>
where
    DB: SyncBackend,
    A: Line + TableOn<DB>,
    E: Line + TableOn<DB>,
{
    let mut message: Message = serde_json::from_slice(json).map_err(std::io::Error::from)?;
    let accounts = news::<DB, A>(&mut message)?;
    let entries = news::<DB, E>(&mut message)?;
    Ok(((accounts, entries), message.next))
}

fn news<DB, M>(message: &mut Message) -> Result<TableNews<M>, DownloadError>
where
    DB: SyncBackend,
    M: Line + TableOn<DB>,
{
    let missing = || std::io::Error::other(format!("the message lacks {}", M::NAME));
    let table = message.tables.remove(M::NAME).ok_or_else(missing)?;
    let mut news = TableNews::default();
    news.reset = table.reset;
    news.cutoff = table.cutoff.parse().map_err(std::io::Error::other)?;
    for id in table.removed {
        news.removed.push(M::decode_id(id)?);
    }
    for row in table.rows {
        news.rows.push(M::decode(row)?);
    }
    Ok(news)
}
