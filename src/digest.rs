//! SHA-256, the one way in which things are compared by digest here.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// Of bytes; lower-case hex.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Of a value's JSON form. Struct fields and ordered maps make it the same in every run.
pub fn of<T: Serialize>(value: &T) -> String {
    match serde_json::to_vec(value) {
        Ok(bytes) => of_bytes(&bytes),
        // Only maps with keys that are not text fail to serialise; a digest that equals no other is the safe answer.
        Err(error) => of_bytes(format!("unserialisable: {error}").as_bytes()),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
