//! What journals promise, over a disk that forgets.

mod buckets;
mod crashes;
mod damage;
mod distant;
mod leases;
mod real_files;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::entry::{Answer, Command, Intent, Outcome, Process, RunStarted};
use super::medium::Medium;
use super::medium::disk::Disk;
use super::medium::folder::Folder;
use super::medium::memory::MemoryDisk;
use super::{Entry, Journal, RunId};
use crate::clock::Clock;
use crate::plan::StepId;

pub const ROOT: &str = "/project/.bedrail";

pub fn morning() -> Timestamp {
    "2026-01-01T08:00:00Z".parse().unwrap()
}

pub fn run() -> RunId {
    RunId::starting(morning(), 0x9f3a)
}

pub fn folder(disk: &MemoryDisk) -> Arc<dyn Medium> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Arc::new(Folder::on(disk, Path::new(ROOT)))
}

pub fn process(pid: u32) -> Process {
    Process {
        operator: "arn:aws:sts::111111111111:assumed-role/Operator/alice".to_owned(),
        host: "laptop".to_owned(),
        pid,
    }
}

pub fn started(run: &RunId, epoch: u64) -> RunStarted {
    RunStarted {
        run: run.clone(),
        tool: "0.1.0".to_owned(),
        command: Command::Apply,
        rollout: "bedrock-governance".to_owned(),
        organization: "o-exampleorg1".parse().unwrap(),
        management_account: "111111111111".parse().unwrap(),
        plan: "aa".repeat(32),
        config: "bb".repeat(32),
        by: process(4711),
        epoch,
    }
}

pub fn intent(call: u64) -> Entry {
    Entry::Intent(Intent {
        call,
        step: Some(StepId("members/logging@dev".to_owned())),
        attempt: 1,
        service: "CloudFormation".to_owned(),
        operation: "CreateStackInstances".to_owned(),
        account: "111111111111".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        token: Some("bedrail-0123456789abcdef".to_owned()),
        payload: "cc".repeat(32),
        epoch: 1,
    })
}

pub fn answer(call: u64) -> Entry {
    Entry::Answer(Answer {
        call,
        outcome: Outcome::Ok,
        request: None,
    })
}

pub async fn create(disk: &MemoryDisk) -> Journal {
    let clock = Clock::starting_at(morning());
    Journal::create(folder(disk), started(&run(), 1), clock)
        .await
        .unwrap()
}
