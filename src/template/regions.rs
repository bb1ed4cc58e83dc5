//! Which Regions there are, and which resource types some of them lack.
//!
//! Data of November 2026: Region list from botocore's endpoints; types from the resource specification of
//! CloudFormation per Region. A Region that is newer than this table is refused with the nearest known
//! name; `--sandbox` and plans are bound by the same table.

use crate::config::diagnostic::suggestion;
use crate::ids::Region;

/// Regions of the partition `aws`.
pub const COMMERCIAL: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Regions of the other partitions: GovCloud, China, the European Sovereign Cloud.
pub const OTHER_PARTITIONS: &[&str] = &[
    "cn-north-1",
    "cn-northwest-1",
    "eusc-de-east-1",
    "us-gov-east-1",
    "us-gov-west-1",
];

const CHINA: &[&str] = &["cn-north-1", "cn-northwest-1"];
const GOVCLOUD: &[&str] = &["us-gov-east-1", "us-gov-west-1"];

/// Resource types by prefix, and the groups of Regions that lack them.
const MISSING: &[(&str, &[&[&str]])] = &[
    (
        "AWS::Bedrock::Guardrail",
        &[
            &[
                "af-south-1",
                "ap-east-1",
                "ap-southeast-6",
                "ca-west-1",
                "mx-central-1",
            ],
            CHINA,
        ],
    ),
    (
        "AWS::Bedrock::EnforcedGuardrailConfiguration",
        &[
            &[
                "af-south-1",
                "ap-east-1",
                "ap-southeast-6",
                "ca-west-1",
                "me-central-1",
                "mx-central-1",
            ],
            CHINA,
        ],
    ),
    (
        "AWS::Bedrock::ResourcePolicy",
        &[
            &[
                "af-south-1",
                "ap-east-1",
                "ap-southeast-6",
                "ca-west-1",
                "me-central-1",
                "mx-central-1",
            ],
            CHINA,
        ],
    ),
    (
        "AWS::ObservabilityAdmin::OrganizationCentralizationRule",
        &[
            &[
                "af-south-1",
                "ap-east-1",
                "ap-east-2",
                "ap-south-2",
                "ap-southeast-3",
                "ap-southeast-4",
                "ap-southeast-5",
                "ap-southeast-6",
                "ap-southeast-7",
                "ca-west-1",
                "eu-central-2",
                "eu-south-1",
                "eu-south-2",
                "il-central-1",
                "me-central-1",
                "mx-central-1",
            ],
            CHINA,
        ],
    ),
    (
        "AWS::Budgets::",
        &[
            &[
                "af-south-1",
                "ap-east-1",
                "ap-east-2",
                "ap-northeast-3",
                "ap-south-2",
                "ap-southeast-3",
                "ap-southeast-4",
                "ap-southeast-5",
                "ap-southeast-6",
                "ap-southeast-7",
                "ca-west-1",
                "eu-central-2",
                "eu-north-1",
                "eu-south-1",
                "eu-south-2",
                "il-central-1",
                "me-central-1",
                "mx-central-1",
            ],
            GOVCLOUD,
        ],
    ),
    (
        "AWS::VpcLattice::",
        &[
            &["ap-east-2", "ap-southeast-6", "ap-southeast-7"],
            CHINA,
            GOVCLOUD,
        ],
    ),
];

/// Regions without Bedrock's control plane, thus without invocation logging (botocore's endpoints).
const NO_BEDROCK: &[&str] = &["ap-east-1", "cn-north-1", "cn-northwest-1"];

fn all() -> impl Iterator<Item = &'static str> {
    COMMERCIAL.iter().chain(OTHER_PARTITIONS).copied()
}

/// `Err` holds what was probably meant.
pub fn known(region: &Region) -> Result<(), String> {
    if all().any(|name| name == region.as_str()) {
        Ok(())
    } else {
        Err(suggestion(region.as_str(), all()))
    }
}

/// Does CloudFormation lack the type in the Region?
pub fn lacks_type(region: &Region, resource_type: &str) -> bool {
    MISSING.iter().any(|(name, groups)| {
        let applies = if name.ends_with("::") {
            resource_type.starts_with(name)
        } else {
            resource_type == *name
                || resource_type
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with("Version"))
        };
        applies && groups.iter().any(|group| group.contains(&region.as_str()))
    })
}

/// Does the Region lack Bedrock?
pub fn lacks_bedrock(region: &Region) -> bool {
    NO_BEDROCK.contains(&region.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_of_the_tables_is_a_region() {
        assert_eq!(COMMERCIAL.len(), 34);
        for name in MISSING
            .iter()
            .flat_map(|(_, groups)| groups.iter().copied().flatten())
            .chain(NO_BEDROCK)
        {
            assert!(known(&name.parse().unwrap()).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_region_that_is_not_there_gets_a_suggestion() {
        let given: Region = "eu-west-9".parse().unwrap();
        assert!(
            known(&given)
                .unwrap_err()
                .starts_with("did you mean `eu-west-")
        );
    }

    #[test]
    fn types_that_are_not_everywhere_are_known() {
        let lacks = |region: &str, name: &str| lacks_type(&region.parse().unwrap(), name);
        assert!(lacks("mx-central-1", "AWS::Bedrock::GuardrailVersion"));
        assert!(!lacks("me-central-1", "AWS::Bedrock::Guardrail"));
        assert!(lacks("me-central-1", "AWS::Bedrock::ResourcePolicy"));
        assert!(lacks("eu-north-1", "AWS::Budgets::Budget"));
        assert!(!lacks("eu-west-1", "AWS::VpcLattice::Service"));
    }
}
