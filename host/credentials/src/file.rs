//! The credential file: one table for each credential.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::entry::Entry;
use crate::{Credential, CredentialError, environment, private_file};

const HEAD: &str = "\
# Credentials of apptsync, written by `apptsync credentials`.
# For you alone: never send this file to anybody, never put it under version control.
";
const MAX_NAME: usize = 64;

/// The file that keeps credentials, readable by its owner alone.
#[derive(Debug, Clone)]
pub struct CredentialFile {
    path: PathBuf,
}

/// Where the secret of a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// In the file.
    File,
    /// In the environment, which goes before the file.
    Environment,
    /// Nowhere: it was to come from the environment, and is not there.
    Missing,
}

/// A credential with its name.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// What it is.
    pub credential: Credential,
    /// Where its secret is.
    pub secret: SecretPlace,
}

impl CredentialFile {
    /// The file's usual name, in the folder of the workspace.
    pub const NAME: &str = "credentials.toml";
    /// The variable of the environment that names another file.
    pub const VARIABLE: &str = "APPTSYNC_CREDENTIALS";

    /// The credential file; it need not be there yet.
    ///
    /// # Errors
    /// Others may read it, it belongs to another user, or it is no credential file.
    pub fn open(path: &Path) -> Result<Self, CredentialError> {
        let file = Self { path: path.to_owned() };
        file.read()?;
        Ok(file)
    }

    /// The credential file of a workspace: [`NAME`](Self::NAME) in its folder, or the one that the environment names.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of_workspace(folder: &Path) -> Result<Self, CredentialError> {
        let named = std::env::var_os(Self::VARIABLE).filter(|path| !path.is_empty());
        Self::open(&named.map_or_else(|| folder.join(Self::NAME), PathBuf::from))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A credential, with its secret from the environment where it is set there. A secret in the environment alone is the
    /// password of the profile's user.
    ///
    /// # Errors
    /// There is none of that name, or its secret is nowhere; or as [`open`](Self::open).
    pub fn get(&self, name: &str) -> Result<Credential, CredentialError> {
        let found = self.list()?;
        let Some(stored) = found.iter().find(|stored| stored.name == name) else {
            let known = found.into_iter().map(|stored| stored.name).collect();
            return Err(CredentialError::Missing { name: name.to_owned(), file: self.path.clone(), known });
        };
        if stored.secret == SecretPlace::Missing {
            let variable = environment::secret_variable(name);
            return Err(CredentialError::Invalid(format!(
                "the secret of the credential `{name}` comes from the environment: set {variable}"
            )));
        }
        Ok(stored.credential.clone())
    }

    /// All credentials by name, those that are in the environment alone included.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn list(&self) -> Result<Vec<Stored>, CredentialError> {
        let mut all = BTreeMap::new();
        for name in environment::names() {
            all.insert(name, Credential::Password(crate::Password::default()));
        }
        all.extend(self.credentials()?);
        Ok(all.into_iter().map(|(name, credential)| stored(name, credential)).collect())
    }

    /// Adds a credential, or replaces the one of its name.
    ///
    /// # Errors
    /// The name cannot be one, or is taken and nothing is to be replaced; or the file cannot be written.
    pub fn put(&self, name: &str, credential: &Credential, replace: bool) -> Result<(), CredentialError> {
        self.check_new(name, replace)?;
        let _lock = private_file::lock(&self.path)?;
        let mut entries = self.read()?;
        if entries.contains_key(name) && !replace {
            return Err(CredentialError::Exists(name.to_owned()));
        }
        entries.insert(name.to_owned(), credential.into());
        self.write(&entries)
    }

    /// Checks that a credential of this name can be added, before somebody is asked for its secret.
    ///
    /// # Errors
    /// The name cannot be one, or is taken and nothing is to be replaced.
    pub fn check_new(&self, name: &str, replace: bool) -> Result<(), CredentialError> {
        if !is_name(name) {
            return Err(CredentialError::Invalid(format!(
                "`{}` cannot be the name of a credential: use up to {MAX_NAME} lower-case letters, digits and hyphens",
                name.escape_debug()
            )));
        }
        if !replace && self.read()?.contains_key(name) {
            return Err(CredentialError::Exists(name.to_owned()));
        }
        Ok(())
    }

    /// Removes a credential for good.
    ///
    /// # Errors
    /// There is none of that name in the file; or the file cannot be written.
    pub fn remove(&self, name: &str) -> Result<(), CredentialError> {
        let _lock = private_file::lock(&self.path)?;
        let mut entries = self.read()?;
        if entries.remove(name).is_some() {
            return self.write(&entries);
        }
        if environment::secret(name).is_some() {
            let variable = environment::secret_variable(name);
            return Err(CredentialError::Invalid(format!(
                "the credential `{name}` is in the environment alone: unset {variable}"
            )));
        }
        Err(CredentialError::Missing {
            name: name.to_owned(),
            file: self.path.clone(),
            known: entries.into_keys().collect(),
        })
    }

    /// Begins to change a credential of the file: until that is done, nobody else changes any.
    pub(crate) fn change(&self, name: &str) -> Result<Change<'_>, CredentialError> {
        let lock = private_file::lock(&self.path)?;
        let mut entries = self.read()?;
        let Some(entry) = entries.remove(name) else {
            let known = entries.into_keys().collect();
            return Err(CredentialError::Missing { name: name.to_owned(), file: self.path.clone(), known });
        };
        let credential = entry.credential().map_err(|why| self.content(name, &why))?;
        Ok(Change { file: self, name: name.to_owned(), others: entries, credential, _lock: lock })
    }

    fn credentials(&self) -> Result<Vec<(String, Credential)>, CredentialError> {
        let entries = self.read()?.into_iter();
        let credentials = entries.map(|(name, entry)| match entry.credential() {
            Ok(credential) => Ok((name, credential)),
            Err(why) => Err(self.content(&name, &why)),
        });
        credentials.collect()
    }

    fn read(&self) -> Result<BTreeMap<String, Entry>, CredentialError> {
        let Some(text) = private_file::read(&self.path)? else { return Ok(BTreeMap::new()) };
        let entries: BTreeMap<String, Entry> = toml::from_str(&text).map_err(|error| self.unreadable(&text, &error))?;
        match entries.keys().find(|name| !is_name(name)) {
            Some(name) => Err(self.content(name, "a name has lower-case letters, digits and hyphens only")),
            None => Ok(entries),
        }
    }

    fn write(&self, entries: &BTreeMap<String, Entry>) -> Result<(), CredentialError> {
        let unwritable = |_| CredentialError::Invalid("the credentials cannot be written as TOML".into());
        let tables = Zeroizing::new(toml::to_string(entries).map_err(unwritable)?);
        private_file::write(&self.path, &Zeroizing::new(format!("{HEAD}\n{}", tables.as_str())))
    }

    /// What the reader of TOML says would show the line, and with it a secret.
    fn unreadable(&self, text: &str, error: &toml::de::Error) -> CredentialError {
        let place = error.span().map(|span| {
            let before = text.get(..span.start.min(text.len())).unwrap_or(text);
            let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
            (before.matches('\n').count() + 1, column)
        });
        let why = "is not as `apptsync credentials add` writes it: correct the line, or remove the credential's lines and add it again";
        CredentialError::Content { file: self.path.clone(), place, why: why.into() }
    }

    fn content(&self, name: &str, why: &str) -> CredentialError {
        let why = format!("the credential `{}`: {why}: add it again with --replace", name.escape_debug());
        CredentialError::Content { file: self.path.clone(), place: None, why }
    }
}

/// A credential that is being changed; dropped unwritten, it stays as it was.
pub(crate) struct Change<'a> {
    file: &'a CredentialFile,
    name: String,
    others: BTreeMap<String, Entry>,
    /// What the file holds now, to be changed.
    pub(crate) credential: Credential,
    _lock: File,
}

impl Change<'_> {
    /// Writes the changed credential.
    pub(crate) fn write(self) -> Result<(), CredentialError> {
        let mut entries = self.others;
        entries.insert(self.name, (&self.credential).into());
        self.file.write(&entries)
    }
}

fn stored(name: String, credential: Credential) -> Stored {
    let mut credential = credential.with_secret_of(&name);
    let secret = match credential.secret_mut() {
        Some(_) if environment::secret(&name).is_some() => SecretPlace::Environment,
        Some(None) => SecretPlace::Missing,
        _ => SecretPlace::File,
    };
    Stored { name, credential, secret }
}

/// True for what can be the name of a credential: it stands in tables of TOML and in variables of the environment.
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(is_part)
        && name.bytes().all(|byte| is_part(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};
    use tempfile::TempDir;

    use super::*;
    use crate::{Application, ClientSecret, Cloud, Ibus, Password};

    fn place() -> (TempDir, CredentialFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = CredentialFile::open(&folder.path().join(CredentialFile::NAME)).expect("no file yet");
        (folder, file)
    }

    fn password(password: &str) -> Credential {
        Credential::Password(Password {
            user: Some("barbara".into()),
            password: Some(password.into()),
            server: Some("https://dav.example.com".parse().expect("an origin")),
        })
    }

    fn text(file: &CredentialFile) -> String {
        std::fs::read_to_string(file.path()).expect("a file")
    }

    #[test]
    fn what_is_put_is_there_until_it_is_removed() {
        let (_folder, file) = place();
        let application = Application::new("tenant", "client", Cloud::UsGovDod).expect("an application");
        let secret = Some(SecretString::from("a\"b\\c'd\u{7f}é\n"));
        file.put("one", &password("hunter2"), false).expect("put");
        file.put("two", &Credential::ClientSecret(ClientSecret { application, secret }), false).expect("put");
        let ibus = Ibus { client_password: "c".into(), user_password: "u".into() };
        file.put("three", &Credential::Ibus(ibus), false).expect("put");
        let Credential::Password(one) = file.get("one").expect("there") else { panic!("of another kind") };
        assert_eq!(one.user.as_deref(), Some("barbara"));
        assert_eq!(one.server.expect("a server").to_string(), "https://dav.example.com");
        assert_eq!(one.password.expect("a password").expose_secret(), "hunter2");
        let Credential::ClientSecret(two) = file.get("two").expect("there") else { panic!("of another kind") };
        assert_eq!(two.application.cloud, Cloud::UsGovDod);
        assert_eq!(two.secret.expect("a secret").expose_secret(), "a\"b\\c'd\u{7f}é\n");
        file.remove("two").expect("removed");
        let error = file.get("two").expect_err("gone").to_string();
        assert!(error.contains("only one, three") && error.contains("credentials add two"), "{error}");
        assert!(!text(&file).contains("two"));
        assert!(file.remove("two").is_err());
    }

    #[test]
    fn nothing_is_replaced_unless_it_is_asked_for() {
        let (_folder, file) = place();
        file.put("one", &password("old"), false).expect("put");
        assert!(matches!(file.put("one", &password("new"), false), Err(CredentialError::Exists(_))));
        assert!(text(&file).contains("old"));
        file.put("one", &password("new"), true).expect("replaced");
        assert!(text(&file).contains("new") && !text(&file).contains("old"));
        assert!(text(&file).starts_with("# Credentials of apptsync"));
    }

    #[test]
    fn names_are_checked() {
        let (_folder, file) = place();
        for wrong in ["", "A", "a b", "a_b", "-a", "a.b", "ä", "a\n", &"a".repeat(65)] {
            assert!(file.put(wrong, &password("p"), false).is_err(), "{wrong}");
        }
        file.put(&"a".repeat(64), &password("p"), false).expect("put");
    }

    #[test]
    fn what_a_broken_file_holds_is_not_repeated() {
        let (_folder, file) = place();
        for (text, place) in [
            ("one = \"hunter2\"\n", ":1:"),
            ("[one]\nkind = \"hunter2\"\n", ":2:"),
            ("[one]\nkind = \"password\"\npassword = [\"hunter2\"]\n", ":3:"),
            ("[one]\nkind = \"password\"\npassword = \"hunter2\n", ":3:"),
            ("[one]\nkind = \"password\"\nhunter2 = 1\n", ":"),
            ("[one]\nkind = \"password\"\nserver = \"https://anna:hunter2@dav\"\n", "`server`"),
            ("[one]\nkind = \"client-secret\"\nsecret = \"hunter2\"\n", "`cloud`"),
            ("[one]\nkind = \"client-secret\"\nsecret = \"hunter2\"\ncloud = \"hunter2\"\n", "no such cloud"),
            ("[one]\nkind = \"device-code\"\ncloud = \"global\"\ntenant = \"hunter2/\"\nclient-id = \"c\"\n", "tenant"),
            ("[one]\nkind = \"certificate\"\ncloud = \"global\"\ntenant = \"t\"\nclient-id = \"c\"\n", "`certificate`"),
            ("[one]\nkind = \"ibus\"\nclient-password = \"hunter2\"\n", "`user-password`"),
        ] {
            private_file::write(file.path(), text).expect("written");
            let error = file.list().expect_err("refused");
            for said in [error.to_string(), format!("{error:?}")] {
                assert!(!said.contains("hunter2"), "{said}");
            }
            assert!(error.to_string().contains(place), "{place}: {error}");
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let (_folder, file) = place();
        file.put("one", &password("hunter2"), false).expect("put");
        assert!(!format!("{:?}{:?}", file.list(), file.get("one")).contains("hunter2"));
        assert!(!format!("{:?}", file.read().expect("read")).contains("hunter2"));
    }

    #[test]
    fn changes_at_the_same_time_lose_nothing() {
        let (_folder, file) = place();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || file.put(&format!("c{number}"), &password("p"), false).expect("put"));
            }
        });
        assert_eq!(file.list().expect("read").len(), 8);
    }
}
