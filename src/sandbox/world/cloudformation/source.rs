//! Where a request's template comes from.

use std::sync::Arc;

use serde_json::Value;

use super::template::{Template, TemplateId};
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

/// Reads a template object of the sandbox's S3.
///
/// # Errors
/// `ValidationError` for another address than an object's, an absent object, or a too large one.
pub fn from_url(world: &World, url: &str) -> Result<String, ApiError> {
    if !url.starts_with("https://") {
        return Err(ApiError::validation_error(
            "TemplateURL must be a supported URL.",
        ));
    }
    let (bucket, key) = object_address(url).ok_or_else(|| {
        ApiError::validation_error(
            "TemplateURL must reference a valid S3 object to which you have access.",
        )
    })?;
    let body = super::surroundings::s3_object(world, &bucket, &key).ok_or_else(|| {
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

/// Bucket and key of an object's URL, virtual-hosted (`BUCKET.s3.REGION.amazonaws.com/KEY`) or path style
/// (`s3.REGION.amazonaws.com/BUCKET/KEY`). S3 website addresses are not supported (API reference).
fn object_address(url: &str) -> Option<(String, String)> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let path = path.split('?').next()?;
    let is_s3 = |host: &str| {
        let service = host.strip_suffix(".cn").unwrap_or(host);
        service
            .strip_suffix(".amazonaws.com")
            .is_some_and(|s| s == "s3" || s.starts_with("s3.") || s.starts_with("s3-"))
            && !host.starts_with("s3-website")
    };
    let (bucket, key) = if is_s3(host) {
        let (bucket, key) = path.split_once('/')?;
        (bucket.to_owned(), key)
    } else {
        let at = host
            .match_indices(".s3")
            .map(|(at, _)| at)
            .find(|at| host.get(at + 1..).is_some_and(is_s3))?;
        (host.get(..at)?.to_owned(), path)
    };
    let key = percent_decode(key)?;
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::object_address;

    #[test]
    fn objects_are_found_in_both_styles_of_address() {
        for (url, expected) in [
            (
                "https://templates.s3.eu-west-1.amazonaws.com/a/b.yaml",
                Some(("templates", "a/b.yaml")),
            ),
            (
                "https://my.dotted.bucket.s3.amazonaws.com/b.yaml",
                Some(("my.dotted.bucket", "b.yaml")),
            ),
            (
                "https://s3.us-east-1.amazonaws.com/templates/a%20b.yaml?versionId=1",
                Some(("templates", "a b.yaml")),
            ),
            (
                "https://s3-us-west-2.amazonaws.com/templates/a",
                Some(("templates", "a")),
            ),
            ("https://example.org/templates/a", None),
            ("http://s3.amazonaws.com/templates/a", None),
            (
                "https://templates.s3-website.eu-west-1.amazonaws.com.evil.org/a",
                None,
            ),
        ] {
            let expected = expected.map(|(b, k)| (b.to_owned(), k.to_owned()));
            assert_eq!(object_address(url), expected, "{url}");
        }
    }
}
