//! A download of a group under way, whatever kind of connection it runs on.

use super::ahead::Ahead;
use super::{DownloadError, Response, TableDownload, Timestamps, requests};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::cutoff::Cutoffs;
use crate::group::{DownloadTables, Scoped, VisitTable};
use crate::origin::Origin;
use crate::statement::Statement;
use crate::table::{TableDefinition, TableOn};
use crate::token::Token;
use std::marker::PhantomData;

/// The tables of a group, from the cutoff on.
pub(crate) struct Run<'s, T, S: 's, DB>
where
    DB: SyncBackend,
    T: DownloadTables<DB, S>,
{
    pub(crate) tables: T::Downloads<'s>,
    origin: Origin,
    ahead: Ahead,
    scope: PhantomData<&'s S>,
}

impl<'s, T, S, DB> Run<'s, T, S, DB>
where
    DB: SyncBackend,
    T: DownloadTables<DB, S>,
{
    pub(crate) fn new<G>(
        scoped: &Scoped<'s, T, S>,
        timestamps: &Timestamps<G>,
        definitions: &[&'static TableDefinition],
        cutoffs: &Cutoffs,
        limit: Option<i64>,
    ) -> Result<Self, DownloadError> {
        let requests = requests(timestamps, definitions, cutoffs.standing);
        let mut tables = T::begin(scoped.scope(), requests, cutoffs, limit)?;
        if scoped.refuses_unreadable() {
            T::each(&mut tables, &mut RefuseUnreadable)?;
        }
        Ok(Run {
            tables,
            origin: cutoffs.origin.clone(),
            ahead: Ahead::default(),
            scope: PhantomData,
        })
    }

    /// The cutoffs that were on their way have come.
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub(crate) fn follow(&mut self, cutoffs: &Cutoffs) {
        self.origin = cutoffs.origin.clone();
    }

    /// What was read has been delivered.
    pub(crate) fn keep(&mut self) -> Result<(), DownloadError> {
        T::each(&mut self.tables, &mut Keep)
    }

    /// Goes back to the last delivery: an error, or a future that was dropped, may have come between.
    pub(crate) fn rewind(&mut self) -> Result<(), DownloadError> {
        T::each(&mut self.tables, &mut Rewind)
    }

    /// What is read next judges the caller's transaction, in the same statements. `inside`: Diesel knows of one.
    pub(crate) fn judge(&mut self, inside: bool) -> Result<(), DownloadError> {
        T::each(&mut self.tables, &mut Judge(inside))
    }

    /// The token for what comes after everything that was delivered so far.
    pub(crate) fn token(&self) -> Result<Token, DownloadError> {
        Ok(Token {
            origin: self.origin.clone(),
            tables: T::states(&self.tables)?,
            asks_for_keys: false,
        })
    }

    /// A clock that is not below that of anything that was read so far.
    pub(crate) fn clock(&mut self) -> Result<Clock, DownloadError> {
        Ok(self.asked()?.clock.max(self.ahead.clock()))
    }

    /// What is to be read after the tables: what no header has said.
    pub(crate) fn ahead(
        &mut self,
    ) -> Result<Option<(Statement<'static, DB>, &mut Ahead)>, DownloadError> {
        let lacks_header = self.asked()?.lacks_header;
        Ok(lacks_header.then(|| (Ahead::statement(), &mut self.ahead)))
    }

    fn asked(&mut self) -> Result<AskClock, DownloadError> {
        let mut asked = AskClock::default();
        T::each(&mut self.tables, &mut asked)?;
        Ok(asked)
    }

    pub(crate) fn response(&mut self, news: T::News) -> Result<Response<T>, DownloadError> {
        self.keep()?;
        Ok(Response::new(news, self.clock()?, self.token()?))
    }

    /// A part of it has been delivered before: what comes now is not of the same instant.
    pub(crate) fn has_delivered(&mut self) -> Result<bool, DownloadError> {
        let mut asked = AskDelivered(false);
        T::each(&mut self.tables, &mut asked)?;
        Ok(asked.0)
    }

    pub(crate) fn is_finished(&self) -> bool {
        T::finished(&self.tables)
    }
}

struct Keep;

impl<DB: SyncBackend> VisitTable<DB> for Keep {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        table.keep();
        Ok(())
    }
}

struct Rewind;

impl<DB: SyncBackend> VisitTable<DB> for Rewind {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        table.rewind();
        Ok(())
    }
}

struct Judge(bool);

impl<DB: SyncBackend> VisitTable<DB> for Judge {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        table.judge(self.0);
        Ok(())
    }
}

struct RefuseUnreadable;

impl<DB: SyncBackend> VisitTable<DB> for RefuseUnreadable {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        table.refuse_unreadable();
        Ok(())
    }
}

struct AskDelivered(bool);

impl<DB: SyncBackend> VisitTable<DB> for AskDelivered {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        self.0 |= table.has_delivered();
        Ok(())
    }
}

/// What the tables know of the clock.
#[derive(Default)]
struct AskClock {
    clock: Clock,
    lacks_header: bool,
}

impl<DB: SyncBackend> VisitTable<DB> for AskClock {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError> {
        self.clock = self.clock.max(table.clock());
        self.lacks_header |= table.lacks_header();
        Ok(())
    }
}
