//! Death, loss of power and full disks at every step of every write (S20, F85).

use std::io::ErrorKind;

use proptest::prelude::*;

use super::*;
use crate::journal::format::Unreadable;
use crate::journal::medium::memory::Mishap;
use crate::journal::writer::{self, JournalError};

/// What a process may rely on, and what it tried.
#[derive(Debug, Default)]
struct Story {
    /// Calls whose intents a commit has confirmed.
    confirmed: u64,
    noted: u64,
    failed: Option<JournalError>,
}

/// Notes intents in batches of these sizes.
async fn tell(disk: &MemoryDisk, batches: &[u64]) -> Story {
    let mut story = Story::default();
    let clock = Clock::starting_at(morning());
    let journal = match Journal::create(folder(disk), started(&run(), 1), clock).await {
        Ok(journal) => journal,
        Err(error) => {
            story.failed = Some(error);
            return story;
        }
    };
    for size in batches {
        for _ in 0..*size {
            story.noted += 1;
            journal.note(intent(story.noted));
        }
        match journal.commit().await {
            Ok(()) => story.confirmed = story.noted,
            Err(error) => {
                story.failed.get_or_insert(error);
                // Closed for good: neither later entries nor later commits get through (F85).
                let again = journal.record(intent(story.noted + 1)).await;
                assert!(
                    matches!(again, Err(JournalError::Closed { .. })),
                    "{again:?}"
                );
            }
        }
    }
    story
}

/// The numbers of the calls in a journal, which have to be 1, 2, 3, …; `None` if the run never began.
async fn calls(disk: &MemoryDisk) -> Option<u64> {
    let opened = match writer::read(folder(disk).as_ref(), &run()).await {
        Ok(opened) => opened,
        Err(
            JournalError::Missing { .. }
            | JournalError::Unreadable {
                why: Unreadable::NeverBegan,
                ..
            },
        ) => return None,
        Err(other) => panic!("{other}"),
    };
    let mut last = 0;
    for record in &opened.records[1..] {
        assert_eq!(record.entry, intent(last + 1));
        last += 1;
    }
    Some(last)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

const BATCHES: [u64; 4] = [1, 3, 1, 2];

#[test]
fn after_a_loss_of_power_at_every_step_the_journal_opens_to_what_was_confirmed_or_a_little_more() {
    block_on(async {
        let whole = MemoryDisk::default();
        tell(&whole, &BATCHES).await;
        let mut torn = 0;
        for step in 0..=whole.steps() {
            for seed in 0..40 {
                let disk = MemoryDisk::default();
                disk.plan(step, Mishap::Dies);
                let story = tell(&disk, &BATCHES).await;
                let next = disk.another_process();
                next.lose_power(seed);
                let found = calls(&next).await;
                assert!(
                    (story.confirmed..=story.noted).contains(&found.unwrap_or(0)),
                    "step {step}, seed {seed}: {found:?} of {story:?}"
                );
                if found.is_none() {
                    assert_eq!(story.confirmed, 0, "step {step}, seed {seed}");
                    continue;
                }
                // And the run can be gone on with.
                let clock = Clock::starting_at(morning());
                let reopened = Journal::reopen(folder(&next), &run(), 2, clock)
                    .await
                    .unwrap();
                torn += u32::from(reopened.opened.torn.is_some());
                let known = found.unwrap();
                reopened.journal.record(intent(known + 1)).await.unwrap();
                next.lose_power(seed + 1);
                assert_eq!(calls(&next).await, Some(known + 1));
            }
        }
        assert!(torn > 20, "only {torn} torn ends: the test proves little");
    });
}

#[test]
fn a_process_that_dies_without_the_machine_loses_nothing_that_it_wrote() {
    block_on(async {
        let whole = MemoryDisk::default();
        tell(&whole, &BATCHES).await;
        for step in 0..=whole.steps() {
            let disk = MemoryDisk::default();
            disk.plan(step, Mishap::Dies);
            let story = tell(&disk, &BATCHES).await;
            let found = calls(&disk.another_process()).await.unwrap_or(0);
            assert!(
                found >= story.confirmed,
                "step {step}: {found} of {story:?}"
            );
        }
    });
}

#[test]
fn a_full_or_read_only_disk_closes_the_journal_and_says_what_to_do() {
    block_on(async {
        for (kind, words) in [
            (ErrorKind::StorageFull, "free some space"),
            (ErrorKind::ReadOnlyFilesystem, "make it writable"),
        ] {
            let whole = MemoryDisk::default();
            tell(&whole, &BATCHES).await;
            for step in 0..whole.steps() {
                let disk = MemoryDisk::default();
                disk.plan(step, Mishap::Refuses(kind));
                let story = tell(&disk, &BATCHES).await;
                let error = story.failed.expect("it failed").to_string();
                assert!(error.contains(words), "step {step}: {error}");
                assert_eq!(disk.another_process().struck(), 0);
                let found = calls(&disk.another_process()).await.unwrap_or(0);
                assert!((story.confirmed..=story.noted).contains(&found));
            }
        }
    });
}

#[test]
fn after_a_sync_that_failed_once_nothing_is_ever_confirmed_again() {
    block_on(async {
        let whole = MemoryDisk::default();
        tell(&whole, &BATCHES).await;
        for step in 0..whole.steps() {
            let disk = MemoryDisk::default();
            disk.plan(step, Mishap::Breaks);
            let story = tell(&disk, &BATCHES).await;
            assert!(story.failed.is_some(), "step {step}");
            let next = disk.another_process();
            for seed in 0..20 {
                next.lose_power(seed);
                let found = calls(&next).await.unwrap_or(0);
                assert!(
                    (story.confirmed..=story.noted).contains(&found),
                    "step {step}: {found} of {story:?}"
                );
            }
        }
    });
}

#[test]
fn commits_at_the_same_time_share_a_write_and_keep_the_order() {
    let folder_of = tempfile::tempdir().unwrap();
    block_on(async {
        let medium: Arc<dyn Medium> = Arc::new(Folder::at(&folder_of.path().join(".bedrail")));
        let clock = Clock::starting_at(morning());
        let journal = Journal::create(Arc::clone(&medium), started(&run(), 1), clock)
            .await
            .unwrap();
        let commits = (1..=50).map(|call| journal.record(intent(call)));
        for done in futures_util::future::join_all(commits).await {
            done.unwrap();
        }
        let opened = writer::read(medium.as_ref(), &run()).await.unwrap();
        for (record, call) in opened.records[1..].iter().zip(1..) {
            assert_eq!(record.entry, intent(call));
        }
        assert_eq!(opened.records.len(), 51);
        // While one batch is written, the next one gathers; how many that makes is the machine's affair.
        let batches: std::collections::BTreeSet<u64> =
            opened.records.iter().map(|record| record.synced).collect();
        assert!(batches.len() < 25, "{batches:?}");
    });
}

#[test]
fn a_commit_that_nobody_waits_for_any_more_is_made_up_for_by_the_next() {
    // On a real disk, where the write goes on by itself.
    let folder_of = tempfile::tempdir().unwrap();
    block_on(async {
        let root = folder_of.path().join(".bedrail");
        let medium: Arc<dyn Medium> = Arc::new(Folder::at(&root));
        let clock = Clock::starting_at(morning());
        let journal = Journal::create(Arc::clone(&medium), started(&run(), 1), clock)
            .await
            .unwrap();
        for call in 1..=20 {
            journal.note(intent(call));
            let commit = journal.commit();
            futures_util::pin_mut!(commit);
            // Begins, and is dropped.
            let _begun = futures_util::poll!(commit.as_mut());
        }
        journal.commit().await.unwrap();
        let opened = writer::read(medium.as_ref(), &run()).await.unwrap();
        assert_eq!(opened.records.len(), 21);
        assert_eq!(opened.torn, None);
    });
}

#[test]
fn of_two_writers_of_one_journal_one_stops() {
    block_on(async {
        let disk = MemoryDisk::default();
        let old = create(&disk).await;
        old.record(intent(1)).await.unwrap();
        let clock = Clock::starting_at(morning());
        let new = Journal::reopen(folder(&disk.another_process()), &run(), 2, clock)
            .await
            .unwrap()
            .journal;
        new.record(intent(2)).await.unwrap();
        let refused = old.record(intent(99)).await.unwrap_err();
        assert!(refused.to_string().contains("somebody else"), "{refused}");
        new.record(intent(3)).await.unwrap();
        assert_eq!(calls(&disk).await, Some(3));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// S20: any batches, any step, any loss.
    #[test]
    fn any_crash_leaves_a_prefix(
        batches in prop::collection::vec(1_u64..6, 1..6),
        step in 0_u64..40,
        seed in any::<u64>(),
        breaks in any::<bool>(),
    ) {
        block_on(async {
            let disk = MemoryDisk::default();
            disk.plan(step, if breaks { Mishap::Breaks } else { Mishap::Dies });
            let story = tell(&disk, &batches).await;
            let next = disk.another_process();
            next.lose_power(seed);
            let found = calls(&next).await.unwrap_or(0);
            assert!((story.confirmed..=story.noted).contains(&found), "{found} of {story:?}");
        });
    }
}
