//! The aws-chunked framing in which SDKs send bodies with trailing checksums
//! (S3 user guide, "Signature calculations … transferring payload in multiple chunks").

use std::collections::BTreeMap;

use bytes::Bytes;

/// The body itself: `SIZE[;chunk-signature=…]\r\n…\r\n` repeated, then trailers. A body without the
/// framing is handed back as it is.
pub fn unframe(headers: &BTreeMap<String, String>, body: &Bytes) -> Bytes {
    let framed = headers
        .get("x-amz-content-sha256")
        .is_some_and(|value| value.starts_with("STREAMING-"))
        || headers
            .get("content-encoding")
            .is_some_and(|value| value.contains("aws-chunked"));
    if framed {
        chunks(body).unwrap_or_else(|| body.clone())
    } else {
        body.clone()
    }
}

fn chunks(body: &Bytes) -> Option<Bytes> {
    let mut rest: &[u8] = body;
    let mut out = Vec::with_capacity(rest.len());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let (line, after) = rest.split_at_checked(end)?;
        let line = std::str::from_utf8(line).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(Bytes::from(out));
        }
        let (piece, after) = after.get(2..)?.split_at_checked(size)?;
        out.extend_from_slice(piece);
        rest = after.get(2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_trailers_are_taken_off() {
        let headers = BTreeMap::from([(
            "x-amz-content-sha256".to_owned(),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
        )]);
        let framed = Bytes::from_static(
            b"5\r\nhello\r\n6;chunk-signature=ab\r\n world\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n",
        );
        assert_eq!(
            unframe(&headers, &framed),
            Bytes::from_static(b"hello world")
        );
        let plain = Bytes::from_static(b"hello");
        assert_eq!(unframe(&BTreeMap::new(), &plain), plain);
    }
}
