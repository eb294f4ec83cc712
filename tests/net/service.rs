//! What the service manager is told, over a socket of its kind.

use super::client::PATIENCE;
use super::crash::program::{CONFIGURATION, Program};
use rustix::process::Signal;
use std::os::unix::net::UnixDatagram;

#[test]
fn the_service_manager_hears_when_the_server_is_ready_lives_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("notify");
    let socket = UnixDatagram::bind(&name).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).expect("a word");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let more = [
        ("NOTIFY_SOCKET", name.to_str().unwrap()),
        ("WATCHDOG_USEC", "100000"),
    ];
    for _ in 0..2 {
        let program = Program::start_in(folder.path(), CONFIGURATION, &more);
        assert_eq!(heard(), "READY=1");
        assert!(program.page("/readyz").ends_with("ready\n"));
        for _ in 0..3 {
            assert_eq!(heard(), "WATCHDOG=1");
        }
        program.signal(Signal::HUP);
        program.signal(Signal::TERM);
        while heard() != "STOPPING=1" {}
    }
}
