use super::ConfigError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// `[store]`: the database.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// `postgres://user@host:5432/name?sslmode=verify-full`. Empty: SQLite in the data folder.
    pub url: String,
    /// The user's password; from the environment.
    pub password: String,
    /// A file with the user's password, instead.
    pub password_file: PathBuf,
}

impl StoreSettings {
    /// Whether the database is SQLite's file in the data folder.
    pub fn is_embedded(&self) -> bool {
        self.url.is_empty()
    }

    /// Rules between settings.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.is_embedded() {
            return Ok(());
        }
        let refused = |what: &str| Err(ConfigError::Invalid(format!("store.{what}")));
        if !(self.url.starts_with("postgres://") || self.url.starts_with("postgresql://")) {
            return refused("url is empty for SQLite, or of the form postgres://user@host:port/name");
        }
        if has_password(&self.url) {
            return refused(
                "url must not hold a password: set JIRANI__STORE__PASSWORD or store.password_file",
            );
        }
        if !self.password.is_empty() && !self.password_file.as_os_str().is_empty() {
            return refused("password and store.password_file exclude each other: set one");
        }
        Ok(())
    }

    /// The password, if there is one.
    pub fn password(&self) -> anyhow::Result<Option<String>> {
        if !self.password_file.as_os_str().is_empty() {
            let text = std::fs::read_to_string(&self.password_file).map_err(|error| {
                anyhow::anyhow!(
                    "store.no_password: store.password_file {} cannot be read: {error}",
                    self.password_file.display()
                )
            })?;
            return Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()));
        }
        Ok((!self.password.is_empty()).then(|| self.password.clone()))
    }
}

/// Whether a URL's user part names a password, or its query does.
pub fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or("");
    let named = |pair: &str| pair.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("password"));
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) || query.split('&').any(named)
}

impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSettings")
            .field("url", &self.url)
            .field("password_file", &self.password_file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> StoreSettings {
        StoreSettings { url: url.to_owned(), ..StoreSettings::default() }
    }

    #[test]
    fn a_password_has_no_place_in_the_address() {
        for url in ["postgres://a:b@h/n", "postgresql://a:@h:5432/n?x=1", "postgres://h/n?password=b"] {
            let said = settings(url).validate().unwrap_err().to_string();
            assert!(said.contains("must not hold a password") && !said.contains(url), "{said}");
        }
        settings("postgres://a@h:5432/n?host=/run/pg").validate().unwrap();
        assert!(settings("mysql://h/n").validate().is_err());
    }

    #[test]
    fn a_password_is_read_from_a_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "hush hush\n").unwrap();
        let mut settings = settings("postgres://a@h/n");
        settings.password_file = file;
        assert_eq!(settings.password().unwrap().as_deref(), Some("hush hush"));
        settings.password = "hush".to_owned();
        assert!(settings.validate().is_err());
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
