//! Server and load on a core each, where `taskset` exists.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// This benchmark's own program, on the first core.
pub(crate) fn on_first_core() -> Command {
    on_first_core_of(std::env::current_exe().expect("this program"))
}

/// A program on the first core.
pub(crate) fn on_first_core_of(program: impl AsRef<OsStr>) -> Command {
    if has_taskset() {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Moves this process, the load, to the second core.
pub(crate) fn move_to_second_core() {
    if has_taskset() {
        let _ = Command::new("taskset")
            .args(["-a", "-p", "-c", "1", &std::process::id().to_string()])
            .stdout(Stdio::null())
            .status();
    } else {
        println!("taskset is missing: server and load share the cores");
    }
}

fn has_taskset() -> bool {
    Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
