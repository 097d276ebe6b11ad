//! A run on PostgreSQL, tracked or untracked.

use super::asynchronous::AsyncFollower;
use super::contest::{self, Finish, Write};
use super::downloader::{Competitor, Kind};
use super::follower::{Follower, Keep, Way};
use super::history;
use super::ledger::{CONTESTED, Line, Stored, TABLES, tracked, untracked};
use super::naive::{Clock, Cutoff, Naive};
use super::operation::Reach;
use super::options::{Mode, Options};
use super::prepared::Prepared;
use super::replica::Truth;
use super::run::Run;
use super::uploads::{self, Journal};
use super::verdict::Verdict;
use super::view::{Member, Published, View};
use super::writer::Writer;
use crate::Cluster;
use carburetor::group::{DownloadTables, SyncTables};
use carburetor::table::TableOn;
use carburetor::wire::WireTables;
use carburetor::{Assumptions, Filtered, SyncFilter, SyncGroup, SyncScope, TableNews, Timestamps};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz};
use std::time::Duration;

/// The rows that there are before anybody writes: in each team as much in accounts as in entries. Both have those that are contested.
const SEED: &str = "
insert into accounts (id, team, published, amount) select id, (array['red', 'green', 'blue', 'grey'])[1 + id % 4], id % 3 <> 0, 5
  from generate_series(1, 400) id;
insert into entries (id, team, amount) select case when id <= {contested} then id else 400 + id end, (array['red', 'green', 'blue', 'grey'])[1 + id % 4], 1 from generate_series(1, 2000) id;
";
const FIRST_ID: i64 = 2401;

/// What Pagila has, and many applications.
const TOUCH: &str = "
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := current_timestamp; return new; end $$;
create trigger touch before update on accounts for each row execute function touch();
create trigger touch before update on entries for each row execute function touch();
create index on accounts (updated_at, id);
create index on entries (updated_at, id);
";

/// A run on a server of its own, or on the database that the options name.
pub(super) fn run(options: &Options) -> Result<Verdict, String> {
    let own = options.database.is_none().then(Cluster::start);
    let url = match (&own, &options.database) {
        (Some(cluster), _) => cluster.database().url(),
        (None, Some(url)) => url.clone(),
        (None, None) => return Err("there is no database".into()),
    };
    let mut conn = connect(&url)?;
    let create = TABLES.replace("{instant}", "timestamptz not null default now()");
    conn.batch_execute(&create).map_err(|error| {
        format!("the tables can't be made: {error}; `--database` takes an empty database")
    })?;
    execute(&mut conn, history::POSTGRES)?;
    let seed = SEED.replace("{contested}", &CONTESTED.to_string());
    match options.mode {
        Mode::Untracked => {
            execute(&mut conn, TOUCH)?;
            execute(&mut conn, &seed)?;
            let assumptions = Assumptions {
                prepare_grace: Duration::from_secs(3),
                ..Assumptions::default()
            };
            hold::<untracked::Account, untracked::Entry>(options, &url, assumptions)
        }
        Mode::Tracked | Mode::Sqlite => {
            let tracking = SyncGroup::<(tracked::Account, tracked::Entry)>::tracking::<Pg>();
            tracking
                .install(&mut conn)
                .map_err(|error| error.to_string())?;
            execute(&mut conn, uploads::TWIN)?;
            execute(&mut conn, uploads::WEIGHTS)?;
            execute(&mut conn, &uploads::trace_on_postgres())?;
            execute(&mut conn, &seed)?;
            // A cutoff that stays a second behind must have passed the installation, or the first downloads are resets.
            execute(&mut conn, "select pg_sleep(1.1)")?;
            // No slack: nothing may hide a cutoff that is a little too late.
            let assumptions = Assumptions {
                slack: Duration::ZERO,
                ..Assumptions::default()
            };
            hold::<tracked::Account, tracked::Entry>(options, &url, assumptions)
        }
    }
}

fn hold<A, E>(options: &Options, url: &str, assumptions: Assumptions) -> Result<Verdict, String>
where
    A: Line + TableOn<Pg> + Stored<PgConnection>,
    E: Line + TableOn<Pg> + Stored<PgConnection>,
    Member: SyncScope<A, Pg> + SyncScope<E, Pg>,
    Published: SyncFilter<A, Pg>,
{
    let run = Run::new(options.time, options.poll, FIRST_ID);
    let mut conn = connect(url)?;
    let slots: String = diesel::select(sql::<Text>("current_setting('max_prepared_transactions')"))
        .get_result(&mut conn)
        .map_err(|error| error.to_string())?;
    let prepared = Prepared::new(slots.parse().unwrap_or(0));
    let tracked = options.mode == Mode::Tracked;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let journal = Journal::default();
    let mut writers: Vec<Write<'_>> = Vec::new();
    for number in 0..options.writers {
        let contends = tracked && number % 4 == 0;
        let mut writer = Writer {
            conn: connect(url)?,
            random: random.fork(),
            run: &run,
            prepared: &prepared,
            tracked,
            reach: if contends {
                Reach::Contested
            } else {
                Reach::Everywhere
            },
        };
        writers.push(Box::new(move || {
            writer.write().map_err(|error| format!("a writer: {error}"))
        }));
    }
    for number in 0..options.uploaders {
        writers.push(uploads::uploader(
            number,
            connect(url)?,
            random.fork(),
            &run,
            &journal,
        )?);
    }
    let finish: Finish<'_> = {
        let (run, prepared) = (&run, &prepared);
        let mut conn = connect(url)?;
        Box::new(move |finished| {
            prepared
                .end(&mut conn, run, finished)
                .map_err(|error| format!("a prepared transaction: {error}"))
        })
    };
    let mut competitors = ours::<A, E>(url, assumptions)?;
    competitors.extend(naive::<A, E>(url, tracked)?);
    contest::hold(&run, writers, finish, &mut competitors, options.seed)?;
    let truth = Truth {
        accounts: A::load(&mut conn, None).map_err(|error| error.to_string())?,
        entries: E::load(&mut conn, None).map_err(|error| error.to_string())?,
        history: history::read(&mut conn).map_err(|error| error.to_string())?,
    };
    let verdict = Verdict::of(&competitors, &truth);
    Ok(match options.uploaders {
        0 => verdict,
        _ => verdict.with(uploads::judge(&mut conn, journal)?),
    })
}

fn ours<A, E>(url: &str, assumptions: Assumptions) -> Result<Vec<Competitor<A, E>>, String>
where
    A: Line + TableOn<Pg>,
    E: Line + TableOn<Pg>,
    Member: SyncScope<A, Pg> + SyncScope<E, Pg>,
    Published: SyncFilter<A, Pg>,
{
    let asynchronous = AsyncFollower::new("asynchronous", url, View::everything(), assumptions)?;
    use Keep::{Timestamps, Token, TokenOfChangingScope};
    use Way::{Consistent, Json, Pages, Plain};
    Ok(vec![
        Competitor {
            kind: Kind::Ours,
            consistent: false,
            downloader: Box::new(asynchronous),
        },
        ours_in::<(A, E), A, E>(
            "timestamps",
            url,
            View::everything(),
            Plain,
            Timestamps,
            assumptions,
        )?,
        ours_in::<(A, E), A, E>(
            "token",
            url,
            View::everything(),
            Plain,
            Token,
            Assumptions {
                slack: Duration::from_secs(1),
                ..assumptions
            },
        )?,
        ours_in::<(A, E), A, E>(
            "consistent",
            url,
            View::everything(),
            Consistent,
            Token,
            assumptions,
        )?,
        ours_in::<(A, E), A, E>(
            "pages of 7",
            url,
            View::everything(),
            Pages(7),
            Token,
            assumptions,
        )?,
        ours_in::<(A, E), A, E>("json", url, View::everything(), Json, Token, assumptions)?,
        ours_in::<(A, E), A, E>(
            "red, timestamps",
            url,
            View::of(&["red"]),
            Plain,
            Timestamps,
            assumptions,
        )?,
        ours_in::<(A, E), A, E>(
            "blue and grey, consistent",
            url,
            View::of(&["blue", "grey"]),
            Consistent,
            Timestamps,
            assumptions,
        )?,
        ours_in::<(A, E), A, E>(
            "green, pages of 7",
            url,
            View::of(&["green"]),
            Pages(7),
            Token,
            assumptions,
        )?,
        ours_in::<(Filtered<A, Published>, E), A, E>(
            "published, red and blue",
            url,
            View::published_of(&["red", "blue"]),
            Plain,
            Token,
            assumptions,
        )?,
        ours_in::<(A, E), A, E>(
            "changing scope",
            url,
            View::of(&["red"]),
            Consistent,
            TokenOfChangingScope,
            assumptions,
        )?,
    ])
}

fn ours_in<T, A, E>(
    name: &'static str,
    url: &str,
    view: View,
    way: Way,
    keep: Keep,
    assumptions: Assumptions,
) -> Result<Competitor<A, E>, String>
where
    A: Line + TableOn<Pg>,
    E: Line + TableOn<Pg>,
    T: DownloadTables<Pg, Member>
        + WireTables<Pg>
        + SyncTables<News = (TableNews<A>, TableNews<E>)>,
    Timestamps<SyncGroup<T, Member>>: From<(Option<DateTime<Utc>>, Option<DateTime<Utc>>)>,
{
    let follower =
        Follower::<T, A, E, PgConnection>::new(name, connect(url)?, view, way, keep, assumptions);
    Ok(Competitor {
        kind: Kind::Ours,
        consistent: matches!(way, Way::Consistent | Way::Json),
        downloader: Box::new(follower),
    })
}

fn naive<A, E>(url: &str, tracked: bool) -> Result<Vec<Competitor<A, E>>, String>
where
    A: Line + Stored<PgConnection>,
    E: Line + Stored<PgConnection>,
{
    let competitor = |name, cutoff, kind| {
        Ok(Competitor {
            kind,
            consistent: false,
            downloader: Box::new(Naive::<A, E, _>::new(name, connect(url)?, cutoff)),
        })
    };
    // Untracked, ours stays behind the clock by two seconds as well; that alone must not be enough.
    let late = if tracked { Kind::Guess } else { Kind::Naive };
    vec![
        competitor("naive now()", Cutoff::Clock, Kind::Naive),
        competitor("naive max(stamp)", Cutoff::GreatestRead, Kind::Naive),
        competitor(
            "naive now() - 2 s",
            Cutoff::ClockLess(Duration::from_secs(2)),
            late,
        ),
    ]
    .into_iter()
    .collect()
}

impl Clock for PgConnection {
    fn clock(&mut self) -> QueryResult<DateTime<Utc>> {
        diesel::select(sql::<Timestamptz>("now()")).get_result(self)
    }
}

fn connect(url: &str) -> Result<PgConnection, String> {
    PgConnection::establish(url).map_err(|error| format!("{url}: {error}"))
}

fn execute(conn: &mut PgConnection, statements: &str) -> Result<(), String> {
    conn.batch_execute(statements)
        .map_err(|error| format!("{error} in:\n{statements}"))
}
