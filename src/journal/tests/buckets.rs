//! Records in S3 (F90, SEC-14, SEC-15).

use std::sync::Mutex;

use super::distant::{BUCKET, Cloud, Overtaken};
use super::*;
use crate::journal::format;
use crate::journal::medium::MediumError;
use crate::journal::writer::{self, JournalError};
use crate::sandbox::faults::{What, When};

async fn begin(medium: &Arc<dyn Medium>, cloud: &Cloud) -> Result<Journal, JournalError> {
    Journal::create(Arc::clone(medium), started(&run(), 1), cloud.clock).await
}

fn conflict() -> What {
    What::Refuse {
        status: 409,
        code: "ConditionalRequestConflict".to_owned(),
        message: "A conflicting operation occurred".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_recorded_read_and_gone_on_with() {
    let cloud = Cloud::with_bucket(None).await;
    let medium = cloud.medium().await;
    let journal = begin(&medium, &cloud).await.unwrap();
    for call in 1..=30 {
        journal.record(intent(call)).await.unwrap();
    }
    // Another machine, which is given short pages and empty ones.
    cloud
        .sandbox
        .change(|world| {
            world.settings.page_size_cap = Some(7);
            world.settings.empty_first_pages = true;
        })
        .unwrap();
    let medium = cloud.medium().await;
    assert_eq!(medium.runs().await.unwrap(), [run()]);
    let reopened = Journal::reopen(Arc::clone(&medium), &run(), 2, cloud.clock)
        .await
        .unwrap();
    assert_eq!(reopened.opened.records.len(), 31);
    reopened.journal.record(intent(31)).await.unwrap();
    // The first one is fenced off: its next batch has the name of one that is there.
    let refused = journal.record(intent(99)).await.unwrap_err();
    assert!(
        matches!(refused, JournalError::Medium(MediumError::Moved(_))),
        "{refused}"
    );
    let bytes = medium.read(&run()).await.unwrap().unwrap().bytes;
    assert_eq!(format::verify(&bytes).unwrap().records, 32);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_write_is_found_to_have_happened() {
    for what in [
        What::LoseAnswer,
        What::BreakAfter,
        What::BreakBefore,
        conflict(),
    ] {
        for nth in 1..=3 {
            let cloud = Cloud::with_bucket(None).await;
            let medium = cloud.medium().await;
            cloud.on_put(When::Nth(nth), what.clone());
            let journal = begin(&medium, &cloud).await.unwrap();
            journal.record(intent(1)).await.unwrap();
            medium
                .put(&run(), "plan.json", b"{}".to_vec())
                .await
                .unwrap();
            let opened = writer::read(medium.as_ref(), &run()).await.unwrap();
            assert_eq!(opened.records.len(), 2, "{what:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_keeps_meeting_others_is_given_up_and_closes_the_journal() {
    let cloud = Cloud::with_bucket(None).await;
    let medium = cloud.medium().await;
    let journal = begin(&medium, &cloud).await.unwrap();
    cloud.on_put(When::Always, conflict());
    let error = journal.record(intent(1)).await.unwrap_err().to_string();
    assert!(error.contains("ConditionalRequestConflict"), "{error}");
    cloud.on_put(When::Nth(1_000), What::Throttle);
    assert!(matches!(
        journal.commit().await,
        Err(JournalError::Closed { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_of_another_account_is_refused_and_gets_nothing() {
    let cloud = Cloud::with_bucket(Some("999999999999")).await;
    let medium = cloud.medium().await;
    let error = begin(&medium, &cloud).await.unwrap_err().to_string();
    assert!(error.contains("has to belong to account"), "{error}");
    assert!(writer::read(medium.as_ref(), &run()).await.is_err());
    let empty = cloud
        .sandbox
        .look(|world| world.s3.buckets[BUCKET].is_empty())
        .unwrap();
    assert!(empty);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_missing_or_changed_is_damage() {
    let cloud = Cloud::with_bucket(None).await;
    let medium = cloud.medium().await;
    let journal = begin(&medium, &cloud).await.unwrap();
    for call in 1..=4 {
        journal.record(intent(call)).await.unwrap();
    }
    let key = |batch: u64| format!("team/runs/{}/journal/{batch:010}", run());
    let broken = |change: &dyn Fn(&mut crate::sandbox::world::s3::Bucket)| {
        cloud
            .sandbox
            .change(|world| change(world.s3.buckets.get_mut(BUCKET).unwrap()))
            .unwrap();
    };
    broken(&|bucket| {
        let version = &mut bucket.objects.get_mut(&key(4)).unwrap()[0];
        version.body = version.body.slice(..version.body.len() - 10);
        version.headers.clear();
    });
    let opened = writer::read(medium.as_ref(), &run()).await.unwrap();
    assert!(opened.torn.is_some());
    let refused = Journal::reopen(Arc::clone(&medium), &run(), 2, cloud.clock)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("no crash can do"), "{refused}");
    broken(&|bucket| {
        bucket.objects.remove(&key(2));
    });
    let refused = writer::read(medium.as_ref(), &run())
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("missing"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn who_takes_a_run_over_has_the_last_word_even_if_the_one_before_is_still_writing() {
    // S21: the answer to a call in flight comes in after the lease has gone.
    let cloud = Cloud::with_bucket(None).await;
    let old = begin(&cloud.medium().await, &cloud).await.unwrap();
    old.record(intent(1)).await.unwrap();
    let medium: Arc<dyn Medium> = Arc::new(Overtaken {
        medium: cloud.medium().await,
        by: Mutex::new(Some((old.clone(), answer(1)))),
    });
    let new = Journal::take_over(medium, &run(), &process(2), 2, cloud.clock)
        .await
        .unwrap();
    assert_eq!(new.opened.records.last().unwrap().entry, answer(1));
    assert!(old.record(intent(2)).await.is_err());
    new.journal.record(intent(3)).await.unwrap();
    let all = writer::read(cloud.medium().await.as_ref(), &run())
        .await
        .unwrap();
    let epochs: Vec<u64> = all.records.iter().map(|record| record.epoch).collect();
    assert_eq!(epochs, [1, 1, 1, 2, 2]);
    let Entry::TakenOver { by, previous, .. } = &all.records[3].entry else {
        panic!("{:?}", all.records);
    };
    assert_eq!((by, previous), (&process(2), &Some(process(4711))));
}
