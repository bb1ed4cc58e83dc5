//! Pages of a list: an opaque token says after which key to go on, so that a list that changes between
//! two pages neither repeats nor loses what was there all the time.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::settings::Settings;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// The token was not made by an earlier page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadToken;

/// Cuts a page out of `items`, which must come in ascending order of their keys.
///
/// `most` is the longest page of the service; `asked` is what the caller wants.
pub fn page<K, T>(
    settings: &Settings,
    token: Option<&str>,
    asked: Option<usize>,
    most: usize,
    items: impl Iterator<Item = (K, T)>,
) -> Result<Page<T>, BadToken>
where
    K: AsRef<str>,
{
    let after = token.map(decode).transpose()?;
    cut(settings, after, asked, most, items)
}

/// [`page`], beginning with the last item of the page before where that is how lists behave; a page of
/// one item has no room for that.
///
/// # Errors
/// See [`page`].
pub fn overlapping<K, T>(
    settings: &Settings,
    token: Option<&str>,
    asked: Option<usize>,
    most: usize,
    items: impl Iterator<Item = (K, T)>,
) -> Result<Page<T>, BadToken>
where
    K: AsRef<str>,
{
    let after = token.map(decode).transpose()?;
    if !settings.repeat_across_pages {
        return cut(settings, after, asked, most, items);
    }
    let repeated = after.clone();
    let mut again = None;
    let rest: Vec<(K, T)> = items
        .filter_map(|(key, item)| {
            if Some(key.as_ref()) == repeated.as_deref() {
                again = Some(item);
                return None;
            }
            Some((key, item))
        })
        .collect();
    let mut page = cut(settings, after, asked, most, rest.into_iter())?;
    if let Some(again) = again.filter(|_| !page.items.is_empty()) {
        page.items.insert(0, again);
    }
    Ok(page)
}

fn cut<K, T>(
    settings: &Settings,
    after: Option<String>,
    asked: Option<usize>,
    most: usize,
    items: impl Iterator<Item = (K, T)>,
) -> Result<Page<T>, BadToken>
where
    K: AsRef<str>,
{
    let size = asked
        .unwrap_or(most)
        .min(most)
        .min(settings.page_size_cap.unwrap_or(most))
        .max(1);
    let size = if settings.empty_first_pages && after.is_none() {
        0
    } else {
        size
    };
    let mut page = Page {
        items: Vec::new(),
        next: None,
    };
    let mut last = after.clone().unwrap_or_default();
    for (key, item) in items {
        if after.as_deref().is_some_and(|after| key.as_ref() <= after) {
            continue;
        }
        if page.items.len() >= size {
            page.next = Some(encode(&last));
            break;
        }
        last = key.as_ref().to_owned();
        page.items.push(item);
    }
    Ok(page)
}

fn encode(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{key}"))
}

fn decode(token: &str) -> Result<String, BadToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
    let text = String::from_utf8(bytes).map_err(|_| BadToken)?;
    text.strip_prefix("after:")
        .map(str::to_owned)
        .ok_or(BadToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(settings: &Settings, names: &[&str]) -> (Vec<String>, usize) {
        let (mut seen, mut pages, mut token) = (Vec::new(), 0, None::<String>);
        loop {
            let got = page(
                settings,
                token.as_deref(),
                None,
                3,
                names.iter().map(|n| (*n, (*n).to_owned())),
            )
            .unwrap();
            pages += 1;
            seen.extend(got.items);
            token = got.next;
            if token.is_none() {
                return (seen, pages);
            }
        }
    }

    #[test]
    fn every_item_comes_once_whatever_the_pages() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let plain = Settings::default();
        assert_eq!(walk(&plain, &names).1, 3);
        let odd = Settings {
            page_size_cap: Some(2),
            empty_first_pages: true,
            ..Settings::default()
        };
        let (seen, pages) = walk(&odd, &names);
        assert_eq!(seen, names);
        assert_eq!(pages, 5, "one empty page, then two by two");
    }

    #[test]
    fn a_made_up_token_is_refused() {
        let nothing = std::iter::empty::<(&str, ())>();
        assert_eq!(
            page(&Settings::default(), Some("x!"), None, 3, nothing),
            Err(BadToken)
        );
    }
}
