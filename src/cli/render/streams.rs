//! The two streams: results on stdout, everything else on stderr.

use std::io::Write;

/// Writes a part of the result. A reader that went away (`| head`) is no error.
pub fn result(text: &str) {
    let mut stream = anstream::stdout().lock();
    let _ = stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush());
}

/// Writes a part of the result and ends the line.
pub fn result_line(text: &str) {
    result(&format!("{text}\n"));
}

/// Tells the user something that is not the result.
pub fn notice(text: &str) {
    anstream::eprintln!("{text}");
}

/// Reports an error in the style of diagnostics.
pub fn error(message: &str, help: &str) {
    let style = anstyle::AnsiColor::BrightRed.on_default().bold();
    anstream::eprintln!("{style}error{style:#}: {}", super::sanitize::lines(message));
    if !help.is_empty() {
        anstream::eprintln!("  = help: {}", super::sanitize::lines(help));
    }
}
