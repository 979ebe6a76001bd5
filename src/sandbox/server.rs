//! The server on loopback that simulates registries and web servers.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use super::answer::{Answer, Payload};
use super::distribution::{self, Route};
use super::fault::{Fault, Faults, When};
use super::files::Files;
use super::registry::Registry;
use super::request::{Asked, Incoming};
use super::token::{TokenRules, Tokens};
use super::upload::Uploads;
use crate::types::Digest;

/// An HTTP/1.1 server on `127.0.0.1` and a free port, on a thread of its own; it stops when it is dropped.
///
/// Everything about it can be changed while it runs, from threads with or without a runtime.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    origin: String,
    hosts: BTreeSet<String>,
    registry: Registry,
    files: Files,
    uploads: Uploads,
    tokens: Tokens,
    faults: Faults,
    log: Vec<Asked>,
    /// How many requests are no longer in the log.
    forgotten: usize,
}

impl Server {
    /// Starts it, empty.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = State { origin: format!("http://{address}"), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serving = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, serving) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL of it: `url("/files/example.com/x")`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Reads or changes what the registries and the web servers hold. Nothing else of the server may be called from
    /// within.
    pub fn content<T>(&self, work: impl FnOnce(&mut Registry, &mut Files) -> T) -> T {
        let State { registry, files, .. } = &mut *lock(&self.state);
        work(registry, files)
    }

    /// [`Server::content`] where only the registries matter.
    pub fn registry<T>(&self, work: impl FnOnce(&mut Registry) -> T) -> T {
        self.content(|registry, _| work(registry))
    }

    /// [`Server::content`] where only the web servers matter.
    pub fn files<T>(&self, work: impl FnOnce(&mut Files) -> T) -> T {
        self.content(|_, files| work(files))
    }

    /// Also simulates this host's registry, which is still empty, for a test that pushes to it.
    pub fn play(&self, host: &str) {
        lock(&self.state).hosts.insert(host.to_owned());
    }

    /// Adds a fault for matching requests. If several faults match a request, the oldest is used.
    pub fn fault(&self, when: When, fault: Fault) {
        lock(&self.state).faults.add(when, fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.state).faults.clear();
    }

    /// Asks for bearer tokens from now on, or no longer.
    pub fn require_tokens(&self, rules: Option<TokenRules>) {
        lock(&self.state).tokens.set_rules(rules);
    }

    /// Asks for this user and password with each request to the registries from now on, or no longer.
    pub fn require_password(&self, login: Option<(&str, &str)>) {
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        lock(&self.state).tokens.set_password(login);
    }

    /// Lets all tokens that were given expire now.
    pub fn expire_tokens(&self) {
        lock(&self.state).tokens.expire();
    }

    /// The requests since the start or the last [`Server::forget_requests`], in order of arrival.
    pub fn requests(&self) -> Vec<Asked> {
        lock(&self.state).log.clone()
    }

    /// The requests whose path starts with `prefix`, each as `METHOD path`.
    pub fn requests_for(&self, prefix: &str) -> Vec<String> {
        let state = lock(&self.state);
        let asked = state.log.iter().filter(|asked| asked.path.starts_with(prefix));
        asked.map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }

    /// Empties the log.
    pub fn forget_requests(&self) {
        let mut state = lock(&self.state);
        state.forgotten += state.log.len();
        state.log.clear();
    }

    /// A registries.conf that redirects every simulated host to this server, and marks it as plain http.
    ///
    /// Format: containers-registries.conf(5), version 2.
    pub fn registries_conf(&self) -> String {
        let state = lock(&self.state);
        let address = self.address;
        let mut hosts: BTreeSet<&str> = state.registry.hosts();
        hosts.extend(state.hosts.iter().map(String::as_str));
        let mapped = hosts.into_iter().map(|host| {
            format!("\n[[registry]]\nprefix = \"{host}\"\nlocation = \"{address}/{host}\"\ninsecure = true\n")
        });
        let itself = format!("\n[[registry]]\nlocation = \"{address}\"\ninsecure = true\n");
        format!("unqualified-search-registries = [\"docker.io\"]\n{itself}{}", mapped.collect::<String>())
    }

    /// A URL mirror, `PREFIX=LOCATION`, for every simulated web server.
    pub fn url_mirrors(&self) -> Vec<String> {
        let state = lock(&self.state);
        let mirror = |host| format!("https://{host}/=http://{}/files/{host}/", self.address);
        state.files.hosts().into_iter().map(mirror).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its panic, if there was one, was already printed, and nobody else can handle it.
            drop(thread.join());
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors: some are freed when connections end.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| handle(request, Arc::clone(&state)));
            // The client will notice a broken connection.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

/// Answers one request; an error closes the connection without an answer.
async fn handle(request: Request<Body>, state: Arc<Mutex<State>>) -> Result<Response<Payload>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut request = Incoming::new(head.method, &head.uri, head.headers, body);
    let (number, fault) = {
        let mut state = lock(&state);
        state.log.push(request.logged(head.uri.query().unwrap_or_default()));
        (state.forgotten + state.log.len() - 1, state.faults.take(&request))
    };
    match &fault {
        Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
        Some(Fault::Silence) => match std::future::pending::<Infallible>().await {},
        _ => {}
    }
    let mut state = lock(&state);
    if let Some(fault) = &fault {
        fault.on_request(&mut request);
    }
    let answer = state.answer(&request);
    let answer = match fault {
        None => Some(answer),
        Some(fault) => fault.on_answer(answer),
    };
    let Some(answer) = answer else { return Err(io::Error::other("dropped, as the sandbox was told")) };
    let place = number.checked_sub(state.forgotten);
    if let Some(asked) = place.and_then(|place| state.log.get_mut(place)) {
        asked.status = answer.status.as_u16();
    }
    Ok(answer.into_response())
}

impl State {
    fn answer(&mut self, request: &Incoming) -> Answer {
        if let Some(path) = request.path.strip_prefix("/files/") {
            return self.file(request, path);
        }
        if request.path == "/token" {
            return self.tokens.give(request);
        }
        let Some(route) = Route::parse(&request.path) else {
            return Answer::error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "the sandbox plays nothing here");
        };
        if let Some(refusal) = self.tokens.refusal(request, route.repository(), &self.origin) {
            return refusal;
        }
        if distribution::is_read(&request.method) {
            return distribution::read(&self.registry, request, route);
        }
        self.uploads.write(&mut self.registry, request, route)
    }

    fn file(&self, request: &Incoming, path: &str) -> Answer {
        if !distribution::is_read(&request.method) {
            return Answer::new(StatusCode::METHOD_NOT_ALLOWED, "").with(&header::ALLOW, "GET, HEAD");
        }
        let Some(bytes) = self.files.get(path) else {
            return Answer::new(StatusCode::NOT_FOUND, format!("the sandbox has no file {path}\n"));
        };
        let etag = format!("\"{}\"", &Digest::of(bytes).hex()[..16]);
        Answer::content(request, bytes, "application/octet-stream", &etag)
    }
}
