"""Decides the cases of policy-cases.yaml with the rendered service control policies.

The small evaluator knows Deny statements and the operators that the shipped policies use, as the IAM user guide describes
them (pages "IAM JSON policy elements: Condition operators" and "… : Resource"); any other operator is an error.
"""

import re

import pytest
import yaml

from test_templates import ROOT, name_of, rendered

CASES = yaml.safe_load((ROOT / "tests" / "templates" / "policy-cases.yaml").read_text(encoding="utf-8"))
ACCOUNT = "111122223333"


def matches(pattern, value, ignore_case=False):
    """Wildcards of IAM: * for any number of characters, ? for one."""
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def arn_matches(pattern, value):
    """Each of the six parts by itself, unlike in Resource."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) == 6 and all(map(matches, patterns, values))


COMPARE = {
    "StringEquals": lambda pattern, value: pattern == value,
    "StringLike": matches,
    "ArnLike": arn_matches,
    "Bool": lambda pattern, value: pattern.lower() == str(value).lower(),
}
NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotLike": "ArnLike"}


def holds(operator, key, wanted, context):
    wanted = wanted if isinstance(wanted, list) else [wanted]
    any_value = operator.startswith("ForAnyValue:")
    operator = operator.removeprefix("ForAnyValue:")
    if_exists = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    present = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if present is None:
        # A missing key fulfils negated operators and IfExists, and no other.
        return if_exists or operator in NEGATED
    values = present if isinstance(present, list) else [present]
    assert any_value or len(values) == 1, f"{key} has several values and the operator takes one"
    compare = COMPARE[NEGATED.get(operator, operator)]
    hit = any(compare(pattern, value) for pattern in wanted for value in values)
    return hit != (operator in NEGATED)


def applies(statement, principal, action, resource, context):
    def listed(element):
        value = statement[element]
        return value if isinstance(value, list) else [value]

    if not any(matches(pattern, action, ignore_case=True) for pattern in listed("Action")):
        return False
    if "Resource" in statement and not any(matches(pattern, resource) for pattern in listed("Resource")):
        return False
    if "NotResource" in statement and any(matches(pattern, resource) for pattern in listed("NotResource")):
        return False
    context = {**context, "aws:PrincipalArn": principal}
    return all(holds(operator, key, wanted, context) for operator, keys in statement["Condition"].items() for key, wanted in keys.items())


def principal_of(case):
    name = case["principal"]
    return f"arn:aws:iam::{ACCOUNT}:root" if name == "root" else f"arn:aws:iam::{ACCOUNT}:role/{name}"


@pytest.mark.parametrize(
    ("policy", "case"),
    [(policy, case) for policy, cases in CASES.items() for case in cases],
    ids=lambda value: value if isinstance(value, str) else f"{value['principal']}-{value['action']}-{value['then']}",
)
def test_the_policy_decides_as_the_table_says(policy, case):
    document = rendered(ROOT / "templates" / "policies" / f"{policy}.json", case["environment"])
    denying = [
        statement["Sid"]
        for statement in document["Statement"]
        if applies(statement, principal_of(case), case["action"], case["resource"], case.get("context", {}))
    ]
    assert bool(denying) == (case["then"] == "denied"), denying or "no statement denies it"


def test_every_policy_has_cases():
    assert sorted(CASES) == sorted(path.stem for path in (ROOT / "templates" / "policies").glob("*.json")), name_of(ROOT / "templates" / "policies")


@pytest.mark.parametrize("policy", sorted(CASES))
def test_every_statement_denies_in_some_case(policy):
    seen = set()
    for case in CASES[policy]:
        document = rendered(ROOT / "templates" / "policies" / f"{policy}.json", case["environment"])
        seen |= {s["Sid"] for s in document["Statement"] if applies(s, principal_of(case), case["action"], case["resource"], case.get("context", {}))}
    assert seen == {s["Sid"] for s in document["Statement"]}
