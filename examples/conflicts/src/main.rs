//! Two devices edit the same customer of Pagila while they are offline, once under each strategy.
//!
//! Ann edits at nine and uploads last; Bob edits at ten and uploads first. So what counts is when somebody wrote, not who came first.

mod models;

use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::{SystemTime, Ticker};
use carburetor::outcome::{Outcome, Verdict};
use carburetor::table::TableOn;
use carburetor::upload::{ConflictsOf, LoggedConflict};
use carburetor::{Everyone, SyncGroup};
use carburetor_tests::{Cluster, Dataset};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use models::{ByField, ByRow, Merged, ReplicaFirst, ServerFirst, customer};
use serde_json::{Map, Value, json};
use std::error::Error;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Mary Smith, as the rental has her.
const MARY: i32 = 1;

/// One of the two devices: what it edited, and when.
struct Device {
    name: &'static str,
    clock: Ticker<SystemTime>,
}

impl Device {
    fn new(name: &'static str, id: u64) -> Self {
        Device {
            name,
            clock: Ticker::new(id, SystemTime),
        }
    }

    /// An edit of Mary, made on the row with this stamp.
    fn edit(&self, base: Option<DateTime<Utc>>, columns: Value) -> Result<Change> {
        let Value::Object(columns) = columns else {
            return Err("an edit is an object".into());
        };
        // What the device knows of the values that it writes over: what nobody else has changed is no conflict.
        let known = json!({"first_name": "Mary", "last_name": "Smith", "email": "mary@rental"});
        let was: Map<_, _> = columns
            .keys()
            .map(|column| (column.clone(), known[column].clone()))
            .collect();
        let edit = Edit::Update(columns);
        let mut change = Change::new("customer", MARY, self.clock.tick()?, edit);
        (change.base, change.was) = (base, was);
        Ok(change)
    }
}

fn main() -> Result<()> {
    let database = Cluster::shared().database();
    if !database.load(Dataset::Pagila) {
        return Ok(());
    }
    let conn = &mut database.connect();
    SyncGroup::<(ByField,)>::tracking::<Pg>().install(conn)?;
    println!(
        "Mary Smith <mary@rental>. Offline, Ann writes Maria <maria@home> at nine, Bob writes Smythe <mary@work> at ten."
    );
    println!("Bob uploads first.\n");
    show::<ByField>(conn, "fields: the later write of each column")?;
    show::<ByRow>(conn, "last_write_wins: the later write of the row")?;
    show::<ServerFirst>(conn, "server_wins: whatever the server has")?;
    show::<ReplicaFirst>(conn, "client_wins: whatever comes")?;
    show::<Merged>(conn, "custom: the model's own merge keeps both addresses")
}

/// Lets both devices edit and upload, and prints what comes of it.
fn show<M>(conn: &mut PgConnection, title: &str) -> Result<()>
where
    M: TableOn<Pg>,
{
    conn.batch_execute(
        "update customer set first_name = 'Mary', last_name = 'Smith', email = 'mary@rental' where customer_id = 1",
    )?;
    // Both devices download before they go offline. What they edit from now on is later than all that they have seen.
    let news = SyncGroup::<(M,)>::download(conn, (None,))?;
    let (ann, bob) = (Device::new("Ann", 0xa), Device::new("Bob", 0xb));
    ann.clock.observe(news.clock())?;
    bob.clock.observe(news.clock())?;
    let seen: Option<DateTime<Utc>> = customer::table
        .find(MARY)
        .select(customer::last_update)
        .first(conn)?;
    // Ann's clock is the earlier one, though she uploads later. A row that is resolved as one is sent as one.
    let whole = M::definition().conflict == carburetor::table::Conflict::LastWriteWins;
    let of_ann = ann.edit(
        seen,
        match whole {
            true => json!({"first_name": "Maria", "last_name": "Smith", "email": "maria@home"}),
            false => json!({"first_name": "Maria", "email": "maria@home"}),
        },
    )?;
    std::thread::sleep(std::time::Duration::from_millis(5));
    let of_bob = bob.edit(
        seen,
        match whole {
            true => json!({"first_name": "Mary", "last_name": "Smythe", "email": "mary@work"}),
            false => json!({"last_name": "Smythe", "email": "mary@work"}),
        },
    )?;
    println!("{title}");
    let before = log::<M>(conn, 0)?.last().map_or(0, |last| last.seq);
    for (device, change) in [(bob, of_bob), (ann, of_ann)] {
        let sent = Changes::new(vec![change]);
        let answers = SyncGroup::<(M,)>::upload(conn, &sent)?;
        println!(
            "  {} is told  {}",
            device.name,
            answer(&answers.outcomes[0])
        );
    }
    let (first, last, email): (String, String, Option<String>) = customer::table
        .find(MARY)
        .select((customer::first_name, customer::last_name, customer::email))
        .first(conn)?;
    println!(
        "  the server   {first} {last} <{}>",
        email.unwrap_or_default()
    );
    for conflict in log::<M>(conn, before)? {
        let from = if conflict.sender == 0xa { "Ann" } else { "Bob" };
        println!(
            "  the log      when {from} uploaded, {} gave way to {}",
            text(&conflict.lost),
            text(&conflict.won)
        );
    }
    println!();
    Ok(())
}

fn log<M: TableOn<Pg>>(conn: &mut PgConnection, after: i64) -> Result<Vec<LoggedConflict>> {
    let wanted = ConflictsOf {
        after,
        ..ConflictsOf::default()
    };
    Ok(SyncGroup::<(M,)>::scoped(&Everyone).conflicts(conn, &wanted)?)
}

fn answer(outcome: &Outcome) -> String {
    let row = outcome.row.as_ref().map(|row| {
        let column = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        format!(
            ", and gets {} {} <{}>",
            column("first_name"),
            column("last_name"),
            column("email")
        )
    });
    let verdict = match &outcome.verdict {
        Verdict::Applied => "applied".into(),
        Verdict::Merged => "merged".into(),
        Verdict::Superseded => "superseded".into(),
        Verdict::Rejected(rejection) => format!("rejected: {rejection}"),
        other => format!("{other:?}"),
    };
    format!("{verdict}{}", row.unwrap_or_default())
}

fn text(values: &Map<String, Value>) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|(column, value)| format!("{column} {value}"))
        .collect();
    values.join(", ")
}
