//! Sizes of organization policies, as data: they change (the limit of SCPs doubled in May 2026).

use crate::resources::organization_access::spec::PolicyType;

/// A limit with its date and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeLimit {
    pub policy_type: PolicyType,
    /// Characters of the document as it is sent; through the API white space counts.
    pub characters: usize,
    pub as_of: &'static str,
    pub source: &'static str,
}

const LIMITS: &[SizeLimit] = &[
    SizeLimit {
        policy_type: PolicyType::ServiceControlPolicy,
        characters: 10_240,
        as_of: "2026-05",
        source: "AWS Organizations User Guide, Quotas for AWS Organizations",
    },
    SizeLimit {
        policy_type: PolicyType::ResourceControlPolicy,
        characters: 5_120,
        as_of: "2026-11",
        source: "AWS Organizations User Guide, Quotas for AWS Organizations",
    },
];

/// The size limit of a policy type; `None` where AWS documents none that we know.
pub fn size_limit(policy_type: PolicyType) -> Option<&'static SizeLimit> {
    LIMITS.iter().find(|limit| limit.policy_type == policy_type)
}

/// Policies of one type that a root, a unit or an account may have attached directly, AWS's own
/// (FullAWSAccess) included. As of 2026-05 for SCPs and 2026-11 for RCPs: AWS Organizations User Guide, Quotas
/// for AWS Organizations. For Bedrock policies AWS documents none.
pub fn attached_limit(policy_type: PolicyType) -> Option<usize> {
    match policy_type {
        PolicyType::ServiceControlPolicy => Some(10),
        PolicyType::ResourceControlPolicy => Some(5),
        PolicyType::BedrockPolicy => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_date_and_a_source() {
        for policy_type in [
            PolicyType::ServiceControlPolicy,
            PolicyType::ResourceControlPolicy,
        ] {
            let limit = size_limit(policy_type).unwrap();
            assert!(
                limit.characters >= 5_120 && !limit.as_of.is_empty() && !limit.source.is_empty()
            );
        }
    }
}
