//! The schema: the migrations that made it, and whether it is still as they made it.

use std::collections::BTreeMap;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, query_as};

use super::super::super::migrations;
use super::{Faults, is_missing_table};

/// A migration that was applied, and the digest of its text.
const APPLIED: &str =
    "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
/// Tables, indexes, triggers and views, without those that SQLite and sqlx make for themselves.
const OBJECTS: &str = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema
    WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name <> '_sqlx_migrations'";

/// The newest migration, or what is wrong. An older schema than this program's is no fault: a
/// server brings it up to date when it starts.
pub(super) async fn check(
    connection: &mut SqliteConnection,
) -> Result<Result<i64, String>, sqlx::Error> {
    let applied: Vec<(i64, Vec<u8>)> = match query_as(APPLIED).fetch_all(&mut *connection).await {
        Ok(applied) => applied,
        Err(error) if is_missing_table(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    let Some((newest, _)) = applied.last() else {
        return Ok(Err("this is no database of Headcount".to_owned()));
    };
    let newest = *newest;
    if newest > migrations::newest() {
        return Ok(Err(format!(
            "migration {newest} is of a newer version of this program; verify the file with that version"
        )));
    }
    let mut faults = Faults::default();
    for migration in migrations::up_to(newest) {
        let version = migration.version;
        match applied.iter().find(|(applied, _)| *applied == version) {
            None => faults.add(format!("migration {version} is missing")),
            Some((_, checksum)) if **checksum != *migration.checksum => {
                faults.add(format!("migration {version} had another text"));
            }
            Some(_) => {}
        }
    }
    compare(
        &objects(connection).await?,
        &objects(&mut made(newest).await?).await?,
        &mut faults,
    );
    Ok(faults.or(String::new).map(|_| newest))
}

/// Kind and name of an object of the schema, and its definition.
type Objects = BTreeMap<(String, String), String>;

async fn objects(connection: &mut SqliteConnection) -> Result<Objects, sqlx::Error> {
    let objects: Vec<(String, String, String)> = query_as(OBJECTS).fetch_all(connection).await?;
    let objects = objects.into_iter().map(|(kind, name, sql)| {
        let words: Vec<_> = sql.split_whitespace().collect();
        ((kind, name), words.join(" "))
    });
    Ok(objects.collect())
}

/// An empty database in memory, with the migrations up to `newest`.
pub(super) async fn made(newest: i64) -> Result<SqliteConnection, sqlx::Error> {
    let mut memory = SqliteConnectOptions::new()
        .in_memory(true)
        .disable_statement_logging()
        .connect()
        .await?;
    migrations::SQLITE
        .run_direct(Some(newest), &mut memory, false)
        .await?;
    Ok(memory)
}

/// A table or an index that an administrator added changes nothing that this program does. A
/// trigger does.
fn compare(found: &Objects, made: &Objects, faults: &mut Faults) {
    for ((kind, name), definition) in made {
        match found.get(&(kind.clone(), name.clone())) {
            None => faults.add(format!("{kind} {name} is missing")),
            Some(found) if found != definition => {
                faults.add(format!("{kind} {name} is not as this program makes it"));
            }
            Some(_) => {}
        }
    }
    let added = found.keys().filter(|object| !made.contains_key(object));
    faults.extend(
        added
            .filter(|(kind, _)| kind == "trigger")
            .map(|(_, name)| format!("trigger {name} is not of this program")),
    );
}
