//! The power is cut under the log: a file system in memory drops what was not synced, at any
//! call, and what was acknowledged is still there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says where"
)]

mod power {
    mod chance;
    mod cut;
    mod disk;
    mod full;
    mod life;
    mod locks;
    mod vfs;
}
