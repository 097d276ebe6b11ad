//! Prints the implementations of a model without mistakes; nothing here can fail.

mod backend;
mod changeset;
mod companion;
mod insert;
mod table;

use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

/// Everything that the derive adds to the model.
pub fn expand(model: &Model) -> TokenStream {
    let companions = companions(model);
    let table = table::table(model);
    let backends = backend::backends(model);
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
    let insert = insert::insert(model);
    let changeset = changeset::changeset(model);
    quote!(#insert #changeset)
}

/// The path of the library.
pub fn library(model: &Model) -> TokenStream {
    match &model.container.krate {
        Some(path) => quote!(#path),
        None => quote!(::carburetor),
    }
}

/// The SQL type of `column` in `table`.
fn sql_type(table: &syn::Path, column: &Column) -> TokenStream {
    let ident = &column.ident;
    let span = column.field.span();
    let path = quote_spanned!(span=> #table::#ident);
    quote!(::diesel::dsl::SqlTypeOf<#path>)
}
