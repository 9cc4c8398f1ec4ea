//! What a command line means, and which mistakes it may have.

use clap::Parser as _;

use super::*;
use crate::server;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeArgs,
}

/// The configuration of a command line.
pub(in crate::app) fn read(args: &[&str]) -> Result<Config, Vec<String>> {
    Config::read(&Line::parse_from(std::iter::once(&"headcount").chain(args)).serve)
}

#[test]
fn the_defaults_are_valid() {
    let config = read(&[]).unwrap();
    assert_eq!(config.publish_interval, Duration::from_millis(50));
    assert!(config.welcome_event && config.tls.is_none() && config.public_url.is_none());
    let server = server::Config::default();
    assert_eq!(
        (
            config.max_connections,
            config.max_connections_per_ip,
            config.drain
        ),
        (
            server.max_connections,
            server.max_connections_per_address,
            server.drain
        )
    );
}

#[test]
fn mail_needs_an_address_for_its_links() {
    let url = "smtp://ada:hunter22@mail.example.org?tls=opportunistic";
    let mistakes = read(&["--smtp-url", url]).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].contains("--public-url") && !mistakes[0].contains("hunter22"));
    let public = ["--public-url", "https://events.example.org"];
    let line = [&["--smtp-url", url], &public[..]].concat();
    let config = read(&line).unwrap();
    assert!(
        config
            .warnings()
            .iter()
            .any(|warning| warning.contains("in clear"))
    );
    let mail = config.mail.unwrap();
    assert_eq!(mail.from.to_string(), "headcount@events.example.org");
    assert_eq!((mail.budget.per_event, mail.budget.total), (500, 2_000));
    for wrong in [
        ["--mail-per-event", "0"],
        ["--mail-per-hour", "-1"],
        ["--mail-from", "me"],
    ] {
        assert!(
            read(&[&line[..], &wrong[..]].concat()).is_err(),
            "{wrong:?}"
        );
    }
    assert_eq!(read(&public).unwrap().mail, None);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let mistakes = read(&[
        "--listen",
        "here",
        "--database-url",
        "mysql://x",
        "--heartbeat",
        "often",
        "--max-connections",
        "0",
        "--tls-key",
        "k",
    ]);
    let mistakes = mistakes.unwrap_err();
    for flag in [
        "--listen",
        "--database-url",
        "--heartbeat",
        "--max-connections",
        "--tls-cert",
    ] {
        assert!(
            mistakes.iter().any(|mistake| mistake.starts_with(flag)),
            "{flag} in {mistakes:?}"
        );
    }
    assert_eq!(mistakes.len(), 5);
}

#[test]
fn what_clap_could_refuse_alone_is_told_with_the_others() {
    let pair = [
        "--tls-cert",
        "/nowhere/chain.pem",
        "--tls-key",
        "/nowhere/key.pem",
    ];
    let mistakes = read(
        &[
            &["--register-rate-per-ip", "-1", "--max-connections", "-5"],
            &pair[..],
        ]
        .concat(),
    )
    .unwrap_err();
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    assert!(
        mistakes
            .iter()
            .any(|mistake| mistake
                .starts_with("--tls-cert, --tls-key: cannot read /nowhere/chain.pem")),
        "{mistakes:?}"
    );
}

#[test]
fn secrets_are_never_printed() {
    let config = read(&[
        "--admin-password",
        "correct horse",
        "--admin-token",
        "battery staple",
        "--database-url",
        "postgres://u:hunter22@h/d",
    ])
    .unwrap();
    let printed = format!("{:?} {:?}", config.admin_password, config.admin_token);
    assert!(!printed.contains("horse") && !printed.contains("staple"));
}

#[test]
fn a_short_secret_is_accepted_with_a_warning() {
    let config = read(&[
        "--admin-password",
        "correct horse",
        "--admin-token",
        "secret",
    ])
    .unwrap();
    assert_eq!(config.admin_token.as_ref().unwrap().reveal(), "secret");
    let warnings = config.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("--admin-token is easy to guess"),
        "{warnings:?}"
    );
}
