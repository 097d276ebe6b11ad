//! A first group on embedded SQLite: a server, a phone that may see one team, and what arrives on it after each change.
//!
//! Server and phone stand in one program here so that it runs anywhere; between two machines a download travels as JSON.

use carburetor::{SyncGroup, SyncScope, SyncTable, TableNews, Token, Visible};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::{self, Display};
use std::hash::Hash;

diesel::table! {
    players (id) { id -> Text, name -> Text, team -> Text, last_synced_at -> TimestamptzSqlite, }
}
diesel::table! {
    games (id) { id -> Integer, title -> Text, team -> Text, last_synced_at -> TimestamptzSqlite, }
}

/// An ordinary Diesel model with one more derive. The fields `id` and `last_synced_at` have their roles by their names.
#[derive(Debug, Clone, PartialEq, Queryable, SyncTable)]
#[diesel(table_name = players)]
#[sync(backends(sqlite))]
struct Player {
    id: String,
    name: String,
    /// Scopes look at it, so the tracking remembers where a row was visible before it moved.
    #[sync(visible_by)]
    team: String,
    last_synced_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, SyncTable)]
#[diesel(table_name = games)]
#[sync(backends(sqlite))]
struct Game {
    id: i32,
    title: String,
    #[sync(visible_by)]
    team: String,
    last_synced_at: DateTime<Utc>,
}

impl Display for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.name)
    }
}

impl Display for Game {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.title)
    }
}

/// Who asks. A server makes this value per request, from whoever is logged in.
struct TeamMember {
    team: String,
}

impl SyncScope<Player, Sqlite> for TeamMember {
    fn filter(&self) -> Visible<'_, players::table, Sqlite> {
        Visible::only(players::team.eq(&self.team))
    }
}

impl SyncScope<Game, Sqlite> for TeamMember {
    fn filter(&self) -> Visible<'_, games::table, Sqlite> {
        Visible::only(games::team.eq(&self.team))
    }
}

/// The tables that the phone's app syncs together, each within what a `TeamMember` sees.
type Mobile = SyncGroup<(Player, Game), TeamMember>;

/// The replica: here in memory, in an app usually its own database.
#[derive(Default)]
struct Phone {
    players: HashMap<String, Player>,
    games: HashMap<i32, Game>,
    /// From where the next download goes on; the default is the beginning. It is stored together with the rows.
    token: Token,
}

impl Phone {
    fn sync(&mut self, server: &mut SqliteConnection, step: &str) -> Result<(), Box<dyn Error>> {
        let red = TeamMember { team: "red".into() };
        let news = Mobile::scoped(&red).download(server, &self.token)?;
        self.token = news.next();

        println!("{step}");
        print(["table", "reset", "removed", "rows", "the phone then holds"]);
        let (players, games) = news.into_tables();
        take(players, &mut self.players);
        take(games, &mut self.games);
        println!();
        Ok(())
    }
}

/// Applies what is new of one table, and shows it. All but `apply` is for the eye.
fn take<M>(news: TableNews<M>, replica: &mut HashMap<M::Id, M>)
where
    M: SyncTable<Id: Display + Eq + Hash> + Display,
{
    let reset = news.reset.to_string();
    let removed = list(&news.removed);
    let rows = list(news.rows.iter().map(|row| row.id()));
    news.apply(replica);
    print([M::NAME, &reset, &removed, &rows, &list(replica.values())]);
}

fn print([table, reset, removed, rows, held]: [&str; 5]) {
    println!("   {table:10}{reset:8}{removed:10}{rows:11}{held}");
}

fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.sort();
    items.join(", ")
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut server = SqliteConnection::establish(":memory:")?;
    let server = &mut server;
    server.batch_execute(
        "create table players (id text primary key, name text not null, team text not null);
         create table games (id integer primary key, title text not null, team text not null);",
    )?;
    // Adds the column `last_synced_at` and the triggers that keep it. From here on every write counts, whoever makes it.
    Mobile::tracking::<Sqlite>().install(server)?;
    server.batch_execute(
        "insert into players (id, name, team) values ('ann', 'Ann', 'red'), ('bob', 'Bob', 'red'), ('eve', 'Eve', 'blue');
         insert into games (id, title, team) values (1, 'Chess', 'red'), (2, 'Go', 'red'), (3, 'Poker', 'blue')",
    )?;

    let mut phone = Phone::default();
    phone.sync(
        server,
        "1. The first download: all that team red sees, and nothing of team blue",
    )?;
    assert_eq!((phone.players.len(), phone.games.len()), (2, 2));

    phone.sync(server, "2. Nothing happened on the server")?;

    server.batch_execute("update players set name = 'Robert' where id = 'bob'; insert into games (id, title, team) values (4, 'Mill', 'red')")?;
    phone.sync(
        server,
        "3. Bob was renamed and a game was added: only these two rows travel",
    )?;
    assert_eq!(phone.players["bob"].name, "Robert");
    assert!(phone.games.contains_key(&4));

    server.batch_execute("delete from games where id = 1")?;
    phone.sync(server, "4. Game 1 was deleted: its id arrives as a removal")?;
    assert!(!phone.games.contains_key(&1));

    server.batch_execute("update players set team = 'blue' where id = 'ann'; update players set team = 'red' where id = 'eve'")?;
    phone.sync(
        server,
        "5. Ann moved to team blue, Eve to team red: one leaves the phone, one comes",
    )?;
    assert!(!phone.players.contains_key("ann") && phone.players.contains_key("eve"));

    // The phone holds exactly what the server shows to team red, stamps included.
    let mut held: Vec<Player> = phone.players.into_values().collect();
    held.sort_by(|one, other| one.id.cmp(&other.id));
    let shown = players::table
        .filter(players::team.eq("red"))
        .order(players::id);
    assert_eq!(held, shown.load::<Player>(server)?);
    println!("The phone and the server agree.");
    Ok(())
}
