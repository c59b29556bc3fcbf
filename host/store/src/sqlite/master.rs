//! Master data and activity definitions.

use std::collections::{BTreeMap, HashMap};

use apptsync_model::{
    Channel, ChannelPartner, DefinitionSettings, DefinitionTexts, Employee, IbusSettings, MasterData, Organization,
    Partner, check_channel_id, text,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::outlook::json;
use crate::{LoadCounts, MasterKind, Result, StoreError, StoredDefinition};

/// Reads a text column that holds the stable name of a value.
pub(super) fn named<T: std::str::FromStr<Err = String>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let value: String = row.get(column)?;
    value.parse().map_err(|error: String| {
        let index = row.as_ref().column_index(column).unwrap_or(0);
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into())
    })
}

fn organization(row: &Row<'_>) -> rusqlite::Result<Organization> {
    let zone: String = row.get("time_zone")?;
    let time_zone = zone.parse().map_err(|error: chrono_tz::ParseError| {
        rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(Organization { id: row.get("id")?, name: row.get("name")?, time_zone })
}

fn partner_row(row: &Row<'_>) -> rusqlite::Result<Partner> {
    Ok(Partner {
        id: row.get("id")?,
        name: row.get("name")?,
        street: row.get("street")?,
        postcode: row.get("postcode")?,
        city: row.get("city")?,
        country: row.get("country")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        blocked: row.get("blocked")?,
        deletion_mark: row.get("deletion_mark")?,
    })
}

fn employee(row: &Row<'_>) -> rusqlite::Result<Employee> {
    Ok(Employee {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        organization: row.get("organization")?,
        manager: row.get("manager")?,
        user: row.get("user")?,
        active: row.get("active")?,
        sales_representative: row.get("sales_representative")?,
        profile: named(row, "profile")?,
        blocked: row.get("blocked")?,
        deletion_mark: row.get("deletion_mark")?,
        certificates: json(row, "certificates")?,
    })
}

fn channel_row(row: &Row<'_>) -> rusqlite::Result<Channel> {
    Ok(Channel {
        id: row.get("id")?,
        description: row.get("description")?,
        organization: row.get("organization")?,
        active: row.get("active")?,
    })
}

fn channel_partner(row: &Row<'_>) -> rusqlite::Result<ChannelPartner> {
    Ok(ChannelPartner {
        channel: row.get("channel")?,
        partner: row.get("partner")?,
        external_id: row.get("external_id")?,
    })
}

fn rows<T>(connection: &Connection, sql: &str, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let values = statement.query_map([], read)?.collect::<rusqlite::Result<Vec<T>>>()?;
    Ok(values)
}

pub(super) fn all(store: &SqliteStore) -> Result<MasterData> {
    let connection = &store.connection;
    Ok(MasterData {
        organization: rows(connection, "SELECT * FROM organization ORDER BY id", organization)?,
        partner: rows(connection, "SELECT * FROM partner ORDER BY id", partner_row)?,
        employee: rows(connection, "SELECT * FROM employee ORDER BY id", employee)?,
        channel: rows(connection, "SELECT * FROM channel ORDER BY id", channel_row)?,
        channel_partner: rows(
            connection,
            "SELECT * FROM channel_partner ORDER BY channel, external_id",
            channel_partner,
        )?,
    })
}

pub(super) fn channel(store: &SqliteStore, id: &str) -> Result<Option<Channel>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM channel WHERE id = ?")?;
    Ok(statement.query_row([id], channel_row).optional()?)
}

pub(super) fn ibus_settings(store: &SqliteStore, channel: &str) -> Result<Option<IbusSettings>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM ibus_settings WHERE channel = ?")?;
    let settings = |row: &Row<'_>| {
        Ok(IbusSettings {
            client_id: row.get("client_id")?,
            user: row.get("user")?,
            url: row.get("url")?,
            version: row.get("version")?,
            item_category: row.get("item_category")?,
            credential: row.get("credential")?,
        })
    };
    Ok(statement.query_row([channel], settings).optional()?)
}

pub(super) fn put_ibus_settings(store: &SqliteStore, channel: &str, settings: &IbusSettings) -> Result<()> {
    let columns: [(&str, &dyn ToSql); 7] = [
        ("channel", &channel),
        ("client_id", &settings.client_id),
        ("user", &settings.user),
        ("url", &settings.url),
        ("version", &settings.version),
        ("item_category", &settings.item_category),
        ("credential", &settings.credential),
    ];
    let transaction = store.write()?;
    put(&transaction, "ibus_settings", &columns, 1)
        .map_err(|error| refers_to_nothing(error, "IBUS settings", channel))?;
    Ok(transaction.commit()?)
}

pub(super) fn partner(store: &SqliteStore, id: &str) -> Result<Option<Partner>> {
    let mut statement = store.connection.prepare_cached("SELECT * FROM partner WHERE id = ?")?;
    Ok(statement.query_row([id], partner_row).optional()?)
}

pub(super) fn connected_partners(
    store: &SqliteStore,
    channel: &str,
    external_ids: &[&str],
) -> Result<HashMap<String, Partner>> {
    let mut statement = store.connection.prepare_cached(
        "SELECT partner.* FROM channel_partner JOIN partner ON partner.id = channel_partner.partner
         WHERE channel_partner.channel = ? AND channel_partner.external_id = ?",
    )?;
    let mut found = HashMap::with_capacity(external_ids.len());
    for id in external_ids {
        if let Some(partner) = statement.query_row([channel, id], partner_row).optional()? {
            found.insert((*id).to_owned(), partner);
        }
    }
    Ok(found)
}

pub(super) fn address_book(store: &SqliteStore) -> Result<(Vec<Partner>, Vec<Employee>)> {
    let connection = &store.connection;
    Ok((
        rows(connection, "SELECT * FROM partner WHERE NOT deletion_mark ORDER BY id", partner_row)?,
        rows(
            connection,
            "SELECT * FROM employee WHERE sales_representative AND NOT deletion_mark ORDER BY id",
            employee,
        )?,
    ))
}

/// What an upsert did: an insert, an update or nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Created,
    Updated,
    Unchanged,
}

/// Adds or changes one row. `keys` are the first columns; a row that is there as given is left alone.
fn put(connection: &Connection, table: &str, columns: &[(&str, &dyn ToSql)], keys: usize) -> rusqlite::Result<Put> {
    let (key, rest) = columns.split_at(keys);
    let list = |columns: &[(&str, &dyn ToSql)], with: &str, between: &str| {
        columns.iter().map(|(name, _)| format!("{name}{with}")).collect::<Vec<_>>().join(between)
    };
    let values: Vec<&dyn ToSql> = columns.iter().map(|(_, value)| *value).collect();
    let key_values = &values[..keys];
    let exists_sql = format!("SELECT count(*) FROM {table} WHERE {}", list(key, " = ?", " AND "));
    let exists: bool = connection.prepare_cached(&exists_sql)?.query_row(key_values, |row| row.get(0))?;
    if !exists {
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", list(columns, "", ", "));
        connection.prepare_cached(&sql)?.execute(values.as_slice())?;
        return Ok(Put::Created);
    }
    let sql = format!(
        "UPDATE {table} SET {} WHERE {} AND ({}) IS NOT ({})",
        list(rest, " = ?", ", "),
        list(key, " = ?", " AND "),
        list(rest, "", ", "),
        vec!["?"; rest.len()].join(", ")
    );
    let rest_values = &values[keys..];
    let all: Vec<&dyn ToSql> = rest_values.iter().chain(key_values).chain(rest_values).copied().collect();
    let changed = connection.prepare_cached(&sql)?.execute(all.as_slice())?;
    Ok(if changed > 0 { Put::Updated } else { Put::Unchanged })
}

/// Adds or changes a partner.
pub(super) fn put_partner(connection: &Connection, partner: &Partner) -> rusqlite::Result<Put> {
    put(
        connection,
        "partner",
        &[
            ("id", &partner.id),
            ("name", &partner.name),
            ("street", &partner.street),
            ("postcode", &partner.postcode),
            ("city", &partner.city),
            ("country", &partner.country),
            ("email", &partner.email),
            ("phone", &partner.phone),
            ("blocked", &partner.blocked),
            ("deletion_mark", &partner.deletion_mark),
        ],
        1,
    )
}

/// Connects a customer of a channel with a partner.
pub(super) fn connect(connection: &Connection, connected: &ChannelPartner) -> rusqlite::Result<Put> {
    let columns: [(&str, &dyn ToSql); 3] =
        [("channel", &connected.channel), ("external_id", &connected.external_id), ("partner", &connected.partner)];
    put(connection, "channel_partner", &columns, 2)
}

/// Loads a list, telling what it did and naming the entry that is at fault.
fn each<T>(
    counts: &mut LoadCounts,
    what: &str,
    entries: &[T],
    id: impl Fn(&T) -> &str,
    write: impl Fn(&T) -> rusqlite::Result<Put>,
) -> Result<()> {
    for entry in entries {
        let id = id(entry);
        if !text::is_id(id) {
            let shown = text::quoted(text::cut(id, 80).as_ref());
            return Err(StoreError::Invalid(format!(
                "`{shown}` is no id of a {what}: use 1 to 128 bytes without control characters"
            )));
        }
        match write(entry).map_err(|error| refers_to_nothing(error, what, id))? {
            Put::Created => counts.created += 1,
            Put::Updated => counts.updated += 1,
            Put::Unchanged => counts.unchanged += 1,
        }
    }
    Ok(())
}

fn refers_to_nothing(error: rusqlite::Error, what: &str, id: &str) -> StoreError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
        let needs = match what {
            "employee" | "sales channel" => "its organization",
            _ => "its sales channel or partner",
        };
        return StoreError::Reference(format!(
            "{what} `{id}` refers to what is not there: load {needs} first, or together with it"
        ));
    }
    error.into()
}

pub(super) fn load(store: &SqliteStore, data: &MasterData) -> Result<LoadCounts> {
    let transaction = store.write()?;
    let connection: &Connection = &transaction;
    let mut counts = LoadCounts::default();
    each(
        &mut counts,
        "organization",
        &data.organization,
        |entry| &entry.id,
        |entry| {
            put(
                connection,
                "organization",
                &[("id", &entry.id), ("name", &entry.name), ("time_zone", &entry.time_zone.name())],
                1,
            )
        },
    )?;
    each(&mut counts, "partner", &data.partner, |entry| &entry.id, |entry| put_partner(connection, entry))?;
    each(
        &mut counts,
        "employee",
        &data.employee,
        |entry| &entry.id,
        |entry| {
            let certificates = serde_json::Value::from(entry.certificates.clone()).to_string();
            put(
                connection,
                "employee",
                &[
                    ("id", &entry.id),
                    ("name", &entry.name),
                    ("email", &entry.email),
                    ("organization", &entry.organization),
                    ("manager", &entry.manager),
                    ("user", &entry.user),
                    ("active", &entry.active),
                    ("sales_representative", &entry.sales_representative),
                    ("profile", &entry.profile.name()),
                    ("blocked", &entry.blocked),
                    ("deletion_mark", &entry.deletion_mark),
                    ("certificates", &certificates),
                ],
                1,
            )
        },
    )?;
    for channel in &data.channel {
        check_channel_id(&channel.id).map_err(|error| StoreError::Invalid(error.to_string()))?;
    }
    each(
        &mut counts,
        "sales channel",
        &data.channel,
        |entry| &entry.id,
        |entry| {
            put(
                connection,
                "channel",
                &[
                    ("id", &entry.id),
                    ("description", &entry.description),
                    ("organization", &entry.organization),
                    ("active", &entry.active),
                ],
                1,
            )
        },
    )?;
    each(
        &mut counts,
        "channel partner",
        &data.channel_partner,
        |entry| &entry.external_id,
        |entry| connect(connection, entry),
    )?;
    check_managers(connection)?;
    transaction.commit()?;
    Ok(counts)
}

/// Every manager is an employee, and nobody is above themselves.
fn check_managers(connection: &Connection) -> Result<()> {
    let employees = rows(connection, "SELECT * FROM employee ORDER BY id", employee)?;
    let managers: HashMap<&str, Option<&str>> =
        employees.iter().map(|employee| (employee.id.as_str(), employee.manager.as_deref())).collect();
    for employee in &employees {
        let mut above = employee.manager.as_deref();
        for _ in 0..=employees.len() {
            let Some(manager) = above else { break };
            if manager == employee.id {
                return Err(StoreError::Invalid(format!(
                    "employee `{manager}` would be their own manager: correct `manager`"
                )));
            }
            above = *managers.get(manager).ok_or_else(|| {
                StoreError::Reference(format!(
                    "the manager `{manager}` of an employee is not there: load them first, or together"
                ))
            })?;
        }
    }
    Ok(())
}

pub(super) fn remove(store: &SqliteStore, kind: MasterKind, id: &str, channel: Option<&str>) -> Result<bool> {
    let (table, column, what) = match kind {
        MasterKind::Organization => ("organization", "id", "organization"),
        MasterKind::Partner => ("partner", "id", "partner"),
        MasterKind::Employee => ("employee", "id", "employee"),
        MasterKind::Channel => ("channel", "id", "sales channel"),
        MasterKind::ChannelPartner => ("channel_partner", "external_id", "channel partner"),
    };
    let transaction = store.write()?;
    let removed = match (kind, channel) {
        (MasterKind::ChannelPartner, Some(channel)) => transaction
            .execute("DELETE FROM channel_partner WHERE channel = ? AND external_id = ?", params![channel, id]),
        (MasterKind::ChannelPartner, None) => {
            return Err(StoreError::Invalid("name the sales channel of the channel partner".into()));
        }
        _ => transaction.execute(&format!("DELETE FROM {table} WHERE {column} = ?"), [id]),
    };
    let in_use = |error: rusqlite::Error| {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            let advice = match kind {
                MasterKind::Partner | MasterKind::Employee => {
                    ": set its deletion mark instead (`set ID --deletion-mark true`)"
                }
                MasterKind::Channel => {
                    ": deactivate it instead (`set ID --active false`), or remove its channel partners first"
                }
                _ => "",
            };
            return StoreError::Reference(format!("{what} `{id}` is still in use{advice}"));
        }
        error.into()
    };
    let removed = removed.map_err(in_use)?;
    transaction.commit().map_err(in_use)?;
    Ok(removed > 0)
}

pub(super) fn definitions(store: &SqliteStore) -> Result<Vec<StoredDefinition>> {
    let mut definitions = rows(&store.connection, "SELECT * FROM definition ORDER BY name", |row| {
        Ok(StoredDefinition {
            settings: DefinitionSettings {
                name: row.get("name")?,
                kind: row.get("kind")?,
                priority: named(row, "priority")?,
                subject: row.get("subject")?,
                description: row.get("description")?,
            },
            active: row.get("active")?,
            changed: row.get("changed")?,
            translations: BTreeMap::new(),
        })
    })?;
    for definition in &mut definitions {
        let mut statement = store.connection.prepare_cached("SELECT * FROM definition_text WHERE definition = ?")?;
        let texts = statement.query_map([&definition.settings.name], |row| {
            let texts = DefinitionTexts { subject: row.get("subject")?, description: row.get("description")? };
            Ok((named(row, "language")?, texts))
        })?;
        for text in texts {
            let (language, texts) = text?;
            definition.translations.insert(language, texts);
        }
    }
    Ok(definitions)
}

pub(super) fn put_definition(store: &SqliteStore, definition: &StoredDefinition) -> Result<()> {
    let settings = &definition.settings;
    let transaction = store.write()?;
    put(
        &transaction,
        "definition",
        &[
            ("name", &settings.name),
            ("active", &definition.active),
            ("changed", &definition.changed),
            ("kind", &settings.kind),
            ("priority", &settings.priority.name()),
            ("subject", &settings.subject),
            ("description", &settings.description),
        ],
        1,
    )?;
    transaction.execute("DELETE FROM definition_text WHERE definition = ?", [&settings.name])?;
    for (language, texts) in &definition.translations {
        transaction.execute(
            "INSERT INTO definition_text (definition, language, subject, description) VALUES (?, ?, ?, ?)",
            params![settings.name, language.as_str(), texts.subject, texts.description],
        )?;
    }
    Ok(transaction.commit()?)
}
