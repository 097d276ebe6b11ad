//! The insert model: every field that an insert may give.

use super::backend::Backend;
use super::companion::{Wire, docs};
use super::sql_type;
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

fn given<'m>(model: &'m Model) -> impl Iterator<Item = (usize, &'m Column<'m>, Given<'m>)> {
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

/// The struct and its Diesel half.
pub fn insert(model: &Model) -> TokenStream {
    let (visibility, of, ident, table) =
        (model.visibility, model.ident, ident(model), &model.table);
    let fields = given(model).map(|(_, column, how)| {
        let (docs, visibility, field, name) =
            (docs(column), column.visibility, column.field, &column.ident);
        let ty = match how {
            Given::Always(ty) => quote!(#ty),
            Given::Perhaps(ty) | Given::OrNull(ty) | Given::PerhapsOrNull(ty) => {
                quote!(::core::option::Option<#ty>)
            }
        };
        quote!(#docs #[diesel(column_name = #name)] #visibility #field: #ty)
    });
    let from = given(model).map(|(_, column, how)| {
        let field = column.field;
        match how {
            Given::Always(_) | Given::OrNull(_) => quote!(#field: row.#field),
            Given::Perhaps(_) | Given::PerhapsOrNull(_) => {
                quote!(#field: ::core::option::Option::Some(row.#field))
            }
        }
    });
    let text = format!(" What an insert of a [`{of}`] gives; `None` takes the database's default.");
    let derive = given(model).next().map(|_| {
        quote! {
            #[derive(::diesel::Insertable)]
            #[diesel(table_name = #table)]
        }
    });
    quote! {
        #[doc = #text]
        #[derive(Debug, Clone)]
        #derive
        #[allow(dead_code, reason = "the derive writes it, whether it is used or not")]
        #visibility struct #ident { #(#fields,)* }

        #[automatically_derived]
        impl ::core::convert::From<#of> for #ident {
            fn from(row: #of) -> Self {
                #ident { #(#from,)* }
            }
        }
    }
}

/// The wire's form.
pub fn wire(model: &Model, backend: &Backend) -> Wire {
    let (mut encode, mut decode) = (TokenStream::new(), TokenStream::new());
    for (number, column, how) in given(model) {
        let (field, ty, sql) = (column.field, column.ty, sql_type(backend.table, column));
        encode.extend(match how {
            Given::Always(_) => quote!(row.put::<#sql, #ty>(#number, &self.#field)?;),
            Given::OrNull(_) => quote! {
                if self.#field.is_some() {
                    row.put::<#sql, #ty>(#number, &self.#field)?;
                }
            },
            Given::Perhaps(_) | Given::PerhapsOrNull(_) => quote! {
                if let ::core::option::Option::Some(given) = &self.#field {
                    row.put::<#sql, #ty>(#number, given)?;
                }
            },
        });
        decode.extend(match how {
            Given::Always(_) => quote!(#field: row.take::<#sql, #ty>(#number)?,),
            Given::OrNull(_) => quote!(#field: row.given::<#sql, #ty>(#number)?.flatten(),),
            Given::Perhaps(_) | Given::PerhapsOrNull(_) => {
                quote!(#field: row.given::<#sql, #ty>(#number)?,)
            }
        });
    }
    Wire { encode, decode }
}
