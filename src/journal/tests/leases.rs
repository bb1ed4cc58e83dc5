//! One operator at a time (S21, L4, F87, F88, F89, scenario 12).

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jiff::SignedDuration;

use super::distant::Cloud;
use super::*;
use crate::journal::lease::{self, Claim, Granted, Lease, LeaseError, Terms};
use crate::sandbox::faults::{What, When};

fn claim(pid: u32) -> Claim {
    Claim {
        by: process(pid),
        command: Command::Apply,
        run: run(),
        plan: "ab".repeat(32),
    }
}

async fn acquire(medium: &Arc<dyn Medium>, pid: u32, clock: Clock) -> Result<Granted, LeaseError> {
    Lease::acquire(
        Arc::clone(medium),
        claim(pid),
        clock,
        Terms::default(),
        &|_, _| {},
    )
    .await
}

fn holder_of(error: LeaseError) -> u32 {
    match error {
        LeaseError::Held { holder, .. } => holder.claim.by.pid,
        other => panic!("{other}"),
    }
}

async fn sleep(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn in_a_folder_a_living_holder_keeps_the_lease_and_a_dead_one_loses_it_at_once() {
    let disk = MemoryDisk::default();
    let clock = Clock::starting_at(morning());
    let first = acquire(&folder(&disk), 1, clock).await.unwrap();
    assert_eq!((first.lease.epoch(), first.taken_from), (1, None));
    // However long it is paused.
    sleep(7200).await;
    let error = acquire(&folder(&disk), 2, clock).await.unwrap_err();
    let text = error.to_string();
    for words in [
        "alice on laptop",
        "process 1",
        "bedrail apply",
        "2026-01-01 08:00:00 UTC",
        "plan abab",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    first.lease.ensure().await.unwrap();
    // It dies.
    drop(first.lease);
    let second = acquire(&folder(&disk), 2, clock).await.unwrap();
    assert_eq!(second.lease.epoch(), 2);
    assert_eq!(second.taken_from.unwrap().claim, claim(1));
    // It ends.
    second.lease.release().await.unwrap();
    assert_eq!(second.lease.check(), Err(LeaseError::Released));
    let third = acquire(&folder(&disk), 3, clock).await.unwrap();
    assert_eq!((third.lease.epoch(), third.taken_from), (3, None));
}

#[tokio::test(start_paused = true)]
async fn a_real_file_lock_does_the_same() {
    let project = tempfile::tempdir().unwrap();
    let medium = || -> Arc<dyn Medium> { Arc::new(Folder::at(&project.path().join(".bedrail"))) };
    let clock = Clock::starting_at(morning());
    let first = acquire(&medium(), 1, clock).await.unwrap();
    assert_eq!(
        holder_of(acquire(&medium(), 2, clock).await.unwrap_err()),
        1
    );
    drop(first);
    assert_eq!(acquire(&medium(), 2, clock).await.unwrap().lease.epoch(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_reach_for_it_at_once_one_gets_it() {
    for seed in 0..20 {
        let cloud = Cloud::with_bucket(None).await;
        fastrand::seed(seed);
        if seed % 4 == 0 {
            cloud.on_put(When::Nth(1), What::LoseAnswer);
        }
        let media = [
            cloud.medium().await,
            cloud.medium().await,
            cloud.medium().await,
        ];
        let clock = cloud.clock;
        let all = futures_util::future::join_all(
            media
                .iter()
                .zip(1..)
                .map(|(medium, pid)| acquire(medium, pid, clock)),
        )
        .await;
        let won: Vec<u64> = all
            .iter()
            .flatten()
            .map(|granted| granted.lease.epoch())
            .collect();
        assert_eq!(won, [1], "seed {seed}: {all:?}");
        for lost in all.into_iter().filter_map(Result::err) {
            holder_of(lost);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_bucket_a_dead_holder_loses_the_lease_after_its_time_and_half_of_it_again() {
    let cloud = Cloud::with_bucket(None).await;
    let dead = acquire(&cloud.medium().await, 1, cloud.clock)
        .await
        .unwrap();
    drop(dead);
    sleep(179).await;
    let medium = cloud.medium().await;
    assert_eq!(
        holder_of(acquire(&medium, 2, cloud.clock).await.unwrap_err()),
        1
    );
    sleep(1).await;
    let told = Cell::new(None);
    let watching = |holder: &lease::Holder, wait: Duration| {
        told.set(Some((holder.claim.by.pid, wait)));
    };
    let began = tokio::time::Instant::now();
    let second = Lease::acquire(medium, claim(2), cloud.clock, Terms::default(), &watching)
        .await
        .unwrap();
    assert_eq!(told.get(), Some((1, Duration::from_secs(90))));
    assert_eq!(began.elapsed().as_secs(), 90);
    assert_eq!(second.lease.epoch(), 2);
    assert_eq!(second.taken_from.unwrap().claim.by.pid, 1);
    second.lease.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_renews_is_never_taken_for_dead_not_even_by_a_clock_that_is_ahead() {
    let cloud = Cloud::with_bucket(None).await;
    let first = acquire(&cloud.medium().await, 1, cloud.clock)
        .await
        .unwrap()
        .lease;
    let medium = cloud.medium().await;
    for ahead in [0, 600, 86_400] {
        let ahead = morning()
            + SignedDuration::from_secs(ahead)
            + cloud.clock.now().duration_since(morning());
        let clock = Clock::starting_at(ahead);
        tokio::select! {
            biased;
            lost = first.keep() => panic!("{lost}"),
            refused = acquire(&medium, 2, clock) => assert_eq!(holder_of(refused.unwrap_err()), 1),
        }
        first.ensure().await.unwrap();
        assert_eq!(first.epoch(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_shorter_than_the_lease_costs_nothing() {
    // L4: whenever the pause begins between two renewals, and whoever wants the lease meanwhile.
    for (since_renewal, pause) in [(0, 179), (59, 179), (30, 170), (59, 100)] {
        let cloud = Cloud::with_bucket(None).await;
        let first = acquire(&cloud.medium().await, 1, cloud.clock)
            .await
            .unwrap()
            .lease;
        first.renew().await.unwrap();
        let medium = cloud.medium().await;
        let clock = cloud.clock;
        let eager = async {
            loop {
                match acquire(&medium, 2, clock).await {
                    Err(LeaseError::Held { .. }) => sleep(5).await,
                    other => return other,
                }
            }
        };
        let paused = async {
            sleep(since_renewal + pause).await;
            // Wakes in the middle of its work.
            let checked = first.check();
            first.ensure().await.map(|()| checked)
        };
        tokio::select! {
            biased;
            kept = paused => {
                let before = kept.unwrap();
                let may_still_call = since_renewal + pause + 75 < 180;
                assert_eq!(before.is_ok(), may_still_call, "{since_renewal} {pause}");
            }
            taken = eager => panic!("{taken:?}"),
        }
        first.check().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_was_away_for_two_hours_makes_no_call_after_somebody_took_over() {
    // Scenario 12, S21, F89.
    let cloud = Cloud::with_bucket(None).await;
    let first = acquire(&cloud.medium().await, 1, cloud.clock)
        .await
        .unwrap()
        .lease;
    sleep(400).await;
    let second = acquire(&cloud.medium().await, 2, cloud.clock)
        .await
        .unwrap();
    assert_eq!(second.lease.epoch(), 2);
    sleep(6800).await;
    assert_eq!(first.check(), Err(LeaseError::RunOut));
    for _ in 0..2 {
        let lost = first.ensure().await.unwrap_err();
        let LeaseError::Lost {
            epoch: 1,
            holder: Some(holder),
        } = &lost
        else {
            panic!("{lost}");
        };
        assert_eq!(holder.claim.by.pid, 2);
        assert!(first.check().is_err());
    }
    assert!(matches!(first.keep().await, LeaseError::Lost { .. }));
    // And gives back nothing that is not its own.
    first.release().await.unwrap();
    second.lease.ensure().await.unwrap();
}

thread_local! {
    static MACHINE: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

fn machine() -> Timestamp {
    morning() + MACHINE.get()
}

#[tokio::test(start_paused = true)]
async fn a_laptop_that_slept_knows_it_by_the_clock_of_the_machine() {
    // F49: the monotonic clock stood still.
    let cloud = Cloud::with_bucket(None).await;
    MACHINE.set(SignedDuration::ZERO);
    let clock = cloud.clock.beside(machine);
    let first = acquire(&cloud.medium().await, 1, clock)
        .await
        .unwrap()
        .lease;
    first.check().unwrap();
    MACHINE.set(SignedDuration::from_hours(2));
    assert_eq!(first.check(), Err(LeaseError::RunOut));
    // Nobody took it: it is still its own.
    first.ensure().await.unwrap();
    assert_eq!(first.epoch(), 1);
    // Somebody sets the clock back; that does not make a lease last longer.
    MACHINE.set(SignedDuration::from_hours(-2));
    first.check().unwrap();
    sleep(120).await;
    assert_eq!(first.check(), Err(LeaseError::RunOut));
}

#[tokio::test(start_paused = true)]
async fn renewals_survive_lost_answers_and_conflicts() {
    let conflict = What::Refuse {
        status: 409,
        code: "ConditionalRequestConflict".to_owned(),
        message: "A conflicting operation occurred".to_owned(),
    };
    for what in [
        What::LoseAnswer,
        What::BreakAfter,
        What::BreakBefore,
        conflict,
    ] {
        let cloud = Cloud::with_bucket(None).await;
        let lease = acquire(&cloud.medium().await, 1, cloud.clock)
            .await
            .unwrap()
            .lease;
        for nth in 1..=4 {
            cloud.on_put(When::Nth(nth), what.clone());
            for _ in 0..3 {
                sleep(60).await;
                lease.renew().await.unwrap();
                lease.check().unwrap();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn while_s3_cannot_be_reached_no_call_starts_once_the_lease_has_run_out() {
    let cloud = Cloud::with_bucket(None).await;
    let lease = acquire(&cloud.medium().await, 1, cloud.clock)
        .await
        .unwrap()
        .lease;
    cloud.on_put(When::Always, What::BreakBefore);
    tokio::select! {
        biased;
        lost = lease.keep() => panic!("{lost}"),
        () = sleep(200) => {}
    }
    let error = lease.ensure().await.unwrap_err();
    assert!(matches!(error, LeaseError::Medium(_)), "{error}");
    // It comes back before anybody else came.
    cloud.on_put(When::Nth(1_000), What::Throttle);
    lease.ensure().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_read_stops_everybody() {
    let clock = Clock::starting_at(morning());
    for (content, words) in [
        ("{", "cannot be read"),
        (
            "{\"version\":9,\"epoch\":3,\"nonce\":\"\",\"holder\":null}",
            "format 9",
        ),
    ] {
        let disk = MemoryDisk::default();
        let medium = folder(&disk);
        medium
            .swap("lease.json", None, content.into())
            .await
            .unwrap();
        let error = acquire(&medium, 1, clock).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// One call of one process, from its check to its end.
#[derive(Debug, Clone, Copy)]
struct Call {
    epoch: u64,
    began: tokio::time::Instant,
    ended: tokio::time::Instant,
}

/// A process that works, renews now and then, is paused, dies and starts again.
async fn live(cloud: &Cloud, pid: u32, seed: u64, calls: &RefCell<Vec<Call>>) {
    let mut chance = fastrand::Rng::with_seed(seed);
    // Clocks of machines differ.
    let skew = SignedDuration::from_secs(chance.i64(-30..=30));
    let clock = Clock::starting_at(cloud.clock.now() + skew);
    let medium = cloud.medium().await;
    for _ in 0..6 {
        let lease = match acquire(&medium, pid, clock).await {
            Ok(granted) => granted.lease,
            Err(LeaseError::Lost { .. } | LeaseError::Released) => panic!("it had none"),
            Err(_) => {
                sleep(chance.u64(1..120)).await;
                continue;
            }
        };
        for _ in 0..chance.u32(1..8) {
            match lease.ensure().await {
                Ok(()) => {
                    let began = tokio::time::Instant::now();
                    sleep(chance.u64(0..=60)).await;
                    calls.borrow_mut().push(Call {
                        epoch: lease.epoch(),
                        began,
                        ended: tokio::time::Instant::now(),
                    });
                }
                Err(LeaseError::Lost { .. }) => break,
                Err(_) => {}
            }
            if chance.u8(0..3) == 0 {
                let _renewed = lease.renew().await;
            }
            if chance.u8(0..4) == 0 {
                sleep(chance.u64(0..900)).await;
            }
        }
        if chance.bool() {
            let _given_back = lease.release().await;
        }
        // Else it dies here.
        sleep(chance.u64(0..300)).await;
    }
}

#[test]
fn whatever_happens_no_two_processes_work_at_the_same_time() {
    // S21 over 30 seeds: three processes, pauses, deaths, clocks that differ, lost answers and breakdowns.
    let mut epochs = 0;
    for seed in 0..30 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let mut calls = runtime.block_on(async {
            let cloud = Cloud::with_bucket(None).await;
            let what = [What::LoseAnswer, What::BreakBefore, What::BreakAfter];
            cloud.on_put(When::PerMille(150), what[seed % 3].clone());
            let calls = RefCell::default();
            let seeds = (0..3).map(|process| seed as u64 * 3 + process);
            futures_util::future::join_all(
                (1..)
                    .zip(seeds)
                    .map(|(pid, seed)| live(&cloud, pid, seed, &calls)),
            )
            .await;
            calls.into_inner()
        });
        calls.sort_by_key(|call| call.epoch);
        for pair in calls.windows(2) {
            let [earlier, later] = pair else { continue };
            assert!(
                earlier.epoch == later.epoch || earlier.ended <= later.began,
                "seed {seed}: {earlier:?} {later:?}"
            );
        }
        epochs += calls.last().map_or(0, |call| call.epoch);
    }
    assert!(epochs > 100, "only {epochs} grants: the test proves little");
}
