//! Where a request's template comes from.

use std::sync::Arc;

use serde_json::Value;

use super::{
    surroundings,
    template::{Template, TemplateId},
};
use crate::sandbox::{
    wire::input::{boolean, text},
    world::{ApiError, World},
};

/// Most bytes of `TemplateBody` (API reference, CreateStack).
const MAX_BODY: usize = 51_200;
/// Most bytes of a template at `TemplateURL` (user guide, "Understand CloudFormation quotas").
const MAX_DOCUMENT: usize = 1_048_576;

/// The template that a request names: `TemplateBody`, `TemplateURL` or, where there is a previous one,
/// `UsePreviousTemplate`.
///
/// # Errors
/// `ValidationError`: none or several of them, too large, or not acceptable.
pub fn template(
    world: &mut World,
    input: &Value,
    previous: Option<TemplateId>,
) -> Result<(TemplateId, Arc<Template>), ApiError> {
    let body = text(input, "TemplateBody").filter(|t| !t.is_empty());
    let url = text(input, "TemplateURL").filter(|t| !t.is_empty());
    let keep = boolean(input, "UsePreviousTemplate") == Some(true);
    let body = match (body, url, keep) {
        (Some(body), None, false) => {
            if body.len() > MAX_BODY {
                return Err(ApiError::validation_error(format!(
                    "1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to {MAX_BODY}"
                )));
            }
            body.to_owned()
        }
        // "The location must start with https://" (API reference, CreateStackSet).
        (None, Some(url), false) if !url.starts_with("https://") => {
            return Err(ApiError::validation_error(
                "TemplateURL must be a supported URL.",
            ));
        }
        (None, Some(url), false) => from_url(world, url)?,
        (None, None, true) => {
            let kept =
                previous.and_then(|id| Some((id, world.cloudformation.templates.template(id)?)));
            return kept.ok_or_else(|| {
                ApiError::validation_error(
                    "UsePreviousTemplate is not allowed without a previous template.",
                )
            });
        }
        (None, None, false) => {
            return Err(ApiError::validation_error(
                "Either Template URL or Template Body must be specified.",
            ));
        }
        (Some(_), Some(_), _) | (Some(_), _, true) | (_, Some(_), true) => {
            return Err(ApiError::validation_error(
                "Template URL and Template Body cannot be specified at the same time, nor with UsePreviousTemplate.",
            ));
        }
    };
    world.cloudformation.make_room_for_templates();
    Ok(world.cloudformation.templates.add(&body)?)
}

/// Reads an object of the sandbox's S3.
///
/// # Errors
/// `ValidationError` for an absent object, or a too large one.
pub fn from_url(world: &World, url: &str) -> Result<String, ApiError> {
    let body = surroundings::object_at(world, url).ok_or_else(|| {
        ApiError::validation_error(
            "S3 error: The specified key does not exist.\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        )
    })?;
    if body.len() > MAX_DOCUMENT {
        return Err(ApiError::validation_error(format!(
            "Template may not exceed {MAX_DOCUMENT} bytes in size."
        )));
    }
    String::from_utf8(body)
        .map_err(|_| ApiError::validation_error("Template format error: unsupported structure."))
}
