//! Asks before something that cannot be taken back.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::Failure;

/// Asks a question and reads a line. Without a terminal nobody could answer, so `flag` has to.
pub(in crate::cli) fn ask(question: &str, flag: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let why = format!("{question} Confirm it with {flag}; nothing was changed");
        return Err(Failure::Mistake(why));
    }
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{question} ").and_then(|()| stderr.flush());
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    read.map_err(|error| format!("cannot read the answer: {error}"))?;
    Ok(line.trim().to_owned())
}

/// Goes on only with a yes.
pub(in crate::cli) fn confirm(question: &str, is_confirmed: bool) -> Result<(), Failure> {
    if is_confirmed {
        return Ok(());
    }
    let answer = ask(&format!("{question} [y/N]"), "--yes")?;
    if matches!(answer.to_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Refused("nothing was changed".to_owned()))
    }
}
