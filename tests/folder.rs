//! A data folder in the hands of its operator: the log printed, checked, backed up and restored,
//! and what a server does when something is wrong with it. The program itself is run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says where"
)]

mod folder {
    mod backup;
    mod doctor;
    mod faults;
    mod log;
    mod program;
    mod small;
}
