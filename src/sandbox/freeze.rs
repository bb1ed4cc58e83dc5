//! A crash at a chosen request, for simulations: the tool's request never ends, somebody is told, and
//! nothing that the tool sends afterwards is seen by anybody.

use std::collections::BTreeSet;

use tokio::sync::watch;

/// One process that talks to the sandbox; there may be several at a time. Zero, unless told otherwise.
pub type Line = u32;

/// Where in a request the crash comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The request is on its way; AWS never sees it.
    Before,
    /// AWS has done what was asked; nobody gets the answer.
    After,
}

/// Which requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    All,
    /// Those that may change something.
    Changes,
}

/// Freeze `line` at its `nth` request, counted from 1 and from when the freeze is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freeze {
    pub line: Line,
    pub counting: Counting,
    pub nth: u64,
    pub point: Point,
}

/// Tells when the freeze has come.
#[derive(Debug, Clone)]
pub struct Frozen(watch::Receiver<bool>);

impl Frozen {
    pub fn is_reached(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the request is frozen; never, if the freeze is taken back before.
    pub async fn reached(mut self) {
        if self.0.wait_for(|reached| *reached).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The freezes of a running sandbox.
#[derive(Debug, Default)]
pub(super) struct Freezes {
    armed: Vec<(Freeze, u64, watch::Sender<bool>)>,
    frozen: BTreeSet<Line>,
    /// Kept, so that those who were told can ask again.
    told: Vec<watch::Sender<bool>>,
}

impl Freezes {
    pub fn arm(&mut self, freeze: Freeze) -> Frozen {
        let (tell, hear) = watch::channel(false);
        self.armed.push((freeze, 0, tell));
        Frozen(hear)
    }

    pub fn thaw(&mut self) {
        *self = Self::default();
    }

    pub fn is_frozen(&self, line: Line) -> bool {
        self.frozen.contains(&line)
    }

    /// Counts a request; where it is to be frozen, if it is.
    pub fn count(&mut self, line: Line, changes: bool) -> Option<Point> {
        let mut point = None;
        for (freeze, seen, _) in &mut self.armed {
            if freeze.line == line && (changes || freeze.counting == Counting::All) {
                *seen += 1;
                if *seen == freeze.nth && point.is_none() {
                    point = Some(freeze.point);
                }
            }
        }
        point
    }

    /// The line is frozen from now on; tells those who wait for it.
    pub fn freeze(&mut self, line: Line) {
        self.frozen.insert(line);
        let (reached, armed) = std::mem::take(&mut self.armed)
            .into_iter()
            .partition::<Vec<_>, _>(|(freeze, seen, _)| freeze.line == line && *seen >= freeze.nth);
        self.armed = armed;
        for (_, _, tell) in reached {
            // Nobody may be waiting.
            let _ = tell.send(true);
            self.told.push(tell);
        }
    }
}
