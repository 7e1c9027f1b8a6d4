//! The program `fake-acp`: [`kata_testkit::acp`] on stdin and stdout.

use std::{io::Write, process::exit};

use clap::Parser;
use kata_testkit::acp::{End, Options, serve};
use tokio::io::{BufReader, stdin, stdout};

/// sysexits' EX_PROTOCOL: the other end did something that the protocol does not know.
const PROTOCOL: i32 = 76;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let end = serve(Options::parse(), BufReader::new(stdin()), stdout()).await;
    // Not by returning: the runtime would wait for a read of stdin that may never end.
    exit(match end {
        End::Closed => 0,
        End::Crash(code) => code,
        End::Broken(why) => {
            let _ = writeln!(
                std::io::stderr(),
                "fake-acp: the client broke the protocol: {why}"
            );
            PROTOCOL
        }
    });
}
