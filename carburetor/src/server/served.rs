//! What can be served, and how pages of it are read.

use super::database::Database;
use super::handover::Pages;
use super::limits::Limits;
use super::loan::Loan;
use super::meter;
use super::problem::Problem;
use super::refresh::Refresh;
use super::room::{Rooms, Share, Told};
use super::shutdown::Shutdown;
use super::unreadable::Warnings;
use super::watcher::Watcher;
use crate::change::Changes;
use crate::connection::SyncConnectionAsync;
use crate::download::asynchronous::check;
use crate::download::{self, DownloadError, Page, Timestamps};
use crate::group::{DownloadTablesAsync, Scoped, SyncGroup, UploadTables};
use crate::outcome::Outcomes;
use crate::refusal::is_refused;
use crate::scope::{Concerns, identity};
use crate::token::Token;
use crate::upload::{UploadError, UploadOptions};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What every request of a group needs.
#[derive(Clone)]
pub struct Served<D> {
    pub(super) database: D,
    pub(super) name: Arc<str>,
    pub(super) limits: Limits,
    /// Downloads that may be under way.
    pub(super) downloads: Arc<Semaphore>,
    /// Feeds that may be open.
    pub(super) feeds: Arc<Semaphore>,
    /// Connections that feeds may use at once.
    pub(super) readers: Arc<Semaphore>,
    pub(super) watcher: Arc<Watcher<D>>,
    pub(super) shutdown: Shutdown,
    /// Room for what waits in memory.
    pub(super) rooms: Arc<Rooms>,
    /// Whoever is being sent something.
    pub(super) refresh: Refresh,
    /// Callers that are asked again at once.
    pub(super) asked: Arc<Semaphore>,
    /// Whose pages, other than its own site's, send uploads and open web sockets.
    pub(super) origins: Arc<[String]>,
    /// A row that can't travel fails the download.
    pub(super) refuses_unreadable: bool,
    /// What was told of rows that can't travel.
    pub(super) told: Arc<Warnings>,
}

impl<D> std::fmt::Debug for Served<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A page on its way to whoever asked; one that several asked for is theirs together.
pub(super) type Sent = Result<Arc<Told>, Box<Problem>>;

/// A group that can be served from connections `C`.
///
/// ```
/// # #[cfg(feature = "async-postgres")] {
/// # use carburetor::server::ServedGroup;
/// fn can_be_served<G: ServedGroup<diesel_async::AsyncPgConnection>>() {}
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be served from `{C}`",
    note = "pass a `SyncGroup` whose tables have the backend of the database and a `SyncScope` for its scope"
)]
#[allow(
    private_interfaces,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
pub trait ServedGroup<C: SyncConnectionAsync>: 'static {
    /// What a caller may see.
    type Scope: Send + Sync + 'static;

    /// The same for scopes that show the same, whatever the rows are.
    #[doc(hidden)]
    fn identity(scope: &Self::Scope) -> Result<String, Problem>;

    /// Of each table, which changes concern the scope.
    #[doc(hidden)]
    fn concerns(scope: &Self::Scope) -> Result<Concerns<C::Database>, Problem>;

    /// Gives `token` the keys that it tells by their digests only, where they are those of the scope.
    #[doc(hidden)]
    fn fill(scope: &Self::Scope, token: &mut Token) -> Result<(), Problem>;

    #[doc(hidden)]
    fn take(
        scope: &Self::Scope,
        conn: &mut C,
        changes: &Changes,
        options: &UploadOptions,
    ) -> impl Future<Output = Result<Outcomes, Problem>> + Send;

    /// Whether the tables are as they have to be.
    #[doc(hidden)]
    fn check(conn: &mut C) -> impl Future<Output = Result<(), Problem>> + Send;

    /// The first page since `since`.
    #[doc(hidden)]
    fn page<D: Database<Connection = C>>(
        served: &Served<D>,
        scope: &Self::Scope,
        since: Token,
        limit: u32,
    ) -> impl Future<Output = Result<Page, Problem>> + Send;

    /// Sends the first page, or `all` of them until what remains is of one instant. The token for what comes next; none if nobody takes them.
    #[doc(hidden)]
    fn pages<D: Database<Connection = C>>(
        served: &Served<D>,
        scope: &Self::Scope,
        since: Option<Token>,
        limit: u32,
        all: bool,
        sender: &Pages,
    ) -> impl Future<Output = Result<Option<Token>, Problem>> + Send;
}

#[allow(
    private_interfaces,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
#[allow(
    clippy::manual_async_fn,
    reason = "an `async fn` is not known to be `Send` for every lifetime"
)]
impl<C, T, S> ServedGroup<C> for SyncGroup<T, S>
where
    C: SyncConnectionAsync,
    S: Send + Sync + 'static,
    T: DownloadTablesAsync<C::Database, S> + UploadTables<C::Database, S>,
{
    type Scope = S;

    fn identity(scope: &S) -> Result<String, Problem> {
        let tables = T::uploads(scope).map_err(DownloadError::from)?;
        Ok(identity(tables.iter().map(|table| &table.visibility))?)
    }

    fn concerns(scope: &S) -> Result<Concerns<C::Database>, Problem> {
        let tables = T::uploads(scope).map_err(DownloadError::from)?;
        let concerns = tables.iter().map(|table| {
            let concern = table.visibility.concern().map_err(DownloadError::from)?;
            Ok((table.definition, concern))
        });
        Ok(concerns.collect::<Result<_, DownloadError>>()?)
    }

    fn fill(scope: &S, token: &mut Token) -> Result<(), Problem> {
        let tables = T::uploads(scope).map_err(DownloadError::from)?;
        let mut known = Vec::new();
        for table in &tables {
            known.extend(table.visibility.keys().map_err(DownloadError::from)?);
        }
        token.fill(known.into_iter());
        Ok(())
    }

    fn take(
        scope: &S,
        conn: &mut C,
        changes: &Changes,
        options: &UploadOptions,
    ) -> impl Future<Output = Result<Outcomes, Problem>> + Send {
        async move {
            let taken = Self::scoped(scope)
                .upload_with_async(conn, changes, options)
                .await;
            match taken {
                Err(UploadError::Query(error)) if is_refused(&error) => {
                    Self::check(conn).await?;
                    Err(UploadError::Query(error).into())
                }
                taken => Ok(taken?),
            }
        }
    }

    fn check(conn: &mut C) -> impl Future<Output = Result<(), Problem>> + Send {
        async move {
            let checked = check(&conn.share(), &T::definitions()).await;
            checked.map_err(Problem::found)
        }
    }

    fn page<D: Database<Connection = C>>(
        served: &Served<D>,
        scope: &S,
        since: Token,
        limit: u32,
    ) -> impl Future<Output = Result<Page, Problem>> + Send {
        async move {
            let pages = served
                .scoped::<T, S>(scope)
                .pages(Timestamps::from(since), limit);
            let mut pages = pages.limit_time(served.limits.time);
            // A download has a first page.
            let page = served.next(&mut pages).await?.unwrap_or_default();
            served.note(&page, pages.token()?.as_ref());
            Ok(page)
        }
    }

    fn pages<D: Database<Connection = C>>(
        served: &Served<D>,
        scope: &S,
        since: Option<Token>,
        mut limit: u32,
        all: bool,
        sender: &Pages,
    ) -> impl Future<Output = Result<Option<Token>, Problem>> + Send {
        async move {
            let asked = since.clone();
            let mut since = since.map_or_else(Timestamps::default, Timestamps::from);
            loop {
                // What fits one page is of one instant; of more, the next round brings what has changed meanwhile.
                let pages = served.scoped::<T, S>(scope).pages(since, limit);
                let mut pages = pages.limit_time(served.limits.time);
                while let Some((page, room)) = sender.read(served.next(&mut pages)).await? {
                    let more = page.more();
                    // Where more rows than a page are of one instant, its token leads to the same page again.
                    let wider = limit.checked_mul(2).filter(|_| more && !all);
                    let is_there =
                        |token: Token| asked.as_ref().is_some_and(|asked| asked.is_at(&token));
                    if wider.is_some() && pages.token()?.is_some_and(is_there) {
                        break;
                    }
                    served.note(&page, pages.token()?.as_ref());
                    if sender
                        .send(Ok(Arc::new(Told::new(page, room))))
                        .await
                        .is_err()
                    {
                        return Ok(None);
                    }
                    if !(more && all) {
                        if sender.finish().await.is_err() {
                            return Ok(None);
                        }
                        return Ok(pages.token()?);
                    }
                }
                let token = pages.token()?;
                since = token.map_or_else(Timestamps::default, Timestamps::from);
                // Rows that were written a moment ago come again. Where they are more than a page, the next one takes more; its bytes are
                // bounded.
                limit = limit.saturating_mul(2);
            }
        }
    }
}

impl<D> Served<D> {
    /// The group as `scope` shows it and as it is served.
    fn scoped<'s, T, S>(&self, scope: &'s S) -> Scoped<'s, T, S> {
        let scoped = SyncGroup::<T, S>::scoped(scope);
        match self.refuses_unreadable {
            true => scoped.refuse_unreadable(),
            false => scoped,
        }
    }

    /// Notes a page of a download and the token after it.
    fn note(&self, page: &Page, token: Option<&Token>) {
        meter::page(&self.name, page, token);
        self.told.tell(&self.name, page.unreadable());
    }
}

impl<D: Database> Served<D> {
    /// The room of those who see what `scope` shows.
    pub(super) fn share<G>(&self, scope: &G::Scope) -> Result<Arc<Share>, Problem>
    where
        G: ServedGroup<D::Connection>,
    {
        Ok(self.rooms.share(&self.name, &G::identity(scope)?))
    }

    /// The next page, on a connection that is lent for it. Whoever asks for it sees to it that it doesn't take too long.
    async fn next<T, S>(
        &self,
        pages: &mut download::Pages<'_, T, S, <D::Connection as SyncConnectionAsync>::Database>,
    ) -> Result<Option<Page>, Problem>
    where
        S: Send + Sync,
        T: DownloadTablesAsync<<D::Connection as SyncConnectionAsync>::Database, S>,
    {
        let mut loan = Loan::of(&self.database, self.limits.time).await?;
        let conn = loan.connection()?;
        let page = match pages.next_json_async(conn).await {
            Err(DownloadError::Query(error)) if is_refused(&error) => {
                // It may be what a person has to mend, and no reason to try again.
                let checked = check(&conn.share(), &T::definitions()).await;
                let failed = Err(DownloadError::Query(error).into());
                checked.map_err(Problem::found).and(failed)
            }
            page => page.map_err(Problem::from),
        };
        loan.give_back(page.as_ref().is_err_and(Problem::is_of_database));
        page
    }
}
