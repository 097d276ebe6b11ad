//! What `#[diesel(..)]` says that concerns us; the rest is for Diesel's own derives.

use super::arguments;
use super::value::{ColumnName, Named, skip, value};
use crate::mistakes::Mistakes;
use proc_macro2::Span;
use syn::spanned::Spanned;

/// The path that `table_name` names.
pub fn table(attributes: &[syn::Attribute], mistakes: &mut Mistakes) -> Option<syn::Path> {
    let mut table: Option<syn::Path> = None;
    arguments(attributes, "diesel", mistakes, |argument, mistakes| {
        if !argument.path.is_ident("table_name") {
            return skip(argument.input);
        }
        match value::<Named>(&argument, "table_name = users") {
            Ok(_) if table.is_some() => mistakes.add(
                argument.path.span(),
                "a synced table has one `table_name`: derive a second model for the other table",
            ),
            Ok(Named(path)) => table = Some(path),
            Err(error) => mistakes.take(error),
        }
        Ok(())
    });
    table
}

/// What a field's `#[diesel(..)]` says.
#[derive(Default)]
pub struct Mapping {
    /// `column_name = ..`
    pub column: Option<syn::Ident>,
    /// `embed`, or another word by which the field is no column.
    pub no_column: Option<(String, Span)>,
    /// `serialize_as` or `deserialize_as`: the column is of another Rust type.
    pub other_type: Option<(String, Span)>,
}

/// Reads a field's `#[diesel(..)]`.
pub fn mapping(attributes: &[syn::Attribute], mistakes: &mut Mistakes) -> Mapping {
    let mut mapping = Mapping::default();
    arguments(attributes, "diesel", mistakes, |argument, mistakes| {
        let word = argument
            .path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        let place = argument.path.span();
        match word.as_str() {
            "column_name" => match value::<ColumnName>(&argument, "column_name = name") {
                Ok(ColumnName(column)) => mapping.column = Some(column),
                Err(error) => mistakes.take(error),
            },
            "embed" | "select_expression" => mapping.no_column = Some((word, place)),
            "serialize_as" | "deserialize_as" => mapping.other_type = Some((word, place)),
            _ => {}
        }
        skip(argument.input)
    });
    mapping
}
