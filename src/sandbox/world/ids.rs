//! The one seeded source of identifiers and of chance. Its state is part of the world, so that a saved
//! world goes on exactly as it would have.

use serde::{Deserialize, Serialize};

/// SplitMix64: small, serialisable, good enough for identifiers and delays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ids {
    state: u64,
}

impl Ids {
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `0..bound`; 0 for an empty range.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.next_u64() % bound
        }
    }

    /// `len` characters out of `alphabet`.
    pub fn text(&mut self, len: usize, alphabet: &str) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..len)
            .filter_map(|_| {
                let at = usize::try_from(self.below(letters.len() as u64)).unwrap_or(0);
                letters.get(at).copied()
            })
            .collect()
    }

    /// Lower-case letters and digits, as in OU and organization ids.
    pub fn lower(&mut self, len: usize) -> String {
        self.text(len, "abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Upper-case letters and digits, as in generated physical names.
    pub fn upper(&mut self, len: usize) -> String {
        self.text(len, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    }

    /// A version-4 UUID.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.next_u64(), self.next_u64());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | (b >> 48) & 0x3fff,
            b & 0xffff_ffff_ffff
        )
    }
}
