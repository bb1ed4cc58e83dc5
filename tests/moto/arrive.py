"""Makes one more account in Workloads/Dev on the moto server at MOTO_URL, and tells the queue named by QUEUE_URL three times; without
QUEUE_URL it makes the queue, with a dead-letter queue, and prints its address."""

import json
import os

from seed import client

sqs = client("sqs")
queue = os.environ.get("QUEUE_URL")
if not queue:
    dead = sqs.create_queue(QueueName="unread")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})
    made = sqs.create_queue(QueueName="events", Attributes={"VisibilityTimeout": "1", "RedrivePolicy": policy})
    print(made["QueueUrl"], end="")
else:
    organizations = client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    status = organizations.create_account(
        AccountName="dev-3", Email="dev-3@example.com", Tags=[{"Key": "bedrock", "Value": "enabled"}]
    )["CreateAccountStatus"]
    units = {}
    for unit in organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]:
        for below in organizations.list_organizational_units_for_parent(ParentId=unit["Id"])["OrganizationalUnits"]:
            units[f"{unit['Name']}/{below['Name']}"] = below["Id"]
    organizations.move_account(
        AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=units["Workloads/Dev"]
    )
    event = {
        "source": "aws.organizations",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {"eventName": "MoveAccount", "requestParameters": {"accountId": status["AccountId"]}},
    }
    for _ in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
    print(status["AccountId"], end="")
