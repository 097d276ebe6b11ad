//! Reads `#[sync(..)]` and what concerns us of `#[diesel(..)]`, without judging what stands together.

mod container;
mod diesel;
mod field;
mod near;
mod value;

pub use container::{Backends, Container};
pub use field::{Field, Role};
pub use value::raw_where_needed;

use crate::mistakes::Mistakes;
use syn::meta::ParseNestedMeta;

/// Hands every argument of the attributes `name` to `each`; a syntax error is noted, and the next attribute read.
fn arguments(
    attributes: &[syn::Attribute],
    name: &str,
    mistakes: &mut Mistakes,
    mut each: impl FnMut(ParseNestedMeta, &mut Mistakes) -> syn::Result<()>,
) {
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        if let Err(error) = attribute.parse_nested_meta(|argument| each(argument, mistakes)) {
            mistakes.take(error);
        }
    }
}
