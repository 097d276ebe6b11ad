//! Who wakes the channels of a group when something may have been committed: all of them, or, where they are many, those that it concerns.

use super::channel::rest;
use super::channels::{Channels, OpenChannels};
use crate::backend::SyncBackend;
use crate::connection::SyncConnectionAsync;
use crate::cutoff::{Assumptions, Cutoffs};
use crate::download::asynchronous::{Changed, ChangedRow, Watched, changed};
use crate::scope::{Concern, Concerns};
use crate::server::apart::limited;
use crate::server::database::Database;
use crate::server::loan::Loan;
use crate::server::problem::Problem;
use crate::server::served::Served;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// From how many channels on one question, whom a commit concerns, is cheaper than one of each.
const MANY: usize = 8;

/// How long after a look that woke some of them all are woken, whomever the commits concerned: what a clock that has jumped hid from it is told then.
const WHOLE: Duration = Duration::from_secs(30);

/// How many columns of a table are looked at; scopes by others are woken by every change of it.
const COLUMNS: usize = 4;

/// Wakes the channels, until there are none.
pub(super) async fn wake<DB, D>(channels: Arc<Channels<DB>>, served: Arc<Served<D>>)
where
    DB: SyncBackend,
    D: Database,
    D::Connection: SyncConnectionAsync<Database = DB>,
{
    let mut changed = served.watcher.subscribe();
    let mut look = Look::default();
    let mut whole: Option<Instant> = None;
    loop {
        tokio::select! {
            watched = changed.changed() => {
                if watched.is_err() {
                    changed = served.watcher.subscribe();
                }
            }
            () = sleep_until(whole.unwrap_or_else(Instant::now)), if whole.is_some() => {}
            () = channels.empty.notified() => {
                let mut open = channels.lock();
                if open.by_scope.is_empty() {
                    open.is_woken = false;
                    return;
                }
                continue;
            }
        }
        let begun = Instant::now();
        if whole.is_some_and(|whole| whole <= begun) {
            look = Look::default();
        }
        let watched = watched(&channels.lock()).map(Arc::new);
        let found = match &watched {
            Some(watched) => look.further(&served, watched).await,
            None => {
                look = Look::default();
                None
            }
        };
        whole = found.as_ref().and_then(|_| whole.or(Some(begun + WHOLE)));
        // Who is there now: who came while the database was asked may have read before that.
        for channel in channels.lock().by_scope.values() {
            let is_concerned = match (&found, &watched) {
                (Some(found), Some(watched)) => found.concern(&channel.concerns, watched),
                _ => true,
            };
            if is_concerned {
                channel.woken.notify_one();
            }
        }
        if watched.is_some() {
            sleep(rest(begun)).await;
        }
    }
}

/// What is to be looked at for all channels together; none if they are too few for it.
fn watched<DB: SyncBackend>(open: &OpenChannels<DB>) -> Option<Vec<Watched<DB>>> {
    if open.by_scope.len() < MANY {
        return None;
    }
    let mut tables: Vec<Watched<DB>> = Vec::new();
    for channel in open.by_scope.values() {
        for (place, (definition, concern)) in channel.concerns.iter().enumerate() {
            if tables.len() == place {
                tables.push(Watched {
                    definition,
                    columns: Vec::new(),
                });
            }
            let columns = &mut tables[place].columns;
            if let Concern::Keys(column, _) = concern
                && columns.len() < COLUMNS
                && !columns.iter().any(|known| known.name == column.name)
            {
                columns.push(*column);
            }
        }
    }
    Some(tables)
}

/// What the last look has seen.
#[derive(Default)]
struct Look {
    cutoffs: Option<Cutoffs>,
    columns: Vec<Vec<&'static str>>,
    /// Rows above the cutoffs, of each table.
    rows: Vec<HashSet<ChangedRow>>,
}

impl Look {
    /// What is new since the last look; none if that may be anything.
    async fn further<DB, D>(
        &mut self,
        served: &Arc<Served<D>>,
        watched: &Arc<Vec<Watched<DB>>>,
    ) -> Option<Found>
    where
        DB: SyncBackend,
        D: Database,
        D::Connection: SyncConnectionAsync<Database = DB>,
    {
        let mut known = std::mem::take(self);
        let before = known.cutoffs.take();
        let (served, asked) = (Arc::clone(served), Arc::clone(watched));
        let looked = limited(served.limits.time, async move {
            let _turn = served.readers.acquire().await;
            let mut loan = Loan::of(&served.database, served.limits.time).await?;
            let assumptions = Assumptions::default();
            let looked = {
                let conn = loan.connection()?.share();
                changed(&conn, &asked, &assumptions, before.as_ref()).await
            };
            loan.give_back(looked.is_err());
            Ok::<_, Problem>(looked?)
        });
        // The channels meet the problem themselves.
        let (cutoffs, tables) = looked.await.ok()?;
        self.cutoffs = Some(cutoffs);
        self.columns = watched.iter().map(names).collect();
        let tables = tables?;
        let is_alike = known.columns == self.columns;
        let mut found = Found(Vec::with_capacity(tables.len()));
        for (place, Changed { exact, rows }) in tables.into_iter().enumerate() {
            let seen = known.rows.get(place).filter(|_| is_alike);
            let news = rows
                .iter()
                .filter(|row| seen.is_none_or(|seen| !seen.contains(*row)));
            let mut table = FoundTable {
                exact,
                any: false,
                keys: HashMap::new(),
            };
            for row in news {
                table.any = true;
                for (column, key) in row.keys.iter().enumerate() {
                    let keys = table.keys.entry(column).or_default();
                    if !keys.contains(key) {
                        keys.insert(key.clone());
                    }
                }
            }
            found.0.push(table);
            self.rows.push(rows.into_iter().collect());
        }
        Some(found)
    }
}

fn names<DB: SyncBackend>(table: &Watched<DB>) -> Vec<&'static str> {
    table.columns.iter().map(|column| column.name).collect()
}

/// What is new, table by table.
struct Found(Vec<FoundTable>);

struct FoundTable {
    exact: Vec<bool>,
    any: bool,
    /// What the columns of new rows hold, by the columns' places.
    keys: HashMap<usize, HashSet<String>>,
}

impl Found {
    /// Whether anything of it concerns whom these changes concern.
    fn concern<DB: SyncBackend>(&self, concerns: &Concerns<DB>, watched: &[Watched<DB>]) -> bool {
        let tables = self.0.iter().zip(watched).zip(concerns);
        tables
            .filter(|((found, _), _)| found.any)
            .any(|((found, watched), (_, concern))| match concern {
                Concern::Any => true,
                Concern::None => false,
                Concern::Keys(column, values) => {
                    let mut columns = watched.columns.iter();
                    let place = columns.position(|known| known.name == column.name);
                    match place.filter(|place| found.exact.get(*place) == Some(&true)) {
                        Some(place) => found
                            .keys
                            .get(&place)
                            .is_some_and(|keys| keys.iter().any(|key| values.contains(key))),
                        None => true,
                    }
                }
            })
    }
}
