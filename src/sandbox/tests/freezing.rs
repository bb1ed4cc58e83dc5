//! A crash at a chosen request, and what an observer sees of every request.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;
use crate::sandbox::{
    faults::{Fault, Faults, What, When},
    freeze::{Counting, Freeze, Point},
    observed::{Fate, Observed},
};

fn at(nth: u64, point: Point) -> Freeze {
    Freeze {
        line: 0,
        counting: Counting::Changes,
        nth,
        point,
    }
}

fn watched(sandbox: &Sandbox) -> Arc<Mutex<Vec<Observed>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    sandbox.observe(move |observed| into.lock().unwrap().push(observed.clone()));
    seen
}

async fn keys(sandbox: &Sandbox) -> usize {
    let kms = aws_sdk_kms::Client::new(&config(sandbox, administrator(), "us-east-1"));
    kms.list_keys().send().await.unwrap().keys().len()
}

#[tokio::test(start_paused = true)]
async fn a_frozen_request_never_ends_and_its_process_is_cut_off() {
    for (point, expected, fate) in [
        (Point::Before, 1, Fate::Vanished),
        (Point::After, 2, Fate::ServedUnheard),
    ] {
        let sandbox = organization();
        let seen = watched(&sandbox);
        let frozen = sandbox.freeze(at(2, point));
        let kms = aws_sdk_kms::Client::new(&config(&sandbox, administrator(), "us-east-1"));
        let tool = tokio::spawn(async move {
            loop {
                kms.create_key().send().await.unwrap();
                kms.list_keys().send().await.unwrap();
            }
        });
        frozen.clone().reached().await;
        assert!(frozen.is_reached());
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        assert!(!tool.is_finished());
        tool.abort();
        let calls = seen.lock().unwrap().clone();
        let names: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(names, ["CreateKey", "ListKeys", "CreateKey"]);
        assert_eq!(calls[2].fate, fate);
        assert_eq!(calls[2].status, 0);
        let late = aws_sdk_kms::Client::new(&config(&sandbox, administrator(), "us-east-1"));
        let late = tokio::time::timeout(Duration::from_secs(60), late.list_keys().send()).await;
        assert!(late.is_err(), "cut off until it is thawed");
        sandbox.thaw();
        assert_eq!(keys(&sandbox).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn another_process_goes_on() {
    let sandbox = organization();
    let _frozen = sandbox.freeze(at(1, Point::Before));
    let ours = aws_sdk_kms::Client::new(&config(&sandbox, administrator(), "us-east-1"));
    let stuck = tokio::spawn(async move { ours.create_key().send().await.is_ok() });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let other = config(&sandbox, administrator(), "us-east-1")
        .into_builder()
        .http_client(sandbox.http_client_of(1))
        .build();
    let other = aws_sdk_kms::Client::new(&other);
    other.create_key().send().await.unwrap();
    assert!(!stuck.is_finished());
    stuck.abort();
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_who_asked_what_with_which_token() {
    let sandbox = organization();
    let seen = watched(&sandbox);
    let stacks =
        aws_sdk_cloudformation::Client::new(&member(&sandbox, "510000000001", "eu-west-1").await);
    stacks
        .create_stack()
        .stack_name("x")
        .template_body("Resources: { G: { Type: AWS::Logs::LogGroup } }")
        .client_request_token("step-1")
        .send()
        .await
        .unwrap();
    let calls = seen.lock().unwrap().clone();
    assert_eq!(calls[0].operation, "AssumeRole");
    let call = &calls[1];
    assert_eq!((call.number, call.line), (2, 0));
    assert_eq!(call.region.0, "eu-west-1");
    assert_eq!(
        call.caller.as_deref(),
        Some("arn:aws:sts::510000000001:assumed-role/OrganizationAccountAccessRole/test")
    );
    assert_eq!(call.tokens["ClientRequestToken"], "step-1");
    assert_eq!(call.input["StackName"], "x");
    assert_eq!(call.body.len(), 64);
    assert_eq!((call.fate, call.status), (Fate::Served, 200));
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_stay_open_for_ever() {
    for (what, expected) in [(What::NeverAnswer, 1), (What::NeverArrive, 0)] {
        let sandbox = organization();
        sandbox.set_faults(Faults::seeded(
            1,
            vec![Fault {
                service: Some("kms".to_owned()),
                operation: Some("CreateKey".to_owned()),
                account: None,
                region: None,
                when: When::First(1),
                what,
            }],
        ));
        let kms = aws_sdk_kms::Client::new(&config(&sandbox, administrator(), "us-east-1"));
        let day = Duration::from_secs(86_400);
        let waited = tokio::time::timeout(day, kms.create_key().send()).await;
        assert!(waited.is_err(), "F08");
        assert_eq!(keys(&sandbox).await, expected);
    }
}
