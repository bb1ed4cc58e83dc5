//! A stream that people read, and that may go away: a closed pipe must not end a run half-way.

use std::fmt;
use std::io::{self, Write};

use super::page::{Line, Page};

pub struct Output {
    to: Box<dyn Write>,
    width: usize,
    broken: Option<io::Error>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("width", &self.width)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// `to` takes the styles out where they are not wanted; see [`super::style::stdout`].
    pub fn new(to: Box<dyn Write>, width: usize) -> Self {
        Self {
            to,
            width,
            broken: None,
        }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn line(&mut self, line: &Line) {
        let mut page = Page::new(self.width);
        page.line(line);
        self.text(&page.finish());
    }

    /// Written at once, so that a reader at the other end of a pipe sees it now. After the first error
    /// nothing more is written.
    pub fn text(&mut self, text: &str) {
        if self.broken.is_some() {
            return;
        }
        let written = self.to.write_all(text.as_bytes());
        if let Err(error) = written.and_then(|()| self.to.flush()) {
            self.broken = Some(error);
        }
    }

    /// Something could not be put into words.
    pub fn fail(&mut self, error: io::Error) {
        self.broken.get_or_insert(error);
    }

    /// The first error, once.
    pub fn result(&mut self) -> io::Result<()> {
        match self.broken.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
