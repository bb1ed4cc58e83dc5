//! Template bodies, each kept and parsed once however many stacks use it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{error::TemplateError, shape::Template};

/// A body in the [`Library`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemplateId(u32);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Volume {
    body: Arc<str>,
    digest: String,
    #[serde(skip)]
    parsed: OnceLock<Arc<Template>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Library {
    volumes: BTreeMap<TemplateId, Volume>,
    by_digest: BTreeMap<String, TemplateId>,
    next: u32,
    /// When to look for unused bodies again.
    sweep_at: usize,
}

impl Library {
    /// Takes a body in.
    ///
    /// # Errors
    /// The body is no acceptable template; nothing is kept then.
    pub fn add(&mut self, body: &str) -> Result<(TemplateId, Arc<Template>), TemplateError> {
        let digest: String = Sha256::digest(body.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if let Some(id) = self.by_digest.get(&digest).copied()
            && let Some(template) = self.template(id)
        {
            return Ok((id, template));
        }
        let template = Arc::new(Template::parse(body)?);
        let id = TemplateId(self.next);
        self.next += 1;
        let parsed = OnceLock::new();
        let _ = parsed.set(Arc::clone(&template));
        self.by_digest.insert(digest.clone(), id);
        self.volumes.insert(
            id,
            Volume {
                body: Arc::from(body),
                digest,
                parsed,
            },
        );
        Ok((id, template))
    }

    #[cfg(test)]
    pub fn bodies(&self) -> usize {
        self.volumes.len()
    }

    pub fn body(&self, id: TemplateId) -> Option<Arc<str>> {
        self.volumes.get(&id).map(|v| Arc::clone(&v.body))
    }

    pub fn template(&self, id: TemplateId) -> Option<Arc<Template>> {
        let volume = self.volumes.get(&id)?;
        if let Some(parsed) = volume.parsed.get() {
            return Some(Arc::clone(parsed));
        }
        let parsed = Arc::new(Template::parse(&volume.body).ok()?);
        Some(Arc::clone(volume.parsed.get_or_init(|| parsed)))
    }

    /// Whether enough bodies have come in to look for unused ones.
    pub fn is_crowded(&self) -> bool {
        self.volumes.len() > self.sweep_at.max(64)
    }

    /// Lets go of every body that is not in `used`.
    pub fn sweep(&mut self, used: &BTreeSet<TemplateId>) {
        self.volumes.retain(|id, _| used.contains(id));
        self.by_digest.retain(|_, id| used.contains(id));
        self.sweep_at = self.volumes.len() * 2;
    }
}
