"""S3: buckets and what guards them, and objects that are written only if nobody else has."""

import json

import pytest
from worlds import error, moto_deviates

API = "https://docs.aws.amazon.com/AmazonS3/latest/API/"
GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"


@pytest.fixture
def s3(aws):
    return aws.client("s3", "dev-1")


@pytest.fixture
def bucket(aws, s3):
    name = aws.unique(f"conformance-{aws.accounts['dev-1']}")
    s3.create_bucket(Bucket=name)
    yield name
    for item in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


def test_a_bucket_is_there_and_listed(s3, bucket):
    s3.head_bucket(Bucket=bucket)
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_a_bucket_of_another_region_says_so(aws):
    s3 = aws.client("s3", "dev-1", region="eu-west-1")
    name = aws.unique(f"conformance-{aws.accounts['dev-1']}")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    s3.delete_bucket(Bucket=name)


def test_bucket_names_are_taken_for_everybody(aws, bucket):
    other = aws.client("s3", "dev-2")
    assert error(other.create_bucket, Bucket=bucket) == "BucketAlreadyExists"


def test_what_is_not_configured_has_its_own_error(s3, bucket):
    assert error(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"
    assert error(s3.get_object, Bucket=bucket, Key="none") == "NoSuchKey"
    assert error(s3.get_bucket_policy, Bucket=f"{bucket}-none") == "NoSuchBucket"
    assert error(s3.head_bucket, Bucket=f"{bucket}-none") == "404"


@moto_deviates("nothing is encrypted from the start", decides=GUIDE + "default-encryption-faq.html")
def test_every_bucket_is_encrypted_from_the_start(s3, bucket):
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@moto_deviates("public access is not blocked from the start", decides=GUIDE + "create-bucket-faq.html")
def test_every_new_bucket_blocks_public_access(s3, bucket):
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


def test_encryption_is_kept_as_it_was_put(aws, s3, bucket):
    rule = {
        "ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": f"arn:aws:kms:us-east-1:{aws.accounts['dev-1']}:key/11111111-2222-3333-4444-555555555555",
        },
        "BucketKeyEnabled": True,
    }
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]


def test_public_access_block_is_kept_as_it_was_put(s3, bucket):
    wanted = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == wanted


def test_versioning_is_off_until_it_is_on(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def test_a_bucket_policy_is_read_as_it_was_put(s3, bucket):
    wanted = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "bedrock.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            }
        ],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(wanted))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == wanted
    s3.delete_bucket_policy(Bucket=bucket)
    assert error(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"


@moto_deviates("any text is taken", decides=API + "API_PutBucketPolicy.html")
def test_a_bucket_policy_that_is_no_policy_is_refused(s3, bucket):
    assert error(s3.put_bucket_policy, Bucket=bucket, Policy="{}") == "MalformedPolicy"


def test_an_object_comes_back_as_it_was_put(s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="folder/object", Body=b"content", ContentType="text/plain")["ETag"]
    answer = s3.get_object(Bucket=bucket, Key="folder/object")
    assert answer["Body"].read() == b"content"
    assert answer["ETag"] == tag
    assert s3.head_object(Bucket=bucket, Key="folder/object")["ContentLength"] == 7


def test_an_object_is_written_only_if_there_is_none(s3, bucket):
    s3.put_object(Bucket=bucket, Key="lock", Body=b"first", IfNoneMatch="*")
    assert error(s3.put_object, Bucket=bucket, Key="lock", Body=b"second", IfNoneMatch="*") == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="lock")["Body"].read() == b"first"


def test_an_object_is_replaced_only_if_it_is_still_the_one_that_was_read(s3, bucket):
    first = s3.put_object(Bucket=bucket, Key="lease", Body=b"one")["ETag"]
    second = s3.put_object(Bucket=bucket, Key="lease", Body=b"two", IfMatch=first)["ETag"]
    assert second != first
    assert error(s3.put_object, Bucket=bucket, Key="lease", Body=b"three", IfMatch=first) == "PreconditionFailed"


def test_objects_are_listed_by_prefix_in_pages(s3, bucket):
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"many/{number}", Body=b"")
    s3.put_object(Bucket=bucket, Key="other", Body=b"")
    first = s3.list_objects_v2(Bucket=bucket, Prefix="many/", MaxKeys=2)
    assert [item["Key"] for item in first["Contents"]] == ["many/0", "many/1"]
    assert first["IsTruncated"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="many/", PaginationConfig={"PageSize": 2})
    assert [item["Key"] for page in pages for item in page["Contents"]] == [f"many/{number}" for number in range(5)]


def test_a_bucket_with_objects_is_not_deleted(s3, bucket):
    s3.put_object(Bucket=bucket, Key="left", Body=b"")
    assert error(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"


@moto_deviates("the expected owner is not looked at", decides=GUIDE + "bucket-owner-condition.html")
def test_the_expected_owner_must_be_the_owner(aws, s3, bucket):
    other = aws.accounts["dev-2"]
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=aws.accounts["dev-1"])
    assert error(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner=other) == "403"
    call = s3.put_object
    assert error(call, Bucket=bucket, Key="x", Body=b"", ExpectedBucketOwner=other) == "AccessDenied"


@moto_deviates("another account's bucket is not found", decides=API + "API_HeadBucket.html")
def test_the_bucket_of_another_account_is_forbidden(aws, bucket):
    assert error(aws.client("s3", "dev-2").head_bucket, Bucket=bucket) == "403"
