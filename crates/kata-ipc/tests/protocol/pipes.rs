//! The threads: a host that is slow, silent, or gone.

use kata_ipc::{
    Command, Outgoing,
    codec::LineLimit,
    event::PluginLoaded,
    stdio::{Incoming, NotSent, Unfinished, spawn_reader, spawn_writer},
};
use std::{
    io::{self, Cursor, Read, Write},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

/// Long enough for any machine; no test waits for it to pass unless its time is paused.
const SOON: Duration = Duration::from_secs(30);

fn event(n: usize) -> Outgoing {
    PluginLoaded {
        plugin_id: n.to_string(),
    }
    .into()
}

/// An output that can be looked at afterwards.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Pieces, as a pipe takes them.
        let taken = bytes.len().min(7);
        self.0.lock().unwrap().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A host that reads once it is told to.
struct Gate {
    entered: mpsc::Sender<()>,
    open: mpsc::Receiver<()>,
    inner: Kept,
}

impl Gate {
    fn new() -> (Self, mpsc::Receiver<()>, mpsc::Sender<()>, Kept) {
        let ((entered, waiting), (opener, open), inner) = (mpsc::channel(), mpsc::channel(), Kept::default());
        (
            Self {
                entered,
                open,
                inner: inner.clone(),
            },
            waiting,
            opener,
            inner,
        )
    }
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.entered.send(());
        // An opener that was dropped leaves the gate open.
        let _ = self.open.recv();
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A host that went away.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_was_sent_is_written_in_order_before_the_writer_ends() {
    let kept = Kept::default();
    let (events, writer) = spawn_writer(kept.clone()).unwrap();
    for n in 0..2_000 {
        events.send(event(n)).await.unwrap();
    }
    drop(events);
    writer.join(SOON).await.unwrap();
    let expected: Vec<_> = (0..2_000)
        .map(|n| format!(r#"{{"type":"plugin_loaded","pluginId":"{n}"}}"#))
        .collect();
    assert_eq!(kept.lines(), expected);
}

#[tokio::test]
async fn a_host_that_stops_reading_makes_senders_wait() {
    let (gate, entered, opener, kept) = Gate::new();
    let (events, writer) = spawn_writer(gate).unwrap();
    events.send(event(0)).await.unwrap();
    entered.recv().unwrap();

    let mut queued = 0;
    while events.try_send(event(1 + queued)).is_ok() {
        queued += 1;
    }
    assert!(queued <= 1024, "{queued} events wait in memory");
    assert_eq!(events.try_send(event(0)), Err(NotSent::Full));
    let mut late = Box::pin(events.send(event(1 + queued)));
    assert!(!is_ready(late.as_mut()).await, "there was no room");

    drop(opener);
    late.await.unwrap();
    drop(events);
    writer.join(SOON).await.unwrap();
    assert_eq!(kept.lines().len(), queued + 2, "nothing was dropped");
}

/// Whether a future is ready when it is asked once.
async fn is_ready<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

#[tokio::test]
async fn a_write_that_stalls_can_be_seen_and_one_that_is_done_cannot() {
    let (gate, entered, opener, _) = Gate::new();
    let (events, writer) = spawn_writer(gate).unwrap();
    let progress = writer.progress();
    assert_eq!(progress.stalled_for(), None);
    events.send(event(0)).await.unwrap();
    entered.recv().unwrap();
    assert!(progress.stalled_for().is_some());
    drop((opener, events));
    writer.join(SOON).await.unwrap();
    assert_eq!(progress.stalled_for(), None);
}

#[tokio::test(start_paused = true)]
async fn joining_a_writer_whose_host_does_not_read_gives_up() {
    let (gate, entered, opener, _) = Gate::new();
    let (events, writer) = spawn_writer(gate).unwrap();
    events.send(event(0)).await.unwrap();
    entered.recv().unwrap();
    drop(events);
    assert!(matches!(writer.join(SOON).await, Err(Unfinished::Late)));
    drop(opener);
}

#[tokio::test]
async fn a_host_that_went_away_is_told_to_every_sender() {
    let (events, writer) = spawn_writer(Gone).unwrap();
    let other = events.clone();
    events.send(event(0)).await.unwrap();
    other.closed().await;
    assert!(events.send(event(1)).await.is_err());
    assert_eq!(other.try_send(event(2)), Err(NotSent::Closed));
    let Err(Unfinished::Broken(error)) = writer.join(SOON).await else {
        panic!("stdout is broken")
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn commands_and_bad_lines_come_in_order_and_then_the_end() {
    let input = Cursor::new("{\"type\":\"start\"}\nnonsense\n{\"type\":\"stop\"}");
    let mut incoming = spawn_reader(input, LineLimit::default()).unwrap();
    assert!(
        matches!(incoming.recv().await, Some(Incoming::Request(r)) if matches!(r.command, Command::Start(_)))
    );
    assert!(matches!(incoming.recv().await, Some(Incoming::Bad(_))));
    assert!(
        matches!(incoming.recv().await, Some(Incoming::Request(r)) if matches!(r.command, Command::Stop))
    );
    assert!(matches!(incoming.recv().await, Some(Incoming::End)));
    assert!(incoming.recv().await.is_none());
}

#[tokio::test]
async fn input_that_cannot_be_read_is_taken_as_its_end() {
    struct Broken(Cursor<&'static [u8]>, bool);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if !std::mem::replace(&mut self.1, true) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("cable pulled")),
                read => Ok(read),
            }
        }
    }
    let mut incoming = spawn_reader(
        Broken(Cursor::new(b"{\"type\":\"stop\"}\n"), false),
        LineLimit::default(),
    )
    .unwrap();
    assert!(matches!(incoming.recv().await, Some(Incoming::Request(_))));
    assert!(matches!(incoming.recv().await, Some(Incoming::End)));
}

#[tokio::test]
async fn a_daemon_that_is_busy_makes_the_host_wait() {
    /// Commands without end; counts the bytes that were taken.
    struct Endless(Arc<Mutex<usize>>);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let line = b"{\"type\":\"stop\"}\n";
            let length = buffer.len() / line.len() * line.len();
            for piece in buffer[..length].chunks_mut(line.len()) {
                piece.copy_from_slice(line);
            }
            *self.0.lock().unwrap() += length;
            Ok(length)
        }
    }
    let taken = Arc::new(Mutex::new(0));
    let mut incoming = spawn_reader(Endless(taken.clone()), LineLimit::default()).unwrap();
    for _ in 0..10_000 {
        assert!(matches!(incoming.recv().await, Some(Incoming::Request(_))));
    }
    let received = 10_000 * b"{\"type\":\"stop\"}\n".len();
    assert!(
        *taken.lock().unwrap() <= received + 256 * 1024,
        "reading ran ahead"
    );
}
