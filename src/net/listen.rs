//! The accept loop: one port for HTTP and WebSocket, with a deadline for the headers of every
//! request and a limit of connections.

use super::server::Server;
use super::socket;
use super::taken::Taken;
use crate::limits;
use crate::time::Span;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

/// Buffer of one HTTP connection; it is gone once the connection is a WebSocket.
const HTTP_BUFFER: usize = 32 * 1_024;
/// Headers of one request; browsers send about 20.
const HEADERS: usize = 64;
/// When the process has no file descriptor left, the listener looks again this often.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// How the port is served.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// Connections at once, WebSockets included. More wait in the kernel's backlog.
    pub connections: usize,
    /// A request's headers must have come by then; an idle connection is closed by then.
    pub headers_within: Duration,
    /// An answer that the client does not take for so long ends the connection.
    pub taken_within: Span,
}

impl Default for Port {
    fn default() -> Self {
        Self {
            connections: 65_536,
            headers_within: Duration::from_secs(30),
            taken_within: limits::TAKEN_WITHIN,
        }
    }
}

/// Who is at the other end of a connection, and its place among the connections. A WebSocket
/// keeps the place for as long as it lives.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address as the kernel says it.
    pub address: SocketAddr,
    /// Held until the connection is closed.
    pub place: Arc<OwnedSemaphorePermit>,
}

/// Accepts connections and serves `routes` of `server` on each until it stops, then lets every
/// request in hand finish.
pub async fn listen(listener: TcpListener, routes: Router, server: Arc<Server>, port: Port) {
    let places = Arc::new(Semaphore::new(port.connections));
    loop {
        let accepted = async {
            let place = match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => Ok(place),
                Err(_) => {
                    server.no_place(port.connections);
                    Arc::clone(&places).acquire_owned().await
                }
            };
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = server.stopping() => return,
            accepted = accepted => accepted,
        };
        match (place, accepted) {
            (Ok(place), Ok((stream, address))) => {
                let peer = Peer {
                    address,
                    place: Arc::new(place),
                };
                let serve = serve(stream, peer, routes.clone(), Arc::clone(&server), port);
                server.tasks().spawn(serve);
            }
            (_, Err(error)) => pause(&error).await,
            (Err(closed), Ok(_)) => {
                tracing::error!(%closed, "the listener has no places");
                return;
            }
        }
    }
}

/// Serves one connection to its end, or to its upgrade.
async fn serve(stream: TcpStream, peer: Peer, routes: Router, server: Arc<Server>, port: Port) {
    if let Err(error) = socket::tune(&stream, true) {
        tracing::debug!(%error, "a socket could not be tuned");
    }
    let service = routes.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        request
    });
    let stream = Taken::new(stream, server.clock().clone(), port.taken_within);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(port.headers_within)
        .max_buf_size(HTTP_BUFFER)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let served = tokio::select! {
        served = &mut connection => served,
        () = server.stopping() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

/// After a failed accept: a connection that was reset in the backlog is nothing, but without
/// descriptors the loop would spin until one is closed.
async fn pause(error: &io::Error) {
    if matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    ) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing tells when a descriptor is closed"
    )]
    tokio::time::sleep(NO_DESCRIPTOR).await;
}
