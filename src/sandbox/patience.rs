//! Long polls: a request that may wait for messages is answered when some have come, or when its time is over.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;

use super::freeze::Line;
use super::handle::{NoAnswer, Sandbox};

const LOOK: Duration = Duration::from_millis(500);

impl Sandbox {
    /// [`Sandbox::call_on`], but for requests that wait.
    ///
    /// # Errors
    /// [`NoAnswer`] if the caller is to see a broken or a silent connection.
    pub async fn patient_call(
        &self,
        line: Line,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, NoAnswer> {
        let deadline = Instant::now() + wait(request).unwrap_or_default();
        loop {
            let answer = self.call_on(line, request)?;
            let empty = answer.status().is_success() && answer.body().as_ref() == b"{}";
            if !empty || Instant::now() >= deadline {
                return Ok(answer);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// How long ReceiveMessage may wait; nothing for any other request.
fn wait(request: &Request<Bytes>) -> Option<Duration> {
    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
    if target != "AmazonSQS.ReceiveMessage" {
        return None;
    }
    let input: serde_json::Value = serde_json::from_slice(request.body()).ok()?;
    let seconds = input.get("WaitTimeSeconds")?.as_u64()?;
    Some(Duration::from_secs(seconds.min(20)))
}
