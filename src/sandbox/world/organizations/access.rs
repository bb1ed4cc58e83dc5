//! Trusted access for AWS services and delegated administrators.

use jiff::Timestamp;

use super::{Organizations, State, errors, limits};
use crate::sandbox::world::{AccountId, ApiError};

/// The principal of StackSets. EnableAWSServiceAccess accepts it, yet only CloudFormation's
/// ActivateOrganizationsAccess makes StackSets work; the shorter `stacksets.cloudformation.amazonaws.com`
/// is not recognised at all (observed: pepperize/cdk-organizations#1718).
pub const STACK_SETS: &str = "member.org.stacksets.cloudformation.amazonaws.com";

impl Organizations {
    pub fn enable_service(&mut self, principal: &str, now: Timestamp) -> Result<(), ApiError> {
        known_principal(principal)?;
        self.trusted_services
            .entry(principal.to_owned())
            .or_insert(now);
        Ok(())
    }

    pub fn disable_service(&mut self, principal: &str) -> Result<(), ApiError> {
        known_principal(principal)?;
        let delegated = self
            .delegated
            .values()
            .any(|services| services.contains_key(principal));
        if delegated {
            return Err(errors::constraint(
                "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
                "You attempted to disable service access while a delegated administrator exists for the service.",
            ));
        }
        self.trusted_services.remove(principal);
        Ok(())
    }

    pub fn register(
        &mut self,
        account: &AccountId,
        principal: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        known_principal(principal)?;
        let member = self
            .accounts
            .get(account)
            .ok_or_else(errors::account_not_found)?;
        if *account == self.management_account {
            return Err(errors::constraint(
                "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
                "You can't register the management account as a delegated administrator.",
            ));
        }
        if member.state != State::Active {
            return Err(errors::constraint(
                "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
                "You can't register a suspended account as a delegated administrator.",
            ));
        }
        if !self.trusted_services.contains_key(principal) {
            return Err(errors::constraint(
                "SERVICE_ACCESS_NOT_ENABLED",
                "You must enable service access before you can register a delegated administrator.",
            ));
        }
        if self.is_delegated(account, principal) {
            return Err(errors::other(
                "AccountAlreadyRegisteredException",
                "The specified account is already a delegated administrator for this AWS service.",
            ));
        }
        let already = self
            .delegated
            .values()
            .filter(|services| services.contains_key(principal))
            .count();
        if principal == STACK_SETS && already >= limits::STACK_SET_ADMINISTRATORS {
            return Err(errors::constraint(
                "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
                "You have reached the maximum number of delegated administrators for the service.",
            ));
        }
        self.delegated
            .entry(account.clone())
            .or_default()
            .insert(principal.to_owned(), now);
        Ok(())
    }

    pub fn deregister(&mut self, account: &AccountId, principal: &str) -> Result<(), ApiError> {
        if !self.accounts.contains_key(account) {
            return Err(errors::account_not_found());
        }
        let services = self.delegated.get_mut(account);
        let removed = services.and_then(|services| services.remove(principal));
        if removed.is_none() {
            return Err(errors::other(
                "AccountNotRegisteredException",
                "The specified account is not a delegated administrator for this AWS service.",
            ));
        }
        self.delegated.retain(|_, services| !services.is_empty());
        Ok(())
    }

    pub fn is_delegated(&self, account: &AccountId, principal: &str) -> bool {
        self.delegated
            .get(account)
            .is_some_and(|services| services.contains_key(principal))
    }
}

fn known_principal(principal: &str) -> Result<(), ApiError> {
    let known = principal.ends_with(".amazonaws.com")
        && principal != "stacksets.cloudformation.amazonaws.com"
        && principal != "cloudformation.amazonaws.com";
    if known {
        return Ok(());
    }
    Err(errors::invalid_input(
        "UNRECOGNIZED_SERVICE_PRINCIPAL",
        "You specified an unrecognized service principal.",
    ))
}
