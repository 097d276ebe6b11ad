//! A run on one SQLite file.

mod writer;

pub(super) use writer::SETTLE;

use super::contest::{self, Finish, Write};
use super::downloader::{Competitor, Kind};
use super::follower::{Follower, Keep, Way};
use super::history;
use super::ledger::tracked::{Account, Entry};
use super::ledger::{CONTESTED, Stored, TABLES};
use super::naive::{Clock, Cutoff, Naive};
use super::options::Options;
use super::replica::Truth;
use super::run::Run;
use super::uploads::{self, Journal};
use super::verdict::Verdict;
use super::view::{Member, Published, View};
use carburetor::group::{DownloadTables, SyncTables};
use carburetor::wire::WireTables;
use carburetor::{Assumptions, Filtered, SyncGroup, TableNews, Timestamps};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use std::path::PathBuf;
use std::{env, fs, process};
use writer::Writer;

/// The rows that there are before anybody writes: in each team as much in accounts as in entries. Both have those that are contested.
const SEED: &str = "
with recursive n(id) as (select 1 union all select id + 1 from n where id < 200)
insert into accounts (id, team, published, amount)
  select id, case id % 4 when 0 then 'red' when 1 then 'green' when 2 then 'blue' else 'grey' end, id % 3 <> 0, 5 from n;
with recursive n(id) as (select 1 union all select id + 1 from n where id < 1000)
insert into entries (id, team, amount)
  select case when id <= {contested} then id else 200 + id end, case id % 4 when 0 then 'red' when 1 then 'green' when 2 then 'blue' else 'grey' end, 1 from n;
";
const FIRST_ID: i64 = 1201;

/// A folder of the run's own, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = env::temp_dir().join(format!("carburetor-oracle-{}", process::id()));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Folder(path))
    }

    fn connect(&self) -> Result<SqliteConnection, String> {
        let file = self.0.join("oracle.sqlite");
        let mut conn = SqliteConnection::establish(&file.to_string_lossy())
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let settings =
            "pragma busy_timeout = 20000; pragma journal_mode = wal; pragma synchronous = off";
        execute(&mut conn, settings)?;
        Ok(conn)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} was not removed: {error}", self.0.display());
        }
    }
}

pub(super) fn run(options: &Options) -> Result<Verdict, String> {
    let folder = Folder::new()?;
    let mut conn = folder.connect()?;
    let create = TABLES.replace(
        "{instant}",
        "text not null default '1970-01-01 00:00:00.000000+00:00'",
    );
    execute(&mut conn, &create)?;
    execute(&mut conn, history::SQLITE)?;
    execute(&mut conn, uploads::TWIN)?;
    SyncGroup::<(Account, Entry)>::tracking::<Sqlite>()
        .install(&mut conn)
        .map_err(|error| error.to_string())?;
    execute(&mut conn, &uploads::trace_on_sqlite())?;
    execute(
        &mut conn,
        &SEED.replace("{contested}", &CONTESTED.to_string()),
    )?;
    let run = Run::new(options.time, options.poll, FIRST_ID);
    let mut random = fastrand::Rng::with_seed(options.seed);
    let journal = Journal::default();
    let mut writers: Vec<Write<'_>> = Vec::new();
    for _ in 0..options.writers {
        let mut writer = Writer {
            conn: folder.connect()?,
            random: random.fork(),
            run: &run,
        };
        writers.push(Box::new(move || {
            writer.write().map_err(|error| format!("a writer: {error}"))
        }));
    }
    for number in 0..options.uploaders {
        writers.push(uploads::uploader(
            number,
            folder.connect()?,
            random.fork(),
            &run,
            &journal,
        )?);
    }
    let finish: Finish<'_> = Box::new(|_| Ok(()));
    let mut competitors = ours(&folder)?;
    competitors.extend(naive(&folder)?);
    contest::hold(&run, writers, finish, &mut competitors, options.seed)?;
    let truth = Truth {
        accounts: Account::load(&mut conn, None).map_err(|error| error.to_string())?,
        entries: Entry::load(&mut conn, None).map_err(|error| error.to_string())?,
        history: history::read(&mut conn).map_err(|error| error.to_string())?,
    };
    let verdict = Verdict::of(&competitors, &truth);
    Ok(match options.uploaders {
        0 => verdict,
        _ => verdict.with(uploads::judge(&mut conn, journal)?),
    })
}

fn ours(folder: &Folder) -> Result<Vec<Competitor<Account, Entry>>, String> {
    use Keep::{Timestamps, Token, TokenOfChangingScope};
    use Way::{Consistent, Json, Pages, Plain};
    type Whole = (Account, Entry);
    type Public = (Filtered<Account, Published>, Entry);
    Ok(vec![
        ours_in::<Whole>("timestamps", folder, View::everything(), Plain, Timestamps)?,
        ours_in::<Whole>("token", folder, View::everything(), Plain, Token)?,
        ours_in::<Whole>("consistent", folder, View::everything(), Consistent, Token)?,
        ours_in::<Whole>("pages of 7", folder, View::everything(), Pages(7), Token)?,
        ours_in::<Whole>("json", folder, View::everything(), Json, Token)?,
        ours_in::<Whole>(
            "red, timestamps",
            folder,
            View::of(&["red"]),
            Plain,
            Timestamps,
        )?,
        ours_in::<Whole>(
            "blue and grey, consistent",
            folder,
            View::of(&["blue", "grey"]),
            Consistent,
            Timestamps,
        )?,
        ours_in::<Whole>(
            "green, pages of 7",
            folder,
            View::of(&["green"]),
            Pages(7),
            Token,
        )?,
        ours_in::<Public>(
            "published, red and blue",
            folder,
            View::published_of(&["red", "blue"]),
            Plain,
            Token,
        )?,
        ours_in::<Whole>(
            "changing scope",
            folder,
            View::of(&["red"]),
            Consistent,
            TokenOfChangingScope,
        )?,
    ])
}

fn ours_in<T>(
    name: &'static str,
    folder: &Folder,
    view: View,
    way: Way,
    keep: Keep,
) -> Result<Competitor<Account, Entry>, String>
where
    T: DownloadTables<Sqlite, Member>
        + WireTables<Sqlite>
        + SyncTables<News = (TableNews<Account>, TableNews<Entry>)>,
    Timestamps<SyncGroup<T, Member>>: From<(Option<DateTime<Utc>>, Option<DateTime<Utc>>)>,
{
    let follower = Follower::<T, Account, Entry, _>::new(
        name,
        folder.connect()?,
        view,
        way,
        keep,
        Assumptions::default(),
    );
    Ok(Competitor {
        kind: Kind::Ours,
        consistent: matches!(way, Way::Consistent | Way::Json),
        downloader: Box::new(follower),
    })
}

/// The clock loses, because a transaction stamps before it commits. Writers take turns here, so the greatest stamp loses only what is committed
/// between the readings of two tables, which is rare; it is shown for comparison.
fn naive(folder: &Folder) -> Result<Vec<Competitor<Account, Entry>>, String> {
    let competitor = |name, cutoff, kind| {
        Ok(Competitor {
            kind,
            consistent: false,
            downloader: Box::new(Naive::<Account, Entry, _>::new(
                name,
                folder.connect()?,
                cutoff,
            )),
        })
    };
    vec![
        competitor("naive clock", Cutoff::Clock, Kind::Naive),
        competitor("naive max(stamp)", Cutoff::GreatestRead, Kind::Guess),
    ]
    .into_iter()
    .collect()
}

impl Clock for SqliteConnection {
    fn clock(&mut self) -> QueryResult<DateTime<Utc>> {
        let clock = "cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer)";
        let millis: i64 = diesel::select(sql::<BigInt>(clock)).get_result(self)?;
        Ok(DateTime::from_timestamp_millis(millis).unwrap_or_default())
    }
}

fn execute(conn: &mut SqliteConnection, statements: &str) -> Result<(), String> {
    conn.batch_execute(statements)
        .map_err(|error| format!("{error} in:\n{statements}"))
}
