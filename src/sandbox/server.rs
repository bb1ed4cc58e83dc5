//! The sandbox on a socket of 127.0.0.1, for the AWS CLI, boto3 and whatever else speaks to AWS.
//!
//! Real sockets and paused time do not mix: serve on a runtime whose clock runs.

use std::{net::SocketAddr, pin::pin, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::handle::{NoAnswer, Sandbox};

/// How long requests that have begun may take when the server is asked to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// A listening server that has not begun to serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    sandbox: Sandbox,
}

impl Server {
    /// Listens on 127.0.0.1; port 0 picks a free one.
    ///
    /// # Errors
    /// What the operating system says, for example that the port is taken.
    pub async fn bind(sandbox: Sandbox, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await?;
        Ok(Self { listener, sandbox })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` completes; answers that have begun are finished first.
    ///
    /// # Errors
    /// What the operating system says when a connection cannot be accepted.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let mut shutdown = pin!(shutdown);
        let closing = CancellationToken::new();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted?;
                    let (sandbox, closing) = (self.sandbox.clone(), closing.clone());
                    connections.spawn(async move {
                        let service = service_fn(move |request| {
                            let sandbox = sandbox.clone();
                            async move { answer(&sandbox, request).await }
                        });
                        let mut connection = pin!(
                            http1::Builder::new().serve_connection(TokioIo::new(stream), service)
                        );
                        // A client that hangs up ends its own connection and nothing else.
                        tokio::select! {
                            biased;
                            _ended = connection.as_mut() => {}
                            () = closing.cancelled() => {
                                connection.as_mut().graceful_shutdown();
                                let _ended = connection.await;
                            }
                        }
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
        closing.cancel();
        let finished = async { while connections.join_next().await.is_some() {} };
        // A client that never ends its request does not keep the server.
        let _in_time = tokio::time::timeout(PATIENCE, finished).await;
        Ok(())
    }
}

async fn answer(
    sandbox: &Sandbox,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, NoAnswer> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Err(NoAnswer::Lost);
    };
    let request = Request::from_parts(parts, body.to_bytes());
    match sandbox.patient_call(0, &request).await {
        Ok(answer) => Ok(answer.map(Full::new)),
        Err(NoAnswer::Never) => std::future::pending().await,
        // An error makes hyper drop the connection, which is what a lost answer looks like.
        Err(lost) => Err(lost),
    }
}
