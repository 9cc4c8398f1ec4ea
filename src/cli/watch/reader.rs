//! Whether the reader of stdout still exists.

use std::io::stdout;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::time::sleep;

/// Ends when the other end of stdout's pipe is closed.
///
/// A failed write shows that too, but only at the next change, which may be weeks away. Until then
/// a `watch` whose parent was killed would not end.
pub(super) async fn gone() {
    const CHECK_INTERVAL: Duration = Duration::from_secs(1);
    while !closed() {
        sleep(CHECK_INTERVAL).await;
    }
}

fn closed() -> bool {
    let stdout = stdout();
    // Errors and hang-ups are reported whether or not they are asked for (poll(2)); a file has
    // none.
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    poll(&mut asked, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
        && asked[0]
            .revents()
            .intersects(PollFlags::ERR | PollFlags::HUP)
}
