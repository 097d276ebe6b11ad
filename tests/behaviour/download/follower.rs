//! A replica in memory that follows one table within a scope.

use super::super::steady;
use super::{Conn, DB};
use carburetor::group::DownloadTables;
use carburetor::table::TableOn;
use carburetor::{Scoped, SyncGroup, SyncTable, TableNews, Timestamps, Token};
use std::collections::HashMap;
use std::hash::Hash;

/// What the replica shows, and from where it goes on.
pub(crate) struct Follower<M: SyncTable> {
    pub(crate) rows: HashMap<M::Id, M>,
    pub(crate) token: Option<Token>,
}

impl<M> Follower<M>
where
    M: TableOn<DB> + Clone + std::fmt::Debug + PartialEq,
    M::Id: Eq + Hash + Ord,
{
    /// A replica of what `scope` shows now.
    pub(crate) fn new<S>(conn: &mut Conn, scope: &S) -> Self
    where
        S: Sync,
        (M,): DownloadTables<DB, S, News = (TableNews<M>,)>,
    {
        let mut follower = Follower {
            rows: HashMap::new(),
            token: None,
        };
        let first = follower.follow(conn, scope);
        assert!(first.reset);
        follower
    }

    /// Downloads and applies; then the replica shows what a new one would show.
    pub(crate) fn follow<S>(&mut self, conn: &mut Conn, scope: &S) -> TableNews<M>
    where
        (M,): DownloadTables<DB, S, News = (TableNews<M>,)>,
    {
        let timestamps = self
            .token
            .as_ref()
            .map_or_else(Timestamps::default, Timestamps::from);
        let response = group(scope).download(conn, timestamps).unwrap();
        self.token = Some(response.next());
        let (news,) = response.into_tables();
        news.clone().apply(&mut self.rows);
        assert_eq!(self.rows, whole(conn, scope));
        news
    }

    /// The same by pages of `limit`; `between` runs after each page.
    pub(crate) fn pages<S>(
        &mut self,
        conn: &mut Conn,
        scope: &S,
        limit: u32,
        mut between: impl FnMut(&mut Conn, usize),
    ) -> Vec<TableNews<M>>
    where
        (M,): DownloadTables<DB, S, News = (TableNews<M>,)>,
    {
        let timestamps = self
            .token
            .as_ref()
            .map_or_else(Timestamps::default, Timestamps::from);
        let (mut pages, mut read) = (group(scope).pages(timestamps, limit), Vec::new());
        while let Some(page) = pages.next(conn).unwrap() {
            self.token = Some(page.next());
            let (news,) = page.into_tables();
            news.clone().apply(&mut self.rows);
            read.push(news);
            between(conn, read.len());
        }
        assert_eq!(self.token, pages.token().unwrap());
        read
    }

    /// The ids that it shows, sorted.
    pub(crate) fn ids(&self) -> Vec<M::Id> {
        let mut ids: Vec<M::Id> = self.rows.keys().cloned().collect();
        ids.sort();
        ids
    }
}

fn group<M: SyncTable, S>(scope: &S) -> Scoped<'_, (M,), S> {
    SyncGroup::scoped(scope).assuming(steady())
}

/// What `scope` shows.
pub(crate) fn whole<M, S>(conn: &mut Conn, scope: &S) -> HashMap<M::Id, M>
where
    M: TableOn<DB>,
    M::Id: Eq + Hash,
    (M,): DownloadTables<DB, S, News = (TableNews<M>,)>,
{
    let mut rows = HashMap::new();
    let response = group::<M, S>(scope).download(conn, (None,)).unwrap();
    response.into_tables().0.apply(&mut rows);
    rows
}
