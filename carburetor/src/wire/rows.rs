//! The lines of one table as JSON, written as they come from the database.

use super::json::write_key;
use super::section;
use crate::backend::SyncBackend;
use crate::download::DownloadError;
use crate::download::table::{About, Sink};
use crate::download::unreadable::Taken;
use crate::table::TableOn;
use crate::wire::{Codec, WireError};
use chrono::{DateTime, Utc};
use diesel::result::{Error, UnexpectedEndOfRow};
use diesel::row::Row;

/// Where JSON goes while it is being written.
pub(crate) trait Drain {
    /// Takes what is in `buffer`, if it is time.
    fn drain(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<()>;
}

/// How much is written before it is passed on.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Writes one table's section of a message.
pub(crate) struct JsonTable<'m, D, DB: SyncBackend> {
    pub(super) buffer: &'m mut Vec<u8>,
    pub(super) drain: D,
    name: &'static str,
    columns: Vec<Column<DB>>,
    ids: Vec<usize>,
    part: Part,
    /// How many bytes the rows have made.
    passed: u64,
    lines: usize,
    /// Rows went without being named.
    cleared: bool,
    /// Of those that can't be named all are told anew.
    anew: bool,
    /// What is told of rows that can't travel.
    unreadable: Vec<WireError>,
}

/// What was written of a table.
pub(super) struct Ended {
    /// How many rows and removals.
    pub(super) lines: usize,
    /// Something besides what stands around rows.
    pub(super) has_news: bool,
    /// What is told of rows that can't travel.
    pub(super) unreadable: Vec<WireError>,
}

struct Column<DB: SyncBackend> {
    name: &'static str,
    /// `"name":`, after a comma where one is due.
    key: Vec<u8>,
    codec: &'static Codec<DB>,
}

/// Which array is open, and whether it has an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Removed { any: bool },
    Rows { any: bool },
}

impl<'m, D, DB: SyncBackend> JsonTable<'m, D, DB> {
    pub(crate) fn new<M: TableOn<DB>>(buffer: &'m mut Vec<u8>, drain: D) -> Self {
        let definition = M::definition();
        let named = definition.downloaded().zip(M::codecs()).enumerate();
        let columns = named.map(|(place, (column, codec))| {
            let mut key = if place == 0 {
                Vec::new()
            } else {
                b",".to_vec()
            };
            write_key(&column.name, &mut key);
            Column {
                name: &column.name,
                key,
                codec,
            }
        });
        let ids = definition
            .downloaded()
            .enumerate()
            .filter(|(_, column)| column.id);
        JsonTable {
            buffer,
            drain,
            name: M::NAME,
            columns: columns.collect(),
            ids: ids.map(|(place, _)| place).collect(),
            part: Part::Removed { any: false },
            passed: 0,
            lines: 0,
            cleared: false,
            anew: false,
            unreadable: Vec::new(),
        }
    }

    /// What has been written, at the table's end.
    pub(super) fn ended(self) -> Ended {
        Ended {
            lines: self.lines,
            has_news: self.cleared || self.lines > 0 || !self.unreadable.is_empty(),
            unreadable: self.unreadable,
        }
    }

    /// Takes back what was written of a row or a removal.
    fn take_back(&mut self, before: usize, part: Part) {
        self.buffer.truncate(before);
        self.part = part;
    }

    fn value<'r>(
        &mut self,
        row: &impl Row<'r, DB>,
        at: usize,
        place: usize,
    ) -> Result<Taken, DownloadError> {
        let column = &self.columns[place];
        let field = row
            .get(at + place)
            .ok_or_else(|| Error::DeserializationError(Box::new(UnexpectedEndOfRow)))?;
        Ok(DB::write(column.codec, &field, self.buffer)
            .map_err(|error| error.at(self.name, column.name)))
    }
}

impl<M, D, DB> Sink<M, DB> for JsonTable<'_, D, DB>
where
    M: TableOn<DB>,
    D: Drain,
    DB: SyncBackend,
{
    fn passed_on(&self) -> Option<u64> {
        Some(self.passed)
    }

    fn begin(&mut self, about: &About<'_>) -> Result<(), DownloadError> {
        self.cleared |= about.reset || about.left.is_some() || about.anew;
        self.anew |= about.anew;
        section::open(self.name, about.reset, about.left, self.buffer)?;
        Ok(())
    }

    fn row<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<Taken, DownloadError> {
        let (begun, part) = (self.buffer.len(), self.part);
        self.buffer.extend_from_slice(match self.part {
            Part::Removed { .. } => section::ROWS,
            Part::Rows { any: true } => b",",
            Part::Rows { any: false } => b"",
        });
        self.part = Part::Rows { any: true };
        let before = self.buffer.len();
        self.buffer.push(b'{');
        for place in 0..self.columns.len() {
            self.buffer.extend_from_slice(&self.columns[place].key);
            if let Err(error) = self.value(row, at, place)? {
                self.take_back(begun, part);
                return Ok(Err(error));
            }
        }
        self.buffer.push(b'}');
        self.lines += 1;
        self.passed += (self.buffer.len() - before) as u64;
        Ok(Ok(self.drain.drain(self.buffer)?))
    }

    fn removed<'r>(&mut self, row: &impl Row<'r, DB>, at: usize) -> Result<Taken, DownloadError> {
        let (begun, before) = (self.buffer.len(), self.part);
        match &mut self.part {
            Part::Removed { any: true } => self.buffer.push(b','),
            Part::Removed { any } => *any = true,
            Part::Rows { .. } => return Err(DownloadError::OutOfOrder),
        }
        let alone = self.ids.len() == 1;
        if !alone {
            self.buffer.push(b'[');
        }
        for part in 0..self.ids.len() {
            if part > 0 {
                self.buffer.push(b',');
            }
            if let Err(error) = self.value(row, at, self.ids[part])? {
                self.take_back(begun, before);
                return Ok(Err(error));
            }
        }
        if !alone {
            self.buffer.push(b']');
        }
        self.lines += 1;
        Ok(Ok(self.drain.drain(self.buffer)?))
    }

    fn unreadable(&mut self, error: WireError) {
        self.unreadable.push(error);
    }

    fn end(&mut self, cutoff: DateTime<Utc>) -> Result<(), DownloadError> {
        if let Part::Removed { .. } = self.part {
            self.buffer.extend_from_slice(section::ROWS);
        }
        section::close(&self.unreadable, self.anew, cutoff, self.buffer)?;
        Ok(())
    }
}
