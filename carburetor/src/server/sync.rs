//! Groups as routes.

use super::apart::apart;
use super::asking::Asking;
use super::caller::{ASKED_AT_ONCE, Caller};
use super::database::{Database, Pace};
use super::document::document;
use super::download::download;
use super::feed::{Asked, BackendOf, Channels, Upgrade, feed};
use super::kept::Kept;
use super::limits::Limits;
use super::loan::Loan;
use super::meter::measured;
use super::problem::Problem;
use super::refresh::Refresh;
use super::room::Rooms;
use super::served::{Served, ServedGroup};
use super::shutdown::Shutdown;
use super::upload::upload;
use super::watcher::Watcher;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Groups of a database, to be mounted in the program's own axum router.
///
#[doc = include_str!("../../docs/examples/sync.md")]
pub struct Sync<D: Database, St = ()> {
    database: D,
    limits: Limits,
    interval: Duration,
    origins: Vec<String>,
    refuses_unreadable: bool,
    shutdown: Shutdown,
    refresh: Refresh,
    /// Made last, when it is known how they are served.
    groups: Vec<(Arc<str>, Mount<D, St>)>,
    checks: Vec<Check<D>>,
}

/// Looks whether the tables of a group are as they have to be.
type Check<D> = fn(&mut <D as Database>::Connection) -> BoxFuture<'_, Result<(), Problem>>;

/// Adds the routes of a group.
type Mount<D, St> = Box<dyn FnOnce(Router<St>, Served<D>) -> Router<St> + Send>;

/// How often the database is asked for commits.
const POLL: Duration = Duration::from_millis(3);

impl<D: Database, St> std::fmt::Debug for Sync<D, St> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sync")
            .field("limits", &self.limits)
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
        Sync {
            database,
            limits,
            interval: POLL,
            origins: Vec::new(),
            refuses_unreadable: false,
            shutdown: Shutdown::new(&limits),
            refresh: Refresh::default(),
            groups: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// While a feed is open, asks the database this often whether something was committed: a feed says so that much later at most. 3 ms unless told.
    ///
    #[doc = include_str!("../../docs/examples/feed.md")]
    #[must_use]
    pub fn poll_every(self, interval: Duration) -> Self {
        Sync { interval, ..self }
    }

    /// Lets pages of these sites too send uploads and open web sockets, for example `https://app.example.org`; others than the server's own are refused, because
    /// browsers ask in the name of whoever looks at a page. Those that a layer for CORS lets in are to be named here, too.
    ///
    #[doc = include_str!("../../docs/examples/feed.md")]
    #[must_use]
    pub fn origins(self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Sync {
            origins: origins.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// A download fails as a whole where a row of it can't travel. Otherwise that row is left out and told in the log, and the others come.
    ///
    #[doc = include_str!("../../docs/examples/sync_refuse_unreadable.md")]
    #[must_use]
    pub fn refuse_unreadable(self) -> Self {
        Sync {
            refuses_unreadable: true,
            ..self
        }
    }

    /// What ends the feeds, to be called when the program is told to stop.
    ///
    #[doc = include_str!("../../docs/examples/shutdown.md")]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// What has callers asked again who they are, to be called when a membership or an account changes.
    ///
    #[doc = include_str!("../../docs/examples/refresh.md")]
    pub fn refresh(&self) -> Refresh {
        self.refresh.clone()
    }

    /// Serves the group `G` under `/name/download`, `/name/upload` and `/name/feed`. `E` is an extractor that says what the caller may see: it is, or makes, the group's
    /// scope, and what it rejects is refused as it says. A group that shows all to everybody is served to [`Everyone`](crate::Everyone).
    ///
    /// While a feed or a download of lines is open, the extractor runs again from time to time ([`Limits::scope_time`]) and when [`Refresh`] is called, with the request as it
    /// came: its address and headers, and what layers had put in its extensions. So it is the extractor that looks up what the caller may see now; what a layer found out
    /// stays as it was.
    ///
    #[doc = include_str!("../../docs/examples/sync.md")]
    #[must_use]
    pub fn group<G, E>(mut self, name: &str) -> Self
    where
        G: ServedGroup<D::Connection>,
        E: FromRequestParts<St> + Into<G::Scope> + Send + 'static,
    {
        let name: Arc<str> = name.into();
        let mount = {
            let name = name.clone();
            Box::new(move |router, served| mount::<G, E, D, St>(router, Served { name, ..served }))
        };
        self.groups.push((name, mount));
        self.checks.push(|conn| Box::pin(G::check(conn)));
        self
    }

    /// The routes, to be nested under a prefix and behind layers of the program's own. `/openapi.json` among them describes the others.
    ///
    #[doc = include_str!("../../docs/examples/sync.md")]
    pub fn router(self) -> Router<St> {
        let limits = self.limits;
        let served = Served {
            watcher: Arc::new(Watcher::new(
                self.database.clone(),
                Pace {
                    interval: self.interval,
                    time: limits.time,
                },
            )),
            database: self.database,
            name: "".into(),
            limits,
            downloads: Arc::new(Semaphore::new(limits.streams)),
            feeds: Arc::new(Semaphore::new(limits.feeds)),
            readers: Arc::new(Semaphore::new(limits.readers)),
            shutdown: self.shutdown,
            refresh: self.refresh,
            rooms: Arc::new(Rooms::new(&limits)),
            asked: Arc::new(Semaphore::new(ASKED_AT_ONCE)),
            origins: self.origins.into(),
            refuses_unreadable: self.refuses_unreadable,
            told: Arc::default(),
        };
        let names: Vec<Arc<str>> = self.groups.iter().map(|(name, _)| name.clone()).collect();
        // Axum clones what answers for each connection.
        let document = Arc::new(document(&names, &limits));
        let database = served.database.clone();
        let checks: Arc<[Check<D>]> = self.checks.into();
        let health = get(move || health(database.clone(), Arc::clone(&checks), limits));
        let router = Router::new().route("/health", health).route(
            "/openapi.json",
            get(async move || Json(&*document).into_response()),
        );
        let groups = self.groups.into_iter();
        groups.fold(router, |router, (_, mount)| mount(router, served.clone()))
    }
}

/// Whether the database can be reached, and the groups' tables are as they have to be.
async fn health<D: Database>(
    database: D,
    checks: Arc<[Check<D>]>,
    limits: Limits,
) -> Result<impl IntoResponse, Problem> {
    let checked = apart(limits.time, async move {
        let mut loan = Loan::of(&database, limits.time).await?;
        let mut checked = Ok(());
        for check in checks.iter() {
            checked = check(loan.connection()?).await;
            if checked.is_err() {
                break;
            }
        }
        loan.give_back(checked.as_ref().is_err_and(Problem::is_of_database));
        checked
    });
    checked.await.map_err(Problem::unhealthy)?;
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        "{\"status\":\"ok\"}",
    ))
}

/// The routes of a group.
fn mount<G, E, D, St>(router: Router<St>, served: Served<D>) -> Router<St>
where
    D: Database,
    G: ServedGroup<D::Connection>,
    E: FromRequestParts<St> + Into<G::Scope> + Send + 'static,
    St: Clone + Send + std::marker::Sync + 'static,
{
    let path = |route| format!("/{}/{route}", served.name);
    let (downloading, uploading) = (served.clone(), served.clone());
    // Each open feed has a part in it.
    let feeding = Arc::new(served.clone());
    let downloads = move |State(state): State<St>,
                          kept: Kept,
                          scope: E,
                          method: Method,
                          headers: HeaderMap,
                          asking: Asking| {
        let headers = (method, headers);
        let (served, group) = (downloading.clone(), downloading.name.clone());
        let caller = Caller::new::<E, St>(kept, state);
        let answer = download::<G, D>(served, caller, scope.into(), asking, headers);
        async move { measured(&group, "download", answer).await }
    };
    let downloads = get(downloads.clone()).post(downloads);
    let uploads = post(move |caller: E, request: Request| {
        let (served, group) = (uploading.clone(), uploading.name.clone());
        let answer = upload::<G, D>(served, caller.into(), request);
        async move { measured(&group, "upload", answer).await }
    });
    let channels: Arc<Channels<BackendOf<D>>> = Arc::default();
    let feeds = move |State(state): State<St>,
                      kept: Kept,
                      scope: E,
                      upgrade: Upgrade,
                      uri: Uri,
                      headers: HeaderMap,
                      asking: Asking| {
        let (served, channels) = (Arc::clone(&feeding), Arc::clone(&channels));
        let group = served.name.clone();
        let caller = Caller::new::<E, St>(kept, state);
        let asked = Asked {
            scope: scope.into(),
            asking,
            upgrade,
            uri,
            headers,
        };
        let answer = feed::<G, D>(served, channels, caller, asked);
        async move { measured(&group, "feed", answer).await }
    };
    let feeds = get(feeds.clone()).post(feeds);
    let routes = [
        ("download", downloads),
        ("upload", uploads),
        ("feed", feeds),
    ];
    routes.into_iter().fold(router, |router, (name, route)| {
        let route = route.fallback(Problem::method);
        router.route(
            &path(name),
            route.layer(DefaultBodyLimit::max(served.limits.body)),
        )
    })
}
