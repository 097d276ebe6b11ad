//! The changeset: every field that an edit may change.

use super::backend::Backend;
use super::companion::{self, Member, Wire};
use super::{library, path, with_table};
use crate::attr::Role;
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The changeset's name.
pub fn ident(model: &Model) -> syn::Ident {
    format_ident!("{}Changeset", model.ident)
}

fn changing<'m>(model: &'m Model) -> impl Iterator<Item = (syn::Index, &'m Column<'m>)> {
    let untracked = model.container.untracked;
    model.downloaded().filter(move |(_, column)| {
        let stamp_of_ours = column.is(Role::LastSyncedAt) && !untracked;
        !stamp_of_ours
            && !column.is(Role::Id)
            && !column.is(Role::Immutable)
            && !column.is(Role::ReadOnly)
    })
}

/// The struct.
pub fn structure(model: &Model) -> TokenStream {
    let text = format!(
        " What an edit of a [`{}`] changes: `None` leaves a column alone, `Some(None)` makes it NULL.",
        model.ident
    );
    companion::structure(
        model,
        &ident(model),
        &text,
        &TokenStream::new(),
        &members(model),
    )
}

/// What doesn't depend on a backend.
pub fn impls(model: &Model) -> TokenStream {
    let ident = ident(model);
    let both = companion::impls(model, &ident, &members(model));
    let library = library(model);
    let columns: Vec<_> = changing(model).map(|(_, column)| column).collect();
    if columns.is_empty() {
        return both;
    }
    let own = with_table(model, |table| {
        let borrowed = as_changeset(model, &columns, table, &Values::Borrowed);
        let owned = as_changeset(model, &columns, table, &Values::Owned);
        quote!(#borrowed #owned)
    });
    let on_sqlite = model.container.sqlite_table.as_ref().map(|table| {
        let on_sqlite = on_sqlite(model, &columns, table);
        quote!(#library::__if_sqlite! { #on_sqlite })
    });
    quote!(#both #own #on_sqlite)
}

/// How the values get into the statement.
enum Values {
    Borrowed,
    Owned,
}

fn as_changeset(
    model: &Model,
    columns: &[&Column],
    table: &syn::Path,
    values: &Values,
) -> TokenStream {
    let ident = ident(model);
    let (types, sets) = assignments(model, columns, table, values);
    let (generics, this) = match values {
        Values::Borrowed => (quote!(<'a>), quote!(&'a #ident)),
        Values::Owned => (quote!(), quote!(#ident)),
    };
    quote! {
        #[automatically_derived]
        impl #generics ::diesel::query_builder::AsChangeset for #this {
            type Target = #table::table;
            type Changeset = <(#types) as ::diesel::query_builder::AsChangeset>::Changeset;

            fn as_changeset(self) -> Self::Changeset {
                ::diesel::query_builder::AsChangeset::as_changeset((#sets))
            }
        }
    }
}

/// An `AsChangeset` has one target, so the other table takes a tuple.
fn on_sqlite(model: &Model, columns: &[&Column], table: &syn::Path) -> TokenStream {
    let (visibility, ident) = (model.visibility, ident(model));
    let (types, sets) = assignments(model, columns, table, &Values::Borrowed);
    quote! {
        impl #ident {
            /// The same edit for the table on SQLite: `update(..).set(changeset.on_sqlite())`.
            #[allow(dead_code, reason = "the derive writes it, whether it is used or not")]
            #visibility fn on_sqlite<'a>(&'a self) -> (#types) {
                (#sets)
            }
        }
    }
}

/// One assignment per column, its type and its value.
fn assignments(
    model: &Model,
    columns: &[&Column],
    table: &syn::Path,
    values: &Values,
) -> (TokenStream, TokenStream) {
    let library = library(model);
    let private = quote!(#library::__private);
    let (mut types, mut sets) = (TokenStream::new(), TokenStream::new());
    for column in columns {
        let (path, ty, own) = (path(table, column), column.ty, column.field);
        let (held, value) = match values {
            Values::Borrowed => (quote!(&'a #ty), quote!(self.#own.as_ref())),
            Values::Owned => (quote!(#ty), quote!(self.#own)),
        };
        types.extend(quote!(::core::option::Option<#private::Set<#path, #ty, #held>>,));
        sets.extend(quote!(#value.map(|value| #private::set::<_, #ty, _>(#path, value)),));
    }
    (types, sets)
}

fn members<'m>(model: &'m Model) -> Vec<Member<'m>> {
    let member = |(_, column): (syn::Index, &'m Column<'m>)| {
        let (own, ty) = (column.field, column.ty);
        let from = quote!(::core::option::Option::Some(row.#own));
        Member {
            column,
            ty: quote!(::core::option::Option<#ty>),
            from,
        }
    };
    changing(model).map(member).collect()
}

/// The wire's form.
pub fn wire(model: &Model, backend: &Backend) -> Wire {
    let (mut encode, mut decode) = (TokenStream::new(), TokenStream::new());
    for (number, column) in changing(model) {
        let (own, field) = (column.field, backend.field(model, column));
        encode.extend(quote! {
            if let ::core::option::Option::Some(given) = &self.#own {
                row.put(#number, given, #field::encode)?;
            }
        });
        decode.extend(quote!(#own: row.given(#number, #field::decode)?,));
    }
    Wire { encode, decode }
}
