//! Groups as routes.

use super::database::Database;
use super::document::document;
use super::download::{Parameters, download};
use super::limits::Limits;
use super::meter::{self, measured};
use super::problem::Problem;
use super::upload::upload;
use crate::change::Changes;
use crate::connection::SyncConnectionAsync;
use crate::download::{Page, Timestamps};
use crate::group::{DownloadTablesAsync, SyncGroup, UploadTables};
use crate::outcome::Outcomes;
use crate::token::Token;
use crate::upload::{UploadError, UploadOptions};
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Query, Request};
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Groups of a database, to be mounted in the program's own axum router.
///
#[doc = include_str!("../../docs/examples/sync.md")]
pub struct Sync<D, St = ()> {
    database: D,
    limits: Limits,
    streams: Arc<Semaphore>,
    /// The names of the groups.
    groups: Vec<Arc<str>>,
    router: Router<St>,
}

impl<D, St> std::fmt::Debug for Sync<D, St> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sync")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What every request of a group needs.
#[derive(Clone)]
pub struct Served<D> {
    pub(super) database: D,
    pub(super) name: Arc<str>,
    pub(super) limits: Limits,
    pub(super) streams: Arc<Semaphore>,
}

impl<D> std::fmt::Debug for Served<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<D, St> Sync<D, St>
where
    D: Database,
    St: Clone + Send + std::marker::Sync + 'static,
{
    /// Nothing is served yet.
    ///
    #[doc = include_str!("../../docs/examples/sync.md")]
    pub fn new(database: D) -> Self {
        Self::with_limits(database, Limits::default())
    }

    /// The same with limits of the program's own.
    ///
    #[doc = include_str!("../../docs/examples/sync.md")]
    pub fn with_limits(database: D, limits: Limits) -> Self {
        let health = database.clone();
        let health = get(move || {
            let database = health.clone();
            async move {
                let lent = tokio::time::timeout(limits.time, database.lend()).await;
                lent.map_err(|_| Problem::too_slow())??;
                Ok::<_, Problem>((
                    [(header::CONTENT_TYPE, "application/json")],
                    "{\"status\":\"ok\"}",
                ))
            }
        });
        Sync {
            database,
            limits,
            streams: Arc::new(Semaphore::new(limits.streams)),
            groups: Vec::new(),
            router: Router::new().route("/health", health),
        }
    }

    /// Serves the group `G` under `/name/download` and `/name/upload`. `E` is an extractor that says what the caller may see: it is, or makes, the group's
    /// scope, and what it rejects is refused as it says. A group that shows all to everybody is served to [`Everyone`](crate::Everyone).
    ///
    #[doc = include_str!("../../docs/examples/sync.md")]
    #[must_use]
    pub fn group<G, E>(mut self, name: &str) -> Self
    where
        G: ServedGroup<D::Connection>,
        E: FromRequestParts<St> + Into<G::Scope> + Send + 'static,
    {
        let served = Served {
            database: self.database.clone(),
            name: name.into(),
            limits: self.limits,
            streams: self.streams.clone(),
        };
        self.groups.push(served.name.clone());
        let other = served.clone();
        let downloads = get(
            move |caller: E,
                  parameters: Result<Query<Parameters>, QueryRejection>,
                  headers: HeaderMap| {
                let served = other.clone();
                async move {
                    let group = served.name.clone();
                    let answer = download::<G, D>(served, caller.into(), parameters, headers);
                    measured(&group, "download", answer).await
                }
            },
        );
        let uploads = post(move |caller: E, request: Request| {
            let served = served.clone();
            async move {
                let group = served.name.clone();
                let answer = upload::<G, D>(served, caller.into(), request);
                measured(&group, "upload", answer).await
            }
        });
        let uploads = uploads
            .fallback(Problem::method)
            .layer(DefaultBodyLimit::max(self.limits.body));
        self.router = self
            .router
            .route(
                &format!("/{name}/download"),
                downloads.fallback(Problem::method),
            )
            .route(&format!("/{name}/upload"), uploads);
        self
    }

    /// The routes, to be nested under a prefix and behind layers of the program's own. `/openapi.json` among them describes the others.
    ///
    #[doc = include_str!("../../docs/examples/sync.md")]
    pub fn router(self) -> Router<St> {
        let document = document(&self.groups, &self.limits);
        self.router
            .route("/openapi.json", get(async move || Json(document)))
    }
}

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
pub trait ServedGroup<C: SyncConnectionAsync>: 'static {
    /// What a caller may see.
    type Scope: Send + std::marker::Sync + 'static;

    #[doc(hidden)]
    fn take(
        scope: &Self::Scope,
        conn: &mut C,
        changes: &Changes,
        options: &UploadOptions,
    ) -> impl Future<Output = Result<Outcomes, UploadError>> + Send;

    #[doc(hidden)]
    fn pages<D: Database<Connection = C>>(
        served: &Served<D>,
        scope: &Self::Scope,
        since: Option<Token>,
        limit: u32,
        all: bool,
        pages: &mpsc::Sender<Result<Page, Problem>>,
    ) -> impl Future<Output = Result<(), Problem>> + Send;
}

impl<C, T, S> ServedGroup<C> for SyncGroup<T, S>
where
    C: SyncConnectionAsync,
    S: Send + std::marker::Sync + 'static,
    T: DownloadTablesAsync<C::Database, S> + UploadTables<C::Database, S>,
{
    type Scope = S;

    #[allow(
        clippy::manual_async_fn,
        reason = "an `async fn` is not known to be `Send` for every lifetime"
    )]
    fn take(
        scope: &S,
        conn: &mut C,
        changes: &Changes,
        options: &UploadOptions,
    ) -> impl Future<Output = Result<Outcomes, UploadError>> + Send {
        async move {
            Self::scoped(scope)
                .upload_with_async(conn, changes, options)
                .await
        }
    }

    #[allow(
        clippy::manual_async_fn,
        reason = "an `async fn` is not known to be `Send` for every lifetime"
    )]
    fn pages<D: Database<Connection = C>>(
        served: &Served<D>,
        scope: &S,
        since: Option<Token>,
        mut limit: u32,
        all: bool,
        sender: &mpsc::Sender<Result<Page, Problem>>,
    ) -> impl Future<Output = Result<(), Problem>> + Send {
        async move {
            let asked = since.clone();
            let mut since = since.map_or_else(Timestamps::default, Timestamps::from);
            loop {
                // What fits one page is of one instant; of more, the next round brings what has changed meanwhile.
                let mut pages = Self::scoped(scope).pages(since, limit);
                loop {
                    let read = async {
                        let mut conn = served.database.lend().await?;
                        Ok::<_, Problem>(pages.next_json_async(&mut *conn).await?)
                    };
                    let page = tokio::time::timeout(served.limits.time, read).await;
                    let Some(page) = page.map_err(|_| Problem::too_slow())?? else {
                        break;
                    };
                    let more = page.more();
                    // Where more rows than a page are of one instant, its token leads to the same page again.
                    let wider = limit.checked_mul(2).filter(|_| more && !all);
                    if wider.is_some() && pages.token()? == asked {
                        break;
                    }
                    let token = pages.token()?.filter(|_| !more);
                    meter::page(&served.name, page.json().len(), token.as_ref());
                    let is_taken = sender.send(Ok(page)).await.is_ok();
                    if !(is_taken && more && all) {
                        return Ok(());
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
