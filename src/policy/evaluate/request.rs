//! Who asks for what, and what is known about the circumstances.

use std::collections::BTreeMap;

use super::{Allowance, Doubt};
use crate::ids::AccountId;

/// One request of a principal.
#[derive(Debug, Clone)]
pub struct Request {
    principal: Principal,
    action: String,
    resource: String,
    /// By lower-case name: the names of condition keys know no case.
    context: BTreeMap<String, ContextValue>,
    management_account: Option<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A user, a role or the root user of an account by its IAM ARN; for a session, the ARN of its role.
    Identity(String),
    /// A service that calls by itself, such as `bedrock.amazonaws.com`.
    Service(String),
    /// Somebody whose request is not signed.
    Anonymous,
}

/// What is known about a condition key. Nothing is known about keys that a request does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValue {
    /// The key is certain to be missing.
    Absent,
    /// One value, or several for a multivalued key. No value at all is the same as a missing key.
    Values(Vec<String>),
}

impl From<&str> for ContextValue {
    fn from(value: &str) -> Self {
        Self::Values(vec![value.to_owned()])
    }
}

impl From<Vec<String>> for ContextValue {
    fn from(values: Vec<String>) -> Self {
        Self::Values(values)
    }
}

impl Request {
    /// The keys that follow from the principal are known from the start: `aws:PrincipalArn`,
    /// `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:username` and `aws:PrincipalIsAWSService` (IAM User
    /// Guide, "AWS global condition context keys").
    pub fn new(
        principal: Principal,
        action: impl Into<String>,
        resource: impl Into<String>,
    ) -> Self {
        let request = Self {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
            management_account: None,
            principal: principal.clone(),
        };
        match &principal {
            Principal::Service(name) => request
                .with("aws:PrincipalIsAWSService", "true")
                .with("aws:PrincipalServiceName", name.as_str())
                .without("aws:username"),
            Principal::Anonymous => request
                .with("aws:PrincipalIsAWSService", "false")
                .with("aws:PrincipalType", "Anonymous")
                .without("aws:PrincipalArn")
                .without("aws:PrincipalAccount")
                .without("aws:PrincipalOrgID")
                .without("aws:PrincipalOrgPaths")
                .without("aws:username"),
            Principal::Identity(arn) => {
                let request = request
                    .with("aws:PrincipalIsAWSService", "false")
                    .with("aws:PrincipalArn", arn.as_str());
                let Some(Identity { account, name }) = Identity::read(arn) else {
                    return request;
                };
                let request = request.with("aws:PrincipalAccount", account);
                match name.split_once('/') {
                    None => request
                        .with("aws:PrincipalType", "Account")
                        .without("aws:username"),
                    Some(("user", rest)) => request
                        .with("aws:PrincipalType", "User")
                        .with("aws:username", rest.rsplit('/').next().unwrap_or(rest)),
                    Some(_) => request
                        .with("aws:PrincipalType", "AssumedRole")
                        .without("aws:username"),
                }
            }
        }
    }

    /// Says what a condition key has as its value.
    pub fn with(mut self, key: &str, value: impl Into<ContextValue>) -> Self {
        self.context.insert(key.to_ascii_lowercase(), value.into());
        self
    }

    /// Says that a condition key is missing.
    pub fn without(self, key: &str) -> Self {
        self.with(key, ContextValue::Absent)
    }

    /// Says which account is the organization's management account.
    pub fn managed_by(mut self, account: AccountId) -> Self {
        self.management_account = Some(account);
        self
    }

    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    pub fn action(&self) -> &str {
        &self.action
    }

    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The values of a key; none for a missing key.
    pub(super) fn values(&self, key: &str) -> Result<Option<&[String]>, Doubt> {
        match self.context.get(&key.to_ascii_lowercase()) {
            None => Err(Doubt::Key(key.to_owned())),
            Some(ContextValue::Absent) => Ok(None),
            Some(ContextValue::Values(values)) if values.is_empty() => Ok(None),
            Some(ContextValue::Values(values)) => Ok(Some(values)),
        }
    }

    /// Whom service control policies leave alone (AWS Organizations User Guide, "Service control policies").
    pub(super) fn exemption(&self) -> Option<Allowance> {
        let Principal::Identity(arn) = &self.principal else {
            return Some(Allowance::NoIdentity);
        };
        let identity = Identity::read(arn)?;
        if self
            .management_account
            .as_ref()
            .is_some_and(|account| account.as_str() == identity.account)
        {
            return Some(Allowance::ManagementAccount);
        }
        identity
            .name
            .starts_with("role/aws-service-role/")
            .then_some(Allowance::ServiceLinkedRole)
    }
}

/// The parts of an IAM ARN: `arn:aws:iam::111122223333:role/path/name`.
pub(super) struct Identity<'a> {
    pub account: &'a str,
    /// `root`, `user/…` or `role/…`.
    pub name: &'a str,
}

impl<'a> Identity<'a> {
    pub fn read(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (scheme, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let known = name == "root" || name.starts_with("user/") || name.starts_with("role/");
        (scheme == "arn" && service == "iam" && region.is_empty() && known)
            .then_some(Self { account, name })
    }
}
