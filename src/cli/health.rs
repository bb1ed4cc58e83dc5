//! `GET /health` for a container platform: whether the watcher has looked at the organization lately.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// A client that sends nothing is let go of after this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is told.
#[derive(Debug)]
pub struct Health {
    clock: Clock,
    /// How old the last good look may be.
    limit: SignedDuration,
    last_good: Timestamp,
    last_look: Option<Timestamp>,
    open: usize,
}

impl Health {
    /// Good for a while: the first look takes its time.
    pub fn starting(clock: Clock, limit: Duration) -> Self {
        Self {
            clock,
            limit: SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX),
            last_good: clock.now(),
            last_look: None,
            open: 0,
        }
    }

    pub fn looked(&mut self, at: Timestamp, good: bool, open: usize) {
        self.last_look = Some(at);
        if good {
            self.last_good = at;
            self.open = open;
        }
    }

    fn answer(&self) -> (StatusCode, String) {
        let age = self.clock.now().duration_since(self.last_good);
        let (code, status) = if age <= self.limit {
            (StatusCode::OK, "ok")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "stale")
        };
        let body = json!({
            "status": status, "lastLook": self.last_look, "secondsSinceLastGoodLook": age.as_secs(), "open": self.open,
        });
        (code, body.to_string())
    }
}

/// Listens, and answers until it is asked to stop; returns where it listens.
pub async fn serve(
    address: SocketAddr,
    health: Arc<Mutex<Health>>,
    stop: CancellationToken,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let at = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            let health = health.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(health.clone(), request));
                let connection =
                    pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
                // A client that hangs up or never ends its request is nobody's trouble.
                let _ended = tokio::time::timeout(PATIENCE, connection).await;
            });
        }
    });
    Ok(at)
}

async fn answer(
    health: Arc<Mutex<Health>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let (code, body) = match request.uri().path() {
        "/health" => health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .answer(),
        _ => (StatusCode::NOT_FOUND, "{}".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_well_as_long_as_the_last_good_look_is_young_enough() {
        let clock = Clock::starting_at("2026-01-01T08:00:00Z".parse().unwrap());
        let mut health = Health::starting(clock, Duration::from_secs(60));
        assert_eq!(health.answer().0, StatusCode::OK);
        tokio::time::advance(Duration::from_secs(61)).await;
        health.looked(clock.now(), false, 0);
        assert_eq!(health.answer().0, StatusCode::SERVICE_UNAVAILABLE);
        health.looked(clock.now(), true, 3);
        assert_eq!(health.answer().0, StatusCode::OK);
        assert!(health.answer().1.contains("\"open\":3"));
    }
}
