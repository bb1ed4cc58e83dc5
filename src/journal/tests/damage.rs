//! Bytes that are not as they were written (S20, X6, F86).

use super::*;
use crate::journal::format::{self, Chain, Header, Opened, Record, Unreadable, VERSION};

/// A journal of four batches, of one, one, three and two records.
fn sample() -> (Vec<u8>, Vec<Record>) {
    let entries = [
        (0, Entry::RunStarted(started(&run(), 1))),
        (1, intent(1)),
        (2, answer(1)),
        (
            2,
            Entry::Preimage {
                step: StepId("logging".to_owned()),
                key: "111111111111/us-east-1".to_owned(),
                value: serde_json::json!({"text": ",\"synced\":99,\"entry\":{\"type\":\"", "b": 1.5}),
            },
        ),
        (2, intent(2)),
        (5, answer(2)),
        (5, Entry::Interrupted),
    ];
    let (mut bytes, mut chain): (Vec<u8>, Chain) = Header::of(&run()).line().unwrap();
    let mut records = Vec::new();
    for (at, (synced, entry)) in entries.into_iter().enumerate() {
        let record = Record {
            seq: at as u64 + 1,
            at: morning(),
            epoch: 1,
            synced,
            entry,
        };
        bytes.extend(chain.line(&record).unwrap());
        records.push(record);
    }
    (bytes, records)
}

fn durable(records: &[Record]) -> usize {
    usize::try_from(records.last().unwrap().synced).unwrap()
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    std::iter::once(0)
        .chain(
            (0..bytes.len())
                .filter(|at| bytes[*at] == b'\n')
                .map(|at| at + 1),
        )
        .collect()
}

#[test]
fn a_journal_reads_as_it_was_written() {
    let (bytes, records) = sample();
    let opened = format::open(&bytes).unwrap();
    assert_eq!(opened.records, records);
    assert_eq!(opened.length, bytes.len());
    assert_eq!(opened.torn, None);
}

#[test]
fn cut_at_every_byte_it_opens_to_the_records_that_are_whole() {
    let (bytes, records) = sample();
    for cut in 0..bytes.len() {
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        match format::open(&bytes[..cut]) {
            Ok(opened) => {
                assert_eq!(opened.records, records[..whole - 1], "cut at {cut}");
                let clean = line_starts(&bytes).contains(&cut);
                assert_eq!(opened.torn.is_none(), clean, "cut at {cut}");
            }
            Err(error) => {
                assert_eq!(error, Unreadable::NeverBegan, "cut at {cut}");
                assert!(whole < 2, "cut at {cut}");
            }
        }
    }
}

/// Nothing that was durable is lost without an error, and nothing is believed that was not written.
fn is_faithful(outcome: &Result<Opened, Unreadable>, records: &[Record], what: &str) {
    match outcome {
        Ok(opened) => {
            let found = opened.records.len();
            assert_eq!(opened.records, records[..found], "{what}");
            assert!(found >= durable(records), "{what}: lost durable records");
            assert!(opened.torn.is_some(), "{what} went unnoticed");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[test]
fn a_flipped_bit_in_any_byte_is_noticed_and_costs_at_most_the_last_batch() {
    let (bytes, records) = sample();
    is_faithful_when_flipped(&bytes, &records);
}

#[test]
fn a_dropped_doubled_or_moved_line_is_noticed() {
    let (bytes, records) = sample();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() - 1 {
        let mut dropped = lines.clone();
        dropped.remove(at);
        is_faithful(
            &format::open(&dropped.concat()),
            &records,
            &format!("without line {at}"),
        );
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        is_faithful(
            &format::open(&doubled.concat()),
            &records,
            &format!("line {at} twice"),
        );
        let mut moved = lines.clone();
        moved.swap(at, at + 1);
        is_faithful(
            &format::open(&moved.concat()),
            &records,
            &format!("line {at} moved"),
        );
    }
    // What is cut off at the end leaves no trace in the file; that the run did not end says so.
    let verified = format::verify(&lines[..3].concat()).unwrap();
    assert!(!verified.ended);
}

#[test]
fn a_forged_line_without_the_rest_of_the_chain_is_noticed() {
    let (bytes, records) = sample();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let (mut forged, mut chain) = Header::of(&run()).line().unwrap();
    for record in &records[..2] {
        let record = match &record.entry {
            Entry::Intent(_) => Record {
                entry: intent(77),
                ..record.clone()
            },
            _ => record.clone(),
        };
        forged.extend(chain.line(&record).unwrap());
    }
    forged.extend(lines[3..].concat());
    assert_eq!(format::open(&forged), Err(Unreadable::Damaged { line: 4 }));
}

#[test]
fn a_newer_format_a_foreign_file_and_an_empty_one_are_told_apart() {
    let (bytes, _) = sample();
    let text = String::from_utf8(bytes).unwrap();
    let newer = text.replacen("\"version\":1", "\"version\":7", 1);
    let cases: [(&[u8], Unreadable); 4] = [
        (newer.as_bytes(), Unreadable::Newer { found: 7 }),
        (b"hello\n", Unreadable::Foreign),
        (b"{\"bedrail\":\"plan\"}\n", Unreadable::Foreign),
        (b"", Unreadable::NeverBegan),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(format::open(bytes), Err(wanted));
    }
    // An entry that this version does not know, in an intact line.
    let (mut bytes, mut chain) = Header::of(&run()).line().unwrap();
    let record = Record {
        seq: 1,
        at: morning(),
        epoch: 1,
        synced: 0,
        entry: Entry::Interrupted,
    };
    let line = String::from_utf8(chain.clone().line(&record).unwrap()).unwrap();
    assert!(line.contains("interrupted"));
    let unknown = line.replace("interrupted", "levitated");
    let object = unknown.split(",\"hash\"").next().unwrap();
    let hash = crate::digest::of_bytes(format!("{}{object}", chain.hash).as_bytes());
    chain.hash.clone_from(&hash);
    bytes.extend(format!("{object},\"hash\":\"{hash}\"}}\n").bytes());
    assert!(matches!(
        format::open(&bytes),
        Err(Unreadable::Unknown { line: 2, .. })
    ));
}

#[test]
fn journals_of_every_released_format_open_whole_and_cut_at_every_record() {
    // Scenario 20. A file here is never changed; a new format adds one.
    let versions: [(u32, &[u8]); 1] = [(1, include_bytes!("journals/v1.jsonl"))];
    assert_eq!(versions.len(), VERSION as usize);
    for (version, bytes) in versions {
        let whole = format::open(bytes).unwrap();
        assert_eq!(whole.header.version, version);
        assert_eq!(whole.torn, None);
        assert!(format::verify(bytes).unwrap().ended);
        for (records, start) in line_starts(bytes).into_iter().skip(2).enumerate() {
            let opened = format::open(&bytes[..start]).unwrap();
            assert_eq!(opened.records, whole.records[..=records]);
            assert_eq!(opened.torn, None);
        }
        for cut in 0..bytes.len() {
            match format::open(&bytes[..cut]) {
                Ok(opened) => assert!(whole.records.starts_with(&opened.records)),
                Err(error) => assert_eq!(error, Unreadable::NeverBegan),
            }
        }
        is_faithful_when_flipped(bytes, &whole.records);
    }
}

fn is_faithful_when_flipped(bytes: &[u8], records: &[Record]) {
    for at in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        // Another bit from byte to byte.
        flipped[at] ^= 1 << (at % 8);
        is_faithful(&format::open(&flipped), records, &format!("byte {at}"));
    }
}
