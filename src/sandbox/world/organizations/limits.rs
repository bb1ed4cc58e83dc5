//! Quotas of Organizations (user guide, "Quotas and service limits", read in October 2026).

/// Units in an organization.
pub const UNITS: usize = 2_000;
/// Units one below another, the root not counted.
pub const DEPTH: usize = 5;
/// Policies of one type in an organization.
pub const POLICIES: usize = 10_000;
/// Delegated administrators of CloudFormation StackSets.
pub const STACK_SET_ADMINISTRATORS: usize = 5;
/// Longest page of every list.
pub const PAGE: usize = 20;

/// Characters of one policy and policies directly attached to one target. For service control policies
/// both doubled in May 2026.
pub fn of_type(policy_type: &str) -> (usize, usize) {
    match policy_type {
        "SERVICE_CONTROL_POLICY" => (10_240, 10),
        "RESOURCE_CONTROL_POLICY" => (5_120, 5),
        "AISERVICES_OPT_OUT_POLICY" => (2_500, 5),
        _ => (10_000, 10),
    }
}

/// Policy types of the API (botocore 1.44.5).
pub const POLICY_TYPES: &[&str] = &[
    "SERVICE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "SECURITYHUB_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "BEDROCK_POLICY",
    "S3_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "GUARDDUTY_POLICY",
];
