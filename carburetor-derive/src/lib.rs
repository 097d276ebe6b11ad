//! `#[derive(SyncTable)]` for carburetor.

mod attr;
mod check;
mod expand;
mod fallback;
mod mistakes;
mod model;
#[cfg(test)]
mod snapshot;

use mistakes::Mistakes;
use model::Model;
use proc_macro2::TokenStream;

/// Makes a Diesel model a synced table; `carburetor::SyncTable` documents it.
#[proc_macro_derive(SyncTable, attributes(sync, diesel))]
pub fn sync_table(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(&syn::parse_macro_input!(input as syn::DeriveInput)).into()
}

fn derive(input: &syn::DeriveInput) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let Some(model) = Model::understand(input, &mut mistakes) else {
        return mistakes.report();
    };
    check::check(&model, &mut mistakes);
    if mistakes.none() {
        expand::expand(&model)
    } else {
        let report = mistakes.report();
        let fallback = fallback::fallback(model);
        quote::quote!(#report #fallback)
    }
}
