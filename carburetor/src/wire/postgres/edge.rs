//! Values at the end of their type, which Rust's types may take for others: what they make of one is compared with it.

use super::array::Reader;
use super::lookup::Lookup;
use crate::wire::WireError;
use crate::wire::calendar::DAY;
use diesel::deserialize::{self, FromSql};
use diesel::pg::data_types::PgInterval;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::bind_collector::{BindCollector, RawBytesBindCollector};
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use std::any::TypeId;

/// The oids of types whose values have an end.
const DATE: u32 = 1082;
const TIME: u32 = 1083;
const INSTANTS: [u32; 2] = [1114, 1184];
const INTERVAL: u32 = 1186;

/// What stands before the items of an array of one dimension.
const HEAD: usize = 20;

/// The Rust value of one that the database holds.
///
/// # Errors
///
/// The type can't read the value, or takes it for another one.
pub(crate) fn take<ST, U>(value: PgValue<'_>) -> deserialize::Result<U>
where
    Pg: HasSqlType<ST>,
    U: FromSql<ST, Pg> + ToSql<ST, Pg> + 'static,
{
    let Some(edge) = Edge::of(value) else {
        return U::from_nullable_sql(Some(value));
    };
    let as_it_is = TypeId::of::<U>() == TypeId::of::<PgInterval>()
        || TypeId::of::<U>() == TypeId::of::<Option<PgInterval>>();
    match edge {
        Edge::Infinite(what) => return Err(infinite(what).into()),
        Edge::Interval if !as_it_is => {
            let said =
                "an interval of millions of years can't be read in Rust; store a shorter one";
            return Err(WireError::new(said).into());
        }
        Edge::Interval | Edge::EndOfDay => {}
    }
    let read = U::from_nullable_sql(Some(value))?;
    let mut again = RawBytesBindCollector::<Pg>::new();
    again.push_bound_value::<ST, U>(&read, &mut Lookup)?;
    let again = again.binds.pop().flatten();
    // An array's head differs by what it says of NULL.
    let head = match value.as_bytes().len() {
        ..HEAD => 0,
        _ => HEAD,
    };
    let is_same = again.is_some_and(|again| again.get(head..) == value.as_bytes().get(head..));
    match is_same {
        true => Ok(read),
        false => {
            let said = "the field's type takes the time 24:00:00 for 00:00:00; store another one";
            Err(WireError::new(said).into())
        }
    }
}

/// Which end a value, or an item of an array, is at.
#[derive(Debug, Clone, Copy)]
enum Edge {
    /// Diesel's types read a finite one.
    Infinite(&'static str),
    /// Rust's types begin the day again.
    EndOfDay,
    /// More months than Diesel counts.
    Interval,
}

impl Edge {
    fn of(value: PgValue<'_>) -> Option<Self> {
        let bytes = value.as_bytes();
        match bytes.len() {
            // The oid takes a look at the result, and few values are at an end.
            4 | 8 | 16 => Self::at_end(bytes, None)
                .and_then(|_| Self::at_end(bytes, Some(value.get_oid().get()))),
            HEAD.. if bytes.starts_with(&[0, 0, 0, 1, 0, 0, 0]) => Self::of_items(bytes),
            _ => None,
        }
    }

    fn of_items(bytes: &[u8]) -> Option<Self> {
        let mut items = Reader(bytes.get(8..)?);
        let oid = items.integer().ok()?.unsigned_abs();
        if ![DATE, TIME, INTERVAL].contains(&oid) && !INSTANTS.contains(&oid) {
            return None;
        }
        let _length_and_bound = items.bytes(8).ok()?;
        while let Ok(item) = items.item() {
            if let Some(edge) = item.and_then(|item| Self::at_end(item, Some(oid))) {
                return Some(edge);
            }
        }
        None
    }

    /// The end that `bytes` would be at as a value of the type `oid`, or of any.
    fn at_end(bytes: &[u8], oid: Option<u32>) -> Option<Self> {
        let may_be = |types: &[u32]| oid.is_none_or(|oid| types.contains(&oid));
        match bytes.len() {
            4 => {
                let days = i32::from_be_bytes(bytes.try_into().ok()?);
                let is_end = matches!(days, i32::MIN | i32::MAX);
                (is_end && may_be(&[DATE])).then_some(Edge::Infinite("date"))
            }
            8 => match i64::from_be_bytes(bytes.try_into().ok()?) {
                i64::MIN | i64::MAX => may_be(&INSTANTS).then_some(Edge::Infinite("instant")),
                DAY => may_be(&[TIME]).then_some(Edge::EndOfDay),
                _ => None,
            },
            16 => {
                let days = i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
                let months = i32::from_be_bytes(bytes.get(12..)?.try_into().ok()?);
                let counted = months.checked_mul(30).and_then(|sum| sum.checked_add(days));
                (counted.is_none() && may_be(&[INTERVAL])).then_some(Edge::Interval)
            }
            _ => None,
        }
    }
}

/// Why a date or an instant without end doesn't travel.
pub(super) fn infinite(what: &str) -> WireError {
    WireError::new(format!(
        "an infinite {what} can't travel; store NULL, or a finite one"
    ))
}
