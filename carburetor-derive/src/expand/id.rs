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
    let Bodies {
        read,
        bind,
        encode,
        decode,
    } = match &parts(model, backend)[..] {
        [part] => alone(&private, part),
        parts => together(&private, db, parts),
    };
    quote! {
        fn read_id<'a>(
            row: &impl ::diesel::row::Row<'a, #db>,
            at: usize,
        ) -> ::diesel::deserialize::Result<Self::Id> {
            #read
        }

        fn bind_id<'b>(
            id: &'b Self::Id,
            part: usize,
            out: ::diesel::query_builder::AstPass<'_, 'b, #db>,
        ) -> ::diesel::QueryResult<()> {
            match part {
                #bind
                _ => #private::no_such_part::<Self, #db>(part),
            }
        }

        fn encode_id(
            id: &Self::Id,
        ) -> ::core::result::Result<#private::Value, #library::wire::WireError> {
            #encode
        }

        fn decode_id(
            id: #private::Value,
        ) -> ::core::result::Result<Self::Id, #library::wire::WireError> {
            #decode
        }
    }
}

/// A column of the id: its number among the downloaded ones, and how its field stands for it.
struct Part {
    number: syn::Index,
    field: TokenStream,
}

fn parts(model: &Model, backend: &Backend) -> Vec<Part> {
    let ids = model.downloaded().filter(|(_, column)| column.is(Role::Id));
    ids.map(|(number, column)| Part {
        number,
        field: backend.field(model, column),
    })
    .collect()
}

impl Part {
    fn read(&self, private: &TokenStream) -> TokenStream {
        let Part { number, field } = self;
        quote!(#private::read::<Self, _, _>(row, at, #number, |value| #field::read(value)))
    }

    fn encode(&self, private: &TokenStream, value: &TokenStream) -> TokenStream {
        let Part { number, field } = self;
        quote!(#private::encode::<Self, _, _>(#number, #value, #field::encode))
    }

    fn decode(&self, private: &TokenStream, value: &TokenStream) -> TokenStream {
        let Part { number, field } = self;
        quote!(#private::decode::<Self, _, _>(#number, #value, #field::decode))
    }
}

struct Bodies {
    read: TokenStream,
    bind: TokenStream,
    encode: TokenStream,
    decode: TokenStream,
}

fn alone(private: &TokenStream, part: &Part) -> Bodies {
    let field = &part.field;
    Bodies {
        read: part.read(private),
        bind: quote!(0 => #field::bind_as_column(id, out),),
        encode: part.encode(private, &quote!(id)),
        decode: part.decode(private, &quote!(id)),
    }
}

fn together(private: &TokenStream, db: &TokenStream, parts: &[Part]) -> Bodies {
    let (mut reads, mut binds, mut encodes, mut decodes) = (vec![], vec![], vec![], vec![]);
    let (mut names, count) = (vec![], parts.len());
    for (at, part) in parts.iter().enumerate() {
        let (field, index) = (&part.field, syn::Index::from(at));
        let name = format_ident!("part_{at}");
        reads.push(part.read(private));
        binds.push(quote!(#index => #field::bind_as_column(&id.#index, out),));
        encodes.push(part.encode(private, &quote!(&id.#index)));
        decodes.push(part.decode(private, &quote!(#name)));
        names.push(name);
    }
    Bodies {
        read: quote!(::core::result::Result::Ok((#(#reads?,)*))),
        bind: quote!(#(#binds)*),
        encode: quote!(::core::result::Result::Ok(#private::Value::Array(::std::vec![#(#encodes?),*]))),
        decode: quote! {
            let [#(#names),*] = #private::parts::<Self, #db, #count>(id)?;
            ::core::result::Result::Ok((#(#decodes?,)*))
        },
    }
}
