//! The changeset: every field that an edit may change.

use super::backend::Backend;
use super::companion::{Wire, docs};
use super::sql_type;
use crate::attr::Role;
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The changeset's name.
pub fn ident(model: &Model) -> syn::Ident {
    format_ident!("{}Changeset", model.ident)
}

fn changing<'m>(model: &'m Model) -> impl Iterator<Item = (usize, &'m Column<'m>)> {
    let untracked = model.container.untracked;
    model.downloaded().filter(move |(_, column)| {
        let stamp_of_ours = column.is(Role::LastSyncedAt) && !untracked;
        !stamp_of_ours
            && !column.is(Role::Id)
            && !column.is(Role::Immutable)
            && !column.is(Role::ReadOnly)
    })
}

/// The struct and its Diesel half.
pub fn changeset(model: &Model) -> TokenStream {
    let (visibility, of, ident, table) =
        (model.visibility, model.ident, ident(model), &model.table);
    let fields = changing(model).map(|(_, column)| {
        let (docs, visibility, field) = (docs(column), column.visibility, column.field);
        let (ty, name) = (column.ty, &column.ident);
        quote!(#docs #[diesel(column_name = #name)] #visibility #field: ::core::option::Option<#ty>)
    });
    let from = changing(model).map(|(_, column)| {
        let field = column.field;
        quote!(#field: ::core::option::Option::Some(row.#field))
    });
    let text = format!(
        " What an edit of a [`{of}`] changes: `None` leaves a column alone, `Some(None)` makes it NULL."
    );
    let derive = changing(model).next().map(|_| {
        let ids = model.with(Role::Id).map(|column| &column.ident);
        quote! {
            #[derive(::diesel::AsChangeset)]
            #[diesel(table_name = #table, primary_key(#(#ids),*))]
        }
    });
    quote! {
        #[doc = #text]
        #[derive(Debug, Clone, Default)]
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
    for (number, column) in changing(model) {
        let (field, ty, sql) = (column.field, column.ty, sql_type(backend.table, column));
        encode.extend(quote! {
            if let ::core::option::Option::Some(given) = &self.#field {
                row.put::<#sql, #ty>(#number, given)?;
            }
        });
        decode.extend(quote!(#field: row.given::<#sql, #ty>(#number)?,));
    }
    Wire { encode, decode }
}
