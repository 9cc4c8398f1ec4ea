//! A mail server and a receiver of webhooks that take everything. They do as little as they can, so
//! that a benchmark measures the sender.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Starts a mail server (RFC 5321, with pipelining).
pub(crate) async fn mail_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A sender may close in the middle.
            tokio::spawn(async move { take_mails(stream).await.ok() });
        }
    });
    address
}

async fn take_mails(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await?;
    let (mut line, mut in_data) = (String::new(), false);
    while stream.read_line(&mut line).await? > 0 {
        let answer: &[u8] = match (in_data, line.trim_end()) {
            (true, ".") => {
                in_data = false;
                b"250 taken\r\n"
            }
            (true, _) => b"",
            (false, "DATA") => {
                in_data = true;
                b"354 go on\r\n"
            }
            (false, command) if command.starts_with("EHLO") => b"250-sink\r\n250 8BITMIME\r\n",
            (false, _) => b"250 good\r\n",
        };
        stream.write_all(answer).await?;
        line.clear();
    }
    Ok(())
}

/// Starts a receiver of webhooks.
pub(crate) async fn receiver() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // A notification is one small request; what it says does not matter.
                let mut bytes = vec![0; 16 * 1024];
                if stream.read(&mut bytes).await? > 0 {
                    let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                    stream.write_all(answer).await?;
                }
                // The sender closes first, so that nothing it has sent is left unread.
                while stream.read(&mut bytes).await? > 0 {}
                std::io::Result::Ok(())
            });
        }
    });
    address
}
