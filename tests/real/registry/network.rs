//! What stands between a company's machine and its registries: TLS, proxies, faults on the way.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

/// A company's own certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, PEM.
    pub(crate) pem: String,
}

/// A certificate and its key, PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate of a server for these names, and of a client.
    pub(crate) fn issue(&self, names: &[&str]) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }
}

impl Pair {
    /// Writes both to files.
    pub(crate) fn write(&self, folder: &Path, certificate: &str, key: &str) {
        fs_err::create_dir_all(folder).unwrap();
        fs_err::write(folder.join(certificate), &self.certificate).unwrap();
        fs_err::write(folder.join(key), &self.key).unwrap();
    }
}

/// A server on loopback with a thread of its own; it ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The first lines of the requests that came.
    seen: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start<F>(serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let log = seen.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        // A connection that breaks is the client's to notice.
                        tokio::spawn(serve(stream, log.clone()));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, seen, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().unwrap().join());
    }
}

/// Speaks TLS for a server that does not; with `clients`, only to whom this authority knows.
pub(crate) fn tls_front(backend: SocketAddr, pair: &Pair, clients: Option<&Authority>) -> Server {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()));
    Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            match acceptor.accept(stream).into_fallible().await {
                Ok(stream) => join(stream, backend).await,
                // Until the client has read why: closed at once, the connection would be reset under it.
                Err((_, mut stream)) => tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ()),
            }
        }
    })
}

/// How a proxy treats those who ask.
#[derive(Clone, Copy)]
pub(crate) enum Manners {
    /// Everybody may.
    Open,
    /// Those who say `bob:pr0xy`.
    Login,
    /// Nobody may.
    Closed,
}

/// A proxy: `CONNECT`, and requests with whole URLs. Whatever host is asked for, it leads to `backend`.
pub(crate) fn proxy(backend: SocketAddr, manners: Manners) -> Server {
    Server::start(move |mut stream, seen| async move {
        let head = head(&mut stream).await?;
        let first = head.lines().next().unwrap_or_default().to_owned();
        seen.lock().unwrap().push(first.clone());
        // base64 of bob:pr0xy
        let is_bob = head.to_lowercase().contains("proxy-authorization: basic ") && head.contains("Ym9iOnByMHh5");
        let refusal = match manners {
            Manners::Login if !is_bob => Some("407 Proxy Authentication Required"),
            Manners::Closed => Some("403 Forbidden"),
            Manners::Open | Manners::Login => None,
        };
        if let Some(refusal) = refusal {
            let answer = format!("HTTP/1.1 {refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return stream.write_all(answer.as_bytes()).await;
        }
        if first.starts_with("CONNECT ") {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            return join(stream, backend).await;
        }
        // An origin server takes a whole URL too. RFC 9112, 3.2.2.
        let mut server = TcpStream::connect(backend).await?;
        server.write_all(closing(&head).as_bytes()).await?;
        tokio::io::copy(&mut server, &mut stream).await?;
        stream.shutdown().await
    })
}

/// What goes wrong on the way.
#[derive(Clone)]
pub(crate) enum Trouble {
    None,
    /// This instead of the answer.
    Instead(String),
    /// The connection is cut after so many bytes of the body.
    Cut(usize),
}

/// Hands requests on, one a connection; `trouble` is told the path and how often it was asked for before.
pub(crate) fn relay(backend: SocketAddr, trouble: impl Fn(&str, usize) -> Trouble + Send + Sync + 'static) -> Server {
    let (trouble, counts) = (Arc::new(trouble), Arc::new(Mutex::new(BTreeMap::<String, usize>::new())));
    Server::start(move |mut stream, seen| {
        let (trouble, counts) = (trouble.clone(), counts.clone());
        async move {
            let head = head(&mut stream).await?;
            let first = head.lines().next().unwrap_or_default().to_owned();
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            seen.lock().unwrap().push(first);
            let before = {
                let mut counts = counts.lock().unwrap();
                let count = counts.entry(path.clone()).or_default();
                *count += 1;
                *count - 1
            };
            let trouble = trouble(&path, before);
            if let Trouble::Instead(answer) = trouble {
                return stream.write_all(answer.as_bytes()).await;
            }
            let mut server = TcpStream::connect(backend).await?;
            server.write_all(closing(&head).as_bytes()).await?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).await?;
            if let Trouble::Cut(after) = trouble {
                let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
                answer.truncate(body + after);
            }
            stream.write_all(&answer).await?;
            stream.shutdown().await
        }
    })
}

/// A request's head, up to and with its empty line.
async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await?);
        // That is TLS, which nobody here speaks.
        if bytes[0] == 0x16 {
            return Err(std::io::Error::other("no HTTP"));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The head of a request after whose answer the connection ends.
fn closing(head: &str) -> String {
    format!("{}Connection: close\r\n\r\n", head.trim_end_matches("\r\n").to_owned() + "\r\n")
}

async fn join(mut client: impl AsyncRead + AsyncWrite + Unpin, backend: SocketAddr) -> std::io::Result<()> {
    let mut server = TcpStream::connect(backend).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}
