//! The port: connections that can be cut, and a listener that can be down for a while and come back on the same port.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFutureOwned},
    task::TaskTracker,
};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Cuts one connection.
#[derive(Clone, Debug)]
pub(crate) struct Cut(CancellationToken);

impl Cut {
    pub(crate) fn cut(&self) {
        self.0.cancel();
    }

    pub(crate) async fn happened(&self) {
        self.0.cancelled().await;
    }
}

impl Connected<IncomingStream<'_, Incoming>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Incoming>) -> Self {
        stream.io().handle.clone()
    }
}

/// A connection that fails on both sides once it is cut.
#[derive(Debug)]
pub(crate) struct Connection {
    tcp: TcpStream,
    handle: Cut,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Connection {
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The parent of every connection's token; replaced when all are cut.
#[derive(Clone, Debug, Default)]
struct All(Arc<Mutex<CancellationToken>>);

impl All {
    fn child(&self) -> CancellationToken {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .child_token()
    }

    fn cut(&self) {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).cancel();
    }
}

/// Connections as they come in, from one listener after the other.
#[derive(Debug)]
pub(crate) struct Incoming {
    accepted: UnboundedReceiver<TcpStream>,
    all: All,
    addr: SocketAddr,
}

impl Listener for Incoming {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let Some(tcp) = self.accepted.recv().await else {
            std::future::pending().await
        };
        // Latency figures are taken over this connection.
        let _ = tcp.set_nodelay(true);
        let token = self.all.child();
        let cut = Box::pin(token.clone().cancelled_owned());
        (
            Connection {
                tcp,
                handle: Cut(token),
                cut,
            },
            self.addr,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

#[derive(Debug)]
enum Listening {
    Up {
        stop: CancellationToken,
        task: JoinHandle<()>,
    },
    /// The port is kept, so that nobody else gets it, but nobody listens: connections are refused.
    Down(TcpSocket),
}

/// One port of this machine's loopback, ours until it is dropped.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) addr: SocketAddr,
    accepted: UnboundedSender<TcpStream>,
    tasks: TaskTracker,
    listening: tokio::sync::Mutex<Listening>,
    all: All,
}

impl Port {
    /// Takes a free port and listens on it.
    pub(crate) async fn open(tasks: TaskTracker) -> io::Result<(Self, Incoming)> {
        let socket = bound(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let addr = socket.local_addr()?;
        let listener = socket.listen(BACKLOG)?;
        let (accepted, incoming) = unbounded_channel();
        let all = All::default();
        let listening = listen(&tasks, listener, accepted.clone());
        let incoming = Incoming {
            accepted: incoming,
            all: all.clone(),
            addr,
        };
        Ok((
            Self {
                addr,
                accepted,
                tasks,
                listening: listening.into(),
                all,
            },
            incoming,
        ))
    }

    /// Refuses new connections and cuts those that are open.
    pub(crate) async fn down(&self) -> io::Result<()> {
        let mut listening = self.listening.lock().await;
        if let Listening::Up { stop, task } = &mut *listening {
            // Before the listener goes: in between, anybody could get the port.
            let reserved = bound(self.addr)?;
            stop.cancel();
            // The listener is closed when its task has ended.
            let _ = task.await;
            *listening = Listening::Down(reserved);
        }
        self.cut_all();
        Ok(())
    }

    /// Listens again.
    pub(crate) async fn up(&self) -> io::Result<()> {
        let mut listening = self.listening.lock().await;
        if let Listening::Down(reserved) = &mut *listening {
            let reserved = std::mem::replace(reserved, TcpSocket::new_v4()?);
            *listening = listen(&self.tasks, reserved.listen(BACKLOG)?, self.accepted.clone());
        }
        Ok(())
    }

    pub(crate) fn cut_all(&self) {
        self.all.cut();
    }
}

/// Two of ours may have one address, of which one listens at most; nobody else's may.
fn bound(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

fn listen(tasks: &TaskTracker, listener: TcpListener, accepted: UnboundedSender<TcpStream>) -> Listening {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tasks.spawn(async move {
        let accept = async {
            // A failed accept is the peer's affair (it hung up); a closed channel means that the fake is gone.
            while !accepted.is_closed() {
                if let Ok((tcp, _)) = listener.accept().await {
                    let _ = accepted.send(tcp);
                }
            }
        };
        stopped.run_until_cancelled(accept).await;
    });
    Listening::Up { stop, task }
}
