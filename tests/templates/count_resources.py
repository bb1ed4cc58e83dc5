"""Prints what the shipped templates make, as a table for the README: per component, in each account and Region.

    python tests/templates/count_resources.py

Resources with a condition are counted: the numbers are the most that a component makes.
"""

from collections import Counter

import yaml

from test_templates import ROOT, load

# What of it counts towards a quota that an account can run into (name, resource types, AWS's default in November 2026).
QUOTAS = [
    ("IAM roles (account)", {"AWS::IAM::Role"}, "1,000"),
    ("S3 buckets (account)", {"AWS::S3::Bucket"}, "10,000"),
    ("KMS keys (account and Region)", {"AWS::KMS::Key"}, "100,000"),
    ("Config rules (account and Region)", {"AWS::Config::ConfigRule"}, "1,000"),
    ("Guardrails (account and Region)", {"AWS::Bedrock::Guardrail"}, "100"),
    ("Firehose streams (account and Region)", {"AWS::KinesisFirehose::DeliveryStream"}, "5,000"),
    ("OAM sinks (account and Region)", {"AWS::Oam::Sink"}, "1"),
    ("OAM links (account and Region)", {"AWS::Oam::Link"}, "5"),
]


def components():
    """Every component with a template: those of the rollout, and those that its file only offers."""
    text = (ROOT / "rollout.yaml").read_text(encoding="utf-8")
    rollout, offered = text.split("# Ready to be used", 1)
    for phase in yaml.safe_load(rollout)["phases"]:
        for component in phase["components"]:
            if "template" in component:
                yield component, True
    lines = [line[1:] for line in offered.splitlines() if line.startswith("#      ")]
    for component in yaml.safe_load("\n".join(lines)):
        if "template" in component:
            yield component, False


def where(component):
    if component["kind"] == "stack":
        return component["account"]
    return ", ".join(component.get("accounts", ["every member"]))


def main():
    base = yaml.safe_load((ROOT / "environments" / "base.yaml").read_text(encoding="utf-8"))
    totals = {}
    print("| component | account | Regions | resources | of which |")
    print("|---|---|---|---|---|")
    for component, active in components():
        template = load(ROOT / component["template"])
        types = Counter(resource["Type"] for resource in template["Resources"].values())
        regions = component.get("regions", base["regions"])
        place = where(component)
        listed = ", ".join(f"{count} {name.removeprefix('AWS::')}" for name, count in sorted(types.items()))
        name = component["name"] if active else f"{component['name']} (offered)"
        print(f"| {name} | {place} | {len(regions)} | {sum(types.values())} | {listed} |")
        # The accounts of single components have little else of the rollout; members get the most.
        for name, count in types.items():
            for position, _ in enumerate(regions):
                totals.setdefault(place, {}).setdefault(name, Counter())[position] += count
    print()
    print("| quota | AWS's default | a member uses | the hub uses |")
    print("|---|---|---|---|")
    for quota, types, default in QUOTAS:
        used = []
        for place in ("every member", "hub"):
            counts = [totals.get(place, {}).get(name, Counter()) for name in types]
            per_region = sum((Counter(count) for count in counts), Counter())
            whole = quota.endswith("(account)")
            used.append(sum(per_region.values()) if whole else max(per_region.values(), default=0))
        print(f"| {quota} | {default} | {used[0]} | {used[1]} |")


if __name__ == "__main__":
    main()
