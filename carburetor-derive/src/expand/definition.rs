//! `TableOn::definition`.

use super::{Backend, library, path};
use crate::attr::Role;
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The function.
pub fn definition(model: &Model, backend: &Backend) -> TokenStream {
    let (library, table, db) = (library(model), backend.table, &backend.path);
    let private = quote!(#library::__private);
    let mut number = 0usize;
    let columns = model.columns.iter().map(|column| {
        let path = path(table, column);
        let rest = if column.travels() {
            let at = syn::Index::from(number);
            number += 1;
            quote!(#private::column::<#path, #db>(&codecs[#at]))
        } else if column.is(Role::CreatedAt) {
            quote!(#private::dates::<#path, #db>())
        } else {
            quote!(#private::plain::<#path>())
        };
        let roles = roles(&library, column);
        quote!(#library::table::ColumnDefinition { #roles ..#rest })
    });
    let untracked = backend.untracked.then(|| quote!(untracked: true,));
    let online_only = model
        .container
        .online_only
        .map(|_| quote!(online_only: true,));
    let read_only = model.container.read_only.map(|_| quote!(read_only: true,));
    let conflict = model.container.conflict.as_ref().map(|variant| {
        let conflict = conflict(&library, variant);
        quote!(conflict: #conflict,)
    });
    quote! {
        fn definition() -> &'static #library::table::TableDefinition {
            static DEFINITION: #private::OnceLock<#library::table::TableDefinition> =
                #private::OnceLock::new();
            DEFINITION.get_or_init(|| {
                let codecs = <Self as #library::table::TableOn<#db>>::codecs();
                #library::table::TableDefinition {
                    #untracked
                    #online_only
                    #read_only
                    #conflict
                    columns: ::std::vec![#(#columns),*],
                    ..#private::base(#table::table, &#db, <Self as #library::SyncTable>::NAME)
                }
            })
        }
    }
}

fn roles(library: &TokenStream, column: &Column) -> TokenStream {
    const FLAGS: &[Role] = &[
        Role::Id,
        Role::LastSyncedAt,
        Role::CreatedAt,
        Role::Deleted,
        Role::VisibleBy,
        Role::Skip,
        Role::ReadOnly,
        Role::Immutable,
        Role::Local,
        Role::Default,
    ];
    let flags = FLAGS
        .iter()
        .filter(|role| column.is(**role))
        .map(|role| format_ident!("{}", role.word()));
    let conflict = column.written.conflict.as_ref().map(|variant| {
        let conflict = conflict(library, variant);
        quote!(conflict: ::core::option::Option::Some(#conflict),)
    });
    quote!(#(#flags: true,)* #conflict)
}

/// A value of `Conflict`.
fn conflict(library: &TokenStream, variant: &syn::Ident) -> TokenStream {
    quote!(#library::table::Conflict::#variant)
}
