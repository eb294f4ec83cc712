//! The doors over real sockets: what is let in, what is refused and how, and that one client
//! is never another's problem.

mod net {
    mod bad_input;
    mod client;
    mod contacts;
    mod house;
    mod http;
    mod pulse;
    mod resume;
    mod rights;
    mod sessions;
    mod slow;
}
