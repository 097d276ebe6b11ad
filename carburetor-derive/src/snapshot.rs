//! The output for one model, checked in to be read: `snapshots/user.rs`.

use quote::ToTokens;
use std::{env, fs};

const HEADER: &str = "\
// What `#[derive(SyncTable)]` adds to the model in `src/snapshot.rs`, for reading; a test compares it with the output.
// An attribute such as `#[__if_sqlite]` stands for the library's macro around the item, which keeps it if the library has
// that feature.

";

const MODEL: &str = "
    /// Somebody.
    #[diesel(table_name = schema::users)]
    #[sync(backends(sqlite), conflict = \"server_wins\")]
    pub struct User {
        pub id: String,
        /// The full name.
        pub name: Option<String>,
        #[sync(visible_by, default = String::from(\"red\"))]
        pub team: String,
        #[sync(last_synced_at)]
        pub updated_at: NaiveDateTime,
    }
";

/// The items, with those inside of the library's macros marked by an attribute instead.
fn readable(items: Vec<syn::Item>) -> Vec<syn::Item> {
    items.into_iter().flat_map(opened).collect()
}

fn opened(item: syn::Item) -> Vec<syn::Item> {
    match item {
        syn::Item::Macro(gate) => {
            let name = &gate
                .mac
                .path
                .segments
                .last()
                .expect("a path has a segment")
                .ident;
            let inside: syn::File = gate.mac.parse_body().expect("items inside of a gate");
            let mark: syn::Attribute = syn::parse_quote!(#[#name]);
            let marked = readable(inside.items).into_iter().map(|item| {
                syn::parse2(quote::quote!(#mark #item)).expect("an item with an attribute")
            });
            marked.collect()
        }
        syn::Item::Const(constant) => {
            let syn::Expr::Block(block) = &*constant.expr else {
                return vec![constant.into()];
            };
            let body = block.block.stmts.iter().map(ToTokens::to_token_stream);
            let body: syn::File = syn::parse2(body.collect()).expect("items inside of a constant");
            let items = readable(body.items);
            vec![syn::parse_quote!(const _: () = { #(#items)* };)]
        }
        other => vec![other],
    }
}

#[test]
fn the_output_is_the_one_checked_in() {
    let model = syn::parse_str(MODEL).expect("a struct");
    let output: syn::File = syn::parse2(crate::derive(&model)).expect("the output is Rust");
    let items = readable(output.items);
    let output = prettyplease::unparse(&syn::File {
        shebang: None,
        attrs: vec![],
        items,
    });
    let output = format!("{HEADER}{output}");

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/user.rs");
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(path, &output).expect("the snapshot is written");
    }
    let snapshot = fs::read_to_string(path).unwrap_or_default();
    assert!(
        snapshot == output,
        "the output differs from {path}; run with UPDATE_SNAPSHOTS=1, then read the difference"
    );
}
