//! AWS Organizations: reads page by page, writes one call each. A global service, signed for us-east-1
//! (Organizations API reference, "Endpoints").

use std::collections::BTreeMap;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types;

use crate::ids::{AccountId, OrganizationId, OuId, PolicyId, Region, RootId, TargetId};

use super::call::{once, read};
use super::error::ErrorClass;
use super::{Aws, AwsError, Place};

/// The service principal that StackSets are delegated under (CloudFormation User Guide, "Register a
/// delegated administrator").
pub const STACK_SETS_PRINCIPAL: &str = "member.org.stacksets.cloudformation.amazonaws.com";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationRow {
    pub id: OrganizationId,
    pub management_account: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRow {
    pub id: RootId,
    /// Status by policy type, as AWS writes both: `SERVICE_CONTROL_POLICY` → `ENABLED`.
    pub policy_types: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    pub id: OuId,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub id: AccountId,
    pub name: String,
    /// `State`, or `Status` where that is missing, as AWS writes it.
    pub state: Option<String>,
    /// `o-…/r-…/ou-…/<account>/`; empty where the service does not fill it.
    pub paths: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    pub id: PolicyId,
    pub name: String,
    pub description: String,
    pub aws_managed: bool,
}

impl Aws {
    fn organizations(&self) -> Result<Place, AwsError> {
        // us-gov and cn have one endpoint each; the home Region's partition decides.
        let region = match self.partition() {
            "aws" => "us-east-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-cn" => "cn-northwest-1",
            _ => self.home_region().as_str(),
        };
        let region: Region = region
            .parse()
            .unwrap_or_else(|_| self.home_region().clone());
        Ok(Place::new(&self.identity().account, &region))
    }

    pub async fn describe_organization(&self) -> Result<OrganizationRow, AwsError> {
        let place = self.organizations()?;
        let answer = self
            .call(
                &place,
                read("DescribeOrganization"),
                async |client: Client| client.describe_organization().send().await,
            )
            .await?;
        let organization = answer.organization();
        let id = organization
            .and_then(types::Organization::id)
            .unwrap_or_default();
        let management = organization
            .and_then(types::Organization::master_account_id)
            .unwrap_or_default();
        Ok(OrganizationRow {
            id: parsed(&place, "DescribeOrganization", id)?,
            management_account: parsed(&place, "DescribeOrganization", management)?,
        })
    }

    pub async fn list_roots(&self) -> Result<Vec<RootRow>, AwsError> {
        let place = self.organizations()?;
        self.list(
            &place,
            read("ListRoots"),
            async |client: Client, token| client.list_roots().set_next_token(token).send().await,
            |answer| {
                let mut rows = Vec::new();
                for root in answer.roots() {
                    rows.push(RootRow {
                        id: parsed(&place, "ListRoots", root.id().unwrap_or_default())?,
                        policy_types: root
                            .policy_types()
                            .iter()
                            .filter_map(|summary| {
                                Some((
                                    summary.r#type()?.as_str().to_owned(),
                                    summary.status()?.as_str().to_owned(),
                                ))
                            })
                            .collect(),
                    });
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    pub async fn list_organizational_units(
        &self,
        parent: &TargetId,
    ) -> Result<Vec<UnitRow>, AwsError> {
        let place = self.organizations()?;
        let operation = "ListOrganizationalUnitsForParent";
        self.list(
            &place,
            read(operation),
            async |client: Client, token| {
                client
                    .list_organizational_units_for_parent()
                    .parent_id(parent.as_str())
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut rows = Vec::new();
                for unit in answer.organizational_units() {
                    rows.push(UnitRow {
                        id: parsed(&place, operation, unit.id().unwrap_or_default())?,
                        name: unit.name().unwrap_or_default().to_owned(),
                    });
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// All accounts of the organization, closed and suspended ones included.
    pub async fn list_accounts(&self) -> Result<Vec<AccountRow>, AwsError> {
        let place = self.organizations()?;
        self.list(
            &place,
            read("ListAccounts"),
            async |client: Client, token| client.list_accounts().set_next_token(token).send().await,
            |answer| {
                let mut rows = Vec::new();
                for account in answer.accounts() {
                    rows.push(account_row(&place, account)?);
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// Where an account is in the tree: an organizational unit or the root. `None`: it is not in the organization.
    pub async fn parent_of(&self, account: &AccountId) -> Result<Option<TargetId>, AwsError> {
        let place = self.organizations()?;
        // There is one, and still it may stand on a page after an empty one.
        let answer = self
            .list(
                &place,
                read("ListParents"),
                async |client: Client, token| {
                    client
                        .list_parents()
                        .child_id(account.as_str())
                        .set_next_token(token)
                        .send()
                        .await
                },
                |answer| {
                    let next = answer.next_token().map(str::to_owned);
                    Ok((answer.parents.unwrap_or_default(), next))
                },
            )
            .await;
        match answer {
            Ok(parents) => Ok(parents.first().and_then(|parent| parent.id()?.parse().ok())),
            Err(error) if error.is("ChildNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Accounts directly below `parent`.
    pub async fn list_accounts_for_parent(
        &self,
        parent: &TargetId,
    ) -> Result<Vec<AccountRow>, AwsError> {
        let place = self.organizations()?;
        self.list(
            &place,
            read("ListAccountsForParent"),
            async |client: Client, token| {
                client
                    .list_accounts_for_parent()
                    .parent_id(parent.as_str())
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut rows = Vec::new();
                for account in answer.accounts() {
                    rows.push(account_row(&place, account)?);
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// Tags of an account, an organizational unit, a root or a policy.
    pub async fn list_organization_tags(
        &self,
        resource: &str,
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let place = self.organizations()?;
        self.list(
            &place,
            read("ListTagsForResource"),
            async |client: Client, token| {
                client
                    .list_tags_for_resource()
                    .resource_id(resource)
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let tags = answer
                    .tags()
                    .iter()
                    .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                    .collect();
                Ok((tags, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    pub async fn list_policies(&self, policy_type: &str) -> Result<Vec<PolicyRow>, AwsError> {
        let place = self.organizations()?;
        self.list(
            &place,
            read("ListPolicies"),
            async |client: Client, token| {
                client
                    .list_policies()
                    .filter(types::PolicyType::from(policy_type))
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut rows = Vec::new();
                for policy in answer.policies() {
                    rows.push(policy_row(&place, "ListPolicies", policy)?);
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// Policies of one type that are attached directly to `target`.
    pub async fn list_policies_for_target(
        &self,
        target: &TargetId,
        policy_type: &str,
    ) -> Result<Vec<PolicyRow>, AwsError> {
        let place = self.organizations()?;
        self.list(
            &place,
            read("ListPoliciesForTarget"),
            async |client: Client, token| {
                client
                    .list_policies_for_target()
                    .target_id(target.as_str())
                    .filter(types::PolicyType::from(policy_type))
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut rows = Vec::new();
                for policy in answer.policies() {
                    rows.push(policy_row(&place, "ListPoliciesForTarget", policy)?);
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    pub async fn list_targets_for_policy(
        &self,
        policy: &PolicyId,
    ) -> Result<Vec<TargetId>, AwsError> {
        let place = self.organizations()?;
        self.list(
            &place,
            read("ListTargetsForPolicy"),
            async |client: Client, token| {
                client
                    .list_targets_for_policy()
                    .policy_id(policy.as_str())
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut targets = Vec::new();
                for target in answer.targets() {
                    targets.push(parsed(
                        &place,
                        "ListTargetsForPolicy",
                        target.target_id().unwrap_or_default(),
                    )?);
                }
                Ok((targets, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// The content of a policy, as text.
    pub async fn describe_policy(&self, policy: &PolicyId) -> Result<String, AwsError> {
        let place = self.organizations()?;
        let answer = self
            .call(&place, read("DescribePolicy"), async |client: Client| {
                client
                    .describe_policy()
                    .policy_id(policy.as_str())
                    .send()
                    .await
            })
            .await?;
        Ok(answer
            .policy()
            .and_then(types::Policy::content)
            .unwrap_or_default()
            .to_owned())
    }

    /// Accounts that may operate StackSets for the organization.
    pub async fn list_stack_set_administrators(&self) -> Result<Vec<AccountId>, AwsError> {
        let place = self.organizations()?;
        let operation = "ListDelegatedAdministrators";
        self.list(
            &place,
            read(operation),
            async |client: Client, token| {
                client
                    .list_delegated_administrators()
                    .service_principal(STACK_SETS_PRINCIPAL)
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut accounts = Vec::new();
                for administrator in answer.delegated_administrators() {
                    accounts.push(parsed(
                        &place,
                        operation,
                        administrator.id().unwrap_or_default(),
                    )?);
                }
                Ok((accounts, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    pub async fn enable_policy_type(
        &self,
        root: &RootId,
        policy_type: &str,
    ) -> Result<(), AwsError> {
        let place = self.organizations()?;
        self.call(&place, once("EnablePolicyType"), async |client: Client| {
            client
                .enable_policy_type()
                .root_id(root.as_str())
                .policy_type(types::PolicyType::from(policy_type))
                .send()
                .await
        })
        .await
        .map(drop)
    }

    pub async fn register_stack_set_administrator(
        &self,
        account: &AccountId,
    ) -> Result<(), AwsError> {
        let place = self.organizations()?;
        self.call(
            &place,
            once("RegisterDelegatedAdministrator"),
            async |client: Client| {
                client
                    .register_delegated_administrator()
                    .account_id(account.as_str())
                    .service_principal(STACK_SETS_PRINCIPAL)
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    pub async fn create_policy(
        &self,
        name: &str,
        description: &str,
        policy_type: &str,
        content: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<PolicyId, AwsError> {
        let place = self.organizations()?;
        let tags = sdk_tags(&place, "CreatePolicy", tags)?;
        let answer = self
            .call(&place, once("CreatePolicy"), async |client: Client| {
                client
                    .create_policy()
                    .name(name)
                    .description(description)
                    .r#type(types::PolicyType::from(policy_type))
                    .content(content)
                    .set_tags(Some(tags.clone()))
                    .send()
                    .await
            })
            .await?;
        let summary = answer.policy().and_then(types::Policy::policy_summary);
        parsed(
            &place,
            "CreatePolicy",
            summary
                .and_then(types::PolicySummary::id)
                .unwrap_or_default(),
        )
    }

    pub async fn update_policy(
        &self,
        policy: &PolicyId,
        description: &str,
        content: &str,
    ) -> Result<(), AwsError> {
        let place = self.organizations()?;
        self.call(&place, once("UpdatePolicy"), async |client: Client| {
            client
                .update_policy()
                .policy_id(policy.as_str())
                .description(description)
                .content(content)
                .send()
                .await
        })
        .await
        .map(drop)
    }

    pub async fn delete_policy(&self, policy: &PolicyId) -> Result<(), AwsError> {
        let place = self.organizations()?;
        self.call(&place, once("DeletePolicy"), async |client: Client| {
            client
                .delete_policy()
                .policy_id(policy.as_str())
                .send()
                .await
        })
        .await
        .map(drop)
    }

    pub async fn attach_policy(
        &self,
        policy: &PolicyId,
        target: &TargetId,
    ) -> Result<(), AwsError> {
        let place = self.organizations()?;
        self.call(&place, once("AttachPolicy"), async |client: Client| {
            client
                .attach_policy()
                .policy_id(policy.as_str())
                .target_id(target.as_str())
                .send()
                .await
        })
        .await
        .map(drop)
    }

    pub async fn detach_policy(
        &self,
        policy: &PolicyId,
        target: &TargetId,
    ) -> Result<(), AwsError> {
        let place = self.organizations()?;
        self.call(&place, once("DetachPolicy"), async |client: Client| {
            client
                .detach_policy()
                .policy_id(policy.as_str())
                .target_id(target.as_str())
                .send()
                .await
        })
        .await
        .map(drop)
    }
}

fn account_row(place: &Place, account: &types::Account) -> Result<AccountRow, AwsError> {
    // `State` before `Status`: the latter was announced to go on 2026-09-09 (Organizations API, Account).
    let state = account.state().map(|state| state.as_str().to_owned());
    let status = account.status().map(|status| status.as_str().to_owned());
    Ok(AccountRow {
        id: parsed(place, "ListAccounts", account.id().unwrap_or_default())?,
        name: account.name().unwrap_or_default().to_owned(),
        state: state.or(status),
        paths: account.paths().to_vec(),
    })
}

fn policy_row(
    place: &Place,
    operation: &'static str,
    policy: &types::PolicySummary,
) -> Result<PolicyRow, AwsError> {
    Ok(PolicyRow {
        id: parsed(place, operation, policy.id().unwrap_or_default())?,
        name: policy.name().unwrap_or_default().to_owned(),
        description: policy.description().unwrap_or_default().to_owned(),
        aws_managed: policy.aws_managed(),
    })
}

fn sdk_tags(
    place: &Place,
    operation: &'static str,
    tags: &BTreeMap<String, String>,
) -> Result<Vec<types::Tag>, AwsError> {
    tags.iter()
        .map(|(key, value)| {
            types::Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|_| bad_answer(place, operation, key))
        })
        .collect()
}

fn parsed<T: std::str::FromStr>(
    place: &Place,
    operation: &'static str,
    text: &str,
) -> Result<T, AwsError> {
    text.parse().map_err(|_| bad_answer(place, operation, text))
}

fn bad_answer(place: &Place, operation: &'static str, text: &str) -> AwsError {
    AwsError {
        service: "Organizations",
        operation,
        account: Some(place.account.clone()),
        region: place.region.clone(),
        code: "BadAnswer".to_owned(),
        message: format!("the answer holds {text:?} where an identifier should be"),
        status: None,
        reason: None,
        class: ErrorClass::Stop,
        attempts: 1,
    }
}
