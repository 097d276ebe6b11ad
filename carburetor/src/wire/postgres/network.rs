//! Addresses of networks and of devices, and positions in the write-ahead log.

use super::{codec, fixed, string};
use crate::wire::binary::{read_hex, write_hex};
use crate::wire::{Codec, WireError, WireType};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Cidr, Inet, MacAddr, MacAddr8, PgLsn};
use serde_json::Value;
use std::net::IpAddr;

/// PostgreSQL's own numbers, which are the same on every system.
const VERSION_4: u8 = 2;
const VERSION_6: u8 = 3;

impl WireType<Pg> for Inet {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let (address, prefix, widest) = network(value)?;
            if prefix == widest {
                put(format_args!("{address}"), out);
                return Ok(());
            }
            put(format_args!("{address}/{prefix}"), out);
            Ok(())
        },
        |value| {
            read_network(
                value,
                0,
                "an address such as \"192.168.0.1\" or \"fe80::1/64\"",
            )
        },
    );
}

impl WireType<Pg> for Cidr {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let (address, prefix, _) = network(value)?;
            put(format_args!("{address}/{prefix}"), out);
            Ok(())
        },
        |value| read_network(value, 1, "a network such as \"192.168.0.0/24\""),
    );
}

fn network(value: PgValue<'_>) -> Result<(IpAddr, u8, u8), WireError> {
    match *value.as_bytes() {
        [VERSION_4, prefix, _, 4, ref address @ ..] => <[u8; 4]>::try_from(address)
            .ok()
            .map(|address| (IpAddr::from(address), prefix, 32)),
        [VERSION_6, prefix, _, 16, ref address @ ..] => <[u8; 16]>::try_from(address)
            .ok()
            .map(|address| (IpAddr::from(address), prefix, 128)),
        _ => None,
    }
    .ok_or_else(|| WireError::new("expected an address, got bytes of another type"))
}

fn read_network(value: &Value, is_cidr: u8, expected: &str) -> Result<Vec<u8>, WireError> {
    let text = string(expected, value)?;
    let bytes = network_bytes(text, is_cidr);
    bytes.ok_or_else(|| WireError::unexpected(expected, value))
}

fn network_bytes(text: &str, is_cidr: u8) -> Option<Vec<u8>> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let (version, address) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => (VERSION_4, address.octets().to_vec()),
        IpAddr::V6(address) => (VERSION_6, address.octets().to_vec()),
    };
    let length = address.len() as u8;
    let prefix = prefix.unwrap_or(length * 8);
    if prefix > length * 8 || (is_cidr == 1 && !only_network(&address, prefix)) {
        return None;
    }
    Some([&[version, prefix, is_cidr, length], address.as_slice()].concat())
}

/// Whether every bit behind the prefix is zero, as a `cidr` must be.
fn only_network(address: &[u8], prefix: u8) -> bool {
    let bits = address
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    bits.skip(prefix.into()).all(|bit| bit == 0)
}

impl WireType<Pg> for MacAddr {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            write_hardware(&fixed::<6>(value)?, out);
            Ok(())
        },
        |value| read_hardware::<6>(value, "an address such as \"08:00:2b:01:02:03\""),
    );
}

impl WireType<Pg> for MacAddr8 {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            write_hardware(&fixed::<8>(value)?, out);
            Ok(())
        },
        |value| read_hardware::<8>(value, "an address such as \"08:00:2b:01:02:03:04:05\""),
    );
}

fn write_hardware(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        write_hex(&[*byte], out);
    }
    out.push(b'"');
}

fn read_hardware<const N: usize>(value: &Value, expected: &str) -> Result<Vec<u8>, WireError> {
    let pairs = string(expected, value)?.split(':');
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| read_hex::<1>(pair.as_bytes()).map(|[byte]| byte))
        .collect();
    let bytes = bytes.filter(|bytes| bytes.len() == N);
    bytes.ok_or_else(|| WireError::unexpected(expected, value))
}

impl WireType<Pg> for PgLsn {
    const CODEC: Codec<Pg> = codec(
        |value, out| {
            let position = u64::from_be_bytes(fixed(value)?);
            let (high, low) = (position >> 32, position as u32);
            put(format_args!("{high:X}/{low:X}"), out);
            Ok(())
        },
        |value| {
            let expected = "a position such as \"16/B374D848\"";
            let half = |digits| u32::from_str_radix(digits, 16).ok();
            let position = string(expected, value)?
                .split_once('/')
                .and_then(|(high, low)| Some(u64::from(half(high)?) << 32 | u64::from(half(low)?)));
            let position = position.ok_or_else(|| WireError::unexpected(expected, value))?;
            Ok(position.to_be_bytes().into())
        },
    );
}

fn put(text: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\"{text}\"").as_bytes());
}
