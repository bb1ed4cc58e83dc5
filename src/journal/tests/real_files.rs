//! The folder on the disk of this machine: modes, links, locks (X2, SEC-14).
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;
use crate::journal::medium::{Hold, MediumError};
use crate::journal::writer;

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut at = 0;
    while at < found.len() {
        if found[at].is_dir() {
            for entry in std::fs::read_dir(found[at].clone()).unwrap() {
                found.push(entry.unwrap().path());
            }
        }
        at += 1;
    }
    found
}

async fn begin(medium: &Arc<dyn Medium>) -> Result<Journal, crate::journal::JournalError> {
    let clock = Clock::starting_at(morning());
    Journal::create(Arc::clone(medium), started(&run(), 1), clock).await
}

#[tokio::test]
async fn everything_that_is_made_is_for_its_owner_alone() {
    let project = tempfile::tempdir().unwrap();
    let root = project.path().join(".bedrail");
    let medium: Arc<dyn Medium> = Arc::new(Folder::at(&root));
    let journal = begin(&medium).await.unwrap();
    journal.record(intent(1)).await.unwrap();
    medium
        .put(&run(), "plan.json", b"{}".to_vec())
        .await
        .unwrap();
    medium
        .swap("lease.json", None, b"{}".to_vec())
        .await
        .unwrap();
    let Hold::Mine(held) = medium.hold("lease.lock").await.unwrap() else {
        panic!("nobody else has it");
    };
    let files = walk(&root);
    assert_eq!(files.len(), 8, "{files:?}");
    for path in files {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}", path.display());
    }
    drop(held);
}

#[tokio::test]
async fn a_symbolic_link_is_never_followed() {
    let project = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("target");
    std::fs::write(&target, "precious").unwrap();

    // The root itself.
    let linked = project.path().join("linked");
    symlink(elsewhere.path(), &linked).unwrap();
    let medium: Arc<dyn Medium> = Arc::new(Folder::at(&linked));
    let refused = begin(&medium).await.unwrap_err().to_string();
    assert!(refused.contains("symbolic link"), "{refused}");

    // Files below it.
    let root = project.path().join(".bedrail");
    let medium: Arc<dyn Medium> = Arc::new(Folder::at(&root));
    let journal = begin(&medium).await.unwrap();
    let run_folder = root.join("runs").join(run().as_str());
    std::fs::remove_file(run_folder.join("journal.jsonl")).unwrap();
    symlink(&target, run_folder.join("journal.jsonl")).unwrap();
    symlink(&target, run_folder.join("plan.json")).unwrap();
    symlink(&target, root.join("lease.json")).unwrap();
    symlink(&target, root.join("lease.lock")).unwrap();
    assert!(journal.record(intent(1)).await.is_err());
    let errors = [
        writer::read(medium.as_ref(), &run())
            .await
            .unwrap_err()
            .to_string(),
        medium
            .put(&run(), "plan.json", b"{}".to_vec())
            .await
            .unwrap_err()
            .to_string(),
        medium
            .get(&run(), "plan.json")
            .await
            .unwrap_err()
            .to_string(),
        medium
            .swap("lease.json", None, b"{}".to_vec())
            .await
            .unwrap_err()
            .to_string(),
        medium.look("lease.json").await.unwrap_err().to_string(),
        medium.hold("lease.lock").await.unwrap_err().to_string(),
    ];
    for error in errors {
        assert!(error.contains("symbolic link"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
}

#[tokio::test]
async fn a_lock_is_held_by_one_and_free_when_it_is_dropped() {
    let project = tempfile::tempdir().unwrap();
    let medium = Folder::at(&project.path().join(".bedrail"));
    let other = Folder::at(&project.path().join(".bedrail"));
    let mine = medium.hold("lease.lock").await.unwrap();
    assert!(matches!(mine, Hold::Mine(_)));
    assert!(matches!(
        other.hold("lease.lock").await.unwrap(),
        Hold::Theirs
    ));
    drop(mine);
    assert!(matches!(
        other.hold("lease.lock").await.unwrap(),
        Hold::Mine(_)
    ));
}

#[tokio::test]
async fn a_file_of_a_run_is_written_once() {
    let project = tempfile::tempdir().unwrap();
    let medium = Folder::at(&project.path().join(".bedrail"));
    assert_eq!(medium.get(&run(), "plan.json").await.unwrap(), None);
    for _ in 0..2 {
        medium
            .put(&run(), "plan.json", b"one".to_vec())
            .await
            .unwrap();
    }
    let refused = medium.put(&run(), "plan.json", b"two".to_vec()).await;
    assert!(
        matches!(refused, Err(MediumError::Exists(_))),
        "{refused:?}"
    );
    assert_eq!(
        medium.get(&run(), "plan.json").await.unwrap(),
        Some(b"one".to_vec())
    );
}

#[tokio::test]
async fn runs_are_listed_newest_first_and_strangers_are_left_alone() {
    let project = tempfile::tempdir().unwrap();
    let root = project.path().join(".bedrail");
    let medium: Arc<dyn Medium> = Arc::new(Folder::at(&root));
    assert_eq!(medium.runs().await.unwrap(), []);
    let clock = Clock::starting_at(morning());
    let later = RunId::starting(morning() + jiff::SignedDuration::from_secs(60), 1);
    for run in [run(), later.clone()] {
        Journal::create(Arc::clone(&medium), started(&run, 1), clock)
            .await
            .unwrap();
    }
    std::fs::create_dir(root.join("runs/notes")).unwrap();
    assert_eq!(medium.runs().await.unwrap(), [later, run()]);
}

#[tokio::test]
async fn a_small_shared_file_changes_only_for_who_has_seen_it() {
    let project = tempfile::tempdir().unwrap();
    let medium = Folder::at(&project.path().join(".bedrail"));
    let first = medium
        .swap("lease.json", None, b"1".to_vec())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        medium
            .swap("lease.json", None, b"2".to_vec())
            .await
            .unwrap(),
        None
    );
    let second = medium
        .swap("lease.json", Some(&first), b"2".to_vec())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        medium
            .swap("lease.json", Some(&first), b"3".to_vec())
            .await
            .unwrap(),
        None
    );
    let seen = medium.look("lease.json").await.unwrap().unwrap();
    assert_eq!(
        (seen.bytes.as_slice(), &seen.version),
        (b"2".as_slice(), &second)
    );
}
