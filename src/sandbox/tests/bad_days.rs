//! Faults and rates.

use super::*;
use crate::sandbox::faults::{Fault, Faults, What, When};

fn on(service: &str, operation: &str, when: When, what: What) -> Fault {
    Fault {
        service: Some(service.to_owned()),
        operation: Some(operation.to_owned()),
        account: None,
        region: None,
        when,
        what,
    }
}

#[tokio::test(start_paused = true)]
async fn each_protocol_has_its_own_word_for_too_many_requests() {
    let sandbox = organization();
    sandbox.set_faults(Faults::seeded(
        1,
        vec![Fault {
            service: None,
            operation: None,
            account: None,
            region: None,
            when: When::Always,
            what: What::Throttle,
        }],
    ));
    let config = config(&sandbox, administrator(), "us-east-1");
    let sts = aws_sdk_sts::Client::new(&config);
    let error = sts.get_caller_identity().send().await.unwrap_err();
    assert_eq!(code(&error), Some("Throttling"));
    let organizations = aws_sdk_organizations::Client::new(&config);
    let error = organizations.list_roots().send().await.unwrap_err();
    assert_eq!(code(&error), Some("TooManyRequestsException"));
    let kms = aws_sdk_kms::Client::new(&config);
    let error = kms.list_keys().send().await.unwrap_err();
    assert_eq!(code(&error), Some("ThrottlingException"));
    let bedrock = aws_sdk_bedrock::Client::new(&config);
    let error = bedrock
        .get_model_invocation_logging_configuration()
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&error), Some("ThrottlingException"));
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 429);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_what_was_done() {
    let sandbox = organization();
    sandbox.set_faults(Faults::seeded(
        1,
        vec![
            on("kms", "CreateKey", When::Nth(1), What::LoseAnswer),
            on("kms", "CreateKey", When::Nth(2), What::BreakAfter),
            on("kms", "CreateKey", When::Nth(3), What::BreakBefore),
        ],
    ));
    let kms = aws_sdk_kms::Client::new(&config(&sandbox, administrator(), "us-east-1"));
    let lost = kms.create_key().send().await.unwrap_err();
    assert!(matches!(lost, SdkError::DispatchFailure(failure) if failure.is_io()));
    for expected in [2, 2, 3] {
        let outcome = kms.create_key().send().await;
        assert_eq!(outcome.is_ok(), expected == 3);
        let keys = kms.list_keys().send().await.unwrap().keys.unwrap();
        assert_eq!(keys.len(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn published_rates_hold_when_they_are_switched_on() {
    let sandbox = organization();
    sandbox
        .change(|world| world.settings.published_rates = true)
        .unwrap();
    let client =
        aws_sdk_organizations::Client::new(&config(&sandbox, administrator(), "us-east-1"));
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(client.list_roots().send().await.is_ok());
    }
    assert_eq!(outcomes, [true, true, false], "one a second, bursts of two");
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(client.list_roots().send().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_caller_can_count_what_happened() {
    let sandbox = organization();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let into = seen.clone();
    sandbox.observe(move |observed| {
        into.lock().unwrap().push((
            observed.operation.clone(),
            observed.read,
            observed.code.clone(),
        ));
    });
    assume(&sandbox, "222222222222", "OrganizationAccountAccessRole").await;
    let kms = aws_sdk_kms::Client::new(&config(&sandbox, administrator(), "us-east-1"));
    let _refused = kms.describe_key().key_id("alias/none").send().await;
    assert_eq!(
        *seen.lock().unwrap(),
        [
            ("AssumeRole".to_owned(), false, None),
            (
                "DescribeKey".to_owned(),
                true,
                Some("NotFoundException".to_owned())
            ),
        ]
    );
}
