//! One budget per service, account, Region and operation, with AWS's published rates as the ceiling.
//!
//! AWS throttles whoever calls in an account, so a budget is shared fairly with whatever else runs there:
//! a throttling answer halves its rate, and each second without one gives a tenth of the ceiling back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Whether the published rates are kept to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    Published,
    /// For the sandbox and other endpoints that are not AWS: only what they answer slows calls down.
    Off,
}

/// Calls per second, and how many may come at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub burst: f64,
}

/// The published rate of an operation, as of 2026-11.
///
/// Sources: AWS Organizations User Guide, "Quotas for AWS Organizations" (throttling limits); AWS General
/// Reference, "AWS CloudFormation endpoints and quotas"; AWS KMS Developer Guide, "Request quotas"; IAM User
/// Guide, "IAM and AWS STS quotas". Bedrock's control plane publishes none: five a second is an assumption.
pub fn published(service: &str, operation: &str) -> Rate {
    let (per_second, burst) = match (service, operation) {
        ("Organizations", "DescribeAccount") => (20.0, 30.0),
        ("Organizations", "ListAccounts") => (8.0, 12.0),
        ("Organizations", "ListRoots" | "DescribeOrganization") => (1.0, 2.0),
        ("Organizations", "DescribePolicy" | "DescribeOrganizationalUnit") => (2.0, 2.0),
        ("Organizations", "ListTagsForResource") => (10.0, 15.0),
        ("Organizations", "TagResource") => (4.0, 6.0),
        (
            "Organizations",
            "ListAWSServiceAccessForOrganization" | "ListDelegatedServicesForAccount",
        ) => (1.0, 3.0),
        ("Organizations", "EnablePolicyType") => (1.0, 1.0),
        ("Organizations", "RegisterDelegatedAdministrator") => (1.0, 2.0),
        (
            "Organizations",
            "CreatePolicy" | "UpdatePolicy" | "DeletePolicy" | "AttachPolicy" | "DetachPolicy",
        ) => (2.0, 3.0),
        ("Organizations", _) => (5.0, 8.0),
        (
            "CloudFormation",
            "DescribeStacks"
            | "DescribeStackEvents"
            | "ListStacks"
            | "GetTemplate"
            | "ListStackResources",
        ) => (10.0, 10.0),
        ("CloudFormation", _) => (2.0, 2.0),
        ("STS", _) => (600.0, 600.0),
        ("KMS", "ListAliases") => (500.0, 500.0),
        ("KMS", _) => (1000.0, 1000.0),
        ("Bedrock", _) => (5.0, 5.0),
        _ => (100.0, 100.0),
    };
    Rate { per_second, burst }
}

/// Who is charged for a call: AWS counts per account, Region and operation.
pub type Key = (&'static str, &'static str, String, String);

#[derive(Debug)]
struct Bucket {
    ceiling: Rate,
    per_second: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let passed = now.duration_since(self.filled).as_secs_f64();
        self.per_second = (self.per_second + passed * self.ceiling.per_second / 10.0)
            .min(self.ceiling.per_second);
        self.tokens = (self.tokens + passed * self.per_second).min(self.ceiling.burst);
        self.filled = now;
    }
}

#[derive(Debug)]
pub struct Pacer {
    pacing: Pacing,
    buckets: Mutex<BTreeMap<Key, Bucket>>,
}

impl Pacer {
    pub fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            buckets: Mutex::new(BTreeMap::new()),
        }
    }

    /// Waits for the call's turn.
    pub async fn turn(&self, key: &Key) {
        if self.pacing == Pacing::Off {
            return;
        }
        let wait = self.with(key, |bucket| {
            bucket.tokens -= 1.0;
            // A debt is a place in the queue: each waiter sleeps until its own token is there.
            (bucket.tokens < 0.0)
                .then(|| Duration::from_secs_f64(-bucket.tokens / bucket.per_second))
        });
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
    }

    /// Halves the rate after a throttling answer.
    pub fn throttled(&self, key: &Key) {
        if self.pacing == Pacing::Published {
            self.with(key, |bucket| {
                bucket.per_second = (bucket.per_second / 2.0).max(bucket.ceiling.per_second / 16.0)
            });
        }
    }

    fn with<T>(&self, key: &Key, f: impl FnOnce(&mut Bucket) -> T) -> T {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(key.clone()).or_insert_with(|| {
            let ceiling = published(key.0, key.1);
            Bucket {
                ceiling,
                per_second: ceiling.per_second,
                tokens: ceiling.burst,
                filled: now,
            }
        });
        bucket.refill(now);
        f(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        (
            "CloudFormation",
            "DescribeStackSet",
            "111111111111".into(),
            "us-east-1".into(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_to_the_published_rate_after_the_burst() {
        let pacer = Pacer::new(Pacing::Published);
        let start = Instant::now();
        for _ in 0..12 {
            pacer.turn(&key()).await;
        }
        // Two at once, then ten at two a second.
        assert_eq!(start.elapsed().as_secs_f64().round(), 5.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttling_answer_slows_down_and_quiet_time_restores() {
        let pacer = Pacer::new(Pacing::Published);
        for _ in 0..2 {
            pacer.turn(&key()).await;
        }
        pacer.throttled(&key());
        let start = Instant::now();
        pacer.turn(&key()).await;
        assert!(
            start.elapsed() >= Duration::from_millis(900),
            "{:?}",
            start.elapsed()
        );
        tokio::time::sleep(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..4 {
            pacer.turn(&key()).await;
        }
        assert_eq!(start.elapsed().as_secs_f64().round(), 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn off_never_waits() {
        let pacer = Pacer::new(Pacing::Off);
        let start = Instant::now();
        for _ in 0..1000 {
            pacer.turn(&key()).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
