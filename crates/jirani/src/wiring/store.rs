//! The database that the settings name.

use crate::config::{Config, StoreSettings};
use crate::wiring::Secrets;
use anyhow::{Context as _, bail};
use jirani_store::{Archive, ChainIndex, Change, Store};
use jirani_store_postgres::{Address, PostgresStore};
use jirani_store_sqlite::SqliteStore;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Address>),
}

/// A store of either kind.
#[derive(Clone)]
pub enum AnyStore {
    /// A file.
    Sqlite(Arc<SqliteStore>),
    /// A server.
    Postgres(Arc<PostgresStore>),
}

impl Database {
    /// The one that the settings name, for the data folder `folder`.
    pub fn of(config: &Config, folder: &Path) -> anyhow::Result<Self> {
        if config.store.is_embedded() {
            return Ok(Self::Sqlite(folder.join("jirani.db")));
        }
        Self::postgres(&config.store.url, &config.store)
    }

    /// A server, with the password of the settings.
    pub fn postgres(url: &str, settings: &StoreSettings) -> anyhow::Result<Self> {
        let password = settings.password()?;
        let address = Address::new(url, password.as_deref()).context("store.unusable")?;
        Ok(Self::Postgres(Box::new(address)))
    }

    /// The file that is not there, if it is one.
    pub fn missing(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) if !path.is_file() => Some(path),
            _ => None,
        }
    }

    /// Opens for reading and writing.
    pub async fn open(&self) -> anyhow::Result<AnyStore> {
        Ok(match self {
            Self::Sqlite(path) => AnyStore::Sqlite(Arc::new(SqliteStore::open(path).await?)),
            Self::Postgres(address) => AnyStore::Postgres(Arc::new(PostgresStore::open(address).await?)),
        })
    }

    /// Opens for reading, beside whoever writes.
    pub async fn open_read_only(&self) -> anyhow::Result<AnyStore> {
        Ok(match self {
            Self::Sqlite(path) => AnyStore::Sqlite(Arc::new(SqliteStore::open_read_only(path)?)),
            Self::Postgres(address) => {
                AnyStore::Postgres(Arc::new(PostgresStore::open_read_only(address).await?))
            }
        })
    }
}

impl AnyStore {
    /// For services.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
        }
    }

    /// For the index of the chain.
    pub fn index(&self) -> Arc<dyn ChainIndex> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
        }
    }

    /// For copies and backups.
    pub fn archive(&self) -> Arc<dyn Archive> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
        }
    }

    /// Waits until everything handed in is durable, then closes it.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// Name of the value that tells whose database it is.
const DEPLOYMENT: &str = "deployment";

/// Refuses a database of another deployment: its proofs, sessions and callbacks are made
/// with other keys, and a village on trial has no place in it. A new one becomes ours.
pub async fn claim(store: &dyn Store, secrets: &Secrets) -> anyhow::Result<()> {
    let ours = hex::encode(&secrets.derive("store")[..16]);
    match store.setting(DEPLOYMENT).await? {
        Some(found) if found != ours => bail!(
            "store.other_deployment: the database belongs to another data folder's keys; choose another database, or \
             bring the folder's keys with it"
        ),
        Some(_) => Ok(()),
        None => {
            store.commit(vec![Change::Setting { key: DEPLOYMENT.to_owned(), value: ours }]).await?;
            Ok(())
        }
    }
}
