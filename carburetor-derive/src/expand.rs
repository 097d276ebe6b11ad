//! Prints the implementations of a model without mistakes; nothing here can fail.

mod backend;
pub mod changeset;
mod checks;
mod companion;
mod definition;
mod id;
pub mod insert;
mod table;

pub use backend::{Backend, backends};

use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

/// Everything that the derive adds to the model.
pub fn expand(model: &Model) -> TokenStream {
    let companions = companions(model);
    let table = table::table(model);
    let backends = backend::tables_on(model);
    quote! {
        #companions

        const _: () = {
            #table
            #backends
        };
    }
}

/// The insert model and the changeset, without what a backend knows of them.
pub fn companions(model: &Model) -> TokenStream {
    let (insert, changeset) = (insert::structure(model), changeset::structure(model));
    let (insert_impls, changeset_impls) = (insert::impls(model), changeset::impls(model));
    quote! {
        #insert
        #changeset

        const _: () = {
            #insert_impls
            #changeset_impls
        };
    }
}

/// The path of the library.
pub fn library(model: &Model) -> TokenStream {
    match &model.container.krate {
        Some(path) => quote!(#path),
        None => quote!(::carburetor),
    }
}

/// What names the model's table; with SQLite alone that is SQLite's own, so that the program needs no other.
pub fn with_table(model: &Model, output: impl Fn(&syn::Path) -> TokenStream) -> TokenStream {
    let own = output(&model.table);
    let Some(sqlite) = &model.container.sqlite_table else {
        return own;
    };
    let (library, sqlite) = (library(model), output(sqlite));
    quote! {
        #library::__unless_only_sqlite! { #own }
        #library::__if_only_sqlite! { #sqlite }
    }
}

/// `column` as its `table!` in `table` has it.
fn path(table: &syn::Path, column: &Column) -> TokenStream {
    let ident = &column.ident;
    quote_spanned!(column.field.span()=> #table::#ident)
}

/// The SQL type of `column` in `table`.
fn sql_type(table: &syn::Path, column: &Column) -> TokenStream {
    let path = path(table, column);
    quote!(::diesel::dsl::SqlTypeOf<#path>)
}
