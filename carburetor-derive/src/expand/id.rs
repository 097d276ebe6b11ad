//! `TableOn` of an id, or of the parts of a composite one.

use super::{Backend, library};
use crate::attr::Role;
use crate::model::Model;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The functions.
pub fn id(model: &Model, backend: &Backend) -> TokenStream {
    let (library, db) = (library(model), &backend.path);
    let private = quote!(#library::__private);
    let parts: Vec<_> = model
        .downloaded()
        .filter(|(_, column)| column.is(Role::Id))
        .collect();
    let alone = parts.len() == 1;
    let part = |at: usize| {
        let at = syn::Index::from(at);
        if alone { quote!(id) } else { quote!(&id.#at) }
    };
    let (mut reads, mut binds, mut encodes, mut decodes) = (vec![], vec![], vec![], vec![]);
    for (at, (number, column)) in parts.iter().enumerate() {
        let (field, value) = (backend.field(model, column), part(at));
        let name = format_ident!("part_{at}");
        let came = if alone { quote!(id) } else { quote!(#name) };
        reads.push(
            quote!(#private::read::<Self, _, _>(row, at, #number, |value| #field::read(value))?),
        );
        binds.push(quote!(#at => #field::bind(#value, out),));
        encodes.push(quote!(#private::encode::<Self, _, _>(#number, #value, #field::encode)?));
        decodes.push(quote!(#private::decode::<Self, _, _>(#number, #came, #field::decode)?));
    }
    let count = parts.len();
    let (read, encode, decode) = if alone {
        (
            quote!(#(#reads)*),
            quote!(#(#encodes)*),
            quote!(#(#decodes)*),
        )
    } else {
        (
            quote!((#(#reads,)*)),
            quote!(#private::Value::Array(::std::vec![#(#encodes),*])),
            quote!((#(#decodes,)*)),
        )
    };
    let names = (0..count).map(|at| format_ident!("part_{at}"));
    let split =
        (!alone).then(|| quote!(let [#(#names),*] = #private::parts::<Self, #db, #count>(id)?;));
    quote! {
        fn read_id<'a>(
            row: &impl ::diesel::row::Row<'a, #db>,
            at: usize,
        ) -> ::diesel::deserialize::Result<Self::Id> {
            ::core::result::Result::Ok(#read)
        }

        fn bind_id<'b>(
            id: &'b Self::Id,
            part: usize,
            out: ::diesel::query_builder::AstPass<'_, 'b, #db>,
        ) -> ::diesel::QueryResult<()> {
            match part {
                #(#binds)*
                _ => #private::no_such_part::<Self, #db>(part),
            }
        }

        fn encode_id(id: &Self::Id) -> ::core::result::Result<#private::Value, #library::wire::WireError> {
            ::core::result::Result::Ok(#encode)
        }

        fn decode_id(id: #private::Value) -> ::core::result::Result<Self::Id, #library::wire::WireError> {
            #split
            ::core::result::Result::Ok(#decode)
        }
    }
}
