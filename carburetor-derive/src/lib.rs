//! `#[derive(SyncTable)]` for carburetor.

use proc_macro::TokenStream;

/// Makes a Diesel model a synced table.
#[proc_macro_derive(SyncTable, attributes(sync, diesel))]
pub fn sync_table(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
