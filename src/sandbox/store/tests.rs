use super::*;
use crate::sandbox::{Clock, Sandbox, seed, tests::morning};
use proptest::prelude::*;

/// One of a few requests that change, or only read, the same small part of the world.
fn request(kind: u8, number: u8) -> Request<Bytes> {
    let json = |target: &str, body: String| (target.to_owned(), body);
    let name = format!("/g{}", number % 4);
    let (target, body) = match kind % 6 {
        0 => json(
            "Logs_20140328.CreateLogGroup",
            format!(r#"{{"logGroupName":"{name}"}}"#),
        ),
        1 => json(
            "Logs_20140328.DeleteLogGroup",
            format!(r#"{{"logGroupName":"{name}"}}"#),
        ),
        2 => json("TrentService.CreateKey", "{}".to_owned()),
        3 => json("TrentService.ListKeys", "{}".to_owned()),
        4 => json(
            "Logs_20140328.PutRetentionPolicy",
            format!(r#"{{"logGroupName":"{name}","retentionInDays":30}}"#),
        ),
        _ => json("Logs_20140328.DescribeLogGroups", "{}".to_owned()),
    };
    let service = if target.starts_with("Trent") {
        "kms"
    } else {
        "logs"
    };
    Request::builder()
        .method("POST")
        .uri("/")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=00"),
        )
        .header("x-amz-target", target)
        .body(Bytes::from(body))
        .unwrap()
}

fn text(world: &World) -> String {
    serde_json::to_string(world).unwrap()
}

fn here() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("a/b");
    (temporary, folder)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn two_processes_taking_turns_make_the_world_that_one_would_make(
        steps in prop::collection::vec((any::<u8>(), any::<u8>(), any::<bool>(), 0_u8..12), 1..40)
    ) {
        let (_temporary, folder) = here();
        let mut alone = seed::default(morning(), Vec::new());
        let (mut one, mut two);
        let (mut world_one, mut world_two) = (alone.clone(), alone.clone());
        one = Store::create(&folder, &alone).unwrap();
        (two, world_two) = {
            let (store, world) = Store::open(&folder).unwrap();
            prop_assert_eq!(text(&world), text(&world_two));
            (store, world)
        };
        let mut now = morning();
        for (kind, number, first, pause) in steps {
            now += jiff::SignedDuration::from_millis(i64::from(pause) * 700);
            let request = request(kind, number);
            let expected = alone.handle(&request, now);
            let (store, world) =
                if first { (&mut one, &mut world_one) } else { (&mut two, &mut world_two) };
            let got = store.exclusively(world, |world, store| {
                let parsed = crate::sandbox::wire::Parsed::of(&request).unwrap();
                let (answer, observed) = world.answer(&parsed, now);
                if !observed.read {
                    store.append(&request, now)?;
                }
                if pause == 11 {
                    store.save(world)?;
                }
                Ok(answer)
            }).unwrap();
            prop_assert_eq!(got.body(), expected.body());
        }
        one.compact(&mut world_one).unwrap();
        let (_, mut reloaded) = Store::open(&folder).unwrap();
        reloaded.advance_to(now);
        alone.advance_to(now);
        prop_assert_eq!(text(&reloaded), text(&alone));
    }
}

fn saved(folder: &Path) -> Sandbox {
    let clock = Clock::starting_at(morning());
    Sandbox::create(folder, seed::default(morning(), Vec::new()), clock).unwrap()
}

fn groups(folder: &Path) -> usize {
    let sandbox = Sandbox::open(folder, Clock::starting_at(morning())).unwrap();
    sandbox
        .look(|world| {
            let management = world.organizations.management_account.clone();
            let place = crate::sandbox::world::Place {
                account: management,
                region: crate::sandbox::world::Region("eu-west-1".to_owned()),
            };
            world
                .regional_ref(&place)
                .map_or(0, |regional| regional.logs.groups.len())
        })
        .unwrap()
}

#[test]
fn what_was_answered_is_there_though_nobody_closed_the_store() {
    let (_temporary, folder) = here();
    let sandbox = saved(&folder);
    sandbox.call(&request(0, 1)).unwrap();
    sandbox.call(&request(0, 2)).unwrap();
    assert_eq!(groups(&folder), 2);
}

#[test]
fn a_torn_last_line_is_dropped_and_the_next_one_stands_alone() {
    let (_temporary, folder) = here();
    let sandbox = saved(&folder);
    sandbox.call(&request(0, 1)).unwrap();
    let log = folder.join("requests-1.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(b"{\"t\":\"2026-").unwrap();
    sandbox.call(&request(0, 2)).unwrap();
    assert_eq!(groups(&folder), 2);
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn a_damaged_snapshot_is_said_to_be_damaged() {
    let (_temporary, folder) = here();
    drop(saved(&folder));
    let path = folder.join("world.json");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&path, bytes).unwrap();
    let error = Store::open(&folder).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    std::fs::write(&path, "{\"version\":99,\"generation\":1}\n{}\n").unwrap();
    let error = Store::open(&folder).unwrap_err();
    assert!(
        matches!(error, StoreError::Version { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn a_folder_holds_one_world_and_an_empty_folder_none() {
    let (_temporary, folder) = here();
    assert!(matches!(Store::open(&folder), Err(StoreError::Missing(_))));
    drop(saved(&folder));
    let world = seed::default(morning(), Vec::new());
    assert!(matches!(
        Store::create(&folder, &world),
        Err(StoreError::AlreadyThere(_))
    ));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_kept_world() {
    use std::os::unix::fs::PermissionsExt;
    let (_temporary, folder) = here();
    let sandbox = saved(&folder);
    sandbox.call(&request(0, 1)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["world.json", "requests-1.jsonl", "lock"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
}

#[test]
fn settings_reach_the_other_process() {
    let (_temporary, folder) = here();
    let (one, clock) = (saved(&folder), Clock::starting_at(morning()));
    let two = Sandbox::open(&folder, clock).unwrap();
    one.call(&request(0, 1)).unwrap();
    two.change(|world| world.settings.page_size_cap = Some(3))
        .unwrap();
    one.call(&request(0, 2)).unwrap();
    assert_eq!(
        one.look(|world| world.settings.page_size_cap).unwrap(),
        Some(3)
    );
    assert_eq!(groups(&folder), 2);
}
