//! Flags, variables, files of secrets, credentials and the configuration file: which one wins, and
//! what `headcount config` says of it. Completions and man pages name every option.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::process::Process;
use crate::support::sqlite::File;

fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command.args(args).envs(variables.iter().copied());
    command.output().expect("the binary runs")
}

/// What is in force: the value and the origin of each option.
fn in_force(args: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, (String, String)> {
    let done = run(&[&["config"], args].concat(), variables);
    assert!(done.status.success(), "{done:?}");
    let shown = String::from_utf8(done.stdout).expect("text");
    let setting = |line: &str| {
        let (setting, origin) = line.rsplit_once(" # ").expect("an origin");
        let (name, value) = setting.split_once(" = ").expect("a value");
        (
            name.to_owned(),
            (value.trim().to_owned(), origin.to_owned()),
        )
    };
    shown.lines().map(setting).collect()
}

/// The mistakes of a run that has some.
fn mistakes(args: &[&str], variables: &[(&str, &str)]) -> String {
    let done = run(args, variables);
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    String::from_utf8(done.stderr).expect("text")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("text").to_owned()
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "headcount.toml",
        "# The hall\nlisten = \"127.0.0.1:1001\"\nheartbeat = \"11s\"\ndrain = \"12s\"\nmax-connections = 1003\n\
         register_rate_per_ip = 0\nno-lab = true\nno-welcome-event = false\n\
         trusted-proxies = [\"10.0.0.0/8\", \"::1\"]\npublic-url = \"http://file.example.org\"\n",
    );
    let by_variable = [
        ("HEADCOUNT_CONFIG", file.as_str()),
        ("HEADCOUNT_LISTEN", "127.0.0.1:1002"),
        ("HEADCOUNT_HEARTBEAT", "22s"),
        // Empty: not set.
        ("HEADCOUNT_PUBLIC_URL", ""),
    ];
    let by_flag = ["--config", file.as_str(), "--listen", "127.0.0.1:1003"];
    let of = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    let text = |value: &str, origin: &str| of(&format!("\"{value}\""), origin);
    let settings = in_force(&by_flag, &by_variable);
    for (name, expected) in [
        ("listen", text("127.0.0.1:1003", "flag")),
        ("heartbeat", text("22s", "HEADCOUNT_HEARTBEAT")),
        ("drain", text("12s", &file)),
        ("max-connections", text("1003", &file)),
        ("register-rate-per-ip", text("0", &file)),
        ("no-lab", of("true", &file)),
        ("no-welcome-event", of("false", &file)),
        ("trusted-proxies", text("10.0.0.0/8,::1", &file)),
        ("public-url", text("http://file.example.org", &file)),
        ("log", text("info", "default")),
        ("no-handoff", of("false", "default")),
    ] {
        assert_eq!(settings[name], expected, "{name}");
    }
    assert!(!settings.contains_key("admin-token"), "{settings:?}");
    let variables = [
        ("HEADCOUNT_CONFIG", file.as_str()),
        ("HEADCOUNT_NO_LAB", "no"),
    ];
    assert_eq!(
        in_force(&[], &variables)["no-lab"],
        of("false", "HEADCOUNT_NO_LAB")
    );

    // What it prints is such a file.
    let shown = run(&[&["config"], &by_flag[..]].concat(), &by_variable).stdout;
    let again = write(
        folder.path(),
        "again.toml",
        &String::from_utf8(shown).unwrap(),
    );
    let repeated = in_force(&["--config", &again], &[]);
    assert!(
        repeated
            .iter()
            .all(|(name, (value, _))| *value == settings[name].0),
        "{repeated:?}"
    );
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| write(folder.path(), name, text);
    let password = path("password", "correct horse\n");
    path("admin-token", "battery staple\n");
    path("tls-key", "");
    let url = path("url", "postgres://ada:hunter22@db.example.org/headcount\n");
    let file = path(
        "headcount.toml",
        "admin-password = \"from the file\"\nadmin-token = \"from the file\"\n",
    );
    let credentials = folder.path().to_str().unwrap();
    let variables = [
        ("HEADCOUNT_CONFIG", file.as_str()),
        ("HEADCOUNT_ADMIN_PASSWORD_FILE", &password),
        ("HEADCOUNT_DATABASE_URL_FILE", &url),
        ("CREDENTIALS_DIRECTORY", credentials),
    ];
    let done = run(&["config"], &variables);
    let shown = String::from_utf8(done.stdout).unwrap();
    for secret in ["horse", "staple", "hunter22", "from the file"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for (line, origin) in [
        (
            "admin-password = \"********\"",
            "HEADCOUNT_ADMIN_PASSWORD_FILE",
        ),
        ("admin-token = \"********\"", "credential"),
        (
            "database-url = \"postgres://ada@db.example.org:5432/headcount\"",
            "HEADCOUNT_DATABASE_URL_FILE",
        ),
        ("tls-key = ", "credential"),
    ] {
        let found = shown.lines().find(|found| found.starts_with(line));
        assert!(
            found.is_some_and(|found| found.ends_with(&format!("# {origin}"))),
            "{line}: {shown}"
        );
    }
    // A certificate is missing: the key is the credential's file.
    assert_eq!(done.status.code(), Some(2));
    let variables = [("HEADCOUNT_ADMIN_PASSWORD", "correct horse")];
    let settings = in_force(&["--public-url", "http://localhost"], &variables);
    assert_eq!(settings["admin-password"].1, "HEADCOUNT_ADMIN_PASSWORD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_takes_its_token_from_a_file_and_its_address_from_another() {
    let (database, folder) = (File::new(), tempfile::tempdir().unwrap());
    let token = write(folder.path(), "token", "a secret of this file\r\n");
    let config = write(
        folder.path(),
        "headcount.toml",
        "no-welcome-event = true\npublic-url = \"http://127.0.0.1:9\"\nlisten = \"127.0.0.1:9\"\n",
    );
    // `Process` gives flags, and flags win.
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command.envs([
        ("HEADCOUNT_CONFIG", &config),
        ("HEADCOUNT_ADMIN_TOKEN_FILE", &token),
    ]);
    let process = Process::spawn(command, &database.text(), &["--public-url", ""]);
    let events = crate::support::app::call(process.address, "GET", "/api/v1/events", &[], "").await;
    assert_eq!(
        events.json()["events"],
        serde_json::json!([]),
        "{}",
        events.body
    );
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
}

#[test]
fn every_mistake_in_the_files_is_named_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "headcount.toml",
        "listens = \"x\"\nheartbeat = \"often\"\ndrain = { s = 1 }\nadmin-token = [1]\n",
    );
    let variables = [
        ("HEADCOUNT_CONFIG", file.as_str()),
        ("HEADCOUNT_ADMIN_PASSWORD", "one"),
        ("HEADCOUNT_ADMIN_PASSWORD_FILE", "/nowhere/password"),
        ("HEADCOUNT_DATABASE_URL_FILE", "/nowhere/url"),
    ];
    for command in ["serve", "config", "doctor"] {
        let done = run(&[command], &variables);
        assert_eq!(done.status.code(), Some(2), "{done:?}");
        let said = [done.stdout, done.stderr]
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .join("\n");
        for mistake in [
            "there is no option listens",
            "--heartbeat: \"often\"",
            "drain must be text",
            "admin-token must be text",
            "HEADCOUNT_ADMIN_PASSWORD and HEADCOUNT_ADMIN_PASSWORD_FILE are both set",
            "cannot read /nowhere/url",
        ] {
            assert!(said.contains(mistake), "{command}: {mistake}: {said}");
        }
    }
    assert!(
        mistakes(&["--config", "/nowhere.toml"], &[])
            .contains("--config: cannot read /nowhere.toml")
    );
    let broken = write(folder.path(), "broken.toml", "listen = \n");
    assert!(mistakes(&["--config", &broken], &[]).contains("broken.toml: "));
    assert!(
        mistakes(&["health"], &[("HEADCOUNT_CONFIG", "/nowhere.toml")]).contains("/nowhere.toml")
    );
}

#[test]
fn health_asks_the_server_of_the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there; the answer names the address that was asked. Another option is no mistake.
    let file = write(
        folder.path(),
        "headcount.toml",
        "listen = \"127.0.0.1:1\"\ndatabase-url = \"sqlite://x.db\"\n",
    );
    let done = run(&["health", "--config", &file], &[]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        done.status.code() == Some(1) && said.contains("127.0.0.1:1/"),
        "{said}"
    );
}

#[test]
fn completions_and_man_pages_name_every_command_and_option() {
    let help = String::from_utf8(run(&["serve", "--help"], &[]).stdout).unwrap();
    let flags: Vec<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--") && word.len() > 4)
        .map(|word| word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
        .collect();
    assert!(flags.len() > 20, "{flags:?}");
    let commands = [
        "serve", "health", "watch", "copy", "backup", "verify", "doctor", "config", "compare",
    ];
    for shell in ["bash", "zsh", "fish"] {
        let done = run(&["completions", shell], &[]);
        let script = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success() && !script.is_empty(), "{shell}");
        for word in flags
            .iter()
            .map(|flag| flag.trim_start_matches('-'))
            .chain(commands)
        {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(&["completions", "tcsh"], &[]).status.code(), Some(2));

    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("man1");
    let done = run(
        &["manual", to.to_str().unwrap()],
        &[("HEADCOUNT_ADMIN_TOKEN", "battery staple")],
    );
    assert!(done.status.success(), "{done:?}");
    let page = |name: &str| {
        std::fs::read_to_string(to.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    for command in commands {
        let page = page(&format!("headcount-{command}.1"));
        assert!(
            page.contains(".TH") && !page.contains("battery staple"),
            "{command}"
        );
    }
    let serve = page("headcount-serve.1").replace("\\-", "-");
    assert!(flags.iter().all(|flag| serve.contains(flag)), "{flags:?}");
    assert!(
        page("headcount.1").contains("headcount\\-doctor(1)")
            || page("headcount.1").contains("doctor")
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(
        run(&["manual", file.to_str().unwrap()], &[]).status.code(),
        Some(1)
    );
}

#[test]
fn the_example_has_every_option_and_means_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(&["config", "--example"], &[]);
    assert!(done.status.success(), "{done:?}");
    let example = String::from_utf8(done.stdout).unwrap();
    let as_it_is = write(folder.path(), "example.toml", &example);
    let defaults = in_force(&[], &[]);
    assert_eq!(in_force(&["--config", &as_it_is], &[]), defaults);
    // Without the mark of a comment; an option without a default is empty there.
    let is_option = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let options: Vec<&str> = example
        .lines()
        .filter(is_option)
        .map(|line| line.trim_start_matches('#'))
        .collect();
    let help = String::from_utf8(run(&["serve", "--help"], &[]).stdout).unwrap();
    let mut in_help: Vec<&str> = help
        .lines()
        // A text is indented further.
        .filter_map(|line| line.strip_prefix("      --"))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !["config", "help"].contains(name))
        .collect();
    let mut named: Vec<&str> = options
        .iter()
        .filter_map(|line| line.split(" = ").next())
        .collect();
    in_help.sort_unstable();
    named.sort_unstable();
    assert_eq!(named, in_help);
    let set: Vec<&str> = options
        .into_iter()
        .filter(|line| !line.ends_with("= \"\""))
        .collect();
    let file = write(folder.path(), "set.toml", &set.join("\n"));
    let values = |options: BTreeMap<String, (String, String)>| -> Vec<(String, String)> {
        let values = options.into_iter();
        values.map(|(name, (value, _))| (name, value)).collect()
    };
    assert_eq!(
        values(in_force(&["--config", &file], &[])),
        values(defaults)
    );
}

/// People paste an address with a password into any option, and a password into any place of one.
#[test]
fn nothing_that_is_printed_repeats_a_secret_of_an_address() {
    const SECRET: &str = "hunter22";
    let shown = |args: &[&str]| {
        let done = run(args, &[]);
        [done.stdout, done.stderr]
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat()
    };
    let example = shown(&["config", "--example"]);
    let options = example.lines().filter_map(|line| {
        let (name, default) = line.strip_prefix('#')?.split_once(" = ")?;
        (!name.contains(' ') && default != "false").then(|| format!("--{name}"))
    });
    let options: Vec<_> = options.collect();
    assert!(options.len() > 25, "{options:?}");
    for option in &options {
        for value in [
            "postgres://ada:hunter22@127.0.0.1:1/headcount",
            "postgres://ada@127.0.0.1:1/headcount?password=hunter22",
            "sqlite://headcount.db?hunter22=hunter22",
            "smtps://ada:hunter22@127.0.0.1:1?hunter22",
            "https://hunter22@127.0.0.1:1/",
            "https://127.0.0.1:1/?key=hunter22",
            "https://127.0.0.1:1/#hunter22",
            "https://127.0.0.1:99999/?key=hunter22",
        ] {
            let text = shown(&["config", option, value]);
            assert!(!text.contains(SECRET), "{option} {value}: {text}");
        }
    }
    // What a server and a check of the set-up say of addresses that are valid, and lead nowhere.
    let addresses = [
        "--database-url",
        "postgres://ada:hunter22@127.0.0.1:1/headcount?application_name=x",
        "--notify-database-url",
        "postgres://ada:hunter22@127.0.0.1:1/headcount",
        "--smtp-url",
        "smtps://ada:hunter22@127.0.0.1:1",
        "--public-url",
        "http://127.0.0.1:1",
        "--listen",
        "127.0.0.1:0",
    ];
    for (command, said) in [
        (&["doctor"][..], "127.0.0.1:1"),
        (&["serve", "--log", "trace"], "cannot be reached"),
    ] {
        let text = shown(&[command, &addresses].concat());
        assert!(!text.contains(SECRET), "{command:?}: {text}");
        assert!(text.contains(said), "{command:?}: {text}");
    }
}
