//! What the insert model and the changeset share.

use super::backend::Backend;
use super::{changeset, insert, library};
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::quote;

/// A field of a companion.
pub struct Member<'a> {
    pub column: &'a Column<'a>,
    pub ty: TokenStream,
    /// Its value, out of a `row` of the model.
    pub from: TokenStream,
}

/// The struct; `attributes` are those of Diesel's derives.
pub fn structure(
    model: &Model,
    ident: &syn::Ident,
    text: &str,
    attributes: &TokenStream,
    members: &[Member],
) -> TokenStream {
    let visibility = model.visibility;
    let fields = members.iter().map(|Member { column, ty, .. }| {
        let (docs, visibility, own) = (docs(column), column.visibility, column.field);
        let name = (!attributes.is_empty()).then(|| {
            let name = &column.ident;
            quote!(#[diesel(column_name = #name)])
        });
        quote!(#docs #name #visibility #own: #ty)
    });
    quote! {
        #[doc = #text]
        #[derive(Debug)]
        #attributes
        #[allow(dead_code, reason = "the derive writes it, whether it is used or not")]
        #visibility struct #ident { #(#fields,)* }
    }
}

/// What both have. The bounds' lifetime makes the compiler look at them where the trait is used: a type that can't be cloned
/// doesn't break the model.
pub fn impls(model: &Model, ident: &syn::Ident, members: &[Member]) -> TokenStream {
    let of = model.ident;
    let own: Vec<_> = members.iter().map(|member| member.column.field).collect();
    let types: Vec<_> = members.iter().map(|member| &member.ty).collect();
    let from: Vec<_> = members.iter().map(|member| &member.from).collect();
    quote! {
        #[automatically_derived]
        impl ::core::clone::Clone for #ident
        where
            #(for<'always> #types: ::core::clone::Clone,)*
        {
            fn clone(&self) -> Self {
                #ident { #(#own: ::core::clone::Clone::clone(&self.#own),)* }
            }
        }

        #[automatically_derived]
        impl ::core::default::Default for #ident
        where
            #(for<'always> #types: ::core::default::Default,)*
        {
            fn default() -> Self {
                #ident { #(#own: ::core::default::Default::default(),)* }
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#of> for #ident {
            fn from(row: #of) -> Self {
                #ident { #(#own: #from,)* }
            }
        }
    }
}

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
