//! CloudWatch alarms.

use aws_sdk_cloudwatch::{
    Client,
    types::{AlarmType, ComparisonOperator, StateValue, Statistic},
};
use bytes::Bytes;

use super::*;

async fn put(client: &Client, name: &str) {
    client
        .put_metric_alarm()
        .alarm_name(name)
        .namespace("AWS/Bedrock")
        .metric_name("InvocationClientErrors")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(3)
        .threshold(5.5)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .alarm_actions("arn:aws:sns:eu-west-1:222222222222:ops")
        .send()
        .await
        .unwrap();
}

async fn names(client: &Client) -> Vec<String> {
    let mut pages = client
        .describe_alarms()
        .max_records(2)
        .into_paginator()
        .send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert!(page.metric_alarms().len() <= 2);
        names.extend(
            page.metric_alarms()
                .iter()
                .map(|alarm| alarm.alarm_name().unwrap().to_owned()),
        );
    }
    names
}

#[tokio::test(start_paused = true)]
async fn an_alarm_has_the_state_that_it_was_given_last() {
    let sandbox = organization();
    let client = Client::new(&member(&sandbox, "222222222222", "eu-west-1").await);
    put(&client, "errors").await;
    let show = || client.describe_alarms().alarm_names("errors").send();
    let alarms = show().await.unwrap();
    let alarm = &alarms.metric_alarms()[0];
    assert_eq!(alarm.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(alarm.threshold(), Some(5.5));
    assert_eq!(alarm.period(), Some(60));
    assert_eq!(
        alarm.alarm_arn(),
        Some("arn:aws:cloudwatch:eu-west-1:222222222222:alarm:errors")
    );
    assert_eq!(
        alarm.state_updated_timestamp().map(|at| at.secs()),
        Some(morning().as_second())
    );
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    client
        .set_alarm_state()
        .alarm_name("errors")
        .state_value(StateValue::Alarm)
        .state_reason("drill")
        .send()
        .await
        .unwrap();
    put(&client, "errors").await;
    let alarms = show().await.unwrap();
    let alarm = &alarms.metric_alarms()[0];
    assert_eq!(alarm.state_value(), Some(&StateValue::Alarm));
    assert_eq!(alarm.state_reason(), Some("drill"));
    assert_eq!(
        alarm.state_transitioned_timestamp().map(|at| at.secs()),
        Some(morning().as_second() + 60)
    );
    let elsewhere = Client::new(&member(&sandbox, "222222222222", "eu-central-1").await);
    assert!(names(&elsewhere).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn alarms_come_in_pages_and_by_filters() {
    let sandbox = organization();
    let client = Client::new(&config(&sandbox, administrator(), "us-east-1"));
    for name in ["a", "b-1", "b-2", "c", "d"] {
        put(&client, name).await;
    }
    assert_eq!(names(&client).await, ["a", "b-1", "b-2", "c", "d"]);
    let found = client
        .describe_alarms()
        .alarm_name_prefix("b-")
        .action_prefix("arn:aws:sns:")
        .state_value(StateValue::InsufficientData)
        .send()
        .await
        .unwrap();
    assert_eq!(found.metric_alarms().len(), 2);
    let composite = client
        .describe_alarms()
        .alarm_types(AlarmType::CompositeAlarm)
        .send()
        .await
        .unwrap();
    assert!(composite.metric_alarms().is_empty());
    client
        .delete_alarms()
        .alarm_names("a")
        .alarm_names("c")
        .send()
        .await
        .unwrap();
    assert_eq!(names(&client).await, ["b-1", "b-2", "d"]);
}

#[tokio::test(start_paused = true)]
async fn refusals_carry_the_codes_of_the_model() {
    let sandbox = organization();
    let client = Client::new(&config(&sandbox, administrator(), "us-east-1"));
    let error = client
        .delete_alarms()
        .alarm_names("none")
        .send()
        .await
        .unwrap_err();
    assert!(error.as_service_error().unwrap().is_resource_not_found());
    put(&client, "there").await;
    let error = client
        .set_alarm_state()
        .alarm_name("there")
        .state_value(StateValue::Ok)
        .state_reason("x")
        .state_reason_data("{")
        .send()
        .await
        .unwrap_err();
    assert!(error.as_service_error().unwrap().is_invalid_format_fault());
    let error = client
        .describe_alarms()
        .next_token("made-up")
        .send()
        .await
        .unwrap_err();
    assert!(error.as_service_error().unwrap().is_invalid_next_token());
    let error = client
        .put_metric_alarm()
        .alarm_name("half")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&error), Some("ValidationError"));
}

#[tokio::test(start_paused = true)]
async fn templates_make_alarms() {
    let sandbox = organization();
    let config = member(&sandbox, "222222222222", "eu-west-1").await;
    let stacks = aws_sdk_cloudformation::Client::new(&config);
    stacks
        .create_stack()
        .stack_name("watch")
        .template_body(
            "
Resources:
  Errors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: bedrock-errors
      Namespace: AWS/Bedrock
      MetricName: InvocationServerErrors
      Statistic: Sum
      Period: 300
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
Outputs: { Arn: { Value: !GetAtt Errors.Arn } }
",
        )
        .send()
        .await
        .unwrap();
    let client = Client::new(&config);
    let alarms = client.describe_alarms().send().await.unwrap();
    let [alarm] = alarms.metric_alarms() else {
        panic!("{alarms:?}");
    };
    assert_eq!(alarm.alarm_name(), Some("bedrock-errors"));
    assert_eq!(alarm.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(alarm.threshold(), Some(1.0));
    stacks
        .delete_stack()
        .stack_name("watch")
        .send()
        .await
        .unwrap();
    assert!(names(&client).await.is_empty());
}

/// Signed by nobody in particular, as the sandbox reads it.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0";

fn asked(headers: &[(&str, &str)], body: &'static str) -> http::Request<Bytes> {
    let mut request = http::Request::post("https://monitoring.us-east-1.amazonaws.com/")
        .header("authorization", SIGNED);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from_static(body.as_bytes())).unwrap()
}

#[tokio::test(start_paused = true)]
async fn older_clients_ask_in_json_and_in_query() {
    let sandbox = organization();
    put(
        &Client::new(&config(&sandbox, administrator(), "us-east-1")),
        "errors",
    )
    .await;
    let json = |operation: &str, body| {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        asked(&[("x-amz-target", &target)], body)
    };
    let answer = sandbox.call(&json("DescribeAlarms", "{}")).unwrap();
    let shape: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(
        shape.pointer("/MetricAlarms/0/StateUpdatedTimestamp"),
        Some(&serde_json::json!(1_767_254_400.0))
    );
    let answer = sandbox
        .call(&json("DeleteAlarms", r#"{"AlarmNames":["none"]}"#))
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(
        answer.headers().get("x-amzn-query-error").unwrap(),
        "ResourceNotFound;Sender"
    );
    let answer = sandbox
        .call(&asked(&[], "Action=DescribeAlarms&Version=2010-08-01"))
        .unwrap();
    let text = String::from_utf8_lossy(answer.body());
    assert!(
        text.contains("<StateUpdatedTimestamp>2026-01-01T08:00:00.000Z</StateUpdatedTimestamp>"),
        "{text}"
    );
    assert!(text.contains("<Threshold>5.5</Threshold>"), "{text}");
}
