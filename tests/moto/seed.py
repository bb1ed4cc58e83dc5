"""Makes the organization that the reduced rollout is for, on the moto server at MOTO_URL, and prints as JSON what a
rollout against it needs: the ids, and temporary credentials of a role in the management account."""

import json
import os

import boto3

OPERATOR = "arn:aws:iam::123456789012:role/bedrail-operator"

UNITS = ["Workloads/Dev", "Workloads/Staging", "Workloads/Prod", "Infrastructure", "Security/BreakGlass"]
ACCOUNTS = {
    "dev-1": "Workloads/Dev",
    "dev-2": "Workloads/Dev",
    "staging-1": "Workloads/Staging",
    "prod-1": "Workloads/Prod",
    "prod-2": "Workloads/Prod",
    "ai-hub": "Infrastructure",
    "break-glass": "Security/BreakGlass",
}


def client(service):
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=os.environ["MOTO_URL"],
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="any",
    )


def seed():
    organizations = client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    # Every organization that has used the console has this on; moto has no ActivateOrganizationsAccess to go with it.
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")

    units = {"": root}
    for path in UNITS:
        parent = ""
        for name in path.split("/"):
            own = f"{parent}/{name}".lstrip("/")
            if own not in units:
                made = organizations.create_organizational_unit(ParentId=units[parent], Name=name)
                units[own] = made["OrganizationalUnit"]["Id"]
            parent = own

    accounts = {}
    for name, unit in ACCOUNTS.items():
        status = organizations.create_account(
            AccountName=name,
            Email=f"{name}@example.com",
            Tags=[{"Key": "bedrock", "Value": "enabled"}],
        )["CreateAccountStatus"]
        accounts[name] = status["AccountId"]
        organizations.move_account(
            AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=units[unit]
        )

    credentials = client("sts").assume_role(
        RoleArn=OPERATOR, RoleSessionName="rollout", DurationSeconds=3600
    )["Credentials"]
    return {
        "organization": organization["Id"],
        "managementAccount": organization["MasterAccountId"],
        "root": root,
        "units": units,
        "accounts": accounts,
        "units_of_accounts": ACCOUNTS,
        "credentials": {
            "accessKey": credentials["AccessKeyId"],
            "secretKey": credentials["SecretAccessKey"],
            "sessionToken": credentials["SessionToken"],
        },
    }


if __name__ == "__main__":
    print(json.dumps(seed()))
