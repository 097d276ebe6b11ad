//! Arrays whose reader tells the place of what is wrong.

use super::object::Object;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Reads the array of objects `name`; an error begins with the place, such as `changes[3]`.
pub(crate) fn deserialize<'de, T, D>(
    name: &'static str,
    deserializer: D,
) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(Numbered {
        name,
        items: PhantomData,
    })
}

struct Numbered<T> {
    name: &'static str,
    items: PhantomData<fn() -> T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Numbered<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {}", self.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        loop {
            match array.next_element() {
                Ok(Some(Object(item))) => items.push(item),
                Ok(None) => return Ok(items),
                Err(error) => {
                    let (name, place) = (self.name, items.len());
                    return Err(A::Error::custom(format!("{name}[{place}]: {error}")));
                }
            }
        }
    }
}
