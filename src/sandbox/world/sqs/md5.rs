//! MD5 (RFC 1321), which SQS answers so that clients can tell a damaged body.

const SHIFTS: [u32; 16] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

/// Thirty-two hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(bytes.len())
        .unwrap_or_default()
        .wrapping_mul(8);
    padded.extend(bits.to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for chunk in padded.chunks(64) {
        state = block(state, chunk);
    }
    state
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn block(state: [u32; 4], chunk: &[u8]) -> [u32; 4] {
    let words: Vec<u32> = chunk
        .chunks(4)
        .map(|part| {
            part.iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u32::from(*byte))
        })
        .collect();
    let [mut a, mut b, mut c, mut d] = state;
    for step in 0..64_u32 {
        let (mixed, at) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let word = usize::try_from(at % 16)
            .ok()
            .and_then(|at| words.get(at))
            .copied()
            .unwrap_or_default();
        let shift = usize::try_from(step / 16 * 4 + step % 4)
            .ok()
            .and_then(|at| SHIFTS.get(at))
            .copied()
            .unwrap_or_default();
        let sum = a
            .wrapping_add(mixed)
            .wrapping_add(constant(step))
            .wrapping_add(word);
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(shift)));
    }
    let [e, f, g, h] = state;
    [
        e.wrapping_add(a),
        f.wrapping_add(b),
        g.wrapping_add(c),
        h.wrapping_add(d),
    ]
}

/// The integer part of 2³² times the absolute sine (RFC 1321, 3.4).
fn constant(step: u32) -> u32 {
    (f64::from(step + 1).sin().abs() * 4_294_967_296.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321, A.5.
    #[test]
    fn it_is_the_one_of_the_standard() {
        for (text, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            assert_eq!(hex(text.as_bytes()), expected, "{text:?}");
        }
    }
}
