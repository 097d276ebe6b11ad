//! Tuples of tables: take the tuple apart, ask each table, put the answers together.

use super::SyncGroup;
use super::arity::each_arity;
use crate::backend::SyncBackend;
use crate::connection::SyncConnection;
use crate::cutoff::Cutoffs;
use crate::download::budget::Budget;
use crate::download::table::Request;
use crate::download::{DownloadError, TableDownload, TableNews, Timestamps, blocking};
use crate::scope::{DownloadTable, GroupTable};
use crate::since::Since;
use crate::table::{SyncTable, TableDefinition, TableOn};
use crate::token::TableState;
use chrono::{DateTime, Utc};
use std::any::{Any, TypeId};

/// A tuple of 1 to 16 synced tables (32 with the feature `thirty-two-tables`).
///
#[doc = include_str!("../../docs/examples/sync_tables.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of synced tables",
    note = "a group is a tuple of 1 to 16 tables (32 with the feature `thirty-two-tables`), each deriving `SyncTable` or wrapped in `Filtered`; a single one is written `(User,)`"
)]
pub trait SyncTables: 'static {
    /// The news of each table, in order.
    type News: Send + 'static;
    /// The names on the wire, in order.
    const NAMES: &'static [&'static str];
    /// Which models they are, in order.
    #[doc(hidden)]
    const MODELS: &'static [&'static str];

    /// The news of the given type, if a table has it.
    #[doc(hidden)]
    fn news(news: &Self::News, of: TypeId) -> Option<&dyn Any>;
}

/// A message names each table once. Called where a message is written or read, in a `const` block.
pub(crate) const fn assert_named_once(names: &[&str]) {
    let mut place = 0;
    while place < names.len() {
        let mut other = place + 1;
        while other < names.len() {
            assert!(
                !equal(names[place], names[other]),
                "two tables of the group have one name on the wire: give one model another by `#[sync(name = \"..\")]`"
            );
            other += 1;
        }
        place += 1;
    }
}

/// Whether two texts are one, asked while compiling.
pub(crate) const fn equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A tuple of tables that can be tracked on `DB`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be tracked on `{DB}`",
    note = "each table derives `SyncTable`, and neither the features of carburetor nor `#[sync(backends(..))]` leave the backend out"
)]
pub trait TrackTables<DB: SyncBackend>: SyncTables {
    /// The definitions, in order.
    #[doc(hidden)]
    fn definitions() -> Vec<&'static TableDefinition>;
}

/// A tuple of tables that can be downloaded from `DB` within a scope `S`.
///
#[doc = include_str!("../../docs/examples/download_tables.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be downloaded from `{DB}` within the scope `{S}`",
    note = "each table needs `SyncScope` for the scope, and each filter `SyncFilter`",
    note = "a group is a tuple; a single table is written `(User,)`"
)]
#[allow(
    private_interfaces,
    private_bounds,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
pub trait DownloadTables<DB: SyncBackend, S>: TrackTables<DB> {
    /// The downloads of each table.
    #[doc(hidden)]
    type Downloads<'s>: Send
    where
        S: 's;

    #[doc(hidden)]
    fn begin<'s>(
        scope: &'s S,
        requests: Vec<Request>,
        cutoffs: &Cutoffs,
        limit: Option<i64>,
    ) -> Result<Self::Downloads<'s>, DownloadError>;

    #[doc(hidden)]
    fn states<'s>(tables: &Self::Downloads<'s>) -> Result<Vec<TableState>, DownloadError>
    where
        S: 's;

    /// Takes the cutoffs that have come meanwhile; `false` if they don't fit what was read.
    #[doc(hidden)]
    fn confirm<'s>(
        tables: &mut Self::Downloads<'s>,
        news: &mut Self::News,
        cutoffs: &Cutoffs,
    ) -> bool
    where
        S: 's;

    #[doc(hidden)]
    fn finished<'s>(tables: &Self::Downloads<'s>) -> bool
    where
        S: 's;

    #[doc(hidden)]
    fn each<'s, V>(tables: &mut Self::Downloads<'s>, visitor: &mut V) -> Result<(), DownloadError>
    where
        S: 's,
        V: VisitTable<DB>;

    #[doc(hidden)]
    fn read<'s, C>(
        conn: &mut C,
        tables: &mut Self::Downloads<'s>,
        budget: &mut Budget,
    ) -> Result<Self::News, DownloadError>
    where
        S: 's,
        C: SyncConnection<Backend = DB>;
}

/// Something done with each table of a group in turn.
pub(crate) trait VisitTable<DB: SyncBackend> {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> Result<(), DownloadError>;
}

macro_rules! group {
    ($($T:ident $place:tt),+) => {
        impl<$($T: GroupTable),+> SyncTables for ($($T,)+) {
            type News = ($(TableNews<$T::Model>,)+);
            const NAMES: &'static [&'static str] = &[$($T::Model::NAME),+];
            const MODELS: &'static [&'static str] = &[$($T::Model::MODEL),+];

            fn news(news: &Self::News, of: TypeId) -> Option<&dyn Any> {
                $(if TypeId::of::<TableNews<$T::Model>>() == of {
                    return Some(&news.$place);
                })+
                None
            }
        }

        impl<DB: SyncBackend, $($T: GroupTable<Model: TableOn<DB>>),+> TrackTables<DB> for ($($T,)+) {
            fn definitions() -> Vec<&'static TableDefinition> {
                vec![$(<$T::Model as TableOn<DB>>::definition()),+]
            }
        }

        #[allow(private_interfaces, private_bounds, reason = "sealed by its hidden methods: nobody else calls them")]
        impl<DB: SyncBackend, S, $($T: DownloadTable<DB, S>),+> DownloadTables<DB, S> for ($($T,)+) {
            type Downloads<'s> = ($(TableDownload<'s, $T::Model, DB>,)+) where S: 's;

            fn begin<'s>(
                scope: &'s S,
                requests: Vec<Request>,
                cutoffs: &Cutoffs,
                limit: Option<i64>,
            ) -> Result<Self::Downloads<'s>, DownloadError> {
                let mut requests = requests.into_iter();
                Ok(($(TableDownload::new(
                    $T::visibility(scope)?,
                    requests.next().unwrap_or_default(),
                    cutoffs,
                    $place,
                    limit,
                )?,)+))
            }

            fn states<'s>(tables: &Self::Downloads<'s>) -> Result<Vec<TableState>, DownloadError>
            where
                S: 's,
            {
                Ok(vec![$(tables.$place.state()?),+])
            }

            fn confirm<'s>(
                tables: &mut Self::Downloads<'s>,
                news: &mut Self::News,
                cutoffs: &Cutoffs,
            ) -> bool
            where
                S: 's,
            {
                $(tables.$place.confirm(&mut news.$place, cutoffs, $place))&&+
            }

            fn finished<'s>(tables: &Self::Downloads<'s>) -> bool
            where
                S: 's,
            {
                $(tables.$place.is_finished())&&+
            }

            fn each<'s, V>(tables: &mut Self::Downloads<'s>, visitor: &mut V) -> Result<(), DownloadError>
            where
                S: 's,
                V: VisitTable<DB>,
            {
                $(visitor.visit(&mut tables.$place)?;)+
                Ok(())
            }

            fn read<'s, C>(
                conn: &mut C,
                tables: &mut Self::Downloads<'s>,
                budget: &mut Budget,
            ) -> Result<Self::News, DownloadError>
            where
                S: 's,
                C: SyncConnection<Backend = DB>,
            {
                Ok(($({
                    let mut news = tables.$place.nothing();
                    if budget.allows(&mut tables.$place) {
                        blocking::read(conn, &mut tables.$place, &mut news)?;
                        budget.spend(&news);
                    }
                    news
                },)+))
            }
        }

        impl<S, $($T),+> From<($(group!(@ Option<DateTime<Utc>>, $T),)+)> for Timestamps<SyncGroup<($($T,)+), S>> {
            fn from(timestamps: ($(group!(@ Option<DateTime<Utc>>, $T),)+)) -> Self {
                Timestamps::bare(vec![$(timestamps.$place.into()),+])
            }
        }

        impl<S, $($T),+> From<($(group!(@ Since, $T),)+)> for Timestamps<SyncGroup<($($T,)+), S>> {
            fn from(timestamps: ($(group!(@ Since, $T),)+)) -> Self {
                Timestamps::bare(vec![$(timestamps.$place),+])
            }
        }
    };
    (@ $type:ty, $T:ident) => { $type };
}

each_arity!(group);
