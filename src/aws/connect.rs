//! Opens the connection: source credentials, endpoints, the first question to AWS.

use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region as SdkRegion;

use crate::clock::Clock;
use crate::ids::Region;

use super::call::causes;
use super::clients::Clients;
use super::guard::Guard;
use super::pacing::{Pacer, Pacing};
use super::session::{Deployer, Sessions, load};
use super::sts::Identity;
use super::{Aws, AwsError, CallAs, ErrorClass, Inner};

/// Where the source credentials and the answers come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The standard AWS configuration: environment, profiles, SSO, container and instance roles.
    Standard { profile: Option<String> },
    /// An HTTP client that stands in for AWS, with keys that it knows and the role to work as.
    Embedded {
        http: EmbeddedHttp,
        keys: EmbeddedKeys,
        role: Option<String>,
    },
}

/// What answers in place of AWS.
#[derive(Debug, Clone)]
pub struct EmbeddedHttp(SharedHttpClient);

impl EmbeddedHttp {
    pub fn new(client: impl aws_smithy_runtime_api::client::http::HttpClient + 'static) -> Self {
        Self(SharedHttpClient::new(client))
    }
}

/// Keys that open nothing but the sandbox.
#[derive(Debug, Clone)]
pub struct EmbeddedKeys {
    pub access_key: String,
    pub secret_key: String,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub source: Source,
    pub clock: Clock,
    pub home_region: Region,
    pub deployer: Deployer,
    pub call_as: CallAs,
    /// `None`: the published rates, but for custom endpoints and the sandbox.
    pub pacing: Option<Pacing>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no AWS credentials were found: {0}")]
    NoCredentials(String),
    #[error("{endpoint} does not answer: {}", error.message)]
    Unreachable {
        endpoint: String,
        error: Box<AwsError>,
    },
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl TimeSource for Clock {
    fn now(&self) -> std::time::SystemTime {
        self.system_time()
    }
}

impl Aws {
    /// Loads credentials and asks AWS who they belong to.
    pub async fn connect(options: Options) -> Result<Aws, ConnectError> {
        let base = base_config(&options).await;
        let embedded = matches!(options.source, Source::Embedded { .. });
        let custom_endpoint = embedded || base.endpoint_url().is_some();
        let pacing = options.pacing.unwrap_or(if custom_endpoint {
            Pacing::Off
        } else {
            Pacing::Published
        });
        let provider = base
            .credentials_provider()
            .ok_or_else(|| ConnectError::NoCredentials("no provider is configured".to_owned()))?;
        let credentials = load(&provider)
            .await
            .map_err(|error| ConnectError::NoCredentials(causes(&error)))?;
        // Until AWS has answered, the account is a placeholder that equals itself: the question is asked with
        // the source credentials.
        let unknown = Identity {
            account: PLACEHOLDER.parse().map_err(invalid)?,
            arn: String::new(),
        };
        let aws = open(&options, base.clone(), pacing, unknown, credentials.clone());
        let identity = aws
            .who_is(&aws.home())
            .await
            .map_err(|error| match &error.class {
                ErrorClass::Ambiguous if error.status.is_none() => ConnectError::Unreachable {
                    endpoint: aws.custom_endpoint().unwrap_or("AWS").to_owned(),
                    error: Box::new(error),
                },
                _ => ConnectError::Aws(error),
            })?;
        // Those that were asked about: the first ones may have ended meanwhile.
        let credentials = aws.source(&aws.home()).await.map_err(ConnectError::Aws)?;
        let mut aws = open(&options, base, pacing, identity, credentials);
        if let Some(inner) = std::sync::Arc::get_mut(&mut aws.inner) {
            inner.guard = Guard::default();
        }
        Ok(aws)
    }

    /// The endpoint that answers instead of AWS, if there is one, for a notice.
    pub fn custom_endpoint(&self) -> Option<&str> {
        self.inner.base.endpoint_url()
    }
}

const PLACEHOLDER: &str = "000000000000";

fn invalid(error: crate::ids::InvalidId) -> ConnectError {
    ConnectError::NoCredentials(error.to_string())
}

fn open(
    options: &Options,
    base: SdkConfig,
    pacing: Pacing,
    identity: Identity,
    source: Credentials,
) -> Aws {
    Aws {
        inner: std::sync::Arc::new(Inner {
            base,
            clock: options.clock,
            identity,
            home_region: options.home_region.clone(),
            guard: Guard::default(),
            pacer: Pacer::new(pacing),
            sessions: Sessions::new(options.deployer.clone(), source),
            clients: Clients::default(),
            call_as: options.call_as,
            organizations_writes: tokio::sync::Mutex::default(),
        }),
        witness: None,
    }
}

async fn base_config(options: &Options) -> SdkConfig {
    let region = SdkRegion::new(options.home_region.to_string());
    let time = SharedTimeSource::new(options.clock);
    match &options.source {
        Source::Embedded { http, keys, role } => {
            let credentials =
                Credentials::new(&keys.access_key, &keys.secret_key, None, None, "sandbox");
            let config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(region)
                .http_client(http.0.clone())
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .retry_config(RetryConfig::disabled())
                .time_source(time)
                .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .build();
            match role {
                None => config,
                Some(role) => {
                    let provider = AssumeRoleProvider::builder(role)
                        .session_name("operator")
                        .configure(&config)
                        .build()
                        .await;
                    config
                        .to_builder()
                        .credentials_provider(SharedCredentialsProvider::new(provider))
                        .build()
                }
            }
        }
        Source::Standard { profile } => {
            let http = HttpBuilder::new()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .build_https();
            let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
                .http_client(http)
                .retry_config(RetryConfig::disabled())
                .time_source(time)
                .region(region);
            if let Ok(name) = AppName::new("bedrail") {
                loader = loader.app_name(name);
            }
            if let Some(profile) = profile {
                loader = loader.profile_name(profile);
            }
            loader.load().await
        }
    }
}
