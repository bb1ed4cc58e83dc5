//! The in-process HTTP client: real SDK clients talk to a [`Sandbox`] with no socket in between.

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt;

use super::{
    freeze::Line,
    handle::{NoAnswer, Sandbox},
};

/// Give it to `Config::http_client`, and the sandbox's clock to `Config::time_source`.
#[derive(Debug, Clone)]
pub struct InProcess {
    sandbox: Sandbox,
    line: Line,
}

impl InProcess {
    pub fn new(sandbox: Sandbox, line: Line) -> Self {
        Self { sandbox, line }
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (sandbox, line) = (self.sandbox.clone(), self.line);
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let (parts, body) = request.into_parts();
            let body: Bytes = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
            let request = http::Request::from_parts(parts, body);
            let (there, back) = sandbox.latency();
            if !there.is_zero() {
                tokio::time::sleep(there).await;
            }
            let answer = match sandbox.patient_call(line, &request).await {
                Ok(answer) => answer,
                Err(lost @ (NoAnswer::Lost | NoAnswer::NoHost)) => {
                    return Err(ConnectorError::io(lost.into()));
                }
                Err(NoAnswer::Never) => std::future::pending().await,
                Err(broken) => return Err(ConnectorError::other(broken.into(), None)),
            };
            if !back.is_zero() {
                tokio::time::sleep(back).await;
            }
            let answer = answer.map(SdkBody::from);
            HttpResponse::try_from(answer)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
