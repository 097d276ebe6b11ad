//! Downloads by pages.

use super::page_size::PageSize;
use super::run::Run;
use super::{DownloadError, Page, Timestamps};
use crate::backend::SyncBackend;
use crate::cutoff::Cutoffs;
use crate::group::{DownloadTables, Scoped, SyncGroup};
use crate::origin::Origin;
use crate::scope::Everyone;
use crate::table::TableDefinition;
use crate::token::Token;
use crate::wire::page::PageText;
use std::collections::BTreeSet;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
use std::time::Duration;

/// A download in pages, with one cutoff for all of them.
///
/// Pages are of different instants: apply each when it comes, but show the tables to a reader only after the last one. A download from the beginning
/// goes in order of the id, any other in order of stamp and id.
///
#[doc = include_str!("../../docs/examples/pages.md")]
pub struct Pages<'s, T, S, DB>
where
    DB: SyncBackend,
    T: DownloadTables<DB, S>,
{
    pub(super) scoped: Scoped<'s, T, S>,
    timestamps: Timestamps<SyncGroup<T, S>>,
    pub(super) limit: i64,
    pub(super) size: PageSize,
    pub(super) run: Option<Run<'s, T, S, DB>>,
    /// The digests of the keys that whoever gets the pages holds.
    held: BTreeSet<String>,
    /// How long a statement of a page that is written as JSON may take.
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub(super) time: Option<Duration>,
}

impl<T, S, DB> std::fmt::Debug for Pages<'_, T, S, DB>
where
    DB: SyncBackend,
    T: DownloadTables<DB, S>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages")
            .field("tables", &T::NAMES)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl<T> SyncGroup<T> {
    /// Downloads by pages of at most `limit` rows and removals. See [`Scoped::pages`].
    ///
    #[doc = include_str!("../../docs/examples/group_pages.md")]
    pub fn pages<DB>(
        timestamps: impl Into<Timestamps<Self>>,
        limit: u32,
    ) -> Pages<'static, T, Everyone, DB>
    where
        DB: SyncBackend,
        T: DownloadTables<DB, Everyone>,
    {
        Self::scoped(&Everyone).pages(timestamps, limit)
    }
}

impl<'s, T, S> Scoped<'s, T, S> {
    /// Downloads by pages of about `limit` rows and removals, at least one.
    ///
    #[doc = include_str!("../../docs/examples/scoped_pages.md")]
    pub fn pages<DB>(
        self,
        timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
        limit: u32,
    ) -> Pages<'s, T, S, DB>
    where
        DB: SyncBackend,
        T: DownloadTables<DB, S>,
    {
        let limit = i64::from(limit.max(1));
        let timestamps = timestamps.into();
        Pages {
            held: timestamps.held(),
            scoped: self,
            timestamps,
            limit,
            size: PageSize::new(limit),
            run: None,
            #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
            time: None,
        }
    }
}

impl<'s, T, S, DB> Pages<'s, T, S, DB>
where
    DB: SyncBackend,
    T: DownloadTables<DB, S>,
{
    /// The token for what comes after the pages so far: a later download, by pages or not, goes on from there.
    ///
    /// `None` before the first page. Between two pages of what changed it knows the last stamp, not the last id: rows of that stamp come again, so a `limit` must be
    /// greater than the number of rows that share one stamp where each page begins with a token (a bulk update of an untracked table). The
    /// same [`Pages`] has no such limit.
    ///
    #[doc = include_str!("../../docs/examples/pages_token.md")]
    pub fn token(&self) -> Result<Option<Token>, DownloadError> {
        let token = self.run.as_ref().map(Run::token).transpose()?;
        Ok(token.map(|token| token.noting(&self.held)))
    }

    /// Pages that are written as JSON have at most `bytes`, or a single line of each kind: 16 MiB unless told. One that would have more is read
    /// again with half the rows.
    ///
    #[doc = include_str!("../../docs/examples/page_bytes.md")]
    pub fn page_bytes(mut self, bytes: usize) -> Self {
        self.size.bytes = bytes;
        self
    }

    /// Ends what a page is read with after so long, where the database can be told so.
    #[cfg(all(
        feature = "axum",
        any(feature = "async-postgres", feature = "async-sqlite")
    ))]
    pub(crate) fn limit_time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Goes back to the end of the last page that was delivered; `true` if it was the last of all.
    pub(super) fn is_over(&mut self) -> Result<bool, DownloadError> {
        match &mut self.run {
            None => Ok(false),
            Some(run) => {
                run.rewind()?;
                Ok(run.is_finished())
            }
        }
    }

    /// Ends a page whose tables have been read.
    pub(super) fn deliver(&mut self, text: PageText) -> Result<Option<Page>, DownloadError> {
        self.size.grow(&text);
        let Some(run) = &mut self.run else {
            return Ok(None);
        };
        let whole = !run.has_delivered()? && run.is_finished();
        run.keep()?;
        let (page, held) = text.finish(run.clock()?, !whole, &run.token()?, &self.held)?;
        self.held.extend(held);
        Ok(Some(page))
    }

    /// The origin of what it goes on from.
    pub(super) fn origin(&self) -> Origin {
        self.timestamps.origin()
    }

    pub(super) fn begin(
        &mut self,
        definitions: &[&'static TableDefinition],
        cutoffs: &Cutoffs,
    ) -> Result<&mut Run<'s, T, S, DB>, DownloadError> {
        let run = Run::new(
            &self.scoped,
            &self.timestamps,
            definitions,
            cutoffs,
            Some(self.limit),
        )?;
        Ok(self.run.insert(run))
    }
}
