//! Rows by column as a query: one array in the binary format per column, which `unnest` takes apart.
//!
//! There are no arrays of arrays, and composite values would be taken apart too. Of such columns all elements make one array, out of which each row
//! takes its own.

use crate::statement::Statement;
use crate::upload::Types;
use crate::upload::sent::{Cells, Sent};
use crate::upload::types::{ColumnType, Shape};
use crate::wire::WireError;
use crate::wire::postgres::{Reader, SEVERAL_DIMENSIONS};
use diesel::QueryResult;
use diesel::pg::{Pg, PgTypeMetadata};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, TypeMetadata};
use std::io::Write;

const BOOL: u32 = 16;
const INT8: u32 = 20;
const INT4: u32 = 23;
const TEXT: u32 = 25;

/// Appends the query; returns how many binds it has.
pub(super) fn push<'v>(
    sent: Sent<'v, Pg>,
    types: &Types,
    statement: &mut Statement<'v, Pg>,
) -> usize {
    let mut arrays: Vec<(Array, &str)> = Vec::with_capacity(sent.columns.len());
    let mut wholes = 0;
    for (place, column) in sent.columns.into_iter().enumerate() {
        statement.sql(if place == 0 { "select " } else { ", " });
        let at = arrays.len();
        let array = match column.cells {
            Cells::Numbers(numbers) => {
                let numbers = numbers.iter().map(|number| Some(number.to_be_bytes()));
                (array(INT8, numbers), "pg_catalog.int8")
            }
            Cells::Texts(texts) => (array(TEXT, texts.iter().map(Some)), "pg_catalog.text"),
            Cells::Flags(flags) => {
                let flags = flags.iter().map(|flag| Some([u8::from(*flag)]));
                (array(BOOL, flags), "pg_catalog.bool")
            }
            Cells::Values(column, values) => match types.of(column) {
                None => (array(TEXT, values.into_iter()), "pg_catalog.text"),
                Some(ColumnType {
                    shape: Shape::Plain,
                    oid,
                    name,
                    ..
                }) => (array(*oid, values.into_iter()), name.as_str()),
                Some(found) => {
                    let whole = Whole::of(found, &values, at);
                    statement
                        .sql("(")
                        .bind(whole.items)
                        .sql(format!("::{}[])[u.c{at}{}]", found.name, whole.to));
                    wholes += 1;
                    arrays.extend(whole.bounds.map(|bound| (bound, "pg_catalog.int4")));
                    continue;
                }
            },
        };
        statement.sql(format!("u.c{at}"));
        arrays.push(array);
    }
    let names: Vec<String> = (0..arrays.len()).map(|at| format!("c{at}")).collect();
    for (place, (array, name)) in arrays.into_iter().enumerate() {
        statement
            .sql(match place {
                0 => " from rows from (pg_catalog.unnest(",
                _ => "), pg_catalog.unnest(",
            })
            .bind(array)
            .sql(format!("::{name}[]"));
    }
    statement.sql(format!(")) u ({})", names.join(", ")));
    names.len() + wholes
}

/// A column whose rows take their values out of one array.
struct Whole {
    items: Array,
    /// Where the value of each row begins and ends; without a value, nowhere.
    bounds: [Array; 2],
    /// What follows the beginning in a subscript.
    to: String,
}

impl Whole {
    /// `at`: the number of the column with the beginnings.
    fn of(found: &ColumnType, values: &[Option<&Vec<u8>>], at: usize) -> Self {
        let mut all = Vec::new();
        let mut bounds = [Vec::new(), Vec::new()];
        let mut wrong = None;
        for value in values {
            let before = all.len();
            match value {
                Some(value) if found.shape == Shape::Array => match items(value) {
                    Ok(items) => all.extend(items),
                    Err(error) => wrong = Some(error.to_string()),
                },
                Some(value) => all.push(Some(value.as_slice())),
                None => {}
            }
            let bound = |place: usize| value.and(i32::try_from(place).ok());
            bounds[0].push(bound(before + 1).map(i32::to_be_bytes));
            bounds[1].push(bound(all.len()).map(i32::to_be_bytes));
        }
        Whole {
            items: match wrong {
                Some(wrong) => Array(Err(wrong)),
                None => array(found.oid, all.into_iter()),
            },
            bounds: bounds.map(|bound| array(INT4, bound.into_iter())),
            to: match found.shape {
                Shape::Array => format!(":u.c{}", at + 1),
                _ => String::new(),
            },
        }
    }
}

/// The elements of an array.
fn items(array: &[u8]) -> Result<Vec<Option<&[u8]>>, WireError> {
    let mut reader = Reader(array);
    let dimensions = reader.integer()?;
    let (_has_null, _oid) = (reader.integer()?, reader.integer()?);
    match dimensions {
        0 => return Ok(Vec::new()),
        1 => {}
        _ => return Err(WireError::new(SEVERAL_DIMENSIONS)),
    }
    let (length, _first) = (reader.integer()?, reader.integer()?);
    (0..length).map(|_| reader.item()).collect()
}

/// An array of one dimension in the binary format: dimensions, whether there are NULLs, the elements' type, length, first index, elements.
fn array<B: AsRef<[u8]>>(oid: u32, values: impl ExactSizeIterator<Item = Option<B>>) -> Array {
    let length = i32::try_from(values.len()).unwrap_or(i32::MAX);
    let mut out = Vec::with_capacity(20 + values.len() * 12);
    for word in [1_u32.to_be_bytes(), 1_u32.to_be_bytes(), oid.to_be_bytes()] {
        out.extend_from_slice(&word);
    }
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    for value in values {
        let Some(value) = value else {
            out.extend_from_slice(&(-1_i32).to_be_bytes());
            continue;
        };
        let value = value.as_ref();
        let size = i32::try_from(value.len()).unwrap_or(i32::MAX);
        out.extend_from_slice(&size.to_be_bytes());
        out.extend_from_slice(value);
    }
    Array(Ok(out))
}

/// An array whose type the cast behind it tells, or why there is none.
#[derive(Debug)]
struct Array(Result<Vec<u8>, String>);

/// The SQL type of [`Array`].
struct AsCast;

impl HasSqlType<AsCast> for Pg {
    fn metadata(_: &mut <Pg as TypeMetadata>::MetadataLookup) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

impl ToSql<AsCast, Pg> for Array {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        out.write_all(self.0.as_ref().map_err(String::as_str)?)?;
        Ok(IsNull::No)
    }
}

impl QueryFragment<Pg> for Array {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<AsCast, _>(self)
    }
}
