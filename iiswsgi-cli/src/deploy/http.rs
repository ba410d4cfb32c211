//! HTTP as every command speaks it.

use std::time::Duration;

use camino::Utf8Path;
use fs_err as fs;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;

use crate::error::{Error, Result};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(30);

/// The authorities that this machine trusts, and Mozilla's; or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, and Mozilla's.
///
/// Windows lists the public authorities only that it has met, and a bare container none.
pub(crate) fn trusted_by_this_machine() -> RootCerts {
    let machine = rustls_native_certs::load_native_certs();
    for error in &machine.errors {
        tracing::debug!("some of the machine's certificates cannot be read: {error}");
    }
    let mozilla = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    let certificates = machine.certs.iter().chain(mozilla);
    certificates
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .into()
}

/// The authorities in a file, in PEM.
pub(crate) fn trusted_by_file(path: &Utf8Path) -> Result<RootCerts> {
    let octets = fs::read(path)?;
    let mut certificates = Vec::new();
    for item in parse_pem(&octets) {
        let item = item.map_err(|error| Error::new(format!("`{path}`: {error}")))?;
        if let PemItem::Certificate(certificate) = item {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(Error::new(format!("`{path}` has no certificate"))
            .help("it has to be in PEM: `-----BEGIN CERTIFICATE-----` and what follows"));
    }
    Ok(certificates.into())
}

/// A client's settings, for a server that may take so long until its answer begins. Proxies come from the environment.
pub(crate) fn config(answer: Duration, trusted: RootCerts) -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(answer))
        .tls_config(TlsConfig::builder().root_certs(trusted).build())
}

/// Whether the connection failed for the server's certificate, so that no further try helps.
pub(crate) fn is_distrust(error: &ureq::Error) -> bool {
    let rustls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    matches!(rustls, Some(rustls::Error::InvalidCertificate(_)))
}
