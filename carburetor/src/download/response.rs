//! The combined response of a group.

use super::TableNews;
use crate::clock::Clock;
use crate::group::{SyncTables, equal};
use crate::table::SyncTable;
use crate::token::Token;
use std::any::TypeId;
use std::ops::{Deref, DerefMut};

/// What a download says of every table of the group `T`: by position (`news.0`) or by type (`news.table::<User>()`).
///
#[doc = include_str!("../../docs/examples/response.md")]
pub struct Response<T: SyncTables> {
    tables: T::News,
    clock: Clock,
    next: Token,
}

impl<T: SyncTables> Response<T> {
    pub(crate) fn new(tables: T::News, clock: Clock, next: Token) -> Self {
        Response {
            tables,
            clock,
            next,
        }
    }

    /// The token for the next download, to be stored with what was applied.
    ///
    #[doc = include_str!("../../docs/examples/response_next.md")]
    pub fn next(&self) -> Token {
        self.next.clone()
    }

    /// A clock that is not below that of any row or removal in here, nor below any that the database had accepted from ahead of its own. A replica observes
    /// it ([`Ticker::observe`](crate::clock::Ticker::observe)), so that what it writes after having seen the rows wins against them.
    ///
    /// A clock that is refused as ahead is no reason not to apply the download: the replica's time is wrong then, or a stamp is. In pages it covers those
    /// before, too. It is zero where nothing was read, and in a message that carries none.
    ///
    #[doc = include_str!("../../docs/examples/response_clock.md")]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The news of the table `M`, the first place that it has in the group. A table that has none does not compile.
    ///
    #[doc = include_str!("../../docs/examples/response_table.md")]
    pub fn table<M: SyncTable>(&self) -> &TableNews<M> {
        const {
            assert!(
                contains(T::MODELS, M::MODEL),
                "this table is not in the group"
            )
        };
        let news = T::news(&self.tables, TypeId::of::<TableNews<M>>());
        let Some(news) = news.and_then(|news| news.downcast_ref()) else {
            unreachable!("{} is in the group, as the compiler has found", M::MODEL)
        };
        news
    }

    /// The tuple of news.
    ///
    #[doc = include_str!("../../docs/examples/response_into_tables.md")]
    pub fn into_tables(self) -> T::News {
        self.tables
    }
}

impl<T: SyncTables> std::fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("tables", &T::NAMES)
            .field("clock", &self.clock)
            .field("next", &self.next)
            .finish()
    }
}

impl<T: SyncTables> Deref for Response<T> {
    type Target = T::News;

    fn deref(&self) -> &T::News {
        &self.tables
    }
}

impl<T: SyncTables> DerefMut for Response<T> {
    fn deref_mut(&mut self) -> &mut T::News {
        &mut self.tables
    }
}

const fn contains(models: &[&str], model: &str) -> bool {
    let mut place = 0;
    while place < models.len() {
        if equal(models[place], model) {
            return true;
        }
        place += 1;
    }
    false
}
