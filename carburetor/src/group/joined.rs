//! Tuples of tables on an asynchronous connection.

use super::arity::each_arity;
use super::tuple::DownloadTables;
use crate::backend::SyncBackend;
use crate::connection::SharedConnection;
use crate::download::asynchronous::read;
use crate::download::budget::Budget;
use crate::download::{DownloadError, TableDownload, TableNews};
use crate::scope::DownloadTable;
use crate::table::TableOn;

/// A tuple of tables that can be downloaded on an asynchronous connection; every one that can be downloaded is.
///
#[doc = include_str!("../../docs/examples/download_tables_async.md")]
#[allow(
    private_interfaces,
    private_bounds,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
pub trait DownloadTablesAsync<DB: SyncBackend, S>: DownloadTables<DB, S> {
    /// Reads all tables whole, every statement sent before the first answer is there.
    #[doc(hidden)]
    fn read_together<'s, X>(
        conn: &X,
        tables: &mut Self::Downloads<'s>,
    ) -> impl Future<Output = Result<Self::News, DownloadError>> + Send
    where
        S: Sync + 's,
        X: SharedConnection<DB>;

    /// Reads a page.
    #[doc(hidden)]
    fn read_page<'s, X>(
        conn: &X,
        tables: &mut Self::Downloads<'s>,
        budget: &mut Budget,
    ) -> impl Future<Output = Result<Self::News, DownloadError>> + Send
    where
        S: Sync + 's,
        X: SharedConnection<DB>;

    /// Does something with each table in turn.
    #[doc(hidden)]
    fn each_async<'s, V>(
        tables: &mut Self::Downloads<'s>,
        visitor: &mut V,
    ) -> impl Future<Output = Result<(), DownloadError>> + Send
    where
        S: Sync + 's,
        V: VisitTableAsync<DB> + Send;
}

/// Something done with each table of a group in turn, waiting.
pub(crate) trait VisitTableAsync<DB: SyncBackend> {
    fn visit<M: TableOn<DB>>(
        &mut self,
        table: &mut TableDownload<'_, M, DB>,
    ) -> impl Future<Output = Result<(), DownloadError>> + Send;
}

macro_rules! joined {
    ($($T:ident $place:tt),+) => {
        #[allow(private_interfaces, private_bounds, reason = "sealed by its hidden methods: nobody else calls them")]
        impl<DB, S, $($T),+> DownloadTablesAsync<DB, S> for ($($T,)+)
        where
            DB: SyncBackend,
            $($T: DownloadTable<DB, S>,)+
        {
            async fn read_together<'s, X>(
                conn: &X,
                tables: &mut Self::Downloads<'s>,
            ) -> Result<Self::News, DownloadError>
            where
                S: Sync + 's,
                X: SharedConnection<DB>,
            {
                futures_util::try_join!($(whole(conn, &mut tables.$place)),+)
            }

            async fn read_page<'s, X>(
                conn: &X,
                tables: &mut Self::Downloads<'s>,
                budget: &mut Budget,
            ) -> Result<Self::News, DownloadError>
            where
                S: Sync + 's,
                X: SharedConnection<DB>,
            {
                Ok(($({
                    let mut news = tables.$place.nothing();
                    if budget.allows(&mut tables.$place) {
                        read(conn, &mut tables.$place, &mut news).await?;
                        budget.spend(&news);
                    }
                    news
                },)+))
            }

            async fn each_async<'s, V>(
                tables: &mut Self::Downloads<'s>,
                visitor: &mut V,
            ) -> Result<(), DownloadError>
            where
                S: Sync + 's,
                V: VisitTableAsync<DB> + Send,
            {
                $(visitor.visit(&mut tables.$place).await?;)+
                Ok(())
            }
        }
    };
}

each_arity!(joined);

async fn whole<M, DB, X>(
    conn: &X,
    table: &mut TableDownload<'_, M, DB>,
) -> Result<TableNews<M>, DownloadError>
where
    M: TableOn<DB>,
    DB: SyncBackend,
    X: SharedConnection<DB>,
{
    let mut news = table.nothing();
    read(conn, table, &mut news).await?;
    Ok(news)
}
