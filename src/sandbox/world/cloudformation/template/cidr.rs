//! `Fn::Cidr`: blocks of one size cut out of an IPv4 block.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::{error::TemplateError, parameters::scalar_text};

/// `[ipBlock, count, cidrBits]`, where `cidrBits` is 32 less the prefix length (8 gives /24).
///
/// # Errors
/// Another form, an IPv6 block, or more blocks than there is room for.
pub fn cidr(argument: &Value) -> Result<Value, TemplateError> {
    blocks(argument).ok_or_else(|| {
        TemplateError::function(
            "every Fn::Cidr object requires two or three arguments: an IP block, a count and the subnet bits",
        )
    })
}

fn blocks(argument: &Value) -> Option<Value> {
    let arguments = argument.as_array()?;
    let block = arguments.first().and_then(scalar_text)?;
    let count: u64 = arguments.get(1).and_then(scalar_text)?.parse().ok()?;
    let bits: u32 = match arguments.get(2) {
        Some(bits) => scalar_text(bits)?.parse().ok()?,
        None => 8,
    };
    let (address, prefix) = block.split_once('/')?;
    let base = u64::from(u32::from(address.parse::<Ipv4Addr>().ok()?));
    let prefix: u32 = prefix.parse().ok()?;
    let own_bits = 32_u32.checked_sub(prefix)?;
    let room = 1_u64.checked_shl(own_bits.checked_sub(bits)?)?;
    if !(1..=256).contains(&count) || count > room {
        return None;
    }
    let first = base & !(1_u64.checked_shl(own_bits)? - 1);
    (0..count)
        .map(|n| {
            let address = u32::try_from(first + (n << bits)).ok()?;
            Some(Value::String(format!(
                "{}/{}",
                Ipv4Addr::from(address),
                32 - bits
            )))
        })
        .collect()
}
