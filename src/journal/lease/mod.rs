//! One operator at a time: a lease with an epoch that grows with every grant.
//!
//! In a folder the holder also holds a file lock, which goes when its process does, so that a dead holder is
//! known at once. In a bucket only time tells: a lease ends unless it is renewed, and whoever wants to take it
//! then first watches it for as long as a living holder could leave it alone. So neither clocks that differ nor a
//! pause shorter than the lease make two holders (L4, S21).
//!
//! The holder trusts its lease only while a call that it starts now must end before the lease does, and measures
//! that with two clocks: the monotonic one stands still while a laptop sleeps, and the machine's can be set.

mod grant;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::medium::{Hold, Medium, MediumError, Slot, Version};
use crate::clock::Clock;

use grant::Grant;
pub use grant::{Claim, Holder};

const NAME: &str = "lease.json";
const LOCK: &str = "lease.lock";
/// Races that are lost in a row before giving up.
const RACES_MAX: u32 = 10;
/// Between two looks at a lease that somebody is just writing.
const MOMENT: Duration = Duration::from_millis(100);
/// After a renewal that failed.
const RENEW_AGAIN: Duration = Duration::from_secs(5);

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// From a renewal to the end of the lease. Renewed at a third of it.
    pub ttl: Duration,
    /// The longest that a call takes from its check to its end (its deadline, and a little more).
    pub call: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(180),
            // Writes have a deadline of 60 seconds.
            call: Duration::from_secs(75),
        }
    }
}

/// The right to change the organization, for as long as it lasts. Clones are the same lease.
#[derive(Debug, Clone)]
pub struct Lease {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    medium: Arc<dyn Medium>,
    clock: Clock,
    terms: Terms,
    epoch: u64,
    state: Mutex<State>,
    /// Whose turn it is to renew.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    grant: Grant,
    version: Version,
    /// Before the last successful renewal was sent, by both clocks.
    renewed: (Instant, Timestamp),
    hold: Hold,
    lost: Option<LeaseError>,
}

/// A lease, and who had it and never gave it back.
#[derive(Debug)]
pub struct Granted {
    pub lease: Lease,
    pub taken_from: Option<Holder>,
}

/// Why this process may not change anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    #[error("{place} is in use by {holder}; wait until that has ended, or stop it there")]
    Held { place: String, holder: Box<Holder> },
    #[error(
        "{place} is in use by another process that has just started or is just ending; try again in a moment"
    )]
    Busy { place: String },
    #[error("the lease of this run was taken over{}", by(.holder.as_deref()))]
    Lost {
        /// Of the lease that was lost.
        epoch: u64,
        /// Who has it now.
        holder: Option<Box<Holder>>,
    },
    #[error("the lease of this run was given back")]
    Released,
    #[error("the lease of this run has run out and is not renewed yet")]
    RunOut,
    #[error(
        "the lease in {place} cannot be read ({why}); if nobody works on this rollout, delete {NAME} there"
    )]
    Unreadable { place: String, why: String },
    #[error(transparent)]
    Medium(#[from] MediumError),
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(" by {holder}"))
}

/// Who holds the lease in a medium, if anybody does, dead or alive.
///
/// # Errors
/// [`LeaseError::Unreadable`], or what the medium says.
pub async fn holder(medium: &dyn Medium) -> Result<Option<Holder>, LeaseError> {
    let slot = medium.look(NAME).await?;
    Ok(slot
        .map(|slot| parse(medium, &slot))
        .transpose()?
        .and_then(|grant| grant.holder))
}

/// Who is at work right now, as far as can be told without taking the lease.
///
/// # Errors
/// [`LeaseError::Unreadable`], or what the medium says.
pub async fn at_work(medium: &dyn Medium, clock: Clock) -> Result<Option<Holder>, LeaseError> {
    let Some(holder) = holder(medium).await? else {
        return Ok(None);
    };
    // Taken only to see whether it can be, and let go at once.
    let alive = match medium.hold(LOCK).await? {
        Hold::Mine(_) => false,
        Hold::Theirs => true,
        Hold::Unknown => holder.ends > clock.machine(),
    };
    Ok(alive.then_some(holder))
}

fn parse(medium: &dyn Medium, slot: &Slot) -> Result<Grant, LeaseError> {
    Grant::parse(&slot.bytes).map_err(|why| LeaseError::Unreadable {
        place: medium.place(),
        why,
    })
}

impl Lease {
    /// Takes the lease if nobody has it, or if its holder is dead. Where only time tells, that takes half a
    /// lease longer than the lease lasted; `watching` is told before that wait.
    ///
    /// # Errors
    /// [`LeaseError::Held`], [`LeaseError::Busy`], [`LeaseError::Unreadable`], or what the medium says.
    pub async fn acquire(
        medium: Arc<dyn Medium>,
        claim: Claim,
        clock: Clock,
        terms: Terms,
        watching: &dyn Fn(&Holder, Duration),
    ) -> Result<Granted, LeaseError> {
        let busy = || LeaseError::Busy {
            place: medium.place(),
        };
        let hold = medium.hold(LOCK).await?;
        let mut watched: Option<Version> = None;
        for _ in 0..RACES_MAX {
            let slot = medium.look(NAME).await?;
            let seen = slot.as_ref().map(|slot| slot.version.clone());
            let grant = slot
                .map(|slot| parse(medium.as_ref(), &slot))
                .transpose()?
                .unwrap_or_default();
            match (&grant.holder, &hold) {
                (Some(_), Hold::Theirs) if mutant!(LeaseIgnored) => {}
                (Some(holder), Hold::Theirs) => return Err(held(medium.as_ref(), holder)),
                (None, Hold::Theirs) => {
                    // It has the lock and has not said yet who it is, or has just let go.
                    tokio::time::sleep(MOMENT).await;
                    continue;
                }
                (Some(holder), Hold::Unknown) if watched != seen => {
                    if watched.is_some() || holder.ends > clock.machine() {
                        return Err(held(medium.as_ref(), holder));
                    }
                    let watch = holder.ttl() / 2;
                    watching(holder, watch);
                    tokio::time::sleep(watch).await;
                    watched = seen;
                    continue;
                }
                (_, Hold::Mine(_) | Hold::Unknown) => {}
            }
            let renewed = (Instant::now(), clock.machine());
            let next = grant.next(&claim, renewed.1, terms.ttl);
            let swapped = medium.swap(NAME, seen.as_ref(), next.bytes()).await?;
            let Some(version) = swapped else {
                // Lost the race: see who won it.
                continue;
            };
            let lease = Self {
                inner: Arc::new(Inner {
                    medium,
                    clock,
                    terms,
                    epoch: next.epoch,
                    state: Mutex::new(State {
                        grant: next,
                        version,
                        renewed,
                        hold,
                        lost: None,
                    }),
                    turn: tokio::sync::Mutex::default(),
                }),
            };
            return Ok(Granted {
                lease,
                taken_from: grant.holder,
            });
        }
        Err(busy())
    }

    /// Grows with every grant; goes into every intent.
    pub fn epoch(&self) -> u64 {
        self.inner.epoch
    }

    /// Whether a call may start now, by what this process knows. To be asked immediately before each call that
    /// changes something, each try of it counted.
    ///
    /// # Errors
    /// [`LeaseError::RunOut`] after a pause: [`Lease::ensure`] finds out. [`LeaseError::Lost`] or
    /// [`LeaseError::Released`] for good.
    pub fn check(&self) -> Result<(), LeaseError> {
        let inner = &self.inner;
        let state = self.state();
        if let Some(lost) = &state.lost {
            return Err(lost.clone());
        }
        if matches!(state.hold, Hold::Mine(_)) {
            // Nobody can take it over while this process lives, however long it was paused.
            return Ok(());
        }
        let (instant, timestamp) = state.renewed;
        let machine = inner.clock.machine().duration_since(timestamp);
        // Set back: nothing can be learnt from it, and the monotonic clock goes on.
        let machine = Duration::try_from(machine).unwrap_or_default();
        let since = instant.elapsed().max(machine);
        if since + inner.terms.call < inner.terms.ttl {
            Ok(())
        } else {
            Err(LeaseError::RunOut)
        }
    }

    /// The same, and renews where that is what is missing: after a pause the lease is read again, and is lost if
    /// somebody else has it (F89).
    ///
    /// # Errors
    /// As [`Lease::check`] and [`Lease::renew`].
    pub async fn ensure(&self) -> Result<(), LeaseError> {
        match self.check() {
            Err(LeaseError::RunOut) => {
                self.renew().await?;
                self.check()
            }
            other => other,
        }
    }

    /// Makes the lease last for a whole term from now.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] if somebody else has it; or what the medium says, which may pass.
    pub async fn renew(&self) -> Result<(), LeaseError> {
        let inner = &self.inner;
        let _turn = inner.turn.lock().await;
        for _ in 0..RACES_MAX {
            let renewed = (Instant::now(), inner.clock.machine());
            let (next, version) = {
                let state = self.state();
                if let Some(lost) = &state.lost {
                    return Err(lost.clone());
                }
                let next = state.grant.renewed(renewed.1, inner.terms.ttl);
                (next, state.version.clone())
            };
            let swapped = inner
                .medium
                .swap(NAME, Some(&version), next.bytes())
                .await?;
            if let Some(version) = swapped {
                let state = &mut *self.state();
                state.grant = next;
                state.version = version;
                state.renewed = renewed;
                return Ok(());
            }
            self.look_again(&next).await?;
        }
        Err(LeaseError::Busy {
            place: inner.medium.place(),
        })
    }

    /// Somebody wrote the lease. It may have been this process, whose answer was lost.
    async fn look_again(&self, mine: &Grant) -> Result<(), LeaseError> {
        let medium = self.inner.medium.as_ref();
        let slot = medium.look(NAME).await?;
        let found = slot.as_ref().map(|slot| parse(medium, slot)).transpose()?;
        let state = &mut *self.state();
        match (slot, found) {
            (Some(slot), Some(found)) if found.is_same_lease(mine) => {
                state.version = slot.version;
                Ok(())
            }
            (_, found) => {
                let lost = LeaseError::Lost {
                    epoch: self.inner.epoch,
                    holder: found.and_then(|grant| grant.holder).map(Box::new),
                };
                state.lost = Some(lost.clone());
                Err(lost)
            }
        }
    }

    /// Renews for ever, to be polled beside the work; ends only when the lease is lost or given back.
    pub async fn keep(&self) -> LeaseError {
        let third = self.inner.terms.ttl / 3;
        let mut wait = third;
        loop {
            tokio::time::sleep(wait).await;
            wait = match self.renew().await {
                Ok(()) => third,
                Err(lost @ (LeaseError::Lost { .. } | LeaseError::Released)) => return lost,
                // It may pass. When it does not, no check succeeds any more.
                Err(_) => RENEW_AGAIN.min(third),
            };
        }
    }

    /// Gives the lease back at the end of the work. The epoch stays for the next one to grow from.
    ///
    /// # Errors
    /// What the medium says; the lease ends by itself then.
    pub async fn release(&self) -> Result<(), LeaseError> {
        let inner = &self.inner;
        let _turn = inner.turn.lock().await;
        let (free, version) = {
            let state = &mut *self.state();
            if state.lost.is_some() {
                return Ok(());
            }
            state.lost = Some(LeaseError::Released);
            (state.grant.released(), state.version.clone())
        };
        let done = inner.medium.swap(NAME, Some(&version), free.bytes()).await;
        // Only now: until then nobody else may write.
        self.state().hold = Hold::Unknown;
        done?;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn held(medium: &dyn Medium, holder: &Holder) -> LeaseError {
    LeaseError::Held {
        place: medium.place(),
        holder: Box::new(holder.clone()),
    }
}
