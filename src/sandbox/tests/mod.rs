//! The sandbox through real SDK clients, in process, on paused time.

mod alarms;
mod bad_days;
mod catalogue;
mod cloudformation;
mod freezing;
mod identity;
mod invocation_logging;
mod organizations;
mod resources;
mod service_control;
mod serving;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{
    result::SdkError, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_types::{SdkConfig, region::Region};
use jiff::Timestamp;

use super::{Clock, Sandbox, seed};

/// An hour on the first day of 2026.
pub fn morning() -> Timestamp {
    "2026-01-01T08:00:00Z".parse().unwrap()
}

/// The default organization with the clock at [`morning`].
pub fn organization() -> Sandbox {
    Sandbox::in_memory(
        seed::default(morning(), Vec::new()),
        Clock::starting_at(morning()),
    )
}

/// Configuration of a client of the sandbox with the given keys.
pub fn config(sandbox: &Sandbox, credentials: Credentials, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
        )
        .http_client(sandbox.http_client())
        .time_source(sandbox.clock())
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build()
}

/// Any key that the sandbox did not issue: the management account's administrator.
pub fn administrator() -> Credentials {
    Credentials::from_keys("AKIDEXAMPLE", "secret", None)
}

/// Credentials of `role` in `account`, by way of the administrator.
pub async fn assume(sandbox: &Sandbox, account: &str, role: &str) -> Credentials {
    let sts = aws_sdk_sts::Client::new(&config(sandbox, administrator(), "us-east-1"));
    let answer = sts
        .assume_role()
        .role_arn(format!("arn:aws:iam::{account}:role/{role}"))
        .role_session_name("test")
        .send()
        .await
        .expect("the role trusts the management account");
    let issued = answer.credentials.unwrap();
    Credentials::from_keys(
        issued.access_key_id,
        issued.secret_access_key,
        Some(issued.session_token),
    )
}

/// The administrator's way into a created account.
pub async fn member(sandbox: &Sandbox, account: &str, region: &str) -> SdkConfig {
    let credentials = assume(sandbox, account, "OrganizationAccountAccessRole").await;
    config(sandbox, credentials, region)
}

/// The code of a refusal.
pub fn code<E, R>(error: &SdkError<E, R>) -> Option<&str>
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    error
        .as_service_error()
        .and_then(aws_smithy_types::error::metadata::ProvideErrorMetadata::code)
}
