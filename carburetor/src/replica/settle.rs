//! Settling: what becomes of entries and rows when the server has answered.

use super::batch::last_clock;
use super::below;
use super::clock::observe;
use super::conclude::{Told, conclude, forget, unread};
use super::error::ReplicaError;
use super::file::Store;
use super::frozen::{forget_entries, take_back};
use super::held;
use super::met;
use super::origin;
use super::overtaken;
use super::query::{self, BIND, Bind, Stored};
use super::rebase::{applied, binds, rebase, rebase_on, stamp_of};
use super::refused;
use super::rejected::counting;
use super::relay;
use super::rows::{admit, travelled, write_ids, write_rows};
use super::sending::Sending;
use super::show::{ANSWERED, show, show_all};
use super::shown::{ask_again, is_shared, note_one};
use super::table::ReplicaTable;
use super::token::{self, compare_scope};
use super::unreadable::Unread;
use crate::change::{Change, Edit};
use crate::outcome::{Code, Outcome, Outcomes, Verdict};
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

/// Settles the changes of one upload. The caller has a transaction.
pub(super) fn settle(
    conn: &mut SqliteConnection,
    store: &Store,
    batch: &[Sending],
    outcomes: &Outcomes,
) -> Result<Told, ReplicaError> {
    let (mut told, aside) = counting(conn, |conn| conclude_all(conn, store, batch, outcomes))?;
    // What was edited over a row that goes is kept aside, too, where it can't travel.
    told.rejected = aside.saturating_sub(told.lost);
    observe(conn, outcomes.clock, None)?;
    if let Some(scope) = &outcomes.scope {
        compare_scope(conn, &store.group, scope)?;
    }
    if let Some(origin) = &outcomes.origin {
        origin::compare(conn, &store.group, origin)?;
    }
    // What the server may forget: a device of this hub says that for itself.
    if let Some(last) = last_clock(batch)
        && !relay::is_relayed(conn, store, last)?
    {
        query::execute(
            conn,
            &format!(
                "update carburetor_group set confirmed = max(coalesce(confirmed, ''), {BIND}) where name = {BIND}"
            ),
            [Bind::text(last.to_string()), Bind::text(&store.group)],
        )?;
    }
    Ok(told)
}

/// Settles each change.
fn conclude_all(
    conn: &mut SqliteConnection,
    store: &Store,
    batch: &[Sending],
    outcomes: &Outcomes,
) -> Result<Told, ReplicaError> {
    let mut told = Told::default();
    for (sending, outcome) in answered(batch, outcomes)? {
        if !forget(conn, "carburetor_sending", sending)? {
            continue;
        }
        let change = sending.read()?;
        match outcome.verdict {
            Verdict::Held => {
                held::keep(conn, &store.group, sending)?;
                overtaken::overtake(conn, store, &change)?;
            }
            _ => told += conclude(conn, store, &change, outcome)?,
        }
        if let Some(met) = &outcome.met {
            told.met += 1;
            met::keep(conn, &store.group, &change, met)?;
            tracing::warn!(
                table = change.table,
                id = %change.id,
                "a row was inserted under the id of another one: of each column the later value stands"
            );
        }
        // The program may have dropped the table from its group since.
        if let Some(table) = store.table(&change.table) {
            told.unreadable += one(conn, store, table, &change, outcome)?;
        }
    }
    Ok(told)
}

/// Each change with its outcome.
pub(super) fn answered<'a>(
    batch: &'a [Sending],
    outcomes: &'a Outcomes,
) -> Result<impl Iterator<Item = (&'a Sending, &'a Outcome)>, ReplicaError> {
    let answered = &outcomes.outcomes;
    for place in 0..batch.len().max(answered.len()) {
        let sent = batch.get(place).map(|sending| sending.clock);
        let clock = answered.get(place).map(|outcome| outcome.clock);
        if sent != clock {
            return Err(ReplicaError::Answer {
                sent,
                answered: clock,
            });
        }
    }
    Ok(batch.iter().zip(answered))
}

/// Settles one change. Returns how many rows can't be shown.
fn one(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    change: &Change,
    outcome: &Outcome,
) -> Result<u64, ReplicaError> {
    let row = match answered_row(table, outcome) {
        Ok(Some(answered)) => answered,
        row => return by(conn, store, table, change, outcome, row),
    };
    let came = row.0;
    let settled = refused::attempt(conn, table, |conn| {
        by(conn, store, table, change, outcome, Ok(Some(row)))
    })?;
    match settled {
        Ok(unreadable) => Ok(unreadable),
        // The table refuses the row: it is as one that can't be read.
        Err(said) => {
            let unread = Unread::refused(table, came.clone(), &said);
            by(conn, store, table, change, outcome, Err(Box::new(unread)))
        }
    }
}

/// Settles one change by the row of its outcome.
fn by(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    change: &Change,
    outcome: &Outcome,
    row: Result<Answered<'_>, Box<Unread>>,
) -> Result<u64, ReplicaError> {
    let id = table.admit_id(&change.id)?;
    let outbox = table.own("outbox");
    let has_id = table.has_id("entry");
    let later = below::later(conn, table, &id, outcome)?;
    if below::is_gone(conn, table, &id, &change.clock.to_string())? {
        // That row may be this one, of which no later download would say so.
        token::forget(conn, &store.group)?;
    }
    // What the program edited doesn't stand, and what does can't be shown.
    let is_undone = row.is_err() && !matches!(outcome.verdict, Verdict::Merged | Verdict::Held);
    let is_unknown = is_unknown(change, outcome);
    if is_unknown {
        token::forget_of(conn, table)?;
    }
    if is_unknown || is_undone && !is_insert(change) {
        take_back(conn, table, &id, &change.clock.to_string())?;
    }
    // An upload of a device may have left an entry with a clock that no change has.
    let or_nobodys = match table.is_hub {
        true => {
            " or carburetor_sent = 1 and not exists (select 1 from carburetor_sending as sending where sending.clock = entry.carburetor_clock)"
        }
        false => "",
    };
    let ended = query::execute(
        conn,
        &format!(
            "delete from {outbox} as entry where {has_id} and (carburetor_clock = {BIND}{or_nobodys})"
        ),
        binds(&id).chain([Bind::text(change.clock.to_string())]),
    )?;
    release(conn, table, &change.edit, &id)?;
    below::forget(conn, table, &id)?;
    if let Some(later) = later {
        if let (Some(_), Err(unread)) = (&outcome.unreadable, &row) {
            unread.keep(conn, table)?;
        }
        let target = table.staged(ANSWERED.rows);
        write_rows(conn, table, &target, std::slice::from_ref(&later))?;
        let aside = show(conn, store, table, ANSWERED)?;
        let stamp = stamp_of(table, &later);
        let columns = table.definition.downloaded();
        let columns = columns.map(|column| column.name.as_str()).zip(later);
        rebase(conn, table, &id, columns, stamp)?;
        return Ok(aside);
    }
    if ended == 0 && below::is_another(conn, table, &id, outcome)? {
        return Ok(0);
    }
    match row {
        Err(unread) => {
            if is_undone && is_insert(change) && ended > 0 {
                take_away(conn, store, table, &id)?;
            }
            unread.keep(conn, table)?;
            rebase_on(conn, table, &id, &Map::new(), None)?;
            Ok(1)
        }
        // What was marked as gone is gone, and comes as no removal where the server never had it.
        _ if outcome.is_as_sent() && (outcome.stamp.is_some() || change.edit == Edit::Delete) => {
            if is_shared(conn, table, &store.group)? {
                note_one(conn, table, &store.group, &id)?;
            }
            applied(conn, table, change, outcome, &id)?;
            Ok(0)
        }
        Ok(Some((row, values))) => {
            let target = table.staged(ANSWERED.rows);
            write_rows(conn, table, &target, std::slice::from_ref(&values))?;
            show_all(conn, store, table, ANSWERED)?;
            rebase_on(conn, table, &id, row, stamp_of(table, &values))?;
            Ok(0)
        }
        Ok(None) if is_unknown => {
            rebase_on(conn, table, &id, &Map::new(), None)?;
            Ok(0)
        }
        Ok(None) => {
            let aside = take_away(conn, store, table, &id)?;
            if is_shared(conn, table, &store.group)? {
                ask_again(conn, table, &store.group, &id)?;
            }
            rebase_on(conn, table, &id, &Map::new(), None)?;
            Ok(aside)
        }
    }
}

/// Whether the server could not read what the change is of, a table that its group doesn't have for instance: it says nothing of the row then, which
/// becomes what it was before, until the next download tells.
fn is_unknown(change: &Change, outcome: &Outcome) -> bool {
    let is_invalid =
        matches!(&outcome.verdict, Verdict::Rejected(rejection) if rejection.code == Code::Invalid);
    is_invalid && outcome.row.is_none() && outcome.unreadable.is_none() && !is_insert(change)
}

fn is_insert(change: &Change) -> bool {
    matches!(change.edit, Edit::Insert(_))
}

/// Takes away the row that an insert made. What was edited since goes up by itself.
fn take_away(
    conn: &mut SqliteConnection,
    store: &Store,
    table: &ReplicaTable,
    id: &Vec<Stored>,
) -> Result<u64, ReplicaError> {
    let gone = table.staged(ANSWERED.gone);
    write_ids(conn, table, &gone, std::slice::from_ref(id))?;
    show(conn, store, table, ANSWERED)
}

/// The row of an outcome, as it travelled and as the file stores it.
type Answered<'o> = Option<(&'o Map<String, Value>, Vec<Stored>)>;

/// The row of an outcome, unless it can't be shown.
fn answered_row<'o>(
    table: &ReplicaTable,
    outcome: &'o Outcome,
) -> Result<Answered<'o>, Box<Unread>> {
    if let Some(error) = &outcome.unreadable {
        return Err(Box::new(Unread::told(error.clone())));
    }
    let Some(row) = &outcome.row else {
        return Ok(None);
    };
    match admit(table, &travelled(table, row.clone())) {
        Ok(values) => Ok(Some((row, values))),
        Err(error) => Err(Box::new(Unread::answered(table, row.clone(), error))),
    }
}

/// What was edited while a change was in flight is now simply unsent.
fn release(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    edit: &Edit,
    id: &[Stored],
) -> Result<(), ReplicaError> {
    let (outbox, has_id) = (table.own("outbox"), table.has_id("entry"));
    for register in registers(edit) {
        query::execute(
            conn,
            &format!(
                "update {outbox} as entry set carburetor_sent = 0 where {has_id} and carburetor_column = {BIND} and carburetor_sent = 2"
            ),
            binds(id).chain([Bind::text(register)]),
        )?;
    }
    Ok(())
}

/// Takes back a change that the server can't even read, as one that it rejected; `true` if the program is to be told. The caller has a transaction.
pub(super) fn refuse(
    conn: &mut SqliteConnection,
    store: &Store,
    sending: &Sending,
    message: &str,
) -> Result<bool, ReplicaError> {
    if !forget(conn, "carburetor_sending", sending)? {
        return Ok(false);
    }
    let change = sending.read()?;
    let told = conclude(conn, store, &change, &unread(&change, message))?;
    if let Some(table) = store.table(&change.table) {
        let id = table.admit_id(&change.id)?;
        let clock = sending.clock.to_string();
        token::forget_of(conn, table)?;
        match is_insert(&change) {
            true => {
                forget_entries(conn, table, &id, &clock)?;
                take_away(conn, store, table, &id)?;
            }
            false => drop(take_back(conn, table, &id, &clock)?),
        }
        release(conn, table, &change.edit, &id)?;
        below::forget(conn, table, &id)?;
    }
    Ok(told.rejected > 0)
}

/// Which registers a change wrote; the row's existence is the empty one.
fn registers(edit: &Edit) -> Vec<&str> {
    match edit {
        Edit::Update(columns) => columns.keys().map(String::as_str).collect(),
        Edit::Insert(_) | Edit::Delete => vec![""],
    }
}
