//! A device: a terminal, an SQLite file, and a server that may be away.

use crate::model::{Todo, sqlite::items};
use carburetor::replica::{Http, Phase, Replica, Status};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use futures_util::StreamExt;
use indicatif::ProgressBar;
use std::error::Error;
use std::io::Write;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

const HELP: &str = "add TITLE    mark N    rename N TITLE    delete N    list    quit";
const HELP_TOLD: &str =
    "of what was rejected: retry N    drop N    of what met another item: seen N";

pub async fn run(address: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let transport = Http::new(&format!("http://{address}/sync/todo"))?;
    let replica = Replica::<Todo>::open(format!("todo-{name}.db"), transport)?;
    println!("{HELP}");
    tokio::select! {
        ended = replica.run() => match ended? {},
        done = talk(&replica) => done,
    }
}

/// Reads what is typed, and shows the list whenever it has changed, by whomever.
async fn talk(replica: &Replica<Todo>) -> Result<(), Box<dyn Error>> {
    let mut conn = replica.connection()?;
    let mut shown = String::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut statuses = pin!(replica.status());
    let mut state = String::new();
    let mut load = None;
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line? else { return Ok(()) };
                if line.trim() == "quit" {
                    return Ok(());
                }
                match edit(replica, &mut conn, line.trim()) {
                    Ok(()) => shown.clear(),
                    Err(problem) => println!("{problem}"),
                }
            }
            Some(status) = statuses.next() => match said(&status, &mut load) {
                Some(says) => state = says,
                None => continue,
            }
        }
        let list = list(&mut conn, &state)? + &told(replica)?;
        if list != shown {
            print!("{list}");
            std::io::stdout().flush()?;
            shown = list;
        }
    }
}

/// What stands above the list; `None` while rows come, which a bar shows on the first load.
fn said(status: &Status, load: &mut Option<ProgressBar>) -> Option<String> {
    if let Phase::Downloading { rows } = status.phase {
        if status.last_synced.is_none() {
            let bar = load.get_or_insert_with(ProgressBar::new_spinner);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_message(format!("{rows} items so far"));
        }
        return None;
    }
    if let Some(bar) = load.take() {
        bar.finish_and_clear();
    }
    let mut says = match &status.phase {
        Phase::Live | Phase::Polling => String::new(),
        Phase::Offline { .. } => format!("offline, {} to send", status.pending),
        _ => return None,
    };
    // Without times and attempts, which would write the list anew with each of them.
    for obstacle in &status.obstacles {
        says += &format!("\n    {}: {}", obstacle.task, obstacle.reason);
    }
    Some(says)
}

/// What came to nothing, or to something else than was written, until the user has said what becomes of it.
fn told(replica: &Replica<Todo>) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for rejected in replica.rejected()? {
        text += &format!("rejected {}: {}\n", rejected.seq, rejected.rejection);
    }
    for met in replica.met()? {
        let was: Vec<String> = met
            .met
            .iter()
            .map(|(column, value)| format!("{column} {value}"))
            .collect();
        text += &format!(
            "met {}: another item took the id {} as well, with {}\n",
            met.seq,
            met.change.id,
            was.join(", ")
        );
    }
    match text.is_empty() {
        true => Ok(text),
        false => Ok(format!("{text}{HELP_TOLD}\n")),
    }
}

fn list(conn: &mut SqliteConnection, state: &str) -> QueryResult<String> {
    let mut text = format!("--- {state}\n");
    for (number, (_, title, done)) in all(conn)?.into_iter().enumerate() {
        let mark = if done { 'x' } else { ' ' };
        text += &format!("{:3} [{mark}] {title}\n", number + 1);
    }
    Ok(text)
}

fn all(conn: &mut SqliteConnection) -> QueryResult<Vec<(String, String, bool)>> {
    items::table
        .select((items::id, items::title, items::done))
        .order((items::title, items::id))
        .load(conn)
}

/// Writes with ordinary Diesel; what is written waits in the replica's outbox until a server answers.
fn edit(
    replica: &Replica<Todo>,
    conn: &mut SqliteConnection,
    line: &str,
) -> Result<(), Box<dyn Error>> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let item = |conn: &mut SqliteConnection, number: &str| {
        let place = number.parse::<usize>().unwrap_or(0);
        let item = all(conn)?.into_iter().nth(place.wrapping_sub(1));
        item.ok_or_else(|| Box::<dyn Error>::from(format!("there is no number `{number}`")))
    };
    match word {
        "add" if !rest.is_empty() => {
            let id = format!("{:032x}", fastrand::u128(..));
            diesel::insert_into(items::table)
                .values((
                    items::id.eq(id),
                    items::title.eq(rest),
                    items::done.eq(false),
                ))
                .execute(conn)?;
        }
        "mark" => {
            let (id, _, done) = item(conn, rest)?;
            diesel::update(items::table.find(id))
                .set(items::done.eq(!done))
                .execute(conn)?;
        }
        "rename" => {
            let (number, title) = rest.split_once(' ').ok_or("rename N TITLE")?;
            let (id, ..) = item(conn, number)?;
            diesel::update(items::table.find(id))
                .set(items::title.eq(title))
                .execute(conn)?;
        }
        "delete" => {
            let (id, ..) = item(conn, rest)?;
            diesel::delete(items::table.find(id)).execute(conn)?;
        }
        "retry" | "drop" | "seen" => {
            let number = rest.parse()?;
            let is_there = match word {
                "retry" => replica.retry(number)?,
                "drop" => replica.drop_rejected(number)?,
                _ => replica.drop_met(number)?,
            };
            if !is_there {
                return Err(format!("there is no number `{number}` to {word}").into());
            }
        }
        "list" => {}
        _ => return Err(HELP.into()),
    }
    Ok(())
}
