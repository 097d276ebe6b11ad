//! A download as a message: `{"carburetor":1,"tables":{..},"clock":"..","scope":"..","next":".."}`.

use super::json::{write_key, write_string};
use super::rows::{CHUNK, Drain, JsonTable};
use super::{VERSION, WireError};
use crate::clock::Clock;
use crate::connection::SyncConnection;
use crate::download::table::TableDownload;
use crate::download::{DownloadError, blocking};
use crate::group::VisitTable;
use crate::table::TableOn;
use crate::token::{Token, Written};
use std::io::Write;

/// The text before the first table.
pub(crate) fn opening(buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(format!("{{\"carburetor\":{VERSION},\"tables\":{{").as_bytes());
}

/// The text after the last table.
pub(crate) fn closing(clock: Clock, next: &Token, buffer: &mut Vec<u8>) -> Result<(), WireError> {
    clocked(clock, next, buffer);
    let Written { token, keys, .. } = written(next)?;
    ending(&token, keys.as_deref(), buffer);
    Ok(())
}

pub(super) fn written(token: &Token) -> Result<Written, WireError> {
    token
        .written()
        .map_err(|_| WireError::new("a key of the scope can't be written as JSON"))
}

/// The end of the tables, the clock, and the scope and the origin of the token.
pub(super) fn clocked(clock: Clock, next: &Token, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(b"},");
    write_key("clock", buffer);
    write_string(&clock.to_string(), buffer);
    buffer.push(b',');
    write_key("scope", buffer);
    write_string(&next.scope(), buffer);
    buffer.push(b',');
    if let Some(origin) = next.origin() {
        write_key("origin", buffer);
        write_string(origin, buffer);
        buffer.push(b',');
    }
}

/// The keys beside the token, if they are to be told, the token, and the end.
pub(super) fn ending(next: &str, keys: Option<&str>, buffer: &mut Vec<u8>) {
    if let Some(keys) = keys {
        write_key("keys", buffer);
        write_string(keys, buffer);
        buffer.push(b',');
    }
    write_key("next", buffer);
    write_string(next, buffer);
    buffer.push(b'}');
}

/// Writes the tables of a group on a synchronous connection, one after the other.
pub(crate) struct WriteTables<'w, C, W> {
    pub(crate) conn: &'w mut C,
    pub(crate) buffer: Vec<u8>,
    pub(crate) writer: &'w mut W,
    pub(crate) any: bool,
}

impl<C, W> VisitTable<C::Backend> for WriteTables<'_, C, W>
where
    C: SyncConnection,
    W: Write,
{
    fn visit<M: TableOn<C::Backend>>(
        &mut self,
        table: &mut TableDownload<'_, M, C::Backend>,
    ) -> Result<(), DownloadError> {
        if table.is_finished() {
            return Ok(());
        }
        if self.any {
            self.buffer.push(b',');
        }
        self.any = true;
        let mut sink = JsonTable::new::<M>(&mut self.buffer, Chunks(self.writer));
        blocking::read(self.conn, table, &mut sink)
    }
}

/// Passes full chunks on to a writer.
struct Chunks<'w, W>(&'w mut W);

impl<W: Write> Drain for Chunks<'_, W> {
    fn drain(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<()> {
        if buffer.len() >= CHUNK {
            self.0.write_all(buffer)?;
            buffer.clear();
        }
        Ok(())
    }
}
