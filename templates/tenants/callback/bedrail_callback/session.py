"""Credentials of the operations account that renew themselves."""

from typing import Any

import boto3
from botocore.credentials import AssumeRoleCredentialFetcher, CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.session import Session

# A role that takes another one gets an hour at most (role chaining), whatever the second role's own limit is.
CHAINED_SESSION_SECONDS = 3_600


class _OperationsRole(CredentialProvider):
    METHOD = "bedrail-operations-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials


def operations_session(
    role_arn: str,
    *,
    external_id: str,
    tenant: str,
    region: str,
    session_name: str = "langchain",
    tags: dict[str, str] | None = None,
    source: Session | None = None,
) -> boto3.Session:
    """A session in the tenant's role of the operations account, for clients that invoke models.

    Its credentials are taken when they are first used and renewed before their hour is over. `source` is the session of
    the customer's own account; by default what boto3 finds.
    """
    own = source or Session()
    own.set_config_variable("region", region)
    arguments: dict[str, Any] = {
        "RoleSessionName": session_name,
        "ExternalId": external_id,
        "DurationSeconds": CHAINED_SESSION_SECONDS,
        "Tags": [{"Key": key, "Value": value} for key, value in {**(tags or {}), "tenant": tenant}.items()],
    }
    # Regional, since opt-in Regions do not take tokens of the global endpoint.
    own.set_config_variable("sts_regional_endpoints", "regional")
    fetcher = AssumeRoleCredentialFetcher(own.create_client, own.get_credentials(), role_arn, extra_args=arguments)
    credentials = DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")
    assumed = Session()
    assumed.register_component("credential_provider", CredentialResolver([_OperationsRole(credentials)]))
    return boto3.Session(botocore_session=assumed, region_name=region)
