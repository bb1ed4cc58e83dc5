//! Interrupts: the first one is a wish, the second an order.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Runs `work` to its end; `None` when a second signal (SIGINT, SIGTERM, SIGHUP) came first. At the first one
/// `first` is called.
pub async fn interruptible<T>(work: impl Future<Output = T>, mut first: impl FnMut()) -> Option<T> {
    let mut signals = listen();
    let mut work = std::pin::pin!(work);
    let mut seen = false;
    loop {
        tokio::select! {
            biased;
            Some(()) = signals.recv() => {
                if seen {
                    return None;
                }
                seen = true;
                first();
            }
            done = &mut work => return Some(done),
        }
    }
}

/// Completes at the first signal.
pub async fn asked_to_stop() {
    listen().recv().await;
}

fn listen() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(4);
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        // A signal that cannot be listened to keeps its default: it ends the process.
        if let Ok(mut stream) = signal(kind) {
            let sender = sender.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    if sender.send(()).await.is_err() {
                        return;
                    }
                }
            });
        }
    }
    receiver
}
