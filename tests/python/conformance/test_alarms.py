"""CloudWatch alarms."""

import pytest
from worlds import error, moto_deviates

API = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/"
ALARM = {
    "Namespace": "AWS/Bedrock",
    "MetricName": "InvocationClientErrors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 5.5,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def alarms(aws):
    return aws.client("cloudwatch", account="ai-hub", region="eu-west-1")


def one(alarms, name):
    (alarm,) = alarms.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm


def test_an_alarm_begins_without_data_and_keeps_its_state_when_it_is_put_again(aws, alarms):
    name = aws.unique("alarm")
    alarms.put_metric_alarm(AlarmName=name, **ALARM)
    alarm = one(alarms, name)
    assert alarm["Threshold"] == 5.5
    assert alarm["Period"] == 60
    assert alarm["ActionsEnabled"] is True
    assert alarm["AlarmArn"] == f"arn:aws:cloudwatch:eu-west-1:{aws.accounts['ai-hub']}:alarm:{name}"
    assert alarm["StateUpdatedTimestamp"].tzinfo is not None
    alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="drill")
    assert one(alarms, name)["StateValue"] == "ALARM"
    assert one(alarms, name)["StateReason"] == "drill"
    alarms.delete_alarms(AlarmNames=[name])
    assert alarms.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


@moto_deviates(
    "a new alarm is OK",
    decides=API + "API_PutMetricAlarm.html",
)
def test_a_new_alarm_has_insufficient_data(aws, alarms):
    name = aws.unique("alarm")
    alarms.put_metric_alarm(AlarmName=name, **ALARM)
    assert one(alarms, name)["StateValue"] == "INSUFFICIENT_DATA"


@moto_deviates("it ignores every filter beside the prefix", decides=API + "API_DescribeAlarms.html")
def test_alarms_come_by_prefix_and_state(aws, alarms):
    prefix = aws.unique("group")
    for letter in "abc":
        alarms.put_metric_alarm(AlarmName=f"{prefix}-{letter}", **ALARM)
    alarms.set_alarm_state(AlarmName=f"{prefix}-b", StateValue="ALARM", StateReason="drill")
    found = alarms.describe_alarms(AlarmNamePrefix=prefix, StateValue="ALARM")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in found] == [f"{prefix}-b"]


@moto_deviates(
    "it answers all of them on one page",
    decides=API + "API_DescribeAlarms.html",
)
def test_alarms_come_in_pages(aws, alarms):
    prefix = aws.unique("paged")
    for letter in "abc":
        alarms.put_metric_alarm(AlarmName=f"{prefix}-{letter}", **ALARM)
    pages = list(
        alarms.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=prefix, PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 1]


def test_an_alarm_that_is_not_there_has_no_state(aws, alarms):
    code = error(alarms.set_alarm_state, AlarmName=aws.unique("none"), StateValue="OK", StateReason="x")
    assert code == "ResourceNotFound"
