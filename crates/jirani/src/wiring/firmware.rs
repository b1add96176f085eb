//! Images for meters: whatever files an operator puts into `firmware` of the data folder.
//!
//! A file is known by its content, not by its name: it is handed out under the first bytes
//! of its SHA-256, which a signed release names. So nothing here is trusted, and a file that
//! was never announced is never asked for.

use super::embedded::BrokerAccess;
use super::{DataFolder, Secrets};
use jirani_broker::GATEWAY;
use jirani_meter::fetch::ImageName;
use jirani_meter::release::IMAGE_MAX;
use jirani_oracle::{FirmwareServer, GatewayConfig, GatewayError, Images};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most files that are looked at.
const FILES_MAX: usize = 32;
/// How soon the folder is looked through again for an image that was not there.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Who hands out firmware, on the gateway's account.
pub fn server(
    access: &BrokerAccess,
    secrets: &Secrets,
    folder: &DataFolder,
) -> Result<FirmwareServer, GatewayError> {
    let config = GatewayConfig {
        url: access.url.clone(),
        client_id: secrets.client_id(&format!("{GATEWAY}-firmware")),
        username: access.username.clone(),
        password: access.password.clone(),
        shared_group: None,
    };
    let server = FirmwareServer::new(&config, Arc::new(ImageFolder::new(folder.firmware())))?;
    match &access.tls {
        Some(tls) => server.with_tls(tls),
        None => Ok(server),
    }
}

/// The folder, and what was found in it.
struct ImageFolder {
    path: PathBuf,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    images: HashMap<ImageName, Arc<[u8]>>,
    looked: Option<Instant>,
}

impl ImageFolder {
    fn new(path: PathBuf) -> Self {
        Self { path, found: Mutex::default() }
    }

    /// Everything in the folder that may be an image.
    fn look(&self) -> HashMap<ImageName, Arc<[u8]>> {
        let Ok(files) = fs::read_dir(&self.path) else { return HashMap::new() };
        let mut images = HashMap::new();
        for file in files.flatten().take(FILES_MAX) {
            let fits = file
                .metadata()
                .is_ok_and(|about| about.is_file() && about.len() > 0 && about.len() <= u64::from(IMAGE_MAX));
            let Some(image) = fits.then(|| fs::read(file.path()).ok()).flatten() else { continue };
            let mut name = ImageName::default();
            name.copy_from_slice(&Sha256::digest(&image)[..8]);
            images.insert(name, image.into());
        }
        images
    }
}

impl Images for ImageFolder {
    fn image(&self, name: ImageName) -> Option<Arc<[u8]>> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if !found.images.contains_key(&name)
            && found.looked.is_none_or(|looked| looked.elapsed() >= LOOK_AGAIN)
        {
            found.images = self.look();
            found.looked = Some(Instant::now());
        }
        found.images.get(&name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(image: &[u8]) -> ImageName {
        Sha256::digest(image)[..8].try_into().unwrap()
    }

    #[test]
    fn a_file_is_known_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("any name"), b"an image").unwrap();
        fs::write(folder.path().join("empty"), b"").unwrap();
        let images = ImageFolder::new(folder.path().to_owned());
        assert_eq!(images.image(name(b"an image")).as_deref(), Some(&b"an image"[..]));
        assert_eq!(images.image(name(b"")), None);
        assert_eq!(images.image(name(b"another")), None);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_images() {
        let images = ImageFolder::new(PathBuf::from("/nowhere/at/all"));
        assert_eq!(images.image(name(b"an image")), None);
    }
}
