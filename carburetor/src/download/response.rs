//! The combined response of a group.

use super::TableNews;
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
    next: Token,
}

impl<T: SyncTables> Response<T> {
    pub(crate) fn new(tables: T::News, next: Token) -> Self {
        Response { tables, next }
    }

    /// The token for the next download, to be stored with what was applied.
    ///
    #[doc = include_str!("../../docs/examples/response_next.md")]
    pub fn next(&self) -> Token {
        self.next.clone()
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
