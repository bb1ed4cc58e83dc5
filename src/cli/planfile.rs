//! Plans on disk: written so that nobody else can read or swap them, read once and checked from memory.

use std::io::Write;
use std::path::Path;

use super::session::Stop;
use crate::plan::Plan;

/// Larger than any plan (10,000 accounts in 4 Regions make about 60 MB), small enough to refuse a wrong file.
const SIZE_MAX: u64 = 512 * 1024 * 1024;

/// Writes beside the target and renames, so that a plan file is whole or not there; mode 0600.
pub fn write(path: &Path, plan: &Plan) -> Result<(), Stop> {
    let failed = |error: std::io::Error| Stop::Usage {
        message: format!("the plan could not be saved to {}: {error}", path.display()),
        help: "choose another file".to_owned(),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(&plan.to_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // What is left of a failed attempt is of no use to anybody.
        let _ = std::fs::remove_file(&beside);
    }
    written.map_err(failed)
}

pub fn read(path: &Path) -> Result<Plan, Stop> {
    let failed = |message: String, help: &str| Stop::Usage {
        message: format!("{}: {message}", path.display()),
        help: help.to_owned(),
    };
    let size = std::fs::metadata(path).map(|data| data.len());
    match size {
        Ok(size) if size <= SIZE_MAX => {}
        Ok(_) => {
            return Err(failed(
                "is too large for a plan".to_owned(),
                "name a file that `bedrail plan -o` wrote",
            ));
        }
        Err(error) => {
            return Err(failed(
                error.to_string(),
                "name a file that `bedrail plan -o` wrote",
            ));
        }
    }
    let bytes = std::fs::read(path)
        .map_err(|error| failed(error.to_string(), "check the file's permissions"))?;
    Plan::from_bytes(&bytes).map_err(|why| {
        failed(
            why.to_string(),
            "make a new one with `bedrail plan -o FILE`, and review it",
        )
    })
}
