//! AWS IAM: what a principal may do, asked without doing it.

use aws_sdk_iam::Client;
use aws_sdk_iam::types;

use super::call::read;
use super::{Aws, AwsError};

/// What IAM says of one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub action: String,
    pub allowed: bool,
    /// An organization policy forbids it, whatever the principal's own policies say.
    pub by_organization: bool,
}

/// Key and value of a condition as the request will have it.
pub type Known<'a> = (&'a str, &'a str);

impl Aws {
    /// Asks whether `principal` (a role or user of the caller's account) may do `actions` on `resources`.
    ///
    /// # Errors
    /// Also if the caller may not ask.
    pub async fn simulate(
        &self,
        principal: &str,
        actions: &[&str],
        resources: &[String],
        known: Option<Known<'_>>,
    ) -> Result<Vec<Decision>, AwsError> {
        let context = known.and_then(|(key, value)| {
            types::ContextEntry::builder()
                .context_key_name(key)
                .context_key_values(value)
                .context_key_type(types::ContextKeyTypeEnum::String)
                .build()
                .into()
        });
        let place = self.home();
        self.list(
            &place,
            read("SimulatePrincipalPolicy"),
            async |client: Client, marker| {
                client
                    .simulate_principal_policy()
                    .policy_source_arn(principal)
                    .set_action_names(Some(actions.iter().map(|a| (*a).to_owned()).collect()))
                    .set_resource_arns(Some(resources.to_vec()))
                    .set_context_entries(context.clone().map(|entry| vec![entry]))
                    .set_marker(marker)
                    .send()
                    .await
            },
            |answer| {
                let decisions: Vec<Decision> = answer
                    .evaluation_results()
                    .iter()
                    .map(|result| Decision {
                        action: result.eval_action_name().to_owned(),
                        allowed: *result.eval_decision()
                            == types::PolicyEvaluationDecisionType::Allowed,
                        by_organization: result
                            .organizations_decision_detail()
                            .is_some_and(|detail| !detail.allowed_by_organizations()),
                    })
                    .collect();
                let next = answer
                    .is_truncated()
                    .then(|| answer.marker().map(str::to_owned))
                    .flatten();
                Ok((decisions, next))
            },
        )
        .await
    }
}
