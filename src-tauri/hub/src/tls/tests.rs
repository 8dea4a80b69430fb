//! What is read, and what is said of what can't be.

use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

fn identity() -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    params.not_after = date_time_ymd(2031, 2, 3);
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

fn write(folder: &Path, name: &str, text: &str, mode: u32) {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("its mode");
    #[cfg(not(unix))]
    let _ = mode;
}

/// Bad input: which file, what was found, what was expected. Nothing of a key is repeated (H8).
#[test]
fn mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    let ((certificate, key), (_, other)) = (identity(), identity());
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (certificate, key, mode, message) in [
        (&*certificate, &*key, 0o600, ""),
        (&certificate, &key, 0o400, ""),
        (&certificate, &other, 0o600, "is not that of the first certificate in"),
        (&key, &key, 0o600, "holds no certificate in PEM: expected `-----BEGIN CERTIFICATE-----`"),
        (&certificate, &certificate, 0o600, "holds no key in PEM: expected `-----BEGIN PRIVATE KEY-----`"),
        (&certificate, "", 0o600, "holds no key in PEM"),
        (&certificate, &locked, 0o600, "is locked by a passphrase"),
        (&certificate, &key, 0o644, "others may read the file"),
        (&certificate, &key, 0o660, "(mode 0660): expected its owner alone (chmod 600)"),
        ("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", &key, 0o600, "can't be read"),
    ] {
        write(folder.path(), "cert.pem", certificate, 0o644);
        write(folder.path(), "key.pem", key, mode);
        match Tls::open(files.clone()) {
            Ok(tls) => {
                assert_eq!(message, "");
                assert_eq!(tls.ends().as_millis(), 1_927_843_200_000, "2031-02-03");
            }
            Err(found) => {
                assert!(!message.is_empty() && found.contains(message), "{message}: {found}");
                let body = key.lines().nth(1).unwrap_or("nothing");
                assert!(!found.contains(body), "{found}");
            }
        }
        // One that only its owner may write is in the way of the next.
        fs::remove_file(folder.path().join("key.pem")).expect("removed");
    }
    write(folder.path(), "cert.pem", &certificate, 0o644);
    let gone = Tls::open(files).expect_err("no key");
    assert!(gone.contains("is not there: put it there, or name another"), "{gone}");
}
