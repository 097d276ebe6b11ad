//! What the insert model and the changeset share.

use super::backend::Backend;
use super::{changeset, insert, library};
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::quote;

/// The wire's forms of both, by the columns of `backend`.
pub fn wire(model: &Model, backend: &Backend) -> TokenStream {
    let insert = implementation(
        model,
        backend,
        insert::ident(model),
        insert::wire(model, backend),
    );
    let changeset = implementation(
        model,
        backend,
        changeset::ident(model),
        changeset::wire(model, backend),
    );
    quote!(#insert #changeset)
}

/// How a companion is written to, and read from, its columns.
pub struct Wire {
    /// Statements that put into `row`.
    pub encode: TokenStream,
    /// Fields of the struct expression, out of `row`.
    pub decode: TokenStream,
}

fn implementation(model: &Model, backend: &Backend, ident: syn::Ident, wire: Wire) -> TokenStream {
    let (library, of, db) = (library(model), model.ident, &backend.path);
    let private = quote!(#library::__private);
    let Wire { encode, decode } = wire;
    quote! {
        #[automatically_derived]
        impl #private::Companion for #ident {
            fn encode(&self) -> ::core::result::Result<#private::Row, #library::wire::WireError> {
                let mut row = #private::Sent::<#of, #db>::default();
                #encode
                ::core::result::Result::Ok(row.done())
            }

            fn decode(row: #private::Row) -> ::core::result::Result<Self, #library::wire::WireError> {
                let mut row = #private::Received::<#of, #db>::new(row);
                ::core::result::Result::Ok(#ident { #decode })
            }
        }

        #[automatically_derived]
        impl #private::serde::Serialize for #ident {
            fn serialize<S: #private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                #private::serialize(self, serializer)
            }
        }

        #[automatically_derived]
        impl<'de> #private::serde::Deserialize<'de> for #ident {
            fn deserialize<D: #private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                #private::deserialize(deserializer)
            }
        }
    }
}

/// A field's documentation: its own, or the column's name.
pub fn docs(column: &Column) -> TokenStream {
    if column.docs.is_empty() {
        let text = format!(" The column `{}`.", column.ident);
        quote!(#[doc = #text])
    } else {
        let docs = &column.docs;
        quote!(#(#docs)*)
    }
}
