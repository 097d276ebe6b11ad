//! A page as a message: a download with the member `more`, held in memory up to a bound.

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
mod asynchronous;

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub(crate) use asynchronous::WritePageAsync;

use super::json::write_key;
use super::message::{clocked, ending, opening, written};
use super::rows::{Drain, Ended, JsonTable};
use super::{WireError, instant, section};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::SyncConnection;
use crate::download::budget::Budget;
use crate::download::table::TableDownload;
use crate::download::{DownloadError, Page, blocking};
use crate::group::VisitTable;
use crate::table::TableOn;
use crate::token::{Token, Written};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::io::{Error, ErrorKind};

/// The text of a page while its tables are being read.
pub(crate) struct PageText {
    page: Page,
    budget: Budget,
    room: Room,
    any: bool,
}

/// How many bytes a page may have, and whether it would have had more.
struct Room {
    bytes: usize,
    exceeded: bool,
}

impl PageText {
    /// A page of about `lines` rows and removals, in at most `bytes` and what one row takes.
    pub(crate) fn new(lines: i64, bytes: usize) -> Self {
        let mut page = Page::default();
        opening(&mut page.json);
        PageText {
            page,
            budget: Budget::of(lines),
            room: Room {
                bytes,
                exceeded: false,
            },
            any: false,
        }
    }

    /// What was read takes more bytes than there are.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.room.exceeded
    }

    /// How many bytes have been written.
    pub(crate) fn bytes(&self) -> usize {
        self.page.json.len()
    }

    /// The page that says `more` at its end, behind which comes `next`; with its keys, unless they are `held`. And the digests of those.
    pub(crate) fn finish(
        mut self,
        clock: Clock,
        more: bool,
        next: &Token,
        held: &BTreeSet<String>,
    ) -> Result<(Page, BTreeSet<String>), WireError> {
        let json = &mut self.page.json;
        clocked(clock, next, json);
        self.page.clock = clock;
        self.page.content = json.len();
        write_key("more", json);
        json.extend_from_slice(if more { b"true," } else { b"false," });
        let Written {
            token,
            keys,
            digests,
        } = written(next)?;
        let keys = keys.filter(|_| !digests.is_subset(held));
        ending(&token, keys.as_deref(), json);
        let end = json.len() - "\"}".len();
        self.page.next = end - token.len()..end;
        self.page.more = more;
        Ok((self.page, digests))
    }

    /// Writes what stands before a table; `false` if nothing of it is read now, which is said.
    fn begin<M: TableOn<DB>, DB: SyncBackend>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<bool, DownloadError> {
        let json = &mut self.page.json;
        if self.any {
            json.push(b',');
        }
        self.any = true;
        if self.budget.allows(table) {
            return Ok(true);
        }
        section::open(M::NAME, false, None, json)?;
        json.extend_from_slice(section::ROWS);
        section::close(&[], false, table.told_until(), json)?;
        self.end(table.told_until());
        Ok(false)
    }

    fn sink<M: TableOn<DB>, DB: SyncBackend>(&mut self) -> JsonTable<'_, Bounded<'_>, DB> {
        JsonTable::new::<M>(&mut self.page.json, Bounded(&mut self.room))
    }

    /// Ends a table whose lines were written.
    fn take(&mut self, table: Ended, cutoff: DateTime<Utc>) {
        self.budget.take(table.lines);
        self.page.has_news |= table.has_news;
        self.page.unreadable.extend(table.unreadable);
        self.end(cutoff);
    }

    /// Remembers where the cutoff stands that ends a table.
    fn end(&mut self, cutoff: DateTime<Utc>) {
        let written = instant::text(cutoff).len() + "\"\"}".len();
        let end = self.page.json.len();
        self.page.cutoffs.push(end.saturating_sub(written)..end);
    }
}

/// Refuses what exceeds the room.
pub(crate) struct Bounded<'p>(&'p mut Room);

impl Drain for Bounded<'_> {
    fn drain(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<()> {
        if buffer.len() > self.0.bytes {
            self.0.exceeded = true;
            return Err(Error::new(ErrorKind::FileTooLarge, "the page is full"));
        }
        Ok(())
    }
}

/// Writes the tables of a page on a synchronous connection, one after the other.
pub(crate) struct WritePage<'p, C> {
    pub(crate) conn: &'p mut C,
    pub(crate) text: &'p mut PageText,
}

impl<C: SyncConnection> VisitTable<C::Backend> for WritePage<'_, C> {
    fn visit<M: TableOn<C::Backend>>(
        &mut self,
        table: &mut TableDownload<'_, M, C::Backend>,
    ) -> Result<(), DownloadError> {
        if table.is_skipped() || !self.text.begin(table)? {
            return Ok(());
        }
        let mut sink = self.text.sink::<M, C::Backend>();
        blocking::read(self.conn, table, &mut sink)?;
        let ended = sink.ended();
        self.text.take(ended, table.told_until());
        Ok(())
    }
}
