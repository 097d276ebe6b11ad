//! Downloads by pages.

use super::run::Run;
use super::{DownloadError, Timestamps};
use crate::backend::SyncBackend;
use crate::cutoff::Cutoffs;
use crate::group::{DownloadTables, Scoped, SyncGroup};
use crate::scope::Everyone;
use crate::table::TableDefinition;
use crate::token::Token;

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
    pub(super) run: Option<Run<'s, T, S, DB>>,
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
        Pages {
            scoped: self,
            timestamps: timestamps.into(),
            limit: i64::from(limit.max(1)),
            run: None,
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
        self.run.as_ref().map(Run::token).transpose()
    }

    /// Whether the last page has come; `false` before the first one.
    ///
    #[doc = include_str!("../../docs/examples/pages_token.md")]
    pub fn is_finished(&self) -> bool {
        self.run.as_ref().is_some_and(Run::is_finished)
    }

    pub(super) fn begin(
        &mut self,
        definitions: &[&'static TableDefinition],
        cutoffs: &Cutoffs,
    ) -> Result<&mut Run<'s, T, S, DB>, DownloadError> {
        let run = Run::new(
            self.scoped.scope(),
            &self.timestamps,
            definitions,
            cutoffs,
            Some(self.limit),
        )?;
        Ok(self.run.insert(run))
    }
}
