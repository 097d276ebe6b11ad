//! The insert model: every field that an insert may give.

use super::backend::Backend;
use super::companion::{self, Member, Wire};
use super::library;
use crate::attr::Role;
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The insert model's name.
pub fn ident(model: &Model) -> syn::Ident {
    format_ident!("{}Insert", model.ident)
}

/// How an insert gives a column.
enum Given<'a> {
    /// Always.
    Always(&'a syn::Type),
    /// Or not: then the database takes its default.
    Perhaps(&'a syn::Type),
    /// A nullable column, where absence and NULL are the same.
    OrNull(&'a syn::Type),
    /// A nullable column with a default: absent, NULL, or a value.
    PerhapsOrNull(&'a syn::Type),
}

fn given<'m>(model: &'m Model) -> impl Iterator<Item = (syn::Index, &'m Column<'m>, Given<'m>)> {
    let untracked = model.container.untracked;
    let given = move |column: &Column| {
        !column.is(Role::ReadOnly) && (untracked || !column.is(Role::LastSyncedAt))
    };
    model
        .downloaded()
        .filter(move |(_, column)| given(column))
        .map(|(number, column)| {
            let defaulted = column.is(Role::Default);
            let how = match (column.inside_option(), defaulted) {
                (Some(_), true) => Given::PerhapsOrNull(column.ty),
                (Some(inside), false) => Given::OrNull(inside),
                (None, true) => Given::Perhaps(column.ty),
                (None, false) if column.is(Role::LastSyncedAt) => Given::Perhaps(column.ty),
                (None, false) => Given::Always(column.ty),
            };
            (number, column, how)
        })
}

/// The struct. Diesel's derive makes it `Insertable`, into both tables where SQLite has its own.
pub fn structure(model: &Model) -> TokenStream {
    let (of, ident, table, library) = (model.ident, ident(model), &model.table, library(model));
    let text = format!(" What an insert of a [`{of}`] gives; `None` takes the database's default.");
    let members = members(model);
    let into = |tables: TokenStream| {
        let attributes = match members.len() {
            0 => TokenStream::new(),
            _ => quote!(#[derive(::diesel::Insertable)] #[diesel(#tables)]),
        };
        companion::structure(model, &ident, &text, &attributes, &members)
    };
    let own = into(quote!(table_name = #table));
    match &model.container.sqlite_table {
        None => own,
        Some(sqlite) => {
            let both = into(quote!(table_name = #table, table_name = #sqlite));
            let sqlite = into(quote!(table_name = #sqlite));
            quote! {
                #library::__unless_only_sqlite! {
                    #library::__unless_sqlite! { #own }
                    #library::__if_sqlite! { #both }
                }
                #library::__if_only_sqlite! { #sqlite }
            }
        }
    }
}

/// What doesn't depend on a backend.
pub fn impls(model: &Model) -> TokenStream {
    companion::impls(model, &ident(model), &members(model))
}

fn members<'m>(model: &'m Model) -> Vec<Member<'m>> {
    let member = |(_, column, how): (syn::Index, &'m Column<'m>, Given)| {
        let own = column.field;
        let from = match how {
            Given::Always(_) | Given::OrNull(_) => quote!(row.#own),
            Given::Perhaps(_) | Given::PerhapsOrNull(_) => {
                quote!(::core::option::Option::Some(row.#own))
            }
        };
        let ty = match how {
            Given::Always(ty) => quote!(#ty),
            Given::Perhaps(ty) | Given::OrNull(ty) | Given::PerhapsOrNull(ty) => {
                quote!(::core::option::Option<#ty>)
            }
        };
        Member { column, ty, from }
    };
    given(model).map(member).collect()
}

/// The wire's form.
pub fn wire(model: &Model, backend: &Backend) -> Wire {
    let (mut encode, mut decode) = (TokenStream::new(), TokenStream::new());
    for (number, column, how) in given(model) {
        let (own, field) = (column.field, backend.field(model, column));
        encode.extend(match how {
            Given::Always(_) => quote!(row.put(#number, &self.#own, #field::encode)?;),
            Given::OrNull(_) => quote! {
                if self.#own.is_some() {
                    row.put(#number, &self.#own, #field::encode)?;
                }
            },
            Given::Perhaps(_) | Given::PerhapsOrNull(_) => quote! {
                if let ::core::option::Option::Some(given) = &self.#own {
                    row.put(#number, given, #field::encode)?;
                }
            },
        });
        decode.extend(match how {
            Given::Always(_) => quote!(#own: row.take(#number, #field::decode)?,),
            Given::OrNull(_) => quote!(#own: row.given(#number, #field::decode)?.flatten(),),
            Given::Perhaps(_) | Given::PerhapsOrNull(_) => {
                quote!(#own: row.given(#number, #field::decode)?,)
            }
        });
    }
    Wire { encode, decode }
}
