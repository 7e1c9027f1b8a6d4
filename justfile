# What CI runs, cheap first.
ci:
    .ci/run

# Every test, with the failpoints that the kill tests need.
test:
    cargo test --workspace --features failpoints

# The figures of BENCHMARKS.md, from the release binary.
bench:
    cargo build --release -p katad
    cargo bench -p kata-testkit

# kill -9 at random times, many rounds.
torture rounds="50":
    cargo build --release -p katad
    KATA_TORTURE_ROUNDS={{rounds}} KATAD=target/release/katad cargo test -p kata-testkit --test torture

# Writes the generated files anew: the protocol's schema, the settings table, snapshots.
generate:
    UPDATE_SCHEMA=1 UPDATE_DOCS=1 INSTA_UPDATE=always cargo test --workspace --features failpoints

fmt:
    cargo fmt --all
